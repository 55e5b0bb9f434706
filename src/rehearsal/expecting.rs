//! `expect`: whether it is so, and what is there instead.

use std::fmt::Write as _;
use std::sync::Arc;

use super::Failure;
use super::stage::{Stage, failure};
use crate::alerting::{Alert, Happened};
use crate::check::program::{Fact, Outcome, Severity, ThresholdId};
use crate::report::finding::why_withheld;
use crate::shown::items::named;
use crate::shown::{Shown, ShownBody};
use crate::source::Span;
use crate::store::event::{self, Event};

/// How many lines of what is there are told.
const MOST: usize = 12;

pub(super) async fn expect(stage: &Stage, span: Span, negated: bool, fact: &Fact) -> Result<(), Failure> {
    let (holds, what, mut found) = match fact {
        Fact::Alert(wanted) => alert(stage, wanted.as_ref()),
        Fact::Notified(channel) => {
            let name = stage.program.channels.get(channel.index()).map(|one| Arc::clone(&one.name)).unwrap_or_default();
            notified(stage, &name)
        }
        Fact::Level(level) => at_level(stage, *level),
        Fact::Change(call) => {
            let wanted = stage
                .asking()
                .call(call)
                .await
                .map_err(|fault| failure(span, format!("it cannot be rehearsed: {}", fault.message), Vec::new()))?;
            let (made, changes) = (stage.world.was_made(&wanted), changes(stage));
            (made, "this change".to_owned(), changes)
        }
        Fact::Check { title, outcome } => check(stage, title, *outcome),
        Fact::Run(outcome) => run(stage, *outcome),
    };
    if holds != negated {
        return Ok(());
    }
    found.truncate(MOST);
    let bare = ["a ", "an ", "this "].iter().find_map(|article| what.strip_prefix(article)).unwrap_or(&what);
    let message = if negated { format!("expected no {bare}, and there is one") } else { format!("expected {what}") };
    Err(failure(span, message, found))
}

fn alert(stage: &Stage, wanted: Option<&(ThresholdId, Option<Severity>)>) -> (bool, String, Vec<String>) {
    let open = stage.engine.state().alerts.values().map(Arc::as_ref);
    let found = open.clone().map(described).collect();
    let Some((id, severity)) = wanted else { return (open.count() > 0, "alert".to_owned(), found) };
    let title = stage.program.thresholds.get(id.index()).map(|one| Arc::clone(&one.title)).unwrap_or_default();
    let is_it =
        |alert: &Alert| alert.subject.threshold == title && severity.is_none_or(|severity| severity == alert.severity);
    (open.clone().any(is_it), format!("alert \"{title}\""), or(found, "no alert is open"))
}

fn described(alert: &Alert) -> String {
    format!("alert \"{}\" {} is open: {}", alert.subject.threshold, alert.severity.name(), alert.text)
}

fn notified(stage: &Stage, channel: &str) -> (bool, String, Vec<String>) {
    let told = stage.recent.iter().filter_map(|happening| match &happening.what {
        Happened::Told { channel, occasion, title, .. } => Some((channel, *occasion, title)),
        _ => None,
    });
    let holds = told.clone().any(|(own, ..)| &**own == channel);
    let found = told.map(|(channel, occasion, title)| format!("{channel} was told: {title} ({})", occasion.name()));
    let found = or(found.collect(), "nobody was told since the last `run`, `alert` or `after`");
    (holds, format!("a message to `{channel}`"), found)
}

fn at_level(stage: &Stage, level: u32) -> (bool, String, Vec<String>) {
    let open = stage.engine.state().incidents.values();
    let holds = open.clone().any(|incident| incident.level == level);
    let found = open.map(|incident| format!("incident \"{}\" is at level {}", incident.title, incident.level));
    (holds, format!("an incident at level {level}"), or(found.collect(), "no incident is open"))
}

