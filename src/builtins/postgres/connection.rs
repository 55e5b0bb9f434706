//! `connect db = postgres(host: "db.example.com", user: "ops_ro", database: "shop", password: db_password)`

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use url::Url;

use super::server::{Login, Reach, Server};
use super::settings::{Settings, whose_password};
use super::tls::{Mode, Tls};
use crate::builtins::dial::Place;
use crate::builtins::dial::gate::Gate;
use crate::builtins::dial::way::{THROUGH, Way};
use crate::builtins::reaches;
use crate::builtins::settings::{self, at_once, setup};
use crate::catalog::{Args, ByHand, Cx, Driver, DriverKind, Example, Judge, Open, Opened, Param};
use crate::types::{Connection, Fault, SecretText, Value};

const HOST: Param<Option<String>> = Param::optional(
    "host",
    "A name, an address, or the directory of a Unix socket. PGHOST where it is left out, unless `through:` leads there.",
)
.judged(Judge::Text(|text, _| if text.starts_with('/') { Ok(()) } else { one_host(text).map(drop) }));
const PORT: Param<Option<i64>> =
    Param::optional("port", "PGPORT or 5432 where it is left out; with `through:` always 5432 then.")
        .judged(settings::PORT);
const USER: Param<Option<String>> = Param::optional("user", "The role to log in as. PGUSER where it is left out.");
const PASSWORD: Param<Option<SecretText>> = Param::optional(
    "password",
    "Its password. PGPASSWORD or the file of passwords (`~/.pgpass`) where it is left out.",
);
const CHANGE_USER: Param<Option<String>> = Param::optional(
    "change_user",
    "The role for changes, where it is another one. All that only looks is done as `user`.",
);
const CHANGE_PASSWORD: Param<Option<SecretText>> = Param::optional("change_password", "The password of that role.");
const DATABASE: Param<Option<String>> =
    Param::optional("database", "PGDATABASE where it is left out, or the database that is called as the role is.");
const TLS: Param<Option<String>> = Param::optional(
    "tls",
    "`verify-full` (unless said otherwise), `verify-ca`: any name will do; `require`: sealed, and nobody knows to whom; `prefer`: sealed if the server likes; `disable`. PGSSLMODE where it is left out; through a cluster it is `disable`, for that seals all it carries.",
);
const CA: Param<Option<String>> = Param::optional(
    "ca",
    "A PEM file with the authorities to trust instead of the system's. PGSSLROOTCERT where it is left out.",
);
const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long a question may take, with connecting. The server cancels what takes longer.", || {
        Value::Duration(SignedDuration::from_secs(10))
    });
const AT_ONCE: Param<i64> =
    Param::or("at_once", "How many sessions there are at the same time, at most.", || Value::Int(4));

