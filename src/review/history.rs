//! What recorded samples say of an edit: each side's alerting reads them all again, as a run would have, and what opened
//! is compared. Alerts that checks raise are not among them: what a check saw is not recorded as a sample.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{Chapter, Finding, Kind, Renamed, Row, Side};
use crate::alerting::{Along, Definitions, End, Engine, Incident, Input, Reading, State};
use crate::catalog::RunFacts;
use crate::check::program::{ExprKind, Metric, Program};
use crate::plan::meaning::Meaning;
use crate::plan::outline::Of;
use crate::plan::text;
use crate::store::event::{Event, Measured, Place, Record, Sampled};
use crate::store::ledger::Ledger;
use crate::types::{Fault, FaultKind, Labels, Measure, labels_text};

/// How far back it is looked.
const WINDOW: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How many incidents are named.
const NAMED: usize = 5;

/// What a ledger recorded, from `runbook store export`.
#[derive(Clone, Debug, Default)]
pub struct History {
    runbooks: BTreeMap<String, Recorded>,
}

#[derive(Clone, Debug, Default)]
struct Recorded {
    /// By time and metric: the samples of one look.
    looks: BTreeMap<(Timestamp, Arc<str>), Vec<Sampled>>,
    incidents: Vec<Incident>,
}

/// An export while it is read.
#[derive(Default)]
struct Taking {
    history: History,
    begun: bool,
    lines: usize,
    /// What came of a line so far.
    rest: Vec<u8>,
    /// Why nothing more is taken.
    refused: Option<Fault>,
}

impl Taking {
    fn take(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.lines += 1;
        let number = self.lines;
        let wrong = |why: String| {
            let what = format!("line {number} of the history is not what an export has: {why}");
            Fault::new(FaultKind::BadAnswer, what).help("make one with `runbook store export > FILE`")
        };
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let runbooks = &mut self.history.runbooks;
        match serde_json::from_slice(line).map_err(|error| wrong(error.to_string()))? {
            Line::Ledger { version: 1 } => self.begun = true,
            Line::Ledger { version } => {
                return Err(wrong(format!("it is of version {version}, and this tool reads 1")));
            }
            _ if !self.begun => return Err(wrong("the line that says what it is does not come first".to_owned())),
            Line::Sample { runbook, metric, labels, at, value, why } => {
                let fault = why.map(|why| Fault::new(FaultKind::NoValue, why));
                let sampled = Sampled { labels, value, text: String::new(), fault };
                runbooks.entry(runbook).or_default().looks.entry((at, metric)).or_default().push(sampled);
            }
            Line::Document { runbook, kind, body } if kind == "incident" => {
                let incident = serde_json::from_value(body).map_err(|error| wrong(error.to_string()))?;
                runbooks.entry(runbook).or_default().incidents.push(incident);
            }
            Line::Document { .. } | Line::Other => {}
        }
        Ok(())
    }

    fn whole(self) -> Result<History, Fault> {
        if self.begun {
            return Ok(self.history);
        }
        Err(Fault::new(FaultKind::BadAnswer, "the history is empty")
            .help("make one with `runbook store export > FILE`"))
    }
}

