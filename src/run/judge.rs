//! What the conditions of a threshold say of the samples there are. It looks at nothing outside.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::eval::{Evaluation, Memo, Stop, truth};
use super::facts::Facts;
use super::memory::Memory;
use super::scope::Scope;
use crate::catalog::RunFacts;
use crate::check::program::{EscalateWhen, Expr, MetricId, ParamId, Program, Threshold};
use crate::plan;
use crate::plan::text::{Named, Names};
use crate::types::{Fault, Labels, Value, labels_text};

/// The last samples of every metric.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    taken: HashMap<MetricId, Metric>,
}

#[derive(Clone, Debug, Default)]
struct Metric {
    samples: BTreeMap<Labels, Taken>,
    /// Whether it is known of what there are samples.
    listed: bool,
}

/// A sample.
#[derive(Clone, Debug)]
pub struct Taken {
    pub at: Timestamp,
    pub value: Result<Value, Fault>,
}

impl Samples {
    /// Takes the samples of one time. Those that were there before and are not among them are gone, or, where the list
    /// could not be had, not measured.
    pub fn take(
        &mut self,
        metric: MetricId,
        at: Timestamp,
        samples: Vec<(Labels, Result<Value, Fault>)>,
        fault: Option<&Fault>,
    ) {
        let known = self.taken.entry(metric).or_default();
        known.listed = fault.is_none();
        match fault {
            None => known.samples.clear(),
            Some(fault) => {
                for sample in known.samples.values_mut() {
                    *sample = Taken { at, value: Err(fault.clone()) };
                }
                // Where it was never known what there is, it is unknown as a whole: nobody would be told otherwise.
                if known.samples.is_empty() && samples.is_empty() {
                    known.samples.insert(Labels::new(), Taken { at, value: Err(fault.clone()) });
                }
            }
        }
        known.samples.extend(samples.into_iter().map(|(labels, value)| (labels, Taken { at, value })));
    }
}

/// What a threshold's conditions say of one set of labels; `None` where nobody can say.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub labels: Labels,
    /// When the youngest of the samples was taken.
    pub at: Timestamp,
    pub when: Vec<Option<bool>>,
    pub until: Option<Option<bool>>,
    /// For each `escalate`; `None` where it has no condition.
    pub escalate: Vec<Option<bool>>,
    pub text: String,
}

/// Judges thresholds of one program.
pub struct Judge {
    facts: Facts,
}

impl Judge {
    #[must_use]
    pub fn new(program: Arc<Program>, set: HashMap<ParamId, Value>, run: Arc<RunFacts>) -> Self {
        Self { facts: Facts::new(program, set, run) }
    }

    /// What a threshold's conditions say, for every set of labels; and whether these are all that there are.
    #[must_use]
    pub fn judge(&self, threshold: &Threshold, samples: &Samples) -> (Vec<Verdict>, bool) {
        let known = |id: &MetricId| samples.taken.get(id);
        // The metric with the most labels says how many subjects there are; the others are matched by the labels that
        // they share with it.
        let widest = threshold
            .metrics
            .iter()
            .max_by_key(|id| self.facts.program.metrics.get(id.index()).map_or(0, |metric| metric.labels.len()));
        let Some(lead) = widest.and_then(known) else { return (Vec::new(), false) };
        let listed = threshold.metrics.iter().all(|id| known(id).is_some_and(|metric| metric.listed));
        let subjects: BTreeSet<&Labels> = lead.samples.keys().collect();
        let limits = self.limits(threshold);
        let verdicts = subjects.into_iter().map(|labels| self.subject(threshold, &limits, labels, samples)).collect();
        (verdicts, listed)
    }

    /// A text of a threshold that looks at nothing outside.
    ///
    /// # Errors
    /// Where there is no such text.
    pub fn text(&self, expr: &Expr) -> Result<Arc<str>, Fault> {
        let (memory, unwanted, memo) = (Memory::new(), AtomicBool::new(false), Mutex::new(Memo::new()));
        match Evaluation::new(&self.facts, &memory, &unwanted, &memo).tracked(expr, &Scope::root()) {
            Ok(tracked) => Ok(tracked.value.to_string().into()),
            Err(Stop::Fault(fault)) => Err(fault),
            Err(Stop::Blocked) => Err(Fault::no_value("it would have to be looked up")),
        }
    }

