//! Reaching a server: its name, a TCP connection, TLS. Each phase is timed, and each fault says in which it happened.

pub(super) mod gate;
pub(super) mod name;
mod place;
pub(super) mod tcp;
pub(super) mod tls;
pub(super) mod udp;
pub(super) mod way;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use self::gate::Gate;
pub(super) use self::place::{Place, system_of};
use crate::catalog::timing;
use crate::types::{Fault, FaultKind};
use crate::units;

/// A fault with the answer to whose it is.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) fault: Fault,
    /// Whether this machine or the runbook is at fault, so that nothing is known of the server.
    pub(super) ours: bool,
}

impl Trouble {
    /// The server's.
    pub(super) fn theirs(kind: FaultKind, message: impl Into<Arc<str>>) -> Self {
        Self { fault: Fault::new(kind, message), ours: false }
    }

    /// Ours.
    pub(super) fn ours(kind: FaultKind, message: impl Into<Arc<str>>) -> Self {
        Self { fault: Fault::new(kind, message), ours: true }
    }

    pub(super) fn help(mut self, help: impl Into<Arc<str>>) -> Self {
        self.fault = self.fault.help(help);
        self
    }

    /// What was asked for had gone out.
    pub(super) fn sent(mut self) -> Self {
        self.fault = self.fault.sent();
        self
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        trouble.fault
    }
}

/// What is being done right now: what a time-out was waiting for, and for whom.
#[derive(Clone, Default)]
pub(super) struct Progress(Arc<Mutex<Doing>>);

#[derive(Clone, Default)]
struct Doing {
    what: Cow<'static, str>,
    /// On the way to a proxy, which is no word about the server behind it.
    to_proxy: bool,
    /// Waiting for this machine's own name server.
    looking_up: bool,
}

impl Progress {
    /// Waiting for the server.
    pub(super) fn now(&self, what: impl Into<Cow<'static, str>>) {
        let what = what.into();
        timing::phase(&what);
        let mut doing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *doing = Doing { what, looking_up: false, to_proxy: doing.to_proxy };
    }

    /// Waiting for a name to be looked up.
    pub(super) fn looking_up(&self, name: &str) {
        self.now(format!("looking up {name}"));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).looking_up = true;
    }

    /// Whether it is a proxy that is being reached.
    pub(super) fn to_proxy(&self, is: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).to_proxy = is;
    }

    fn doing(&self) -> Doing {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How long the phases took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Phases {
    pub(super) dns: Duration,
    pub(super) connect: Duration,
    pub(super) tls: Duration,
}

/// A TCP connection to the first address of a place that takes one.
pub(super) async fn dial(gate: &Gate, place: &Place, progress: &Progress) -> Result<(TcpStream, Phases), Trouble> {
    gate.pass(&place.host)?;
    let start = Instant::now();
    progress.looking_up(&place.host);
    let addresses = name::resolve(place).await?;
    let found = Instant::now();
    progress.now(format!("connecting to {place}"));
    let stream = tcp::connect(place, &addresses).await?;
    Ok((stream, Phases { dns: found - start, connect: found.elapsed(), tls: Duration::ZERO }))
}

/// What comes of it within the time, or a fault that says what was being done when the time was over.
pub(super) async fn within<T>(
    limit: Duration,
    what: &(dyn fmt::Display + Sync),
    progress: &Progress,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    timeout(limit, work).await.unwrap_or_else(|_| {
        let limit = units::duration(i64::try_from(limit.as_nanos()).unwrap_or(i64::MAX));
        let doing = progress.doing();
        let message = format!("no answer from {what} within {limit}: {}", doing.what);
        Err(Trouble { fault: Fault::new(FaultKind::Timeout, message), ours: doing.looking_up || doing.to_proxy })
    })
}