impl Write for Taking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.rest);
                if let Err(fault) = self.take(&line) {
                    let refusal = io::Error::other(fault.message.to_string());
                    self.refused = Some(fault);
                    return Err(refusal);
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines that are read; others are passed over.
#[derive(Deserialize)]
#[serde(tag = "record", rename_all = "lowercase")]
enum Line {
    Ledger {
        version: u32,
    },
    Sample {
        runbook: String,
        metric: Arc<str>,
        labels: Labels,
        at: Timestamp,
        value: Option<f64>,
        why: Option<String>,
    },
    Document {
        runbook: String,
        kind: String,
        body: serde_json::Value,
    },
    #[serde(other)]
    Other,
}

impl History {
    /// Reads an export.
    ///
    /// # Errors
    /// Where it is none, or not whole.
    pub fn read(lines: &mut dyn BufRead) -> Result<Self, Fault> {
        let mut taking = Taking::default();
        for line in lines.split(b'\n') {
            let line =
                line.map_err(|error| Fault::new(FaultKind::Failed, format!("the history cannot be read: {error}")))?;
            taking.take(&line)?;
        }
        taking.whole()
    }

    /// The same of a ledger that is there, without a file between.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn recorded(ledger: &Ledger) -> Result<Self, Fault> {
        let mut taking = Taking::default();
        let exported = ledger.export(&mut taking);
        if let Some(fault) = taking.refused.take() {
            return Err(fault);
        }
        exported?;
        taking.whole()
    }

    /// The same, where metrics have other names now.
    #[must_use]
    pub fn with_names(&self, names: &[Renamed]) -> Self {
        let metrics: Vec<_> = names.iter().filter_map(Renamed::metric).collect();
        let mut history = self.clone();
        for recorded in history.runbooks.values_mut() {
            let now = |name: &Arc<str>| {
                metrics
                    .iter()
                    .fold(Arc::clone(name), |name, (old, new)| if *name == **old { (*new).into() } else { name })
            };
            recorded.looks = std::mem::take(&mut recorded.looks)
                .into_iter()
                .map(|((at, metric), samples)| ((at, now(&metric)), samples))
                .collect();
        }
        history
    }

    /// The incidents of a runbook that are open.
    pub(super) fn open(&self, title: &str) -> Vec<String> {
        let all = self.runbooks.get(title).into_iter().flat_map(|one| &one.incidents);
        let open = all.filter(|incident| incident.end.is_none());
        open.map(|incident| format!("#{} \"{}\"", incident.number, incident.title)).collect()
    }

    /// From when to when there are samples.
    #[must_use]
    pub fn span(&self) -> String {
        let all = || self.runbooks.values().flat_map(|one| one.looks.keys().map(|(at, _)| *at));
        match (all().min(), all().max()) {
            (Some(from), Some(to)) => format!("{from:.0} to {to:.0}"),
            _ => "which holds no sample".to_owned(),
        }
    }
}

/// An alert that would have been open.
#[derive(Clone, Debug)]
struct Opened {
    threshold: Arc<str>,
    labels: Labels,
    at: Timestamp,
    end: Option<Timestamp>,
}

/// Adds what the history says to the findings about thresholds, and findings where only the history shows a difference.
pub(super) fn add(
    findings: &mut Vec<Finding>,
    history: &History,
    before: Side<'_>,
    after: Side<'_>,
    set: &BTreeMap<Arc<str>, String>,
) {
    let Some(recorded) = history.runbooks.get(&*before.program.header.title) else {
        for finding in findings.iter_mut().filter(|finding| finding.subject.starts_with("threshold ")) {
            finding.notes.push("the history holds nothing of this runbook".to_owned());
        }
        return;
    };
    let last = recorded.looks.keys().map(|(at, _)| *at).max();
    let Some(from) = last.and_then(|last| last.checked_sub(WINDOW).ok()) else { return };
    let first = recorded.looks.keys().map(|(at, _)| *at).min();
    let alerts = if first.is_some_and(|first| first <= from) { "alerts in 90 days" } else { "alerts in the history" };
    let others = others(before.program, after.program, set);
    let was = replayed(before.program, recorded, from, &HashMap::new(), &HashMap::new());
    let forgiven = forgiven(before.program, after.program);
    let is = replayed(after.program, recorded, from, &forgiven, &rarer(before.program, after.program));
    for new in &after.program.thresholds {
        let subject = super::thresholds::subject(new);
        let place = after.place(new.span);
        let old = before.program.thresholds.iter().find(|old| old.title == new.title);
        let (a, b): (Vec<&Opened>, Vec<&Opened>) = (of(&was, &new.title), of(&is, &new.title));
        let known = findings.iter().position(|finding| finding.subject == subject);
        let same =
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.at == b.at && a.labels == b.labels && a.end == b.end);
        if (known.is_none() && same) || old.is_none() || new.when.is_empty() && new.unknown_for.is_none() {
            continue;
        }
        let (samples, missed) =
            counted(recorded, new.metrics.iter().filter_map(|id| after.program.metrics.get(id.index())), from);
        let measured = new.metrics.iter().filter_map(|id| after.program.metrics.get(id.index()));
        let other: Vec<&str> = measured.map(|one| &*one.name).filter(|name| others.contains(name)).collect();
        if !other.is_empty() {
            if let Some(finding) = known.and_then(|known| findings.get_mut(known)) {
                finding.notes.push(format!(
                    "history: {samples} samples, {missed} not measured; {} alerts before; how many now, nobody can \
                     say: these samples are not of what is measured now ({})",
                    a.len(),
                    other.join(", ")
                ));
            }
            continue;
        }
        let mut notes = vec![format!(
            "history: {samples} samples, {missed} not measured; {} alerts before, {} now",
            a.len(),
            b.len()
        )];
        notes.extend(unnoticed(recorded, &new.title, from, &b));
        notes.extend(shortened(&a, &b));
        let row = Row::of(alerts, a.len().to_string(), b.len().to_string());
        if let Some(finding) = known.and_then(|known| findings.get_mut(known)) {
            finding.rows.extend(row);
            finding.notes.extend(notes);
            continue;
        }
        let kind = if b.len() < a.len() { Kind::Blind } else { Kind::Changed };
        let headline = "opens otherwise on the recorded samples";
        let mut finding = Finding::new(Chapter::Blindness, kind, subject, headline);
        finding.rows.extend(row);
        finding.notes = notes;
        findings.push(finding.at(None, Some(place)));
    }
}

