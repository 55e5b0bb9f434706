//! From the events of a run to what the engine takes.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::engine::{Input, Judged, Raised};
use super::gathered::Gathered;
use super::raisers;
use super::state::{Quiet, State, Subject};
use crate::check::program::{Expr, ExprKind, MetricId, ParamId, Program, SectionKind, Threshold, ThresholdId};
use crate::run::{Judge, Samples, Verdict};
use crate::store::event::{Checked, Event, ManualAnswer, Measured, Outcome, Path, Place, Record};
use crate::types::{Fault, FaultKind, Labels, Measure, Value};

/// How long a section without `within` keeps thresholds quiet if nobody hears of its end.
const LONGEST_QUIET: SignedDuration = SignedDuration::from_hours(6);

/// Reads along with runs of one program, also with several at once.
pub struct Reading {
    program: Arc<Program>,
    judge: Judge,
    samples: Samples,
    /// Those that keep others quiet come first.
    thresholds: Vec<ThresholdId>,
}

/// How far somebody has read along with a run. Whoever hands on the events of one run keeps one of it.
#[derive(Default)]
pub struct Along {
    run: Option<Run>,
    /// What is judged with the samples that follow.
    waiting: Vec<Taken>,
}

/// Samples of a metric that were taken and not judged yet.
struct Taken {
    metric: MetricId,
    at: Timestamp,
    began: Option<Timestamp>,
}

/// A step, or one of its rounds.
struct StepName {
    title: Arc<str>,
    label: Option<String>,
}

/// The run that is read.
#[derive(Default)]
struct Run {
    id: Arc<str>,
    /// Ids are short, and come again in a year of runs.
    began: Timestamp,
    /// The parts that it is of; none where it is of all.
    only: Vec<String>,
    /// The sections in which something was not looked at or not done.
    unseen: HashSet<u32>,
    sections: HashMap<u32, Arc<str>>,
    steps: BTreeMap<Path, StepName>,
    /// What reports have to say so far, by section.
    reports: HashMap<u32, Gathered>,
    /// What checks and statements that raise came to, by who raises what.
    raisers: BTreeMap<(Arc<str>, Subject), Found>,
}

/// What one raiser came to in this run.
struct Found {
    path: Path,
    failed: bool,
    unknown: bool,
}

impl Reading {
    #[must_use]
    pub fn new(program: Arc<Program>, set: HashMap<ParamId, Value>, facts: Arc<crate::catalog::RunFacts>) -> Self {
        let judge = Judge::new(Arc::clone(&program), set, facts);
        let thresholds = program.thresholds_in_order();
        Self { program, judge, samples: Samples::default(), thresholds }
    }

    /// What an event means for alerting, in order. `state` is what is open now.
    pub fn read(&mut self, along: &mut Along, record: &Record, state: &State) -> Vec<Input> {
        if let Event::Measured(measured) = &record.event {
            return self.measured(along, measured, record.at, state);
        }
        if let Event::RunStarted(started) = &record.event {
            let (id, only, began) = (Arc::clone(&started.run), started.only.clone(), record.at);
            along.run = Some(Run { id, began, only, ..Run::default() });
            return Vec::new();
        }
        let Some(run) = &mut along.run else { return Vec::new() };
        run.gather(&record.event);
        run.unseen.extend(unseen(&record.event).and_then(|path| path.first()));
        if matches!(record.event, Event::RunFinished(_)) {
            along.run = None;
            return Vec::new();
        }
        run.read(&self.program, record, state)
    }

