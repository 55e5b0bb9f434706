//! The world as built-ins see it: everything outside goes through here, so that a test can stand in for it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{Args, Builtin, Driver, Opened, Past};
use crate::types::{Fault, Value};

/// The outside: the real machine, or the canned answers and the virtual clock of a test.
pub trait World: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// Waits; on a virtual clock, moves it.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Makes a call that goes outside: runs the built-in's body, or answers for it.
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Value, Fault>>;

    /// Computes something that takes long, away from what serves connections and timers. A world of canned answers
    /// computes it where it stands.
    fn compute(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        Box::pin(async move { work() })
    }

    /// Opens a connection, once for a run.
    fn open(&self, opening: Opening) -> BoxFuture<'static, Result<Opened, Fault>>;

    /// Whether anything may be connected to at a host, by the policy of the repository.
    ///
    /// # Errors
    /// That it may not.
    fn may_reach(&self, _host: &str) -> Result<(), Fault> {
        Ok(())
    }

    /// What outlives a run; `None` where nothing is kept.
    fn past(&self) -> Option<Arc<dyn Past>> {
        None
    }

    /// An environment variable; `None` where it is not set.
    ///
    /// # Errors
    /// Where it is set to something that is not text.
    fn env(&self, name: &str) -> Result<Option<String>, Fault>;

    /// A small text file that the runbook names for a secret, relative to the runbook's own folder.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn file(&self, path: &std::path::Path) -> Result<String, Fault>;
}

/// A call on its way outside.
pub struct Call {
    pub builtin: &'static Builtin,
    pub args: Args<'static>,
    pub cx: Cx,
}

/// A connection on its way to be opened.
pub struct Opening {
    /// Its name in the runbook.
    pub name: Arc<str>,
    pub driver: &'static Driver,
    pub args: Args<'static>,
    pub cx: Cx,
}

/// What a body may use of the world. Cheap to clone.
#[derive(Clone)]
pub struct Cx {
    pub world: Arc<dyn World>,
    pub run: Arc<RunFacts>,
    pub remark: Remark,
}

/// What a body has to say beside its value: why a `no` is one. A check that fails for it repeats it.
#[derive(Clone, Debug, Default)]
pub struct Remark(Arc<Mutex<Option<String>>>);

impl Remark {
    /// The last one counts.
    pub fn say(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    #[must_use]
    pub fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What is the same for a whole run.
#[derive(Clone, Debug)]
pub struct RunFacts {
    pub id: Arc<str>,
    /// What `.age` counts from.
    pub started_at: Timestamp,
    /// When it was due; the start where nobody scheduled it.
    pub scheduled_at: Timestamp,
    /// The runbook's own.
    pub timezone: TimeZone,
    /// The folder that relative paths in the runbook start from.
    pub directory: PathBuf,
}

impl RunFacts {
    /// How long ago something was when the run began; what has begun since has no age yet.
    #[must_use]
    pub fn age(&self, then: Timestamp) -> SignedDuration {
        self.started_at.duration_since(then).max(SignedDuration::ZERO)
    }
}
