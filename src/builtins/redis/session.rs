//! One connection to a server, logged in, with one command at a time on it.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, ProtocolVersion, RedisConnectionInfo, RedisError, Value};
use tokio::task::AbortHandle;

use super::metered::{Meter, Metered};
use super::refusal::{self, Refusal};
use super::reply;
use crate::builtins::dial::tls::{self, Trust};
use crate::builtins::dial::way::{Stream, Way};
use crate::builtins::dial::{Place, Progress, Trouble};
use crate::types::{FaultKind, SecretText};
use crate::units;

/// How long an answer to a greeting may be.
const GREETING: u64 = 64 << 10;

/// Where a server is, and how to speak to it.
pub(super) struct Server {
    pub(super) place: Place,
    pub(super) way: Way,
    /// Whom to trust, where TLS is spoken.
    pub(super) trust: Option<Trust>,
    pub(super) database: i64,
}

/// As whom.
#[derive(Clone, Default)]
pub(super) struct Login {
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretText>,
}

impl Login {
    /// The user as the server knows it.
    pub(super) fn name(&self) -> &str {
        self.user.as_deref().unwrap_or("default")
    }
}

/// What a server says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Greeting {
    pub(super) version: Option<String>,
    /// `primary`, `replica`, `sentinel`.
    pub(super) role: Option<&'static str>,
}

/// Why a command came to nothing.
pub(super) struct Failure {
    pub(super) trouble: Trouble,
    /// The connection is of no use any more, and whether the command was done is not known.
    pub(super) broken: bool,
}

/// Why there is no answer to a command.
enum Unanswered {
    /// The server says no.
    Refused(Refusal),
    Lost(RedisError),
}

/// A connection.
pub(super) struct Session {
    connection: MultiplexedConnection,
    driver: AbortHandle,
    meter: Meter,
    place: Place,
    user: String,
    pub(super) greeting: Greeting,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Session {
    /// Connects, logs in and chooses the database.
    pub(super) async fn open(server: &Server, login: &Login, progress: &Progress) -> Result<Self, Trouble> {
        let place = &server.place;
        let (mut stream, _) = server.way.reach(place, progress).await?;
        if let Some(trust) = &server.trust {
            progress.now(format!("the TLS handshake with {place}"));
            let sealed = tls::handshake(stream, place, &place.host, trust.config(&[])?).await.map_err(plain)?;
            stream = Box::new(sealed);
        }
        progress.now(format!("logging in at {place}"));
        let mut session = Self::over(stream, place, login).await?;
        session.greet(login).await.map_err(|trouble| sealed(trouble, server))?;
        if server.database != 0 {
            session.ask(&["SELECT", &server.database.to_string()], GREETING).await.map_err(|failure| {
                let message = format!("{place} has no database {}: {}", server.database, failure.trouble.fault.message);
                if failure.broken { failure.trouble } else { Trouble::ours(FaultKind::Setup, message) }
            })?;
        }
        Ok(session)
    }

    async fn over(stream: Box<dyn Stream>, place: &Place, login: &Login) -> Result<Self, Trouble> {
        let meter = Meter::default();
        meter.allow(GREETING);
        let stream = Metered { stream, meter: meter.clone() };
        // The greeting is ours, so that each refusal comes as the server words it: the library is told to send nothing.
        let silent = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP2).set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        let made = MultiplexedConnection::new_with_config(&silent, stream, config).await;
        let (connection, driver) = made.map_err(|error| lost(place, &error, &meter))?;
        let driver = tokio::spawn(driver).abort_handle();
        let (place, user) = (place.clone(), login.name().to_owned());
        Ok(Self { connection, driver, meter, place, user, greeting: Greeting::default() })
    }

    /// `HELLO`, or what came before it.
    async fn greet(&mut self, login: &Login) -> Result<(), Trouble> {
        let mut hello = vec!["HELLO", "3"];
        if let Some(password) = &login.password {
            hello.extend(["AUTH", login.name(), password.expose()]);
        }
        hello.extend(["SETNAME", "runbook"]);
        match self.send(&hello, GREETING).await {
            Ok(answer) => {
                self.greeting = greeting(answer);
                Ok(())
            }
            // Its own words may repeat the password.
            Err(Unanswered::Refused(refusal)) if refusal.is_unknown_command() || refusal.code == "NOPROTO" => {
                self.log_in_as_before_hello(login).await
            }
            Err(unanswered) => Err(self.not_let_in(&unanswered, login)),
        }
    }

