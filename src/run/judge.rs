//! What the conditions of a threshold say of the samples there are. It looks at nothing outside.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::eval::{Evaluation, Memo, Stop, truth};
use super::facts::Facts;
use super::memory::Memory;
use super::scope::Scope;
use crate::catalog::RunFacts;
use crate::check::program::{BinaryOp, EscalateWhen, Expr, ExprKind, MetricId, ParamId, Program, Threshold};
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
    /// When they were taken.
    at: Option<Timestamp>,
}

/// A sample.
#[derive(Clone, Debug)]
pub struct Taken {
    pub at: Timestamp,
    pub value: Result<Value, Fault>,
}

impl Samples {
    /// Takes the samples of one time. Those that were there before and are not among them are gone, or, where the list
    /// could not be had, not measured. Gives whether they are news: what was taken before others, and comes after them, is
    /// none, unless the clock was set back behind these.
    pub fn take(
        &mut self,
        metric: MetricId,
        (at, now): (Timestamp, Timestamp),
        samples: Vec<(Labels, Result<Value, Fault>)>,
        fault: Option<&Fault>,
    ) -> bool {
        let known = self.taken.entry(metric).or_default();
        if known.at.is_some_and(|last| at < last && last <= now) {
            return false;
        }
        known.at = Some(at);
        known.listed = fault.is_none();
        let samples = samples.into_iter().map(|(labels, value)| (labels, Taken { at, value }));
        match fault {
            None => known.samples = samples.collect(),
            Some(fault) => {
                for sample in known.samples.values_mut() {
                    *sample = Taken { at, value: Err(fault.clone()) };
                }
                // Where it was never known what there is, it is unknown as a whole: nobody would be told otherwise.
                if known.samples.is_empty() && samples.len() == 0 {
                    known.samples.insert(Labels::new(), Taken { at, value: Err(fault.clone()) });
                }
                known.samples.extend(samples);
            }
        }
        true
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
    pub text: Arc<str>,
}

/// Judges thresholds of one program.
pub struct Judge {
    facts: Facts,
    /// Empty: nothing is read.
    memory: Arc<Memory>,
    scope: Arc<Scope>,
}

/// What is known of a metric of a threshold.
struct Known<'s> {
    id: MetricId,
    name: &'s str,
    metric: Option<&'s Metric>,
}

impl Judge {
    #[must_use]
    pub fn new(program: Arc<Program>, set: HashMap<ParamId, Value>, run: Arc<RunFacts>) -> Self {
        Self { facts: Facts::new(program, set, run), memory: Memory::new(), scope: Scope::root() }
    }

    /// What a threshold's conditions say, for every set of labels; and whether these are all that there are.
    #[must_use]
    pub fn judge(&self, threshold: &Threshold, samples: &Samples) -> (Vec<Verdict>, bool) {
        let metrics = &self.facts.program.metrics;
        let known = threshold.metrics.iter().map(|id| Known {
            id: *id,
            name: metrics.get(id.index()).map_or("", |metric| &*metric.name),
            metric: samples.taken.get(id),
        });
        let known: Vec<Known<'_>> = known.collect();
        // The metric with the most labels says how many subjects there are; the others are matched by the labels that
        // they share with it.
        let widest = known.iter().max_by_key(|one| metrics.get(one.id.index()).map_or(0, |metric| metric.labels.len()));
        let Some(lead) = widest.and_then(|one| one.metric) else { return (Vec::new(), false) };
        let listed = known.iter().all(|one| one.metric.is_some_and(|metric| metric.listed));
        let limits = OnceCell::new();
        let verdicts = lead.samples.iter().map(|(labels, own)| {
            self.subject(threshold, &limits, labels, &known, |metric| std::ptr::eq(metric, lead).then_some(own))
        });
        (verdicts.collect(), listed)
    }