fn of<'o>(opened: &'o [Opened], title: &str) -> Vec<&'o Opened> {
    opened.iter().filter(|one| *one.threshold == *title).collect()
}

fn counted<'p>(recorded: &Recorded, metrics: impl Iterator<Item = &'p Metric>, from: Timestamp) -> (usize, usize) {
    let names: BTreeSet<&str> = metrics.map(|metric| &*metric.name).collect();
    let looks = recorded.looks.iter().filter(|((at, metric), _)| *at >= from && names.contains(&**metric));
    looks
        .flat_map(|(_, samples)| samples)
        .fold((0, 0), |(all, missed), sample| (all + 1, missed + usize::from(sample.value.is_none())))
}

/// The incidents of a threshold during which nothing would be open now.
fn unnoticed(recorded: &Recorded, title: &str, from: Timestamp, opened: &[&Opened]) -> Option<String> {
    let missed: Vec<String> = recorded
        .incidents
        .iter()
        .filter(|incident| *incident.title == *title && incident.opened_at >= from)
        .filter(|incident| {
            let end = incident.end.as_ref().map_or(Timestamp::MAX, End::at);
            !opened.iter().any(|one| one.at <= end && one.end.is_none_or(|own| own >= incident.opened_at))
        })
        .map(|incident| format!("#{}", incident.number))
        .collect();
    if missed.is_empty() {
        return None;
    }
    let named = missed.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if missed.len() > NAMED { " and more" } else { "" };
    Some(format!("{} incidents would not have been told: {named}{more}", missed.len()))
}

/// Alerts that open at the same time and would close before what was wrong was over.
fn shortened(before: &[&Opened], after: &[&Opened]) -> Option<String> {
    let earlier = after.iter().find_map(|new| {
        let old = before.iter().find(|old| old.labels == new.labels && old.at == new.at)?;
        let end = new.end?;
        old.end.is_none_or(|old| old > end).then_some((new, end, old.end))
    })?;
    let (new, end, old) = earlier;
    let of = labels_text(&new.labels);
    let of = if of.is_empty() { String::new() } else { format!(" of {of}") };
    let was = old.map_or_else(|| "was still open at the end".to_owned(), |old| format!("closed at {old:.0} before"));
    Some(format!("the alert{of} that opened at {:.0} would close at {end:.0}; it {was}", new.at))
}

/// Metrics that now have a value where they could not be measured, with that value.
fn forgiven(was: &Program, is: &Program) -> HashMap<Arc<str>, f64> {
    let constant = |metric: &Metric| match &metric.value.uncovered().kind {
        ExprKind::Try { otherwise, .. } => match &otherwise.uncovered().kind {
            ExprKind::Literal(value) => Measure::of(&metric.ty)?.number(value),
            _ => None,
        },
        _ => None,
    };
    let same = |metric: &Metric| {
        let old = was.metrics.iter().find(|old| old.name == metric.name);
        old.is_some_and(|old| text::expr(was, &old.value) == text::expr(is, &metric.value))
    };
    let new = is.metrics.iter().filter(|metric| !same(metric));
    new.filter_map(|metric| Some((metric.name.clone(), constant(metric)?))).collect()
}

