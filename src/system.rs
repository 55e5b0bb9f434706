//! The real world: the clock, the environment, files, connections and the bodies of built-ins.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::catalog::{Body, Call, Opened, Opening, Past, World};
use crate::policy::Policy;
use crate::types::{Fault, FaultKind, Value};

/// A secret is a line, perhaps a certificate; a file beyond this is something else.
const MAX_SECRET: u64 = 1024 * 1024;

/// This machine.
pub struct System {
    /// What relative paths start from.
    directory: PathBuf,
    past: Option<Arc<dyn Past>>,
    /// Says which hosts may be connected to.
    policy: Option<Arc<Policy>>,
}

impl System {
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), past: None, policy: None }
    }

    /// Held to a policy.
    #[must_use]
    pub fn under(self, policy: Option<Arc<Policy>>) -> Self {
        Self { policy, ..self }
    }

    /// With what outlives a run.
    #[must_use]
    pub fn with_past(self, past: Arc<dyn Past>) -> Self {
        Self { past: Some(past), ..self }
    }
}

impl World for System {
    fn now(&self) -> Timestamp {
        now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn call(&self, call: Call) -> BoxFuture<'static, Result<Value, Fault>> {
        match call.builtin.body {
            Body::Outside(body) => body(call.cx, call.args),
            Body::Pure(_) | Body::Text(..) | Body::Stage(_) | Body::Scan(..) => {
                refuse(Fault::new(FaultKind::Unsupported, format!("`{}` does not go outside", call.builtin.name)))
            }
        }
    }

    fn compute(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // One that ended in a panic leaves no result, which is how the run sees it.
            let _ = tokio::task::spawn_blocking(work).await;
        })
    }

    fn open(&self, opening: Opening) -> BoxFuture<'static, Result<Opened, Fault>> {
        opening.driver.make(opening.cx, opening.args)
    }

    fn may_reach(&self, host: &str) -> Result<(), Fault> {
        let Some(policy) = &self.policy else { return Ok(()) };
        policy.may_reach(host).map_err(|why| {
            Fault::new(FaultKind::Forbidden, why)
                .help("name another host, or let those who look after the policy allow this one")
        })
    }

    fn past(&self) -> Option<Arc<dyn Past>> {
        self.past.clone()
    }

    fn env(&self, name: &str) -> Result<Option<String>, Fault> {
        #[expect(clippy::disallowed_methods, reason = "this is the world that the others ask")]
        match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Fault::new(FaultKind::Setup, format!("the environment variable `{name}` is not UTF-8 text")))
            }
        }
    }

    fn file(&self, path: &Path) -> Result<String, Fault> {
        let path = self.directory.join(path);
        let fault = |why: &dyn std::fmt::Display| {
            Fault::new(FaultKind::Setup, format!("the file `{}` cannot be read: {why}", path.display()))
        };
        let file = std::fs::File::open(&path).map_err(|error| fault(&error))?;
        let mut text = String::new();
        file.take(MAX_SECRET + 1).read_to_string(&mut text).map_err(|error| fault(&error))?;
        if text.len() as u64 > MAX_SECRET {
            return Err(fault(&"it is larger than 1MiB"));
        }
        Ok(text)
    }
}

fn refuse<T: Send + 'static>(fault: Fault) -> BoxFuture<'static, Result<T, Fault>> {
    Box::pin(std::future::ready(Err(fault)))
}

/// The zone of this machine.
#[must_use]
pub fn zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::system()
}

/// The wall clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the clock that the others ask")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// An environment variable of the tool itself: set, not empty, and text.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the environment that the others ask")]
pub fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
