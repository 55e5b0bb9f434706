//! What a report has shown and checked, as what people get.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::engine::Report;
use crate::shown::{Cell, Shown, ShownBody};
use crate::store::event::{Checked, Event, Outcome, Path};
use crate::types::Severity;

/// How many rows and lines of a part people get. Nobody reads more in a message; how many there are is said.
const ROWS: usize = 100;

/// How many of the checks that did not pass the text of a report names, and with how many characters of each.
const NAMED: usize = 20;
const SHORT: usize = 200;

/// A report while it runs.
pub(super) struct Gathered {
    title: Arc<str>,
    doc: Arc<str>,
    /// Statements end in any order, and are told in that of the source.
    parts: BTreeMap<Path, Vec<Part>>,
}

/// What one statement has to say.
struct Part {
    shown: Vec<Shown>,
    kind: Kind,
}

impl Part {
    /// `the site answers: FAILED (warning): nobody answers`, on one line.
    fn named(&self) -> Option<String> {
        let Shown { title: Some(title), body: ShownBody::Value { cell }, .. } = self.shown.first()? else {
            return None;
        };
        let whole = format!("{title}: {}", cell.text);
        let line = whole.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = line.chars().take(SHORT).collect();
        Some(if short.len() < line.len() { format!("{short}…") } else { line })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shown,
    Passed,
    Failed(Severity),
    Unknown,
}

impl Gathered {
    pub(super) fn new(title: &Arc<str>, doc: &Arc<str>) -> Self {
        Self { title: Arc::clone(title), doc: Arc::clone(doc), parts: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, path: &Path, event: &Event) {
        let part = match event {
            Event::Shown { title, shown, .. } => {
                Part { shown: vec![titled(title, kept(shown.clone()))], kind: Kind::Shown }
            }
            Event::NotShown { title: what, fault, .. } | Event::NotMeasured { what, fault, .. } => {
                Part { shown: vec![said(what, format!("could not be looked at: {fault}"))], kind: Kind::Unknown }
            }
            Event::NotReached { what, reason, .. } => {
                Part { shown: vec![said(what, format!("was not reached: {reason}"))], kind: Kind::Unknown }
            }
            Event::Checked(checked) => self::checked(checked),
            _ => return,
        };
        self.parts.entry(path.clone()).or_default().push(part);
    }

    /// All that stands above a `send`.
    pub(super) fn report(&self, key: Arc<str>, channels: Vec<Arc<str>>, send: &Path) -> Report {
        let above: Vec<&Part> = self.parts.range(..send.clone()).flat_map(|(_, parts)| parts).collect();
        let count = |is_one: &dyn Fn(Kind) -> bool| above.iter().filter(|part| is_one(part.kind)).count();
        let (passed, unknown) = (count(&|kind| kind == Kind::Passed), count(&|kind| kind == Kind::Unknown));
        let failed = count(&|kind| matches!(kind, Kind::Failed(_)));
        let counts = [(passed, "passed"), (failed, "failed"), (unknown, "could not be looked at")];
        let counts = counts.iter().filter(|(many, _)| *many > 0).map(|(many, what)| format!("{many} {what}"));
        let mut text = counts.collect::<Vec<_>>().join(", ");
        // Where there is no room for all parts, what needs somebody is told all the same.
        let bad: Vec<&&Part> =
            above.iter().filter(|part| matches!(part.kind, Kind::Failed(_) | Kind::Unknown)).collect();
        let mut named: Vec<String> = bad.iter().take(NAMED).filter_map(|part| part.named()).collect();
        if bad.len() > NAMED {
            named.push(format!("and {} more", bad.len() - NAMED));
        }
        if !named.is_empty() {
            text = format!("{text}:\n{}", named.join(";\n"));
        }
        let severity = above.iter().map(|part| match part.kind {
            Kind::Failed(severity) => severity,
            // Could not look is never all is well.
            Kind::Unknown => Severity::Warning,
            Kind::Shown | Kind::Passed => Severity::Info,
        });
        Report {
            key,
            channels,
            title: Arc::clone(&self.title),
            doc: Arc::clone(&self.doc),
            severity: severity.max().unwrap_or(Severity::Info),
            text,
            parts: above.iter().flat_map(|part| &part.shown).cloned().collect(),
        }
    }
}

fn checked(checked: &Checked) -> Part {
    let (word, kind) = match checked.outcome {
        Outcome::Passed => ("passed".to_owned(), Kind::Passed),
        Outcome::Failed => (format!("FAILED ({})", checked.severity.name()), Kind::Failed(checked.severity)),
        Outcome::NotMeasured => ("could not be looked at".to_owned(), Kind::Unknown),
    };
    let why = checked.message.clone().or_else(|| checked.fault.as_ref().map(ToString::to_string));
    let word = why.map_or_else(|| word.clone(), |why| format!("{word}: {why}"));
    let mut shown = vec![said(&checked.title, word)];
    if checked.outcome == Outcome::Failed {
        shown.extend(checked.evidence.iter().cloned().map(kept));
    }
    Part { shown, kind }
}

fn said(title: &Arc<str>, text: String) -> Shown {
    let cell = Cell { value: text.as_str().into(), text, number: false };
    Shown { title: Some(title.to_string()), body: ShownBody::Value { cell }, partial: None }
}

/// Under the title of its statement.
fn titled(title: &Arc<str>, shown: Shown) -> Shown {
    let own = shown.title.as_ref().filter(|own| ***own != **title);
    let title = own.map_or_else(|| title.to_string(), |own| format!("{title}: {own}"));
    Shown { title: Some(title), ..shown }
}

/// As much of it as people read.
fn kept(mut shown: Shown) -> Shown {
    match &mut shown.body {
        ShownBody::Table { rows, .. } => rows.truncate(ROWS),
        ShownBody::Lines { lines, .. } => lines.truncate(ROWS),
        ShownBody::Value { .. } | ShownBody::Record { .. } => {}
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Gathered, Kind, Part, said};
    use crate::types::Severity;

    #[test]
    fn what_needs_somebody_is_in_the_text_however_much_is_shown() {
        let mut gathered = Gathered::new(&Arc::from("Disks"), &Arc::from(""));
        let part = |title: &str, text: &str, kind| Part { shown: vec![said(&title.into(), text.to_owned())], kind };
        let mut parts: Vec<Part> = (0..60).map(|n| part(&format!("n{n}"), "1", Kind::Shown)).collect();
        parts.push(part("every disk has room", "FAILED (warning): tight", Kind::Failed(Severity::Warning)));
        parts.push(part("the api", "could not be looked at: no\nroute", Kind::Unknown));
        for (at, part) in (0..).zip(parts) {
            gathered.parts.entry(vec![0, at]).or_default().push(part);
        }
        let report = gathered.report("key".into(), Vec::new(), &vec![0, 100]);
        assert_eq!(
            report.text,
            "1 failed, 1 could not be looked at:\nevery disk has room: FAILED (warning): tight;\nthe api: could not be looked at: no route"
        );
        assert_eq!(report.parts.len(), 62);
    }
}
