//! `connect db = postgres(host: "db.example.com", user: "ops", password: db_password, database: "shop")`

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;

use super::session::{Login, Session};
use crate::builtins::dial::tls::Trust;
use crate::builtins::dial::way::{THROUGH, Way};
use crate::builtins::dial::{Place, Trouble};
use crate::catalog::{Args, Cx, Driver, DriverKind, Example, Open, Opened, Param};
use crate::types::{Connection, Fault, FaultKind, SecretText, Value};

const HOST: Param<Option<String>> =
    Param::optional("host", "The server; PGHOST, else `localhost`, where it is left out.");
const PORT: Param<Option<i64>> = Param::optional("port", "Its port; PGPORT, else 5432, where it is left out.");
const USER: Param<Option<String>> = Param::optional("user", "As whom; PGUSER where it is left out.");
const PASSWORD: Param<Option<SecretText>> =
    Param::optional("password", "The password; PGPASSWORD where it is left out.");
const DATABASE: Param<Option<String>> =
    Param::optional("database", "The database; PGDATABASE, else what the user is called, where it is left out.");
const CHANGE_USER: Param<Option<String>> =
    Param::optional("change_user", "As whom changes are made, where that is somebody else.");
const CHANGE_PASSWORD: Param<Option<SecretText>> =
    Param::optional("change_password", "The password of who makes the changes.");
const TLS: Param<Option<String>> = Param::optional(
    "tls",
    "`verify-full` wants a certificate of a trusted authority for this host; `require` seals the channel and takes any certificate; `prefer` does so where the server can; `disable` sends in the clear. PGSSLMODE, else `verify-full`, where it is left out. `through` a cluster it is `disable`: the cluster's own TLS carries it.",
);
const CA: Param<Option<String>> = Param::optional(
    "ca",
    "A PEM file with the authorities to trust instead of the system's, from the runbook's own folder; PGSSLROOTCERT where it is left out.",
);
const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long one query may take.", || Value::Duration(SignedDuration::from_secs(10)));
const AT_ONCE: Param<i64> = Param::or("at_once", "How many sessions are open side by side.", || Value::Int(4));

pub(super) static DRIVER: Driver = Driver {
    name: "postgres",
    kind: DriverKind::Connection,
    summary: "A database of PostgreSQL. Queries run in read-only transactions; sessions are opened when they are needed and used again.",
    params: &[
        HOST.info(),
        PORT.info(),
        THROUGH.info(),
        USER.info(),
        PASSWORD.info(),
        DATABASE.info(),
        CHANGE_USER.info(),
        CHANGE_PASSWORD.info(),
        TLS.info(),
        CA.info(),
        WITHIN.info(),
        AT_ONCE.info(),
    ],
    open: Open::Now(|cx, args| Box::pin(async move { open(&cx, &args) })),
    examples: &[
        Example::call(
            r#"connect db = postgres(host: "db.example.com", user: "ops", password: db_password, database: "shop")"#,
        ),
        Example::call(r#"connect db = postgres(through: cluster.pod("postgres-0"), user: "ops", database: "shop")"#),
    ],
};

/// How the channel is sealed.
pub(super) enum Seal {
    Disable,
    Prefer(Trust),
    Require(Trust),
}

/// An opened connection.
pub(super) struct Postgres {
    pub(super) place: Place,
    pub(super) way: Way,
    pub(super) seal: Seal,
    pub(super) reads: Login,
    pub(super) changes: Option<Login>,
    pub(super) within: Duration,
    /// Sessions that wait for the next query.
    idle: Mutex<Vec<Session>>,
}

impl Postgres {
    /// What a connection value of this driver holds.
    pub(super) fn of(connection: &Connection) -> Result<&Self, Fault> {
        connection.handle.downcast_ref().ok_or_else(|| {
            setup(format!("`{}` is a connection of `{}`, not of `postgres`", connection.name, connection.driver))
        })
    }

    /// A session for reads: one that waits, or a new one.
    pub(super) async fn session(&self) -> Result<Session, Trouble> {
        loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match kept {
                Some(session) if session.is_closed() => {}
                Some(session) => return Ok(session),
                None => return Session::open(self, &self.reads).await,
            }
        }
    }

    /// A session for a change, of its own.
    pub(super) async fn changing(&self) -> Result<Session, Trouble> {
        Session::open(self, self.changes.as_ref().unwrap_or(&self.reads)).await
    }

    /// Keeps a session that is as it was.
    pub(super) fn keep(&self, session: Session) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }

    /// Where it leads, for messages.
    pub(super) fn shown(&self) -> String {
        self.way.shown(&self.place.to_string())
    }
}

pub(super) fn setup(message: impl Into<Arc<str>>) -> Fault {
    Fault::new(FaultKind::Setup, message)
}