    fn measured(&mut self, along: &mut Along, measured: &Measured, now: Timestamp, state: &State) -> Vec<Input> {
        let metrics = &self.program.metrics;
        let Some(place) = metrics.iter().position(|metric| metric.name == measured.metric) else { return Vec::new() };
        let (Some(metric), Ok(id)) = (metrics.get(place), u32::try_from(place)) else { return Vec::new() };
        let (id, measure) = (MetricId(id), Measure::of(&metric.ty));
        let samples = measured.samples.iter().map(|sample| {
            let missing = || sample.fault.clone().unwrap_or_else(|| Fault::new(FaultKind::NoValue, "not measured"));
            let value = sample.value.zip(measure).map(|(number, measure)| measure.value(number));
            (sample.labels.clone(), value.ok_or_else(missing))
        });
        let at = measured.taken.unwrap_or(now);
        if self.samples.take(id, (at, now), samples.collect(), measured.fault.as_ref()) {
            along.waiting.push(Taken { metric: id, at, began: measured.began });
        }
        if measured.more {
            return Vec::new();
        }
        let taken = std::mem::take(&mut along.waiting);
        let thresholds = self.thresholds.iter().filter_map(|id| self.program.thresholds.get(id.index()));
        let judged = thresholds.filter_map(|threshold| {
            let own = || taken.iter().filter(|taken| threshold.metrics.contains(&taken.metric));
            let at = own().map(|taken| taken.at).max()?;
            Some(self.judged(threshold, at, own().filter_map(|taken| taken.began).min(), state))
        });
        judged.flatten().collect()
    }

    fn judged(&self, threshold: &Threshold, at: Timestamp, began: Option<Timestamp>, state: &State) -> Vec<Input> {
        let (mut verdicts, listed) = self.judge.judge(threshold, &self.samples);
        if listed && let Some(nothing) = self.nothing_there(threshold, &verdicts) {
            // A list without any items is no news of those that it had: what is open of them is not measured.
            let open = state.alerts.values().map(|alert| &alert.subject);
            let open = open.filter(|subject| subject.threshold == threshold.title && !subject.labels.is_empty());
            let stay: Vec<Verdict> =
                open.map(|subject| Verdict { labels: subject.labels.clone(), ..nothing.clone() }).collect();
            verdicts.extend(stay);
        }
        let present = listed.then(|| verdicts.iter().map(|verdict| verdict.labels.clone()).collect());
        let judged = verdicts.into_iter().map(|verdict| Judged {
            subject: Subject { threshold: Arc::clone(&threshold.title), labels: verdict.labels },
            at: verdict.at.max(at),
            began,
            when: verdict.when,
            until: verdict.until,
            escalate: verdict.escalate,
            text: verdict.text,
        });
        let mut inputs = vec![Input::Judged(judged.collect())];
        if let Some(present) = present {
            inputs.push(Input::Listed { threshold: Arc::clone(&threshold.title), present });
        }
        inputs
    }

    /// What is said where the lists of a threshold's metrics have no items at all: there is one verdict, of no item.
    fn nothing_there(&self, threshold: &Threshold, verdicts: &[Verdict]) -> Option<Verdict> {
        let has_labels =
            |id: &MetricId| self.program.metrics.get(id.index()).is_some_and(|metric| !metric.labels.is_empty());
        match verdicts {
            [one] if one.labels.is_empty() && threshold.metrics.iter().any(has_labels) => Some(one.clone()),
            _ => None,
        }
    }
}

impl Run {
    /// What an event of it means.
    fn read(&mut self, program: &Program, record: &Record, state: &State) -> Vec<Input> {
        match &record.event {
            Event::SectionStarted { path, title, doc } => self.section(program, path, title, doc, record.at),
            Event::StepStarted { path, title, label, .. } => {
                self.steps.insert(path.clone(), StepName { title: Arc::clone(title), label: label.clone() });
                Vec::new()
            }
            Event::Checked(checked) => self.checked(checked),
            Event::Raised { place, threshold, message } => vec![self.raise(&place.path, threshold, message.as_deref())],
            Event::Notified { place, channels, message } => {
                let title: Arc<str> = self.whereabouts(&place.path).into();
                let text = message.clone().unwrap_or_else(|| format!("{title} has something to tell"));
                vec![Input::Note { key: self.key(place), channels: channels.clone(), title, text }]
            }
            Event::Sent { place, channels } => self.report(place, channels).into_iter().collect(),
            Event::Called { place, level, message } => {
                let title: Arc<str> = self.whereabouts(&place.path).into();
                let text = message.clone().map_or_else(|| Arc::clone(&title), Arc::from);
                vec![Input::Called { title, level: *level, text, caller: None }]
            }
            Event::StepFinished { path, .. } => self.over(|found| found.starts_with(path)),
            Event::SectionFinished { path, title, .. } => self.section_over(program, path, title, state),
            _ => Vec::new(),
        }
    }