/// Metrics that measure something else than what was recorded, as far as it is not known what they would have been.
fn others<'p>(was: &Program, is: &'p Program, set: &BTreeMap<Arc<str>, String>) -> HashSet<&'p str> {
    let (old, new) = (Meaning::new(was, Of::Consent, set), Meaning::new(is, Of::Consent, set));
    let labels = |meaning: &Meaning<'_>, one: &Metric| {
        one.labels.iter().map(|label| format!("{} in {}", label.name, meaning.expr(&label.list))).collect::<Vec<_>>()
    };
    let is_other = |metric: &&Metric| {
        let Some(before) = was.metrics.iter().find(|old| old.name == metric.name) else { return true };
        let (measured, value) = (old.expr(&before.value), new.expr(&metric.value));
        // With a value where there was none, it is what it was elsewhere.
        let tried = match &metric.value.uncovered().kind {
            ExprKind::Try { value, otherwise, .. } => {
                matches!(otherwise.uncovered().kind, ExprKind::Literal(_)) && new.expr(value) == measured
            }
            _ => false,
        };
        before.ty != metric.ty || labels(&old, before) != labels(&new, metric) || value != measured && !tried
    };
    is.metrics.iter().filter(is_other).map(|metric| &*metric.name).collect()
}

/// Metrics that are sampled more rarely now, with their interval.
fn rarer(was: &Program, is: &Program) -> HashMap<Arc<str>, SignedDuration> {
    let longer = |metric: &Metric| {
        let old = was.metrics.iter().find(|old| old.name == metric.name)?.every?;
        metric.every.filter(|every| *every > old)
    };
    is.metrics.iter().filter_map(|metric| Some((metric.name.clone(), longer(metric)?))).collect()
}

/// What would have opened.
fn replayed(
    program: &Arc<Program>,
    recorded: &Recorded,
    from: Timestamp,
    forgiven: &HashMap<Arc<str>, f64>,
    rarer: &HashMap<Arc<str>, SignedDuration>,
) -> Vec<Opened> {
    let facts = RunFacts {
        id: Arc::from("replay"),
        started_at: from,
        scheduled_at: from,
        timezone: program.header.timezone.clone(),
        directory: PathBuf::new(),
    };
    let mut reading = Reading::new(Arc::clone(program), HashMap::new(), Arc::new(facts));
    let mut replay = Replay {
        engine: Engine::new(Arc::new(Definitions::of(program)), State::default()),
        open: BTreeMap::new(),
        opened: Vec::new(),
    };
    let mut taken: HashMap<&Arc<str>, Timestamp> = HashMap::new();
    for ((at, metric), samples) in recorded.looks.iter().filter(|((at, _), _)| *at >= from) {
        if let Some(every) = rarer.get(metric) {
            // A look comes a little earlier or later than the clock says.
            let early = *every - *every / 10;
            if taken.get(metric).is_some_and(|last| at.duration_since(*last) < early) {
                continue;
            }
            taken.insert(metric, *at);
        }
        replay.until(*at);
        let mut samples = samples.clone();
        if let Some(value) = forgiven.get(metric) {
            for sample in samples.iter_mut().filter(|sample| sample.value.is_none()) {
                (sample.value, sample.fault) = (Some(*value), None);
            }
        }
        let (place, metric) = (Place::default(), Arc::clone(metric));
        let measured = Measured { place, metric, samples, fault: None, began: None, taken: None, more: false };
        let record = Record { seq: 0, at: *at, event: Event::Measured(measured) };
        for input in reading.read(&mut Along::default(), &record, replay.engine.state()) {
            replay.take(*at, input);
        }
    }
    replay.opened.extend(replay.open.into_values());
    replay.opened.sort_by(|a, b| (a.at, &a.threshold, &a.labels).cmp(&(b.at, &b.threshold, &b.labels)));
    replay.opened
}

struct Replay {
    engine: Engine,
    open: BTreeMap<i64, Opened>,
    opened: Vec<Opened>,
}

impl Replay {
    fn take(&mut self, at: Timestamp, input: Input) {
        let outcome = self.engine.take(at, input);
        for number in &outcome.touched.alerts {
            if let Some(alert) = self.engine.state().alerts.get(number) {
                self.open.entry(*number).or_insert_with(|| Opened {
                    threshold: Arc::clone(&alert.subject.threshold),
                    labels: alert.subject.labels.clone(),
                    at: alert.opened_at,
                    end: None,
                });
            }
        }
        for alert in &outcome.ended_alerts {
            if let Some(opened) = self.open.remove(&alert.number) {
                let end = alert.end.as_ref().map(End::at);
                self.opened.push(Opened { end, ..opened });
            }
        }
    }

    /// What is due by itself before a time.
    fn until(&mut self, at: Timestamp) {
        let mut last = None;
        while let Some(due) = self.engine.next_due().filter(|due| *due <= at && Some(*due) != last) {
            last = Some(due);
            self.take(due, Input::Tick);
        }
    }
}
