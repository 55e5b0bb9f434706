//! What a runbook would change, for whom to see before it does: the changes in the order of the source with their
//! guards and bounds, what they need, who may be told, and the hash that a consent is given to.
//!
//! Nothing is opened and nothing is read: what only the world knows is said to be unknown until the run.

mod agreed;
mod changes;
mod definitions;
mod fingerprint;
mod given;
pub mod limit;
pub(crate) mod meaning;
pub(crate) mod outline;
pub mod position;
mod rights;
mod select;
pub(crate) mod text;
mod written;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde::Serialize;

pub use self::agreed::{Agreed, bound_to, of_places};
pub use self::changes::called;
pub(crate) use self::changes::{TOOL, given};
use self::fingerprint::Covered;
pub use self::fingerprint::{hash_of, reached};
pub(crate) use self::rights::endpoints;
pub use self::rights::{Granted, Rights, rights};
pub use self::select::{SelectFault, Selection};
use crate::check::program::Program;
use crate::shown::look::counted;
use crate::source::Span;
use crate::types::{Fault, FaultKind};

/// What a program would do.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    pub runbook: Arc<str>,
    pub changes: Vec<PlannedChange>,
    /// How many calls only look, as they are written.
    pub reads: u32,
    /// How many steps there are, before lists are known.
    pub steps: u32,
    /// What a person is asked to do.
    pub manual: Vec<String>,
    /// What is waited for.
    pub waits: Vec<Wait>,
    pub connections: Vec<Target>,
    pub tells: Vec<Told>,
    /// What is needed from the systems that are asked, by who asks: a connection or a family of built-ins.
    pub needs: BTreeMap<String, Vec<String>>,
    /// What a consent covers, in hex; `None` where nothing changes.
    pub hash: Option<String>,
    /// The connections that the changes lead to.
    #[serde(skip)]
    pub leads_to: Vec<Arc<str>>,
    /// The programs of this machine that they start, with `*` for what only the run will tell.
    pub programs: BTreeSet<String>,
}

impl Plan {
    /// The roles whose approval its changes ask for.
    #[must_use]
    pub fn roles(&self) -> BTreeSet<Arc<str>> {
        self.changes.iter().filter_map(|change| change.approve_by.clone()).collect()
    }

    /// What a consent covers, piece by piece: what several changes have in common is there once.
    #[must_use]
    pub fn parts(&self) -> Vec<&Part> {
        let mut known = HashSet::new();
        let all = self.changes.iter().flat_map(|change| &change.covers);
        all.filter(|part| part.what == "change" || known.insert(*part)).collect()
    }
}

/// One thing that a consent covers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// `change`, `guard`, `connection db`
    pub what: String,
    /// In one canonical line: the same for the same meaning.
    pub says: String,
    /// Whether its value is read, and so known in the run alone.
    pub is_read: bool,
    pub span: Span,
}

impl Part {
    /// As it is told to people.
    #[must_use]
    pub fn words(&self) -> String {
        match self.what.as_str() {
            "change" | "guard" | "loop" | "condition" => self.says.clone(),
            what => format!("{what} = {}", self.says),
        }
    }

    /// A name that stands for a value or a program, and what that is, with the values that `--set` gave.
    fn named(&self, set: &BTreeMap<Arc<str>, String>) -> Option<(Arc<str>, String)> {
        let (kind, name) = self.what.split_once(' ')?;
        let says = match (kind, set.get(name)) {
            ("param", Some(typed)) => typed.clone(),
            // A parameter is often called as what it is given.
            ("argument", _) if self.says == name => return None,
            ("let" | "argument", _) if self.is_read => format!("{} (read in the run)", self.says),
            ("param" | "let" | "argument" | "tool", _) => self.says.clone(),
            _ => return None,
        };
        Some((name.into(), says))
    }
}

/// One `change` statement.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedChange {
    /// From 1.
    pub number: u32,
    pub section: Arc<str>,
    pub step: Option<Arc<str>>,
    #[serde(skip)]
    pub span: Span,
    /// As it was written, in one line.
    pub text: Arc<str>,
    /// The built-in that it calls, and what else a policy may call it by.
    #[serde(skip)]
    pub called: Vec<&'static str>,
    /// The params, arguments, names and tools that it, its loops, conditions, guards and clauses lead to, with what they
    /// stand for: `"/var/old"`.
    pub given: Vec<(Arc<str>, String)>,
    /// The connections that it names.
    pub on: Vec<Arc<str>>,
    /// What stands around it, from the outside: loops, conditions, commands.
    pub around: Vec<Around>,
    /// The `require`s above it.
    pub guards: Vec<Guard>,
    /// What a person does above it.
    pub manual: Vec<String>,
    /// What is waited for above it.
    pub waits: Vec<Wait>,
    /// Itself and the statements that it stands in.
    #[serde(skip)]
    pub blocks: Vec<At>,
    pub within: Option<String>,
    /// How long its call may take by itself, where it says nothing.
    pub limit: Option<String>,
    pub approve_by: Option<Arc<str>>,
    pub verify: Option<String>,
    pub undo: Option<String>,
    /// Where it stands among the changes: see [`position`].
    #[serde(skip)]
    pub position: String,
    /// All that a consent to it covers, piece by piece.
    #[serde(skip)]
    pub covers: Vec<Part>,
}

