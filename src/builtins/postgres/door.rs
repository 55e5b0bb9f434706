//! The door to a database that this tool keeps something in itself: found, sealed and logged in to as those of runbooks are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use tokio_postgres::Client;
use url::Url;

use super::connection::{direct, tls};
use super::server::{Login, Server};
use super::settings::{Settings, whose_password};
use super::tls::Mode;
use crate::builtins::dial::{Progress, Trouble, within};
use crate::builtins::settings::setup;
use crate::catalog::Cx;
use crate::types::{Fault, FaultKind};

/// How long connecting and logging in may take.
const CONNECTING: Duration = Duration::from_secs(10);

/// What an address looks like.
const LOOKS: &str = "write `postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full`";

/// A database by its address.
#[derive(Clone)]
pub struct Database {
    server: Arc<Server>,
    cx: Cx,
}

impl Database {
    /// `postgres://ops@db.example.com:5432/runbook?sslmode=verify-full&sslrootcert=ca.pem`. What is left out is taken from
    /// libpq's variables; the password always is, or from its file of passwords. Gives what else stands behind the `?`, for
    /// whoever understands it.
    ///
    /// # Errors
    /// Where it is no such address, or has a password in it. No message says the address as it was given.
    pub fn at(address: &str, cx: Cx) -> Result<(Self, BTreeMap<String, String>), Fault> {
        let settings = Settings { cx: &cx };
        let url = Url::parse(address)
            .map_err(|error| setup(format!("the address of the store is none: {error}")).help(LOOKS))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            let message = format!("a store is in PostgreSQL or in a folder of files, not in `{}`", url.scheme());
            return Err(setup(message).help(LOOKS));
        }
        let mut asked: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        if url.password().is_some() || asked.contains_key("password") {
            return Err(setup("a password does not belong into the address of the store: others can read it there")
                .help("set PGPASSWORD, or put it into the file of passwords (PGPASSFILE, `~/.pgpass`)"));
        }
        let mut part = |own: &str, name: &str, variable: &str| -> Result<Option<String>, Fault> {
            let own =
                percent_decode_str(own).decode_utf8().map_err(|_| setup("the address of the store is not UTF-8"))?;
            match (own.into_owned(), asked.remove(name)) {
                (own, None) if own.is_empty() => settings.get(variable),
                (own, None) => Ok(Some(own)),
                (own, Some(asked)) if own.is_empty() => Ok(Some(asked)),
                _ => Err(setup(format!("the address of the store says twice what `{name}` is"))),
            }
        };
        let user = part(url.username(), "user", "PGUSER")?;
        let user = user.ok_or_else(|| setup("nothing says as whom to log in to the store").help(LOOKS))?;
        let host = url.host_str().unwrap_or_default();
        let host = part(host.trim_start_matches('[').trim_end_matches(']'), "host", "PGHOST")?;
        let host = host.ok_or_else(|| setup("nothing says where the store is").help(LOOKS))?;
        let port = part(&url.port().map(|port| port.to_string()).unwrap_or_default(), "port", "PGPORT")?;
        let port = port.map_or(Some(5432), |port| port.parse().ok()).filter(|port| *port > 0);
        let port = port.ok_or_else(|| setup("the port of the store is a number from 1 to 65535"))?;
        let database =
            part(url.path().trim_start_matches('/'), "dbname", "PGDATABASE")?.unwrap_or_else(|| user.clone());
        let (mode, ca) = (asked.remove("sslmode"), asked.remove("sslrootcert"));
        if let Some(word) = mode.as_ref().filter(|word| Mode::parse(word).is_none()) {
            return Err(setup(format!("`sslmode={word}` is no way to use TLS"))
                .help("it is one of `verify-full`, `verify-ca`, `require`, `prefer`, `disable`"));
        }
        let reach = direct(Some(host), port, &settings)?;
        let tls = tls(&cx, &settings, mode, ca.filter(|path| path != "system"), reach.socket.is_some())?;
        let password = whose_password(&settings, &reach.place, &database, &user)?;
        let server = Server::new(reach, tls, Login { user, password }, None, database, CONNECTING);
        Ok((Self { server: Arc::new(server), cx }, asked))
    }

    /// `postgres://ops@db:5432/runbook`
    #[must_use]
    pub fn shown(&self) -> String {
        self.server.shown(&self.server.reading)
    }

    /// The clock of this machine.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.cx.world.now()
    }

    /// A new session. What is sent in it goes out as long as the runtime works that this is called in.
    ///
    /// # Errors
    /// Where there is none, with what to do about it.
    pub async fn connect(&self) -> Result<Client, Fault> {
        let (progress, shown) = (Progress::default(), self.shown());
        let connecting = self.server.connect(&self.server.reading, &progress);
        match within(CONNECTING, &shown, &progress, connecting).await {
            Ok(session) => Ok(session.client),
            Err(trouble) => Err(self.advised(trouble)),
        }
    }

    /// What to do about it, in the words of an address: those of a runbook would mislead.
    fn advised(&self, Trouble { fault, ours }: Trouble) -> Fault {
        let help = match fault.kind {
            FaultKind::Setup => return fault,
            FaultKind::Denied => format!(
                "does `{}` have the password of PGPASSWORD or of the file of passwords (PGPASSFILE, `~/.pgpass`), and does \
                 pg_hba.conf let it in from here?",
                self.server.reading.user
            ),
            FaultKind::NotFound => "make it with `createdb`, or name another one in the store's address".to_owned(),
            _ if fault.message.contains("there is no host named") => {
                "is its name typed right? `--store` or `RUNBOOK_STORE` says where it is".to_owned()
            }
            // Both are for a person to mend: time does not.
            _ if fault.message.contains("does not use TLS") => {
                return setup(fault.message).help(
                    "let it (`ssl = on`), or, where nobody else can listen, add `?sslmode=disable` to the store's address",
                );
            }
            _ if fault.help.as_ref().is_some_and(|help| help.contains("ca:")) => {
                let help = "name the authority that signs it: `?sslrootcert=ca.pem` in the store's address";
                return setup(fault.message).help(help);
            }
            // What this machine cannot do by itself, it says itself how to mend: its name server, a file.
            FaultKind::Unreachable if ours => return fault,
            _ => "is PostgreSQL up there, and is that its address? `--store` or `RUNBOOK_STORE` says where it is"
                .to_owned(),
        };
        fault.help(help)
    }
}