fn check(stage: &Stage, title: &str, wanted: Outcome) -> (bool, String, Vec<String>) {
    let of_title = |event: &Event| match event {
        Event::Checked(checked) if &*checked.title == title => {
            Some((outcome(checked.outcome), format!("it {}{}", past(checked.outcome), why(checked))))
        }
        _ => None,
    };
    let found: Vec<(Outcome, String)> = stage.events.iter().filter_map(of_title).collect();
    let is_so = |(found, _): &(Outcome, String)| *found == wanted;
    // One that did not pass among several of a title is what a test is there to find.
    let holds = match wanted {
        Outcome::Passed => !found.is_empty() && found.iter().all(is_so),
        _ => found.iter().any(is_so),
    };
    let says = found.into_iter().map(|(_, says)| says).collect();
    (holds, format!("\"{title}\" {}", wanted.name()), or(says, "the last `run` or `alert` made no such check"))
}

fn run(stage: &Stage, wanted: Outcome) -> (bool, String, Vec<String>) {
    let exit = stage.events.iter().find_map(|event| match event {
        Event::RunFinished(finished) => Some(finished.exit),
        _ => None,
    });
    let found = match exit {
        Some(0) => Some(Outcome::Passed),
        Some(3) => Some(Outcome::NotMeasured),
        Some(_) => Some(Outcome::Failed),
        None => None,
    };
    let mut says = match (exit, found) {
        (Some(exit), Some(found)) => vec![format!("the run is {}: exit {exit}", found.name())],
        _ => vec!["nothing was run".to_owned()],
    };
    says.extend(stage.events.iter().filter_map(|event| match event {
        Event::Checked(checked) if checked.outcome != event::Outcome::Passed => {
            Some(format!("\"{}\" {}{}", checked.title, past(checked.outcome), why(checked)))
        }
        _ => None,
    }));
    (found == Some(wanted), format!("the run {}", wanted.name()), says)
}

/// For which items of loops it was, what was found, and why it could not be seen.
fn why(checked: &event::Checked) -> String {
    let mut text = String::new();
    if !checked.place.items.is_empty() {
        let _ = write!(text, " [{}]", checked.place.items.join(", "));
    }
    let found: Vec<String> = checked.evidence.iter().filter_map(seen).collect();
    if let Some(fault) = &checked.fault {
        let _ = write!(text, ": {fault}");
    } else if !found.is_empty() {
        let _ = write!(text, ": {}", found.join(", "));
    }
    text
}

/// What a check saw, in a line.
fn seen(shown: &Shown) -> Option<String> {
    let value = match &shown.body {
        ShownBody::Value { cell } => cell.text.clone(),
        ShownBody::Record { fields } => {
            let fields = fields.iter().map(|(name, cell)| format!("{name}: {}", cell.text));
            fields.take(MOST).collect::<Vec<_>>().join(", ")
        }
        ShownBody::Table { rows, total, .. } => {
            let first = rows.first()?.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" ");
            if *total > 1 { format!("{first} and {} more", total - 1) } else { first }
        }
        ShownBody::Lines { lines, .. } => lines.first()?.clone(),
    };
    Some(shown.title.as_ref().map_or_else(|| value.clone(), |title| format!("{title} is {value}")))
}

fn changes(stage: &Stage) -> Vec<String> {
    let changes = stage.events.iter().filter_map(|event| match event {
        Event::ChangeEnded(ended) => {
            Some(format!("change {}: {}", named(&ended.title, &ended.items), became(ended.outcome)))
        }
        Event::ChangeWithheld { title, items, reason, .. } => {
            Some(format!("change {} was not begun: {}", named(title, items), why_withheld(reason)))
        }
        _ => None,
    });
    or(changes.collect(), "nothing was changed since the last `run` or `alert` began")
}

fn or(found: Vec<String>, nothing: &str) -> Vec<String> {
    if found.is_empty() { vec![nothing.to_owned()] } else { found }
}

const fn outcome(outcome: event::Outcome) -> Outcome {
    match outcome {
        event::Outcome::Passed => Outcome::Passed,
        event::Outcome::Failed => Outcome::Failed,
        event::Outcome::NotMeasured => Outcome::NotMeasured,
    }
}

const fn became(outcome: event::ChangeOutcome) -> &'static str {
    match outcome {
        event::ChangeOutcome::Done => "done",
        event::ChangeOutcome::Failed => "failed",
        event::ChangeOutcome::Partly => "partly done",
        event::ChangeOutcome::Unknown => "unknown",
    }
}

const fn past(outcome: event::Outcome) -> &'static str {
    match outcome {
        event::Outcome::Passed => "passed",
        event::Outcome::Failed => "failed",
        event::Outcome::NotMeasured => "was not measured",
    }
}
