//! Reading the file.
//!
//! ```toml
//! forbid = ["shell"]                    # built-ins, families, drivers
//!
//! [require.postgres]                    # a family, a built-in, `tool`, or "*"
//! limit = true                          # `within`
//! verify = true
//! undo = true
//! approve_by = "dba"
//!
//! [hosts]
//! allowed = ["*.example.org", "10.0.0.0/8"]
//!
//! [[window]]
//! changes = ["postgres"]                # all where it is left out
//! hours = ["saturday, sunday 02:00-06:00"]
//! timezone = "Europe/Berlin"
//!
//! [approvers.dba]
//! ann = "ssh-ed25519 AAAA… ann@example.org"
//! ```

use std::collections::BTreeSet;
use std::ops::Range;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use toml_edit::TableLike;

use super::{ALL, Hosts, Named, Required, Window, Written};
use crate::catalog::{Builtin, Catalog, EffectRule};
use crate::check::toml::{At, Reader, hours};
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::plan::TOOL;
use crate::source::{FileId, Sources, Span};
use crate::store::approval::PublicKey;

/// What a file says, and all that is wrong with it.
#[must_use]
pub fn read(sources: &Sources, id: FileId, catalog: &Catalog) -> (Written, Vec<Diagnostic>) {
    let file = sources.file(id);
    let families = |name: &'static str| [name].into_iter().chain(name.split_once('.').map(|(family, _)| family));
    let of = |are: fn(&Builtin) -> bool| {
        catalog.builtins().filter(move |one| are(one)).flat_map(move |one| families(one.name))
    };
    let outside: BTreeSet<&'static str> = of(|one| !matches!(one.effect, EffectRule::Pure))
        .chain(catalog.drivers().flat_map(|one| families(one.name)))
        .chain([TOOL, ALL])
        .collect();
    let changing = of(|one| matches!(one.effect, EffectRule::Changes { .. } | EffectRule::ByCall(_)));
    let changing = changing.chain([TOOL, ALL]).collect();
    let known = of(|_| true).chain(outside.iter().copied()).collect();
    let mut reading = Reading { reader: Reader::default(), id, known, outside, changing };
    let mut policy = Written { name: file.name.clone(), ..Written::default() };
    if let Some(document) = reading.reader.parse(&file.text) {
        reading.document(document.as_table(), &mut policy);
    }
    let problems = reading.reader.found.into_iter().map(|problem| {
        let diagnostic = Diagnostic::new(Code::PolicyMistake, span(id, &problem.at), problem.message);
        match problem.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    });
    (policy, problems.collect())
}

fn span(id: FileId, at: &Range<usize>) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(id, offset(at.start), offset(at.end))
}

struct Reading {
    reader: Reader,
    id: FileId,
    /// What there is at all.
    known: BTreeSet<&'static str>,
    /// What reaches something outside: what can be forbidden.
    outside: BTreeSet<&'static str>,
    /// What changes something, or may.
    changing: BTreeSet<&'static str>,
}

/// What a rule is about.
#[derive(Clone, Copy)]
enum About {
    Uses,
    Changes,
}

impl Reading {
    fn document(&mut self, root: &dyn TableLike, policy: &mut Written) {
        self.reader.known(root, &["forbid", "require", "hosts", "window", "approvers"]);
        policy.forbid = self.names(root, "forbid", About::Uses);
        for (key, item) in self.reader.table(root, "require").into_iter().flat_map(TableLike::iter) {
            let family = Named { name: key.to_owned(), span: self.span(&item.span()) };
            self.is_known(key, item.span(), About::Changes);
            let Some(table) = item.as_table_like() else {
                let help = format!("write `[require.{key}]` and `verify = true`");
                self.reader.wrong(item.span(), format!("`{key}` is no table"), &help);
                continue;
            };
            let before = self.reader.found.len();
            self.reader.known(table, &["verify", "undo", "limit", "approve_by"]);
            let required = Required {
                family,
                verify: self.reader.flag(table, "verify"),
                undo: self.reader.flag(table, "undo"),
                limit: self.reader.flag(table, "limit"),
                approve_by: self.role(table),
            };
            let asks = required.verify || required.undo || required.limit || table.contains_key("approve_by");
            if !asks && self.reader.found.len() == before {
                let help = format!("write what changes have to have: `verify = true`; or leave out `[require.{key}]`");
                self.reader.wrong(item.span(), format!("nothing is required of `{key}`"), &help);
            }
            policy.require.push(required);
        }
        if let Some(hosts) = self.reader.table(root, "hosts") {
            policy.hosts = Some(self.hosts(hosts, root.get("hosts").and_then(toml_edit::Item::span)));
        }
        policy.windows = self.windows(root);
        self.approvers(root, policy);
    }

    fn span(&self, at: &At) -> Span {
        span(self.id, at.as_ref().unwrap_or(&(0..0)))
    }

    fn role(&mut self, table: &dyn TableLike) -> Option<Named> {
        let (at, name) = self.reader.text(table, "approve_by")?;
        if name.trim().is_empty() {
            self.reader.wrong(at, "`approve_by` names no role".to_owned(), "write one: `approve_by = \"dba\"`");
            return None;
        }
        Some(Named { span: self.span(&at), name })
    }

    /// A name that nothing has would be a rule that never holds anybody back, and so would one that is never asked for.
    fn is_known(&mut self, name: &str, at: At, about: About) {
        let (meant, what) = match about {
            About::Uses => (&self.outside, "only computes: it reaches nothing, and there is nothing to forbid"),
            About::Changes => (&self.changing, "never changes anything, and the rule would hold nobody back"),
        };
        if meant.contains(name) {
            return;
        }
        if self.known.contains(name) {
            let help = "name what is meant by its built-in or its family, such as `postgres.execute` or `postgres`";
            self.reader.wrong(at, format!("`{name}` {what}"), help);
            return;
        }
        let help = match nearest(name, meant.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => {
                "write a built-in or a family of them, such as `postgres.execute` or `postgres`, a driver, `tool` or \
                     `*`; `runbook doc` lists them"
                    .to_owned()
            }
        };
        self.reader.wrong(at, format!("nothing is called `{name}`"), &help);
    }

