//! Where connections lead, as the client of a person reaches them: what the declaration says, or a port of this machine
//! that kubectl forwards.

use std::collections::{BTreeMap, BTreeSet};

use super::fill::{argument, named};
use super::known::{Knowledge, Known};
use super::word::{Piece, word};
use crate::catalog::{Accepts, Driver};
use crate::check::program::{Connection, ConnectionId, Expr, ExprKind, Program};
use crate::types::{SecretText, Type, Typed, Value};

pub(super) struct Places<'p> {
    program: &'p Program,
    /// The local ports of all connections that lead through a cluster, whether they are used or not: the same on every page.
    locals: BTreeMap<ConnectionId, (u16, u16)>,
    /// What the page's commands go to.
    pub(super) used: BTreeSet<ConnectionId>,
}

/// A port here that is hardly taken: that of the server itself may be, by one that is not meant.
const ABOVE: u16 = 10_000;

impl<'p> Places<'p> {
    pub(super) fn new(knowledge: &mut Knowledge<'p>) -> Self {
        let program = knowledge.program;
        let mut places = Self { program, locals: BTreeMap::new(), used: BTreeSet::new() };
        for (index, connection) in program.connections.iter().enumerate() {
            let id = ConnectionId(u32::try_from(index).unwrap_or(u32::MAX));
            if through(connection).is_none() {
                continue;
            }
            let remote = Self::remote(knowledge, connection);
            let mut local = remote.checked_add(ABOVE).unwrap_or(remote);
            while places.locals.values().any(|(taken, _)| *taken == local) {
                local = local.checked_add(1).unwrap_or(ABOVE);
            }
            places.locals.insert(id, (local, remote));
        }
        places
    }

    pub(super) fn driver(&self, id: ConnectionId) -> Option<&'static Driver> {
        self.program.connections.get(id.index()).map(|connection| connection.made.driver)
    }

    /// The port of the server itself.
    fn remote(knowledge: &mut Knowledge<'p>, connection: &'p Connection) -> u16 {
        let number = |knowledge: &mut Knowledge<'p>, name| {
            declared(connection, name).and_then(|expr| knowledge.text(expr)).and_then(|text| text.parse().ok())
        };
        let of_url = |knowledge: &mut Knowledge<'p>, name| {
            let url = declared(connection, name).and_then(|expr| knowledge.text(expr))?;
            let url = url::Url::parse(&url).ok()?;
            url.port_or_known_default()
        };
        number(knowledge, "port")
            .or_else(|| of_url(knowledge, "url"))
            .or_else(|| of_url(knowledge, "endpoint"))
            .or(connection.made.driver.by_hand.port)
            .unwrap_or(80)
    }

    /// An argument of a connection, as its client has to be told it. With `changes`, of the login that changes.
    pub(super) fn field(
        &mut self,
        knowledge: &mut Knowledge<'p>,
        id: ConnectionId,
        name: &str,
        changes: bool,
    ) -> Option<Known<'p>> {
        self.used.insert(id);
        let connection = self.program.connections.get(id.index())?;
        let text = |text: String| Some(Known::Pieces(vec![Piece::Text(text)]));
        if let Some((local, _)) = self.locals.get(&id) {
            let has = |name: &str| declared(connection, name).is_some();
            match name {
                "host" => return text("127.0.0.1".to_owned()),
                "port" => return text(local.to_string()),
                // What a cluster carries is sealed already.
                "tls" if connection.made.driver.name == "postgres" && !has("tls") => return text("disable".to_owned()),
                "url" | "endpoint"
                    if connection.made.driver.params.iter().any(|own| own.name == name) && !has(name) =>
                {
                    return text(format!("http://127.0.0.1:{local}"));
                }
                // A proxy knows nothing of a port of this machine.
                "proxy" if connection.made.driver.params.iter().any(|own| own.name == "url") => {
                    return text(String::new());
                }
                "way" => return has("url").then(|| text(format!("::127.0.0.1:{local}")))?,
                _ => {}
            }
        }
        // Who changes as somebody else has another password.
        let other = changes && name == "password" && declared(connection, "change_user").is_some();
        let own = || if other { None } else { declared(connection, name) };
        let Some(expr) = login(connection, name, changes).or_else(own) else {
            return in_address(knowledge, connection, name);
        };
        let known = knowledge.of(expr);
        match (connection.made.driver.name, name) {
            (_, "proxy") => match knowledge.text(expr)?.as_str() {
                "env" => None,
                "none" => text(String::new()),
                proxy => text(proxy.to_owned()),
            },
            ("redis", "host") => text(address(&knowledge.text(expr)?).host),
            (_, "url" | "endpoint") => match known {
                Known::Value(Value::String(url)) => text(url.trim_end_matches('/').to_owned()),
                known => Some(known),
            },
            _ => Some(known),
        }
    }

    /// The forwards that the page's commands need, in the order of the declarations.
    pub(super) fn forwards(&mut self, knowledge: &mut Knowledge<'p>) -> Vec<String> {
        let mut forwards = Vec::new();
        for (id, (local, remote)) in self.locals.clone() {
            if !self.used.contains(&id) {
                continue;
            }
            let Some(connection) = self.program.connections.get(id.index()) else { continue };
            let Some(through) = through(connection) else { continue };
            let mut line = vec!["kubectl".to_owned()];
            let source = match &knowledge.behind(through).kind {
                ExprKind::Call(call) if call.builtin.name == "pod.by_exec" => call.args.first(),
                _ => None,
            };
            let through = match source {
                Some(Some(crate::check::program::CallArg::Value(pod))) => pod,
                _ => through,
            };
            let mut target = vec![Piece::Blank("pod".to_owned())];
            let mut namespace = None;
            if let ExprKind::Call(call) = &knowledge.behind(through).kind {
                if let Some(Known::Pieces(pieces)) = named(knowledge, call) {
                    let kind = if call.builtin.name == "kubernetes.pod" { "pod/" } else { "" };
                    target = [Piece::Text(kind.to_owned())].into_iter().chain(pieces).collect();
                }
                if let Some(cluster) = call.on {
                    for (option, name) in [("--kubeconfig", "kubeconfig"), ("--context", "context")] {
                        if let Some(known) = self.field(knowledge, cluster, name, false) {
                            line.push(option.to_owned());
                            line.push(word(&knowledge.plain(&known)));
                        }
                    }
                    namespace = match argument(call, "namespace") {
                        Some(expr) => Some(knowledge.of(expr)),
                        None => self.field(knowledge, cluster, "namespace", false),
                    };
                }
            }
            line.push("port-forward".to_owned());
            if let Some(namespace) = namespace {
                line.push("-n".to_owned());
                line.push(word(&knowledge.plain(&namespace)));
            }
            line.push(word(&target));
            line.push(format!("{local}:{remote}"));
            forwards.push(line.join(" "));
        }
        forwards
    }

    /// Where a connection is reached on this machine.
    pub(super) fn local(&self, id: ConnectionId) -> Option<u16> {
        self.locals.get(&id).map(|(local, _)| *local)
    }
}

