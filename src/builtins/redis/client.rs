//! A server and the connections to it: kept for the next read, and never used again after a change.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::Value;
use tokio::time::Instant;

use super::session::{Failure, Greeting, Login, Server, Session};
use crate::builtins::dial::{Progress, Trouble, within};
use crate::types::{Fault, FaultKind};

/// An opened connection.
pub(super) struct Redis {
    server: Server,
    reads: Login,
    /// Who changes, where that is somebody else.
    changes: Option<Login>,
    pub(super) within: Duration,
    at_most: u64,
    idle: Mutex<Vec<Session>>,
    /// Why the first attempt to connect failed: the first call need not find that out again.
    first: Mutex<Option<(Instant, Trouble)>>,
}

/// How long what the first attempt found stands for another one.
const FRESH: Duration = Duration::from_secs(1);

impl Redis {
    pub(super) fn new(server: Server, reads: Login, changes: Option<Login>, within: Duration, at_most: u64) -> Self {
        Self { server, reads, changes, within, at_most, idle: Mutex::default(), first: Mutex::default() }
    }

    /// Connects, so that the target can say what answers there. A server that does not answer is no fault here: whoever
    /// asks it next is told.
    ///
    /// # Errors
    /// Where this side is at fault.
    pub(super) async fn greeted(&self) -> Result<String, Fault> {
        let progress = Progress::default();
        match within(self.within, &self.server.place, &progress, self.session(&self.reads, &progress)).await {
            Ok(session) => {
                let target = self.target(&session.greeting);
                self.idle().push(session);
                Ok(target)
            }
            Err(trouble) if trouble.ours => Err(trouble.fault),
            Err(trouble) => {
                *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), trouble));
                Ok(self.target(&Greeting::default()))
            }
        }
    }

    /// `redis://ops@cache.example:6379/0 (7.0.15, primary)`.
    fn target(&self, greeting: &Greeting) -> String {
        let scheme = if self.server.trust.is_some() { "rediss" } else { "redis" };
        let user = self.reads.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let url = format!("{scheme}://{user}{}/{}", self.server.place, self.server.database);
        let mut target = self.server.way.shown(&url);
        let facts: Vec<&str> = greeting.version.as_deref().into_iter().chain(greeting.role).collect();
        if !facts.is_empty() {
            target = format!("{target} ({})", facts.join(", "));
        }
        match &self.changes {
            Some(login) => format!("{target}, changes as {}", login.name()),
            None => target,
        }
    }

    /// `redis://cache.example:6379/0`, whoever asks.
    pub(super) fn place(&self) -> String {
        self.server.way.system(&format!("redis://{}/{}", self.server.place.system(), self.server.database))
    }

    /// The answer to a command that only reads.
    pub(super) async fn read(&self, words: &[&str], limit: Duration) -> Result<Value, Trouble> {
        let progress = Progress::default();
        self.within(limit, &progress, async { self.lease(&progress).ask(words).await }).await
    }

    /// What comes of several reads, within a limit.
    pub(super) async fn within<T>(
        &self,
        limit: Duration,
        progress: &Progress,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        within(limit, self, progress, work).await
    }

    /// A place to read from.
    pub(super) fn lease<'r>(&'r self, progress: &'r Progress) -> Lease<'r> {
        Lease { redis: self, progress, session: None, again: true }
    }

    /// Sends a command that changes, once, on a connection of its own: what it leaves there (`SELECT`, `MULTI`) is gone
    /// with it.
    ///
    /// # Errors
    /// `sent` where it had gone out, and nobody knows what came of it.
    pub(super) async fn change<W: AsRef<str> + Sync>(&self, words: &[W], limit: Duration) -> Result<Value, Fault> {
        let progress = Progress::default();
        let login = self.changes.as_ref().unwrap_or(&self.reads);
        let sent = AtomicBool::new(false);
        let work = async {
            let mut session = self.session(login, &progress).await?;
            progress.now("waiting for the answer");
            sent.store(true, Ordering::Relaxed);
            Ok(session
                .ask(words, self.at_most)
                .await
                .map_err(|Failure { trouble, broken }| if broken { trouble.fault.sent() } else { trouble.fault }))
        };
        match within(limit, self, &progress, work).await {
            Ok(answered) => answered,
            Err(trouble) if sent.load(Ordering::Relaxed) => Err(trouble.fault.sent()),
            Err(trouble) => Err(not_sent(trouble.fault)),
        }
    }

    async fn session(&self, login: &Login, progress: &Progress) -> Result<Session, Trouble> {
        Session::open(&self.server, login, progress).await
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.place.fmt(f)
    }
}

