//! One server and its sessions: connecting, keeping what can be used again, and cancelling what is no longer wanted.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{CancelToken, Client, Config, Connection, Error, NoTls};

use super::notices::Notices;
use super::refusal;
use super::tls::Tls;
use super::wire::Wire;
use crate::builtins::dial::tcp::words;
use crate::builtins::dial::way::Way;
use crate::builtins::dial::{Place, Progress, Trouble};
use crate::types::{FaultKind, SecretText};

/// How long the word that a statement is no longer wanted may take.
const CANCELLING: Duration = Duration::from_secs(5);

/// How long a session may take to say why it ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// As whom.
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Option<SecretText>,
}

/// Where the server is and how to get there.
pub(super) struct Reach {
    pub(super) way: Way,
    pub(super) place: Place,
    pub(super) socket: Option<PathBuf>,
}

/// A database of a server.
pub(super) struct Server {
    pub(super) reach: Reach,
    tls: Tls,
    pub(super) reading: Login,
    changing: Option<Login>,
    pub(super) database: String,
    /// How long a question may take.
    pub(super) within: Duration,
    idle: Mutex<Vec<Session>>,
}

/// A session, and what it ends with.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) notices: Notices,
    ended: JoinHandle<Option<Error>>,
}

impl Server {
    pub(super) const fn new(
        reach: Reach,
        tls: Tls,
        reading: Login,
        changing: Option<Login>,
        database: String,
        within: Duration,
    ) -> Self {
        Self { reach, tls, reading, changing, database, within, idle: Mutex::new(Vec::new()) }
    }

    /// Who makes changes.
    pub(super) fn changing(&self) -> &Login {
        self.changing.as_ref().unwrap_or(&self.reading)
    }

    /// `postgres://ops_ro@db:5432/shop`
    pub(super) fn shown(&self, login: &Login) -> String {
        format!("postgres://{}@{}/{}", login.user, self.address(), self.database)
    }

    /// `postgres://db:5432/shop`, whoever asks.
    pub(super) fn place(&self) -> String {
        let place =
            self.reach.socket.as_ref().map_or_else(|| self.reach.place.system().to_string(), |_| self.address());
        self.reach.way.system(&format!("postgres://{place}/{}", self.database))
    }

    fn address(&self) -> String {
        let socket = self.reach.socket.as_ref();
        socket.map_or_else(|| self.reach.place.to_string(), |socket| format!("{}", socket.display()))
    }

    /// What it leads to, as whom and how.
    pub(super) fn target(&self) -> String {
        let shown = self.reach.way.shown(&self.shown(&self.reading));
        let changing = self.changing.as_ref().map(|login| format!(", for changes as {}", login.user));
        format!("{shown}{}{}", self.tls.shown(), changing.unwrap_or_default())
    }

    /// A session to look with.
    pub(super) async fn session(&self, progress: &Progress) -> Result<Session, Trouble> {
        while let Some(session) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            if !session.client.is_closed() {
                return Ok(session);
            }
        }
        self.connect(&self.reading, progress).await
    }

    /// Keeps a session for whoever looks next. It is in no transaction.
    pub(super) fn keep(&self, session: Session) {
        if !session.client.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        }
    }

    async fn stream(&self, progress: &Progress) -> Result<Wire, Trouble> {
        let Some(socket) = &self.reach.socket else {
            return Ok(Wire(self.reach.way.reach(&self.reach.place, progress).await?.0));
        };
        progress.now(format!("connecting to {}", socket.display()));
        let stream = UnixStream::connect(socket).await.map_err(|error| {
            let message = format!("no connection to {}: {}", socket.display(), words(&error));
            match error.kind() {
                std::io::ErrorKind::PermissionDenied => Trouble::ours(FaultKind::Denied, message),
                _ => Trouble::theirs(FaultKind::Unreachable, message),
            }
        })?;
        Ok(Wire(Box::new(stream)))
    }

    /// A new session.
    pub(super) async fn connect(&self, login: &Login, progress: &Progress) -> Result<Session, Trouble> {
        let stream = self.stream(progress).await?;
        let mut config = Config::new();
        config.user(&login.user).dbname(&self.database).application_name(application()).ssl_mode(self.tls.mode());
        if let Some(password) = &login.password {
            config.password(password.expose());
        }
        progress.now(format!("logging in to {} as {}", self.reach.place, login.user));
        let refused = |error: Error| refusal::of_login(self, login, &error);
        if self.tls.is_off() {
            let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(refused)?;
            return Ok(Session::of(client, connection));
        }
        let mut connector = self.tls.connector()?;
        let Ok(connector) = MakeTlsConnect::<Wire>::make_tls_connect(&mut connector, &self.reach.place.host);
        let (client, connection) = config.connect_raw(stream, connector).await.map_err(refused)?;
        Ok(Session::of(client, connection))
    }

    /// Tells the server that what a session is doing is no longer wanted.
    async fn cancel(&self, token: &CancelToken) -> Result<(), Trouble> {
        let stream = self.stream(&Progress::default()).await?;
        let sent = if self.tls.is_off() {
            token.cancel_query_raw(stream, NoTls).await
        } else {
            let mut connector = self.tls.connector()?;
            let Ok(connector) = MakeTlsConnect::<Wire>::make_tls_connect(&mut connector, &self.reach.place.host);
            token.cancel_query_raw(stream, connector).await
        };
        sent.map_err(|error| refusal::of_login(self, &self.reading, &error))
    }
}

impl Session {
    /// Goes on by itself, and hears what the server says.
    fn of<T>(client: Client, connection: Connection<Wire, T>) -> Self
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let notices = Notices::default();
        Self { client, ended: tokio::spawn(notices.clone().hear(connection)), notices }
    }

    /// Why the session ended, where it did: what was under way knows only that it is over.
    pub(super) async fn last_words(self, error: Error) -> Error {
        if error.as_db_error().is_some() || !self.client.is_closed() {
            return error;
        }
        match timeout(LAST_WORDS, self.ended).await {
            Ok(Ok(Some(why))) => why,
            _ => error,
        }
    }
}

/// What the sessions of this process are called, all of them, so that a run knows its own.
fn application() -> String {
    format!("runbook {}", std::process::id())
}

/// A statement under way. Where nobody waits for its end any more, the server is told to give it up.
pub(super) struct UnderWay {
    server: Arc<Server>,
    token: Option<CancelToken>,
}

impl UnderWay {
    pub(super) fn new(server: &Arc<Server>, session: &Session) -> Self {
        Self { server: Arc::clone(server), token: Some(session.client.cancel_token()) }
    }

    /// It has ended.
    pub(super) fn ended(mut self) {
        self.token = None;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let (Some(token), Ok(runtime)) = (self.token.take(), tokio::runtime::Handle::try_current()) else { return };
        let server = Arc::clone(&self.server);
        runtime.spawn(async move {
            match timeout(CANCELLING, server.cancel(&token)).await {
                Ok(Ok(())) => tracing::info!(target = server.target(), "cancelled a statement that nobody waits for"),
                Ok(Err(trouble)) => tracing::warn!(fault = %trouble.fault, "a statement could not be cancelled"),
                Err(_) => tracing::warn!(target = server.target(), "a statement could not be cancelled in time"),
            }
        });
    }
}
