//! Statements that tell people, measure, or call a command that checks: whether they are come to as often as before. What
//! stands in a command is looked at where the command is called.

use super::around::{Around, Kind as AroundKind, Placed, knowing, often, path};
use super::bounds::{Moved, weigh};
use super::pairs::{Pair, pairs};
use super::schedules::lacks;
use super::{Chapter, Finding, Kind, Row, Rows, Seen, Side, worst};
use crate::check::program::{ChannelId, CommandId, Program, StatementKind};
use crate::plan::outline;
use crate::plan::text;
use crate::source::Span;

/// How deep commands call each other: a circle is an error of the check.
const DEEPEST: usize = 16;

/// How the part that is come to where something fails ends.
const ON_FAILURE: &str = ", on failure";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Notify,
    Send,
    Raise,
    Escalate,
    Measure,
    /// A command that checks is called.
    Do,
}

impl Verb {
    const fn chapter(self) -> Chapter {
        match self {
            Self::Notify | Self::Send | Self::Raise | Self::Escalate => Chapter::Told,
            Self::Measure | Self::Do => Chapter::Blindness,
        }
    }

    /// What less of it means.
    const fn less(self) -> Kind {
        match self.chapter() {
            Chapter::Told => Kind::Loosened,
            _ => Kind::Blind,
        }
    }

    const fn gone(self) -> &'static str {
        match self {
            Self::Notify | Self::Send => "gone: nobody is told by it any more",
            Self::Raise => "gone: it is no longer raised here",
            Self::Escalate => "gone: it no longer calls a level",
            Self::Measure => "gone: it is no longer measured here",
            Self::Do => "gone: what it checks is no longer looked at here",
        }
    }

    const fn fewer(self) -> &'static str {
        match self {
            Self::Measure => "measures less",
            Self::Do => "is looked at more rarely",
            _ => "tells less",
        }
    }

    const fn row(self) -> &'static str {
        match self {
            Self::Raise => "raises",
            Self::Escalate => "escalates to",
            Self::Notify | Self::Send | Self::Measure | Self::Do => "tells",
        }
    }
}

struct Told<'p> {
    verb: Verb,
    /// The channels, the threshold, the level, the metric, the command.
    whom: Vec<String>,
    message: String,
    /// As people read it.
    shown: String,
    within: String,
    by_itself: bool,
    around: Vec<Around<'p>>,
    span: Span,
}

impl Told<'_> {
    fn subject(&self) -> String {
        format!("{} in {}", self.shown, self.within)
    }

    fn path(&self) -> String {
        path(&self.within, &self.around)
    }
}

pub(super) fn compare(before: Side<'_>, after: Side<'_>, was: &Seen<'_>, is: &Seen<'_>) -> Vec<Finding> {
    let (old, new) = (all(before.program, was), all(after.program, is));
    let key = |one: &Told<'_>| (one.verb, one.within.clone(), one.whom.clone());
    let alike = |a: &Told<'_>, b: &Told<'_>| {
        let is_word = !matches!(a.verb, Verb::Measure | Verb::Do);
        a.verb == b.verb && (a.whom == b.whom || is_word && a.within == b.within)
    };
    let found = pairs(&old, &new, key, alike).into_iter().filter_map(|pair| match pair {
        Pair::Both(a, b) => changed(before, after, a, b),
        Pair::Gone(a) => {
            let finding = Finding::new(a.verb.chapter(), a.verb.less(), a.subject(), a.verb.gone());
            Some(finding.rows(Row::of("in", a.path(), "")).at(Some(before.place(a.span)), None))
        }
        Pair::New(b) => {
            let finding = Finding::new(b.verb.chapter(), Kind::Safer, b.subject(), "new");
            Some(finding.rows(Row::of("in", "", b.path())).at(None, Some(after.place(b.span))))
        }
    });
    found.collect()
}

fn changed(before: Side<'_>, after: Side<'_>, a: &Told<'_>, b: &Told<'_>) -> Option<Finding> {
    let less = b.verb.less();
    let mut found = Rows::default();
    found.add(Row::of(b.verb.row(), a.whom.join(", "), b.whom.join(", ")), others(before, after, a, b));
    found.add(Row::of("says", &*a.message, &*b.message), Kind::Changed);
    let left = a.by_itself && !b.by_itself && a.within != b.within;
    let rarer = weigh(&often(&a.around, &b.around, Moved::Less), Kind::Safer, less);
    found.add(Row::of("in", a.path(), b.path()), if left { less } else { rarer.unwrap_or(Kind::Changed) });
    if found.rows.is_empty() {
        return None;
    }
    let kind = worst(found.kinds);
    let headline = match kind {
        Kind::Loosened | Kind::Blind => b.verb.fewer(),
        Kind::Safer => "tightened",
        _ => "changed",
    };
    let finding = Finding::new(b.verb.chapter(), kind, b.subject(), headline).rows(found.rows);
    Some(finding.at(Some(before.place(a.span)), Some(after.place(b.span))))
}

