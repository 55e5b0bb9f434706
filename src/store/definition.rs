//! What a run wrote down of its changes when it began, so that a later one can go on with it: how they were defined, and
//! which run it continues.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The changes of a run, each with all that its consent covers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    pub changes: Vec<Defined>,
    /// What the changes name by numbers: many name the same connection.
    pub facts: Vec<Arc<str>>,
}

/// A change as it was defined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defined {
    /// Its number among the changes; `3.1` inside of a command.
    pub position: Arc<str>,
    pub section: Arc<str>,
    pub step: Option<Arc<str>>,
    /// As it was written, in one line.
    pub text: Arc<str>,
    /// Places among the facts.
    pub facts: Vec<u32>,
}

/// What a run does with one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Continues {
    /// It goes on where that one ended. What a person said of changes is part of it.
    Resumes { run: Arc<str>, settled: Vec<Settled> },
    /// It undoes a change of that one. `made`: who says that it was made, or a part of it, where nobody knew.
    Undoes {
        run: Arc<str>,
        change: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<String>,
    },
}

/// What a person said of a change: that it was made, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The run that began it, and its number there.
    pub run: Arc<str>,
    pub change: u32,
    pub title: Arc<str>,
    pub done: bool,
    /// `user@host`
    pub by: String,
}

impl Definition {
    /// What is said of a change, one fact after the other.
    pub fn facts<'a>(&'a self, change: &'a Defined) -> impl Iterator<Item = &'a str> {
        change.facts.iter().filter_map(|fact| self.facts.get(*fact as usize)).map(|fact| &**fact)
    }

    /// The change of a position.
    #[must_use]
    pub fn at(&self, position: &str) -> Option<&Defined> {
        // Inside of a command that a change calls, the calling change says all that there is.
        let mut position = position;
        loop {
            if let Some(found) = self.changes.iter().find(|change| &*change.position == position) {
                return Some(found);
            }
            position = position.rsplit_once('.')?.0;
        }
    }

    /// Whether two changes of two definitions say the same.
    #[must_use]
    pub fn says_the_same(&self, change: &Defined, other: &Self, of: &Defined) -> bool {
        change.facts.len() == of.facts.len() && self.facts(change).eq(other.facts(of))
    }
}