pub(super) static DRIVER: Driver = Driver {
    name: "postgres",
    kind: DriverKind::Connection,
    summary: "A database of PostgreSQL. It is first asked when a call needs it, and its sessions are kept for the next one.",
    params: &[
        HOST.info(),
        PORT.info(),
        THROUGH.info(),
        USER.info(),
        PASSWORD.info(),
        DATABASE.info(),
        TLS.info(),
        CA.info(),
        CHANGE_USER.info(),
        CHANGE_PASSWORD.info(),
        WITHIN.info(),
        AT_ONCE.info(),
    ],
    open: Open::Now(|cx, args| Box::pin(async move { open(&cx, &args) })),
    needs: &[],
    reaches: |written| reaches::host(written, 5432, "the server that PGHOST names"),
    by_hand: ByHand {
        connection: "'postgresql://[{user:url}@][{host:url}][:{port}]/[{database:url}][?sslmode={tls}]'",
        environment: "[PGSSLROOTCERT={ca}] [PGPASSWORD={password}]",
        port: Some(5432),
    },
    examples: &[
        Example::call(r#"connect db = postgres(host: "db.example.com", user: "ops_ro", database: "shop")"#),
        Example::call(
            r#"connect db = postgres(through: cluster.pod("postgres-0"), user: "ops_ro", database: "shop", password: db_password)"#,
        ),
    ],
};

/// An opened connection.
pub(super) struct Postgres(pub(super) Arc<Server>);

impl Postgres {
    /// What a connection value of this driver holds.
    pub(super) fn of(connection: &Connection) -> Result<&Arc<Server>, Fault> {
        let postgres = connection.handle.downcast_ref::<Self>();
        postgres.map(|postgres| &postgres.0).ok_or_else(|| {
            setup(format!("`{}` is a connection of `{}`, not of `postgres`", connection.name, connection.driver))
        })
    }
}

fn open(cx: &Cx, args: &Args<'static>) -> Result<Opened, Fault> {
    let settings = Settings { cx };
    let (reach, carried) = reach(args, &settings)?;
    let user = args.get(&USER)?.map_or_else(|| settings.get("PGUSER"), |user| Ok(Some(user)))?;
    let user = user.filter(|user| !user.is_empty()).ok_or_else(|| {
        setup("nothing says as whom to log in").help("write `user: \"ops_ro\"`, or set it: export PGUSER=ops_ro")
    })?;
    let database = args.get(&DATABASE)?.map_or_else(|| settings.get("PGDATABASE"), |name| Ok(Some(name)))?;
    let database = database.unwrap_or_else(|| user.clone());
    let password = |user: &str| whose_password(&settings, &reach.place, &database, user);
    let reading =
        Login { password: args.get(&PASSWORD)?.map_or_else(|| password(&user), |password| Ok(Some(password)))?, user };
    let changing = match (args.get(&CHANGE_USER)?, args.get(&CHANGE_PASSWORD)?) {
        (None, None) => None,
        (Some(user), Some(password)) => Some(Login { user, password: Some(password) }),
        (Some(user), None) => Some(Login { password: password(&user)?, user }),
        (None, Some(_)) => return Err(setup("`change_password` is of a `change_user`, and there is none")),
    };
    let tls = tls(cx, &settings, args.get(&TLS)?, args.get(&CA)?, carried || reach.socket.is_some())?;
    let at_once = at_once(args.get(&AT_ONCE)?)?;
    let within = limit(args.get(&WITHIN)?)?;
    let server = Server::new(reach, tls, reading, changing, database, within);
    Ok(Opened {
        target: server.target(),
        place: server.place(),
        server: server.place(),
        handle: Arc::new(Postgres(Arc::new(server))),
        at_once,
    })
}

/// A time limit.
pub(super) fn limit(within: SignedDuration) -> Result<Duration, Fault> {
    let limit = Duration::try_from(within).ok().filter(|limit| !limit.is_zero());
    limit.ok_or_else(|| setup("`within` is a time from now on, and not 0s"))
}

/// Where the server is, and whether it is a cluster that leads there.
fn reach(args: &Args<'static>, settings: &Settings<'_>) -> Result<(Reach, bool), Fault> {
    let (host, port, through) = (args.get(&HOST)?, args.get(&PORT)?, args.get(&THROUGH)?);
    let port = match port {
        Some(port) => Some(port.to_string()),
        None if through.is_none() => settings.get("PGPORT")?,
        None => None,
    };
    let port = port.unwrap_or_else(|| "5432".to_owned());
    let port = port.parse().ok().filter(|port| *port > 0);
    let port: u16 =
        port.ok_or_else(|| setup("the port of PostgreSQL is a number from 1 to 65535").help("write `port: 5432`"))?;
    if let Some(value) = through {
        let way = Way::through(&value, host.as_deref())?;
        let Way::Through { host, .. } = &way else { return Err(setup("`through` leads nowhere")) };
        let place = Place { host: host.clone(), port };
        return Ok((Reach { way, place, socket: None }, true));
    }
    Ok((direct(host, port, settings)?, false))
}

/// A server that is reached straight, from here.
pub(super) fn direct(host: Option<String>, port: u16, settings: &Settings<'_>) -> Result<Reach, Fault> {
    let host = host.map_or_else(|| settings.get("PGHOST"), |host| Ok(Some(host)))?;
    let host = host.filter(|host| !host.is_empty()).ok_or_else(|| {
        setup("nothing says where the server is")
            .help("write `host: \"db.example.com\"` or `through: cluster.pod(\"postgres-0\")`, or set it: export PGHOST=db.example.com")
    })?;
    if host.starts_with('/') {
        let socket = format!("{}/.s.PGSQL.{port}", host.trim_end_matches('/'));
        // A socket is on this machine: no host is asked.
        let way = Way::Direct(Gate::of(settings.cx));
        return Ok(Reach { way, place: Place { host, port }, socket: Some(socket.into()) });
    }
    let place = Place { port, ..one_host(&host)? };
    Ok(Reach { way: Way::direct(settings.cx, &place.host)?, place, socket: None })
}

/// The name of one host. A URL is none, and may hold a password, which no message repeats.
fn one_host(text: &str) -> Result<Place, Fault> {
    if text.contains("://") {
        let url = Url::parse(text).ok();
        let name = url.as_ref().and_then(Url::host_str).unwrap_or("db.example.com");
        let has_password = url.as_ref().is_none_or(|url| url.password().is_some());
        return Err(if text.contains('@') && has_password {
            setup(format!("the URL of {name} has credentials in it, where everybody sees them")).help(format!(
                "write `host: \"{name}\", user: …, database: …, password: db_password`, with `secret db_password = env(\"DB_PASSWORD\")`"
            ))
        } else {
            let user = url.as_ref().map_or("", Url::username);
            let user = if user.is_empty() { "…".to_owned() } else { format!("\"{user}\"") };
            setup("`host` is the name of one host, and no URL")
                .help(format!("write `host: \"{name}\"`, and beside it `port: 5432`, `user: {user}` and `database: …`"))
        });
    }
    // 0 is nobody's port: it stands for none.
    let place = Place::parse(text, 0).filter(|place| place.port == 0 && !text.contains(','));
    place.ok_or_else(|| setup("`host` is no name of one host").help("write `host: \"db.example.com\", port: 5432`"))
}

/// TLS as it is asked for, or as libpq's variables say. Where nothing says how, it is checked in full.
pub(super) fn tls(
    cx: &Cx,
    settings: &Settings<'_>,
    word: Option<String>,
    ca: Option<String>,
    sealed: bool,
) -> Result<Tls, Fault> {
    let word = match word {
        Some(word) => Some(word),
        None if sealed && ca.is_none() => Some("disable".to_owned()),
        None => settings.get("PGSSLMODE")?,
    };
    let mode = match word {
        None => Mode::VerifyFull,
        Some(word) => Mode::parse(&word).ok_or_else(|| {
            setup(format!("`{word}` is no way to use TLS"))
                .help("`tls:` is one of `verify-full`, `verify-ca`, `require`, `prefer`, `disable`")
        })?,
    };
    if ca.is_some() && matches!(mode, Mode::Disable | Mode::Prefer) {
        return Err(setup(format!(
            "`ca` says whom to trust, and `tls: \"{}\"` asks nobody for a certificate",
            mode.name()
        ))
        .help("leave out one of them"));
    }
    let ca = match (ca, mode) {
        (ca, Mode::Disable | Mode::Prefer) => ca,
        (Some(ca), _) => Some(ca),
        // What means the system's own authorities in the words of libpq.
        (None, _) => settings.get("PGSSLROOTCERT")?.filter(|path| path != "system"),
    };
    Tls::new(cx, mode, ca.as_deref())
}