    fn section(
        &mut self,
        program: &Program,
        path: &Path,
        title: &Arc<str>,
        doc: &Arc<str>,
        at: Timestamp,
    ) -> Vec<Input> {
        let Some(number) = path.first() else { return Vec::new() };
        self.sections.insert(*number, Arc::clone(title));
        let Some(section) = program.sections.iter().find(|section| section.title == *title) else {
            return Vec::new();
        };
        if section.kind == SectionKind::Report {
            self.reports.insert(*number, Gathered::new(title, doc));
        }
        let quiet = section.quiet.iter().filter_map(|id| program.thresholds.get(id.index()));
        let thresholds: BTreeSet<Arc<str>> = quiet.map(|threshold| Arc::clone(&threshold.title)).collect();
        if thresholds.is_empty() {
            return Vec::new();
        }
        let longest = section.within.as_ref().and_then(literal).unwrap_or(LONGEST_QUIET);
        let until = at.checked_add(longest).unwrap_or(Timestamp::MAX);
        vec![Input::QuietBegins { by: self.keeper(title), quiet: Quiet { thresholds, until } }]
    }

    fn section_over(&self, program: &Program, path: &Path, title: &Arc<str>, state: &State) -> Vec<Input> {
        let mut inputs = self.over(|found| found.starts_with(path));
        inputs.push(Input::QuietEnds { by: self.keeper(title) });
        // What was not reached in a run of the whole section has nothing more to raise. Where something was not looked at
        // there, or not done, nobody knows whether it would have been.
        let section = program.sections.iter().find(|section| section.title == *title);
        let Some(section) = section.filter(|_| self.has_seen(path, title)) else { return inputs };
        // Almost always nothing of it is open.
        let conditional = LazyCell::new(|| raisers::conditional(program, section));
        for alert in state.alerts.values() {
            for raiser in alert.raisers.iter().filter(|raiser| raisers::is_in(raiser, title)) {
                let (subject, raiser) = (alert.subject.clone(), Arc::clone(raiser));
                if self.raisers.contains_key(&(Arc::clone(&raiser), subject.clone())) {
                    continue;
                }
                let may_come_again = |check: &raisers::Conditional<'_>| {
                    check.raises(program, &subject.threshold)
                        && self.parts(title, check.step).any(|part| check.of(&part) == raiser)
                };
                if raisers::is_statement(&raiser) {
                    inputs.push(Input::Passed { subject, raiser });
                } else if !conditional.iter().any(may_come_again) {
                    inputs.push(Input::Left { subject, raiser });
                }
            }
        }
        inputs
    }

    /// What the rounds of a step are called in this run, or else the section itself.
    fn parts<'r>(&'r self, section: &'r str, step: Option<&'r str>) -> impl Iterator<Item = String> + 'r {
        let names = self.steps.values().filter(move |own| step == Some(&own.title));
        names.map(move |own| whereabouts(section, Some(own))).chain(step.is_none().then(|| section.to_owned()))
    }

    /// The checks of a part that is over: those that passed in every round close what they raised.
    fn over(&self, part: impl Fn(&Path) -> bool) -> Vec<Input> {
        let passed = self.raisers.iter().filter(|(_, found)| part(&found.path) && !found.failed && !found.unknown);
        passed
            .map(|((raiser, subject), _)| Input::Passed { subject: subject.clone(), raiser: Arc::clone(raiser) })
            .collect()
    }

    fn checked(&mut self, checked: &Checked) -> Vec<Input> {
        let Some(threshold) = &checked.raises else { return Vec::new() };
        let path = &checked.place.path;
        let raiser = raisers::of_check(&self.whereabouts(path), &checked.source);
        let subject = Subject { threshold: Arc::clone(threshold), labels: self.labels(path) };
        let entry = self.raisers.entry((Arc::clone(&raiser), subject.clone()));
        let found = entry.or_insert_with(|| Found { path: path.clone(), failed: false, unknown: false });
        found.failed |= checked.outcome == Outcome::Failed;
        found.unknown |= checked.outcome == Outcome::NotMeasured;
        if checked.outcome != Outcome::Failed {
            return Vec::new();
        }
        let text = match &checked.message {
            Some(message) => format!("{}: {message}", checked.title),
            None => format!("{} is not so", checked.title),
        };
        vec![Input::Raised(Raised { subject, raiser, text: text.into(), since: None })]
    }

    fn raise(&mut self, path: &Path, threshold: &Arc<str>, message: Option<&str>) -> Input {
        let raiser = raisers::of_raise(&self.whereabouts(path));
        let subject = Subject { threshold: Arc::clone(threshold), labels: self.labels(path) };
        let found = Found { path: path.clone(), failed: true, unknown: false };
        self.raisers.insert((Arc::clone(&raiser), subject.clone()), found);
        let text = message.map_or_else(|| format!("raised by {}", self.whereabouts(path)), str::to_owned);
        Input::Raised(Raised { subject, raiser, text: text.into(), since: None })
    }

    /// `Section › Step [label]`
    fn whereabouts(&self, path: &Path) -> String {
        let section = path.first().and_then(|number| self.sections.get(number)).map_or("", |title| &**title);
        whereabouts(section, self.step(path))
    }

    /// The name of what a statement tells. A step may tell several things, so its path alone is none.
    fn key(&self, place: &Place) -> Arc<str> {
        let path: Vec<String> = place.path.iter().map(ToString::to_string).collect();
        let began = self.began.as_second();
        format!("run-{}-{began:x}-{}-{}.{}", self.id, path.join("."), place.line, place.column).into()
    }

    /// Whether it is of a whole section, and saw and did all that is in it.
    fn has_seen(&self, path: &Path, title: &str) -> bool {
        let is_whole = self.only.is_empty() || self.only.iter().any(|only| only == title);
        is_whole && path.first().is_some_and(|section| !self.unseen.contains(section))
    }

    /// Keeps what belongs into a report.
    fn gather(&mut self, event: &Event) {
        let path = match event {
            Event::Shown { place, .. }
            | Event::NotShown { place, .. }
            | Event::NotMeasured { place, .. }
            | Event::NotReached { place, .. } => &place.path,
            Event::Checked(checked) => &checked.place.path,
            _ => return,
        };
        if let Some(gathered) = path.first().and_then(|number| self.reports.get_mut(number)) {
            gathered.add(path, event);
        }
    }

    fn report(&self, place: &Place, channels: &[Arc<str>]) -> Option<Input> {
        let gathered = self.reports.get(place.path.first()?)?;
        Some(Input::Report(gathered.report(self.key(place), channels.to_vec(), &place.path)))
    }

    fn step(&self, path: &Path) -> Option<&StepName> {
        self.steps.range(..=path.clone()).next_back().filter(|(own, _)| path.starts_with(own)).map(|(_, name)| name)
    }

    fn labels(&self, path: &Path) -> Labels {
        let label = self.step(path).and_then(|step| step.label.as_deref()).and_then(|label| label.split_once('='));
        label.map(|(name, value)| (Arc::from(name), Arc::from(value))).into_iter().collect()
    }

    /// What keeps thresholds quiet while a section runs.
    fn keeper(&self, section: &str) -> Arc<str> {
        format!("section \"{section}\" of run {}", self.id).into()
    }
}

/// `Section › Step [label]`
fn whereabouts(section: &str, step: Option<&StepName>) -> String {
    match step {
        Some(StepName { title, label: Some(label) }) => format!("{section} › {title} [{label}]"),
        Some(StepName { title, label: None }) => format!("{section} › {title}"),
        None => section.to_owned(),
    }
}

/// Where something was not looked at, or not done, so that what follows from it was not reached.
fn unseen(event: &Event) -> Option<&Path> {
    match event {
        Event::NotMeasured { place, .. }
        | Event::NotReached { place, .. }
        | Event::ChangeWithheld { place, .. }
        | Event::Waited { place, outcome: Outcome::NotMeasured, .. }
        | Event::Manual { place, answer: ManualAnswer::NotAnswered, .. } => Some(&place.path),
        Event::Checked(checked) if checked.outcome == Outcome::NotMeasured => Some(&checked.place.path),
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<SignedDuration> {
    match &expr.kind {
        ExprKind::Literal(Value::Duration(duration)) => Some(*duration),
        _ => None,
    }
}