    /// What each `when` says, as it is told to people: `> 5% for 10m` where the metric is the only one.
    fn limits(&self, threshold: &Threshold) -> Vec<String> {
        let program = &*self.facts.program;
        let only = match threshold.metrics.as_slice() {
            [one] => program.metrics.get(one.index()).map(|metric| format!("{} ", metric.name)),
            _ => None,
        };
        let said = threshold.when.iter().map(|when| {
            let condition = plan::text::expr(&Known(&self.facts), &when.condition);
            let short =
                only.as_deref().and_then(|name| condition.strip_prefix(name)).filter(|rest| !rest.contains(" and "));
            let held = when.held.map_or_else(String::new, |held| format!(" for {}", Value::Duration(held)));
            format!("{}{held}", short.unwrap_or(&condition))
        });
        said.collect()
    }

    fn subject(&self, threshold: &Threshold, limits: &[String], labels: &Labels, samples: &Samples) -> Verdict {
        let mut at = Timestamp::MIN;
        let mut measured = HashMap::new();
        let mut says = Vec::new();
        for id in &threshold.metrics {
            let name = self.facts.program.metrics.get(id.index()).map_or("", |metric| &*metric.name);
            let sample = samples.taken.get(id).map_or_else(
                || Err(Fault::no_value(format!("there is no sample of `{name}` yet"))),
                |metric| matching(name, metric, labels),
            );
            let value = sample.and_then(|sample| {
                at = at.max(sample.at);
                sample.value.clone()
            });
            says.push(match &value {
                Ok(value) => format!("{name} is {value}"),
                Err(fault) => format!("{name} could not be measured: {fault}"),
            });
            measured.insert(*id, value);
        }
        let condition = |expr: &Expr| self.condition(expr, &measured);
        let when: Vec<Option<bool>> = threshold.when.iter().map(|when| condition(&when.condition)).collect();
        let mut text = says.join(", ");
        let of = labels_text(labels);
        if !of.is_empty() {
            text = format!("{text} for {of}");
        }
        // What is wrong says how much would be right.
        let broken = limits.iter().zip(&when).filter(|(_, when)| **when == Some(true));
        let broken: Vec<&str> = broken.map(|(limit, _)| limit.as_str()).collect();
        if !broken.is_empty() {
            text = format!("{text} ({})", broken.join(" or "));
        }
        Verdict {
            labels: labels.clone(),
            at,
            when,
            until: threshold.until.as_ref().map(condition),
            escalate: threshold
                .escalate
                .iter()
                .map(|escalate| match &escalate.when {
                    EscalateWhen::Condition(expr) => condition(expr),
                    EscalateWhen::AtOnce | EscalateWhen::After(_) => None,
                })
                .collect(),
            text,
        }
    }

    /// Whether a condition is true; `None` where nobody can say.
    fn condition(&self, expr: &Expr, measured: &HashMap<MetricId, Result<Value, Fault>>) -> Option<bool> {
        let (memory, unwanted, memo) = (Memory::new(), AtomicBool::new(false), Mutex::new(Memo::new()));
        let evaluation = Evaluation::new(&self.facts, &memory, &unwanted, &memo).measured(measured);
        match evaluation.tracked(expr, &Scope::root()) {
            Ok(tracked) => truth(tracked.value).ok(),
            Err(Stop::Fault(_) | Stop::Blocked) => None,
        }
    }
}

/// The names that people gave, and of params their values: at night nobody looks them up.
struct Known<'f>(&'f Facts);

impl Names for Known<'_> {
    fn name(&self, named: Named) -> String {
        let program = &*self.0.program;
        let Named::Param(id) = named else { return program.name(named) };
        let default = || program.params.get(id.index())?.default.as_ref();
        match self.0.set.get(&id) {
            Some(value) => value.to_string(),
            None => default().map_or_else(|| program.name(named), |default| plan::text::expr(program, default)),
        }
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn depends(&self, _: &'static str) -> Option<String> {
        None
    }
}

/// The sample of a metric that belongs to a set of labels of another.
fn matching<'s>(name: &str, metric: &'s Metric, labels: &Labels) -> Result<&'s Taken, Fault> {
    if let Some(sample) = metric.samples.get(labels) {
        return Ok(sample);
    }
    let agrees =
        |own: &Labels| own.iter().all(|(name, value)| labels.iter().all(|(other, its)| other != name || its == value));
    let mut found = metric.samples.iter().filter(|(own, _)| agrees(own)).map(|(_, sample)| sample);
    match (found.next(), found.next()) {
        (Some(sample), None) => Ok(sample),
        (None, _) => Err(Fault::no_value(format!("there is no sample of `{name}` for it"))),
        (Some(_), Some(_)) => Err(Fault::no_value(format!("several samples of `{name}` belong to it"))),
    }
}