impl PlannedChange {
    /// Where it stands.
    #[must_use]
    pub fn at(&self) -> At {
        let called = self.position.rsplit_once('.').map_or("", |(called, _)| called);
        At { span: self.span, called: called.to_owned() }
    }
}

/// What decides whether, and how often, a change is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Around {
    /// `for node in cluster.nodes()`
    Each {
        name: Arc<str>,
        list: String,
        /// How many items it has, where they are written there.
        items: Option<usize>,
        at_most: Option<u32>,
    },
    /// `if`, with all conditions before it in the same statement.
    If {
        condition: String,
    },
    /// None of the conditions before it holds.
    Else {
        conditions: Vec<String>,
    },
    Retry {
        times: u32,
    },
    OnFailure,
    Always,
    /// Inside a command that is called.
    Command {
        name: Arc<str>,
        /// `do roll("small", 1)`
        call: String,
    },
}

impl Around {
    /// As it is told to whoever agrees.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Each { name, list, items, at_most } => {
                let bound = match (items, at_most) {
                    (Some(items), _) => counted(*items as u64, "item"),
                    (None, None) => "the list is unknown until the run".to_owned(),
                    (None, Some(most)) => {
                        format!("unknown until the run: the list; more than {most} stops the changes")
                    }
                };
                format!("for each {name} in {list} ({bound})")
            }
            Self::If { condition } => format!("if {condition}"),
            Self::Else { conditions } => format!("unless {}", conditions.join(" or ")),
            Self::Retry { times } => format!("up to {times} times"),
            Self::OnFailure => "only on failure".to_owned(),
            Self::Always => "always, also after a failure".to_owned(),
            Self::Command { call, .. } => call.clone(),
        }
    }
}

/// Where a statement stands, and how it is come to: one in a command is there once for each call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    pub span: Span,
    /// The positions of the calls that lead there: `3.1`; empty outside of commands.
    pub called: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Guard {
    pub title: String,
    pub condition: String,
    /// A person does something before it is asked.
    pub after_manual: bool,
    /// Something is waited for before it is asked.
    pub after_wait: bool,
    #[serde(skip)]
    pub at: At,
}

/// A `wait until`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wait {
    pub condition: String,
    /// How long it is waited for.
    pub within: String,
    /// It stands in a block that may be left out.
    pub in_block: bool,
    #[serde(skip)]
    pub at: At,
}

impl Guard {
    /// Whether it is asked only where the block is reached that it stands in: its title says so.
    #[must_use]
    pub fn is_in_block(&self) -> bool {
        self.title.ends_with(changes::MAYBE)
    }
}

/// A connection as it is declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    pub name: Arc<str>,
    pub driver: &'static str,
    /// `postgres(host: "db-1", password: key)`, secrets by their names.
    pub declared: String,
}

/// A channel that may get a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Told {
    pub channel: Arc<str>,
    pub driver: &'static str,
}

/// What the selected part of a program would do, with the values that `--set` gave, as they were typed.
///
/// # Errors
/// Where its commands run one another so often that nobody could read the plan.
pub fn plan(program: &Program, selection: &Selection, set: &BTreeMap<Arc<str>, String>) -> Result<Plan, Fault> {
    let found = changes::find(program, selection, set);
    if found.commands > changes::MOST_COMMANDS {
        let message =
            format!("the commands of this runbook run one another more than {} times", changes::MOST_COMMANDS);
        return Err(Fault::new(FaultKind::TooLarge, message).help("write a command that runs fewer others"));
    }
    // What changes nothing needs no consent, and its names are not looked into.
    let covered = if found.changes.is_empty() {
        Covered::default()
    } else {
        fingerprint::covered(program, &found, selection, set)
    };
    Ok(Plan {
        runbook: program.header.title.clone(),
        changes: found
            .changes
            .iter()
            .zip(covered.covers)
            .map(|((planned, _), covers)| PlannedChange {
                given: covers.iter().filter_map(|part| part.named(set)).collect(),
                covers,
                ..planned.clone()
            })
            .collect(),
        reads: found.reads,
        steps: found.steps,
        manual: found.manual,
        waits: found.waits,
        connections: found.connections.iter().filter_map(|id| target(program, *id)).collect(),
        tells: found.tells.into_iter().collect(),
        needs: found.needs.into_iter().map(|(who, needs)| (who, needs.into_iter().collect())).collect(),
        hash: covered.hash,
        leads_to: covered.leads_to,
        programs: covered.programs,
    })
}

/// What one call leads to.
#[derive(Clone, Debug)]
pub struct Reached {
    /// The connections.
    pub leads_to: Vec<Arc<str>>,
    /// The programs of this machine that it starts, with `*` for what only the run will tell.
    pub programs: BTreeSet<String>,
    /// The declarations behind it.
    pub parts: Vec<Part>,
}

fn target(program: &Program, id: crate::check::program::ConnectionId) -> Option<Target> {
    let connection = program.connections.get(id.index())?;
    Some(Target {
        name: connection.name.clone(),
        driver: connection.made.driver.name,
        declared: text::made(program, &connection.made),
    })
}