/// What the address of a Redis says besides its host.
fn in_address<'p>(knowledge: &mut Knowledge<'p>, connection: &'p Connection, name: &str) -> Option<Known<'p>> {
    if connection.made.driver.name != "redis" {
        return None;
    }
    let address = address(&declared(connection, "host").and_then(|expr| knowledge.text(expr))?);
    let said = match name {
        "port" => address.port?,
        "database" => address.database?,
        "tls" if address.sealed => "true".to_owned(),
        _ => return None,
    };
    Some(Known::Pieces(vec![Piece::Text(said)]))
}

#[derive(Debug, PartialEq, Eq)]
struct Address {
    host: String,
    port: Option<String>,
    database: Option<String>,
    sealed: bool,
}

/// `cache`, `cache:6380`, `rediss://cache:6380/2`
fn address(text: &str) -> Address {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (place, database) = rest.split_once('/').map_or((rest, None), |(place, database)| (place, Some(database)));
    let database = database.filter(|database| !database.is_empty()).map(str::to_owned);
    let place = place.rsplit('@').next().unwrap_or_default();
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.chars().all(|c| c.is_ascii_digit()) => (host, Some(port)),
        _ => (place, None),
    };
    let host = host.trim_matches(['[', ']']).to_owned();
    Address { host, port: port.map(str::to_owned), database, sealed: scheme == "rediss" }
}

/// An argument of a declaration, as it is written.
pub(super) fn declared<'p>(connection: &'p Connection, name: &str) -> Option<&'p Expr> {
    let made = &connection.made;
    let index = made.driver.params.iter().position(|param| param.name == name)?;
    made.args.get(index)?.as_ref()
}

/// Who changes, where that is somebody else; who reads, where that is.
fn login<'p>(connection: &'p Connection, name: &str, changes: bool) -> Option<&'p Expr> {
    let other = match (name, changes) {
        ("user", true) => "change_user",
        ("password", true) => "change_password",
        ("context" | "profile", true) => "change",
        ("profile", false) => "read",
        _ => return None,
    };
    declared(connection, other)
}

fn through(connection: &Connection) -> Option<&Expr> {
    let made = &connection.made;
    let index = made.driver.params.iter().position(|param| matches!(param.accepts, Accepts::Way))?;
    made.args.get(index)?.as_ref()
}

/// Whether a parameter takes a secret.
pub(super) fn is_secret(accepts: &Accepts) -> bool {
    match accepts {
        Accepts::TextOrSecret | Accepts::Fields { secrets: true, .. } => true,
        Accepts::Type(ty) => ty() == SecretText::ty() || ty() == Type::Secret || ty() == Option::<SecretText>::ty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_address_of_a_redis() {
        let said = |text: &str| {
            let found = address(text);
            (found.host, found.port.unwrap_or_default(), found.database.unwrap_or_default(), found.sealed)
        };
        let of = |host: &str, port: &str, database: &str, sealed| {
            (host.to_owned(), port.to_owned(), database.to_owned(), sealed)
        };
        assert_eq!(said("cache"), of("cache", "", "", false));
        assert_eq!(said("cache:6380"), of("cache", "6380", "", false));
        assert_eq!(said("rediss://cache:6380/2"), of("cache", "6380", "2", true));
        assert_eq!(said("redis://[::1]:6380"), of("::1", "6380", "", false));
    }
}