/// What it means that others are told.
fn others(before: Side<'_>, after: Side<'_>, a: &Told<'_>, b: &Told<'_>) -> Kind {
    let is_there = |side: Side<'_>, one: &Told<'_>| {
        side.program.thresholds.iter().any(|threshold| one.whom.iter().any(|title| *title == *threshold.title))
    };
    match b.verb {
        // The threshold itself is called otherwise, or is gone, and that is said of it.
        Verb::Raise if !is_there(after, a) && !is_there(before, b) => Kind::Changed,
        _ if lacks(&b.whom, &a.whom) => b.verb.less(),
        _ => Kind::Safer,
    }
}

fn all<'p>(program: &'p Program, seen: &'p Seen<'p>) -> Vec<Told<'p>> {
    let mut finder = Finder { program, seen, found: Vec::new() };
    for one in seen.placed.iter().filter(|one| !is_of_command(one)) {
        let (within, around) = match one.within.strip_suffix(ON_FAILURE) {
            Some(within) => (within, vec![failed()]),
            None => (&*one.within, Vec::new()),
        };
        finder.look(one, within, one.by_itself, &around, 0);
    }
    finder.found
}

fn is_of_command(one: &Placed<'_>) -> bool {
    one.within.starts_with("command ")
}

fn failed<'p>() -> Around<'p> {
    Around { kind: AroundKind::If, says: "on failure".to_owned(), said: None }
}

struct Finder<'p> {
    program: &'p Program,
    seen: &'p Seen<'p>,
    found: Vec<Told<'p>>,
}

impl<'p> Finder<'p> {
    fn look(&mut self, one: &Placed<'p>, within: &str, by_itself: bool, outside: &[Around<'p>], depth: usize) {
        let program = self.program;
        let around: Vec<Around<'p>> = outside.iter().cloned().chain(knowing(&one.around, &self.seen.names)).collect();
        let said = |message: &Option<_>| message.as_ref().map_or_else(String::new, |it| text::plain(program, it));
        let (verb, whom, message) = match &one.statement.kind {
            StatementKind::Notify { channels, message } => (Verb::Notify, names(program, channels), said(message)),
            StatementKind::Send { channels } => (Verb::Send, names(program, channels), String::new()),
            StatementKind::Raise { threshold, message } => {
                let threshold = program.thresholds.get(threshold.index());
                (Verb::Raise, threshold.map(|one| one.title.to_string()).into_iter().collect(), said(message))
            }
            StatementKind::Escalate { level, message } => {
                (Verb::Escalate, vec![format!("level {level}")], said(message))
            }
            StatementKind::Measure { metrics } => {
                for metric in metrics.iter().filter_map(|id| program.metrics.get(id.index())) {
                    let shown = format!("measure {}", metric.name);
                    let whom = vec![metric.name.to_string()];
                    self.add(one, (Verb::Measure, whom, String::new(), shown), within, by_itself, &around);
                }
                return;
            }
            StatementKind::Do { command, .. } => {
                if let Some(body) = self.body(*command).filter(|_| depth < DEEPEST) {
                    if body.iter().any(|at| matches!(at.statement.kind, StatementKind::Check { .. })) {
                        let shown = outline::shown(program).statement(one.statement).join(" ");
                        let whom = program.commands.get(command.index()).map(|one| one.name.to_string());
                        let whom = whom.into_iter().collect();
                        self.add(one, (Verb::Do, whom, String::new(), shown), within, by_itself, &around);
                    }
                    for inner in body {
                        self.look(inner, within, by_itself, &around, depth + 1);
                    }
                }
                return;
            }
            _ => return,
        };
        let shown = outline::shown(program).statement(one.statement).join(" ");
        self.add(one, (verb, whom, message, shown), within, by_itself, &around);
    }

    fn body(&self, id: CommandId) -> Option<Vec<&'p Placed<'p>>> {
        let title = format!("command {}", self.program.commands.get(id.index())?.name);
        Some(self.seen.placed.iter().filter(|one| one.within == title).collect())
    }

    fn add(
        &mut self,
        one: &Placed<'p>,
        (verb, whom, message, shown): (Verb, Vec<String>, String, String),
        within: &str,
        by_itself: bool,
        around: &[Around<'p>],
    ) {
        let (within, around) = (within.to_owned(), around.to_vec());
        let span = one.statement.span;
        self.found.push(Told { verb, whom, message, shown, within, by_itself, around, span });
    }
}

fn names(program: &Program, channels: &[ChannelId]) -> Vec<String> {
    let found = channels.iter().filter_map(|id| program.channels.get(id.index()));
    let mut names: Vec<String> = found.map(|one| one.name.to_string()).collect();
    names.sort_unstable();
    names
}

/// Whether a line says only what is compared here.
pub(super) fn is_said(line: &str) -> bool {
    ["notify ", "send to ", "raise ", "escalate to ", "measure "].iter().any(|word| line.starts_with(word))
}