fn open(cx: &Cx, args: &Args<'static>) -> Result<Opened, Fault> {
    let (place, way) = place(cx, args)?;
    let env = |name: &str| cx.world.env(name).map(|value| value.filter(|value| !value.is_empty()));
    let user = match args.get(&USER)? {
        Some(user) => user,
        None => {
            env("PGUSER")?.ok_or_else(|| setup("nothing says as whom").help("write `user: \"…\"`, or set PGUSER"))?
        }
    };
    let database = match args.get(&DATABASE)? {
        Some(database) => database,
        None => env("PGDATABASE")?.unwrap_or_else(|| user.clone()),
    };
    let password = match args.get(&PASSWORD)? {
        Some(password) => Some(password),
        None => env("PGPASSWORD")?.map(SecretText::new),
    };
    let changes = match (args.get(&CHANGE_USER)?, args.get(&CHANGE_PASSWORD)?) {
        (Some(user), password) => Some(Login { user, password, database: database.clone(), read_only: false }),
        (None, Some(_)) => {
            return Err(setup("`change_password` is the password of a `change_user`, and none is named"));
        }
        (None, None) => None,
    };
    let at_once = usize::try_from(args.get(&AT_ONCE)?).ok().filter(|most| *most > 0);
    let (seal, sealed) = seal(cx, args, &way)?;
    let postgres = Postgres {
        reads: Login { user, password, database, read_only: changes.is_some() },
        changes,
        within: Duration::try_from(args.get(&WITHIN)?)
            .map_err(|_| setup("`within` is a time from now on, so it cannot be negative"))?,
        idle: Mutex::default(),
        place,
        way,
        seal,
    };
    let reads = &postgres.reads;
    let mut target = format!("postgres://{}@{}/{}", reads.user, postgres.place, reads.database);
    target = postgres.way.shown(&target);
    if let Some(changes) = &postgres.changes {
        target = format!("{target}, changes as {}", changes.user);
    }
    if !sealed.is_empty() {
        target = format!("{target} ({sealed})");
    }
    let at_once = at_once.ok_or_else(|| setup("`at_once` is at least 1"))?;
    Ok(Opened { target, handle: Arc::new(postgres), at_once })
}

fn place(cx: &Cx, args: &Args<'static>) -> Result<(Place, Way), Fault> {
    let (host, port, through) = (args.get(&HOST)?, args.get(&PORT)?, args.get(&THROUGH)?);
    let number = |port: i64| {
        u16::try_from(port).ok().filter(|port| *port > 0).ok_or_else(|| setup("a port is a number from 1 to 65535"))
    };
    // What the environment says is said of a server that is reached directly.
    let env = |name: &str| match through {
        Some(_) => Ok(None),
        None => cx.world.env(name).map(|value| value.filter(|value| !value.is_empty())),
    };
    let port = match port {
        Some(port) => number(port)?,
        None => match env("PGPORT")? {
            Some(text) => number(text.parse().map_err(|_| setup(format!("PGPORT is `{text}`, which is no port")))?)?,
            None => 5432,
        },
    };
    if let Some(value) = through {
        let way = Way::through(&value, host.as_deref())?;
        let Way::Through { host, .. } = &way else { return Err(setup("`through` leads nowhere")) };
        return Ok((Place { host: host.clone(), port }, way));
    }
    let host = match host {
        Some(host) => host,
        None => env("PGHOST")?.unwrap_or_else(|| "localhost".to_owned()),
    };
    if host.starts_with('/') {
        let message = format!("`{host}` is a socket in a folder, which this version does not connect to");
        return Err(Fault::new(FaultKind::Unsupported, message).help("name a host: `host: \"localhost\"`"));
    }
    Ok((Place { host, port }, Way::Direct))
}

/// How the channel is sealed, and what the output has to say about that.
fn seal(cx: &Cx, args: &Args<'static>, way: &Way) -> Result<(Seal, &'static str), Fault> {
    let env = |name: &str| cx.world.env(name).map(|value| value.filter(|value| !value.is_empty()));
    let mode = match (args.get(&TLS)?, way) {
        (Some(mode), _) => mode,
        (None, Way::Through { .. }) => "disable".to_owned(),
        (None, Way::Direct) => env("PGSSLMODE")?.unwrap_or_else(|| "verify-full".to_owned()),
    };
    let ca = match args.get(&CA)? {
        Some(ca) => Some(ca),
        None => env("PGSSLROOTCERT")?.filter(|_| matches!(way, Way::Direct)),
    };
    match mode.as_str() {
        "verify-full" => match ca {
            Some(ca) => Ok((Seal::Require(Trust::file(cx, &ca)?), "")),
            None => Ok((Seal::Require(Trust::System), "")),
        },
        "require" => Ok((Seal::Require(Trust::Anybody), "sealed, and nobody looked at the certificate")),
        "prefer" | "allow" => {
            Ok((Seal::Prefer(Trust::Anybody), "sealed where the server can, and nobody looked at the certificate"))
        }
        "disable" => Ok((Seal::Disable, if matches!(way, Way::Direct) { "in the clear" } else { "" })),
        "verify-ca" => Err(Fault::new(
            FaultKind::Unsupported,
            "`verify-ca` looks at the authority and not at the name, which is not supported",
        )
        .help("write `tls: \"verify-full\"` and connect under the name of the certificate")),
        other => Err(setup(format!("`{other}` is no way to seal a channel"))
            .help("write `verify-full`, `require`, `prefer` or `disable`")),
    }
}