    async fn log_in_as_before_hello(&mut self, login: &Login) -> Result<(), Trouble> {
        let Some(password) = &login.password else { return Ok(()) };
        let words: Vec<&str> = ["AUTH"].into_iter().chain(login.user.as_deref()).chain([password.expose()]).collect();
        match self.send(&words, GREETING).await {
            Ok(_) => Ok(()),
            Err(unanswered) => Err(self.not_let_in(&unanswered, login)),
        }
    }

    fn not_let_in(&self, unanswered: &Unanswered, login: &Login) -> Trouble {
        match unanswered {
            Unanswered::Refused(refusal) => refusal::log_in(refusal, &self.place, login),
            Unanswered::Lost(error) => self.broken(error, GREETING),
        }
    }

    /// The answer to a command, if it is no longer than that.
    pub(super) async fn ask<W: AsRef<str>>(&mut self, words: &[W], at_most: u64) -> Result<Value, Failure> {
        self.send(words, at_most).await.map_err(|unanswered| match unanswered {
            Unanswered::Refused(refusal) => {
                let command = words.first().map_or("", AsRef::as_ref).to_uppercase();
                Failure { trouble: refusal::trouble(&refusal, &self.place, &self.user, &command), broken: false }
            }
            Unanswered::Lost(error) => Failure { trouble: self.broken(&error, at_most), broken: true },
        })
    }

    async fn send<W: AsRef<str>>(&mut self, words: &[W], at_most: u64) -> Result<Value, Unanswered> {
        let mut command = Cmd::new();
        for word in words {
            command.arg(word.as_ref().as_bytes());
        }
        self.meter.allow(at_most);
        match self.connection.send_packed_command(&command).await {
            Ok(Value::ServerError(error)) => {
                let text = error.details().unwrap_or_default().to_owned();
                Err(Unanswered::Refused(Refusal { code: error.code().to_owned(), text }))
            }
            Ok(answer) => Ok(answer),
            Err(error) => Err(refusal::of(&error).map_or(Unanswered::Lost(error), Unanswered::Refused)),
        }
    }

    /// What is wrong where no server said it.
    fn broken(&self, error: &RedisError, at_most: u64) -> Trouble {
        if self.meter.is_spent() {
            let most = units::size(i64::try_from(at_most).unwrap_or(i64::MAX));
            let message = format!("the answer of {} is longer than {most}", self.place);
            return Trouble::theirs(FaultKind::TooLarge, message)
                .help("ask for less, or say `at_most:` where the connection is declared");
        }
        lost(&self.place, error, &self.meter)
    }
}

fn lost(place: &Place, error: &RedisError, meter: &Meter) -> Trouble {
    // An answer that broke off cannot be read either.
    if error.kind() == ErrorKind::Parse && !meter.has_ended() {
        let message = format!("what answers at {place} does not speak Redis");
        return Trouble::theirs(FaultKind::BadAnswer, message).help("is it another port?");
    }
    let when = if meter.has_begun() { "in the middle of its answer" } else { "without an answer" };
    Trouble::theirs(FaultKind::Unreachable, format!("{place} closed the connection {when}"))
}

/// A port that wants TLS closes the connection of whoever begins without.
fn sealed(trouble: Trouble, server: &Server) -> Trouble {
    let unsaid = matches!(trouble.fault.kind, FaultKind::Unreachable | FaultKind::BadAnswer) && !trouble.ours;
    if unsaid && server.trust.is_none() {
        return trouble.help("is it another port, or does it want `tls: true`?");
    }
    trouble
}

/// What has no TLS is more likely the plain port of a server than anything else.
fn plain(trouble: Trouble) -> Trouble {
    if trouble.fault.kind == FaultKind::BadAnswer {
        return trouble.help("is it the port without TLS? then leave out `tls: true`");
    }
    trouble
}

fn greeting(answer: Value) -> Greeting {
    let mut greeting = Greeting::default();
    let (mut role, mut mode) = (String::new(), String::new());
    for (name, value) in reply::pairs(answer).unwrap_or_default() {
        let Ok(value) = reply::text(value) else { continue };
        match reply::text(name).as_deref() {
            Ok("version") => greeting.version = Some(value),
            Ok("role") => role = value,
            Ok("mode") => mode = value,
            _ => {}
        }
    }
    greeting.role = match (mode.as_str(), role.as_str()) {
        ("sentinel", _) => Some("sentinel"),
        (_, "master") => Some("primary"),
        (_, "slave" | "replica") => Some("replica"),
        _ => None,
    };
    greeting
}