/// Nothing went out: the change has failed, and is not unknown.
fn not_sent(fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::Timeout | FaultKind::BadAnswer | FaultKind::TooLarge => Fault {
            kind: FaultKind::Unreachable,
            message: format!("{}, and nothing was sent", fault.message).into(),
            ..fault
        },
        _ => fault,
    }
}

/// A connection that is kept again when all is read.
pub(super) struct Lease<'r> {
    redis: &'r Redis,
    progress: &'r Progress,
    session: Option<Session>,
    /// Whether a connection that breaks is made anew: once.
    again: bool,
}

impl Lease<'_> {
    /// The answer to a command that only reads. One that was lost with its connection is asked for once more.
    pub(super) async fn ask<W: AsRef<str> + Sync>(&mut self, words: &[W]) -> Result<Value, Trouble> {
        loop {
            let mut session = self.session().await?;
            self.progress.now("waiting for the answer");
            match session.ask(words, self.redis.at_most).await {
                Ok(answer) => {
                    self.session = Some(session);
                    return Ok(answer);
                }
                Err(Failure { trouble, broken: false }) => {
                    self.session = Some(session);
                    return Err(trouble);
                }
                // The others that are kept are as old.
                Err(Failure { trouble, broken: true })
                    if self.again && trouble.fault.kind == FaultKind::Unreachable =>
                {
                    self.again = false;
                    self.redis.idle().clear();
                }
                Err(Failure { trouble, .. }) => return Err(trouble),
            }
        }
    }

    async fn session(&mut self) -> Result<Session, Trouble> {
        if let Some(session) = self.session.take() {
            return Ok(session);
        }
        let first = self.redis.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((_, trouble)) = first.filter(|(at, _)| at.elapsed() < FRESH) {
            return Err(trouble);
        }
        let kept = self.redis.idle().pop();
        match kept {
            Some(session) => Ok(session),
            None => self.redis.session(&self.redis.reads, self.progress).await,
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.redis.idle().push(session);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::super::session::{Login, Server};
    use super::Redis;
    use crate::builtins::dial::way::{Carrier, Stream, Way};
    use crate::builtins::dial::{Place, Progress, Trouble};

    /// A pod with a server in it that greets, and counts 7 keys.
    struct Pod;

    impl Carrier for Pod {
        fn host(&self) -> &'static str {
            "redis-0"
        }

        fn shown(&self) -> String {
            "pod redis-0 of shop".to_owned()
        }

        fn carry<'a>(&'a self, port: u16, _: &'a Progress) -> BoxFuture<'a, Result<Box<dyn Stream>, Trouble>> {
            assert_eq!(port, 6379);
            let (here, there) = duplex(64);
            tokio::spawn(serve(there));
            async move { Ok(Box::new(here) as Box<dyn Stream>) }.boxed()
        }
    }

    async fn serve(mut stream: DuplexStream) {
        let mut asked = [0; 256];
        while let Ok(length @ 1..) = stream.read(&mut asked).await {
            let hello = asked.get(..length).is_some_and(|asked| asked.windows(5).any(|word| word == b"HELLO"));
            let answer: &[u8] = if hello { b"%1\r\n$4\r\nrole\r\n$7\r\nreplica\r\n" } else { b":7\r\n" };
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }

    #[tokio::test]
    async fn a_server_is_reached_through_what_carries_a_stream() {
        let place = Place { host: "redis-0".to_owned(), port: 6379 };
        let way = Way::Through { carrier: Arc::new(Pod), host: place.host.clone() };
        let server = Server { place, way, trust: None, database: 0 };
        let redis = Redis::new(server, Login::default(), None, Duration::from_secs(5), 1024);
        let target = redis.greeted().await.expect("a target");
        assert_eq!(target, "redis://redis-0:6379/0 through pod redis-0 of shop (replica)");
        let answer = redis.read(&["DBSIZE"], Duration::from_secs(5)).await.map_err(|trouble| trouble.fault);
        assert_eq!(answer.expect("an answer"), redis::Value::Int(7));
    }
}