    /// A text of a threshold that looks at nothing outside.
    ///
    /// # Errors
    /// Where there is no such text.
    pub fn text(&self, expr: &Expr) -> Result<Arc<str>, Fault> {
        let (unwanted, memo) = (AtomicBool::new(false), Mutex::new(Memo::new()));
        match Evaluation::new(&self.facts, &self.memory, &unwanted, &memo).tracked(expr, &self.scope) {
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
            let condition = plan::text::expr(&Set(&self.facts), &when.condition);
            let short =
                only.as_deref().and_then(|name| condition.strip_prefix(name)).filter(|rest| !rest.contains(" and "));
            let held = when.held.map_or_else(String::new, |held| format!(" for {}", Value::Duration(held)));
            format!("{}{held}", short.unwrap_or(&condition))
        });
        said.collect()
    }

    /// `limits`: what the conditions say, once somebody has to be told. `own`: the sample of a metric that has the same labels, where that is known already.
    fn subject<'s>(
        &self,
        threshold: &Threshold,
        limits: &OnceCell<Vec<String>>,
        labels: &Labels,
        known: &[Known<'s>],
        own: impl Fn(&Metric) -> Option<&'s Taken>,
    ) -> Verdict {
        let mut at = Timestamp::MIN;
        let mut measured = Vec::with_capacity(known.len());
        for Known { id, name, metric } in known {
            let sample = match metric {
                Some(metric) => own(metric).map_or_else(|| matching(name, metric, labels), Ok),
                None => Err(Fault::no_value(format!("there is no sample of `{name}` yet"))),
            };
            let value = sample.and_then(|sample| {
                at = at.max(sample.at);
                sample.value.clone()
            });
            measured.push((*id, value));
        }
        let (unwanted, memo) = (AtomicBool::new(false), Mutex::new(Memo::new()));
        let evaluation = Evaluation::new(&self.facts, &self.memory, &unwanted, &memo).measured(&measured);
        let condition = |expr: &Expr| self.condition(expr, &evaluation);
        let when: Vec<Option<bool>> = threshold.when.iter().map(|when| condition(&when.condition)).collect();
        let is_wrong = when.contains(&Some(true));
        let mut text = String::new();
        for (Known { name, .. }, (id, value)) in known.iter().zip(&measured) {
            let between = if text.is_empty() { "" } else { ", " };
            let _ = match value {
                // With the digits that tell it from the limits that are said beside it.
                Ok(value) if is_wrong => {
                    let mut limits = Vec::new();
                    threshold.when.iter().for_each(|when| compared(&when.condition, *id, &mut limits));
                    let limits = limits.into_iter().filter_map(|limit| evaluation.tracked(limit, &self.scope).ok());
                    let limits: Vec<Value> = limits.map(|tracked| tracked.value).collect();
                    write!(text, "{between}{name} is {}", value.beside(&limits))
                }
                Ok(value) => write!(text, "{between}{name} is {value}"),
                Err(fault) => write!(text, "{between}{name} could not be measured: {fault}"),
            };
        }
        if !labels.is_empty() {
            text.extend([" for ", &labels_text(labels)]);
        }
        // What is wrong says how much would be right.
        if is_wrong {
            let limits = limits.get_or_init(|| self.limits(threshold)).iter().zip(&when);
            let broken = limits.filter(|(_, when)| **when == Some(true)).map(|(limit, _)| limit.as_str());
            text.extend([" (", &broken.collect::<Vec<_>>().join(" or "), ")"]);
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
            text: text.into(),
        }
    }

    /// Whether a condition is true; `None` where nobody can say.
    fn condition(&self, expr: &Expr, evaluation: &Evaluation<'_>) -> Option<bool> {
        match evaluation.tracked(expr, &self.scope) {
            Ok(tracked) => truth(tracked.value).ok(),
            Err(Stop::Fault(_) | Stop::Blocked) => None,
        }
    }
}

/// What a metric is compared with in a condition.
fn compared<'e>(condition: &'e Expr, metric: MetricId, found: &mut Vec<&'e Expr>) {
    let is_metric = |side: &Expr| match &side.kind {
        ExprKind::Convert(inner) => matches!(inner.kind, ExprKind::Metric(id) if id == metric),
        kind => matches!(kind, ExprKind::Metric(id) if *id == metric),
    };
    match &condition.kind {
        ExprKind::Convert(inner) | ExprKind::Unary { operand: inner, .. } => compared(inner, metric, found),
        ExprKind::Binary { left, right, .. } if is_metric(left) => found.push(right),
        ExprKind::Binary { left, right, .. } if is_metric(right) => found.push(left),
        ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, left, right } => {
            compared(left, metric, found);
            compared(right, metric, found);
        }
        _ => {}
    }
}

/// The names that people gave, and of params their values: at night nobody looks them up.
struct Set<'f>(&'f Facts);

impl Names for Set<'_> {
    fn name(&self, named: Named) -> String {
        let program = &*self.0.program;
        let Named::Param(id) = named else { return program.name(named) };
        let default = || program.params.get(id.index())?.default.as_ref();
        match self.0.set.get(&id) {
            Some(value) => value.to_string(),
            None => default().map_or_else(|| program.name(named), |default| plan::text::expr(program, default)),
        }
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Samples;
    use crate::check::program::MetricId;
    use crate::types::{Labels, Value};

    #[test]
    fn what_was_taken_before_others_and_comes_after_them_is_no_news() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut samples = Samples::default();
        let mut take = |taken, now| {
            samples.take(MetricId(0), (at(taken), at(now)), vec![(Labels::new(), Ok(Value::Int(taken)))], None)
        };
        assert!(take(100, 100));
        assert!(!take(98, 101), "it waited for others");
        assert!(take(102, 102));
        assert!(take(50, 50), "the clock was set back");
    }
}
