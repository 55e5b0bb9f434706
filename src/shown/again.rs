//! What is typed again in a command that is printed, so that it finds what this one has found.

use std::path::Path;

use super::look::quoted;

/// The flags that say where runs are recorded, and where what outlives them is kept. None of them where the environment says it: that
/// is the same for whoever types the next command.
#[derive(Clone, Debug, Default)]
pub struct Again {
    state: String,
    store: String,
}

impl Again {
    #[must_use]
    pub fn new(state: Option<&Path>, store: Option<&str>) -> Self {
        let flag = |name: &str, value: &str| format!(" --{name} {}", quoted(value));
        Self {
            state: state.map_or_else(String::new, |dir| flag("state", &dir.to_string_lossy())),
            store: store.map_or_else(String::new, |address| flag("store", address)),
        }
    }

    /// `runbook show --state DIR`: what looks at runs alone.
    #[must_use]
    pub fn of_runs(&self, verb: &str) -> String {
        format!("runbook {verb}{}", self.state)
    }

    /// `runbook resume --state DIR --store ADDRESS`
    #[must_use]
    pub fn command(&self, verb: &str) -> String {
        format!("runbook {verb}{}{}", self.state, self.store)
    }
}