    fn names(&mut self, table: &dyn TableLike, key: &str, about: About) -> Vec<Named> {
        let mut names = Vec::new();
        for (at, name) in self.reader.texts(table, key) {
            self.is_known(&name, at.clone(), about);
            names.push(Named { span: self.span(&at), name });
        }
        names
    }

    fn hosts(&mut self, table: &dyn TableLike, at: At) -> Hosts {
        self.reader.known(table, &["allowed"]);
        if !table.contains_key("allowed") {
            let help = "write `allowed = [\"*.example.org\"]`; `allowed = []` allows none";
            self.reader.wrong(at.clone(), "`hosts` does not say which are allowed".to_owned(), help);
        }
        let at = table.get("allowed").and_then(toml_edit::Item::span).or(at);
        let mut hosts = Hosts { span: self.span(&at), names: Vec::new(), networks: Vec::new() };
        for (at, text) in self.reader.texts(table, "allowed") {
            if let Ok(network) = text.parse::<IpNet>() {
                hosts.networks.push(network);
            } else if let Ok(address) = text.parse::<std::net::IpAddr>() {
                hosts.networks.push(IpNet::from(address));
            } else if is_pattern(&text) {
                hosts.names.push(text.to_ascii_lowercase());
            } else {
                let help = "write a name such as `db.example.org`, `*.example.org`, or a network such as `10.0.0.0/8`";
                self.reader.wrong(at, format!("`{text}` is no host"), help);
            }
        }
        hosts
    }

    fn windows(&mut self, root: &dyn TableLike) -> Vec<Window> {
        let Some(item) = root.get("window") else { return Vec::new() };
        let Some(tables) = item.as_array_of_tables() else {
            let help = "write `[[window]]` and `hours = [\"saturday 02:00-06:00\"]`";
            self.reader.wrong(item.span(), "`window` is no list of tables".to_owned(), help);
            return Vec::new();
        };
        tables.iter().map(|table| self.window(table, table.span())).collect()
    }

    fn window(&mut self, table: &dyn TableLike, at: At) -> Window {
        self.reader.known(table, &["changes", "hours", "timezone"]);
        let mut changes: Vec<String> =
            self.names(table, "changes", About::Changes).into_iter().map(|named| named.name).collect();
        if !table.contains_key("changes") {
            changes.push(ALL.to_owned());
        } else if table.get("changes").and_then(toml_edit::Item::as_array).is_some_and(toml_edit::Array::is_empty) {
            let at = table.get("changes").and_then(toml_edit::Item::span);
            let help = "name some, or leave `changes` out: then it is about all";
            self.reader.wrong(at, "this window is of no changes, and would hold nobody back".to_owned(), help);
        }
        if !table.contains_key("hours") {
            let help = "write `hours = [\"saturday, sunday 02:00-06:00\"]`";
            self.reader.wrong(at.clone(), "this window does not say when it is open".to_owned(), help);
        }
        let (mut all, mut written) = (Vec::new(), Vec::new());
        for (at, text) in self.reader.texts(table, "hours") {
            if let Some(hours) = hours(&text) {
                all.push(hours);
            } else {
                let help = "write `monday-friday 20:00-06:00`, or `saturday, sunday 02:00-06:00`";
                self.reader.wrong(at, format!("`{text}` are no hours"), help);
            }
            written.push(text);
        }
        // Whose clock is meant is never guessed.
        if !table.contains_key("timezone") {
            let help = "write `timezone = \"Europe/Berlin\"`, or `\"UTC\"`";
            self.reader.wrong(at, "this window does not say in which time zone".to_owned(), help);
        }
        let zone = self.reader.zone(table, "timezone");
        let (zone, zone_name) = zone.unwrap_or_else(|| (TimeZone::UTC, "UTC".to_owned()));
        Window { changes, hours: all, written: written.join(", "), zone, zone_name }
    }

    fn approvers(&mut self, root: &dyn TableLike, policy: &mut Written) {
        for (role, item) in self.reader.table(root, "approvers").into_iter().flat_map(TableLike::iter) {
            let Some(table) = item.as_table_like() else {
                let help = format!("write `[approvers.{role}]` and `ann = \"ssh-ed25519 …\"`");
                self.reader.wrong(item.span(), format!("`{role}` is no table"), &help);
                continue;
            };
            let people = policy.approvers.entry(role.to_owned()).or_default();
            for (person, item) in table.iter() {
                let lines = match item.as_str() {
                    Some(line) => vec![(item.span(), line.to_owned())],
                    None => self.reader.texts(table, person),
                };
                let keys = people.entry(person.to_owned()).or_default();
                for (at, line) in lines {
                    match PublicKey::parse(&line) {
                        Ok(key) => keys.push(key),
                        Err(why) => self.reader.wrong(at, why, "write the line of `~/.ssh/id_ed25519.pub`"),
                    }
                }
            }
            if people.values().all(Vec::is_empty) {
                let help = "write `ann = \"ssh-ed25519 …\"`, or leave the role out: then no approval has to be signed";
                self.reader.wrong(item.span(), format!("nobody can approve as `{role}`"), help);
            }
        }
    }
}

/// `db-1`, `db.example.org`, `*.example.org`
fn is_pattern(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    !name.is_empty()
        && name
            .split('.')
            .all(|label| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'))
}
