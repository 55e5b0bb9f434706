//! `measure`: samples of metrics, one for each set of labels.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use jiff::SignedDuration;

use super::branches::{list, with};
use super::context::Context;
use super::labels::{has_label, label_of};
use crate::check::program::{Label, Metric, MetricId, Program, Statement};
use crate::source::Span;
use crate::store::event::{Event, Measured, Sampled};
use crate::types::{Fault, Labels, Measure, Value};

/// How many sets of labels a metric may have: more of them are a mistake, and no metric.
const MOST: usize = 100_000;
/// Of what takes no longer than this, nobody asks when it was begun.
const LONG: SignedDuration = SignedDuration::from_secs(1);

/// How long samples wait at most for others of their moment, where a threshold of these may keep one of theirs quiet.
const TOGETHER: SignedDuration = SignedDuration::from_secs(10);

pub(super) async fn measure(context: &Context<'_>, statement: &Statement, metrics: &[MetricId]) {
    take(context, metrics, Some(statement.span)).await;
}

/// Takes samples that are due, without a statement that asks for them.
pub(super) async fn due(context: &Context<'_>, metrics: &[MetricId]) {
    take(context, metrics, None).await;
}

/// Takes samples of metrics at one moment, and tells of each as soon as nobody is waited for who belongs to it.
async fn take(context: &Context<'_>, metrics: &[MetricId], span: Option<Span>) {
    let parts = context.run.program.judged_together(metrics);
    join_all(parts.iter().map(|part| together(context, part, span))).await;
}

async fn together(context: &Context<'_>, metrics: &[MetricId], span: Option<Span>) {
    let mut samples: FuturesUnordered<_> = metrics.iter().map(|id| sample(context, *id, span)).collect();
    let mut known = Vec::new();
    if metrics.len() > 1 {
        let all = async {
            while let Some(one) = samples.next().await {
                known.extend(one);
            }
        };
        select(pin!(all), context.world().sleep(patience(&context.run.program, metrics))).await;
    }
    known.sort_by_key(|(id, _)| metrics.iter().position(|own| own == id));
    let (many, now) = (known.len(), context.now());
    for (place, (_, measured)) in known.into_iter().enumerate() {
        let taken = measured.taken.filter(|taken| *taken != now);
        context.emit(Event::Measured(Measured { taken, more: place + 1 < many, ..measured }));
    }
    while let Some(one) = samples.next().await {
        if let Some((_, measured)) = one {
            context.emit(Event::Measured(Measured { taken: None, ..measured }));
        }
    }
}

/// Nobody waits until the next sample is due, nor for so long that somebody would be told that nothing is known.
fn patience(program: &Program, metrics: &[MetricId]) -> Duration {
    let every = metrics.iter().filter_map(|id| program.metrics.get(id.index())?.every);
    let thresholds = program.thresholds.iter().filter(|one| one.metrics.iter().any(|id| metrics.contains(id)));
    let unknown = thresholds.filter_map(|one| one.unknown_for).map(|limit| limit / 2);
    every.chain(unknown).fold(TOGETHER, SignedDuration::min).unsigned_abs()
}

/// Takes samples of a metric.
async fn sample(context: &Context<'_>, id: MetricId, span: Option<Span>) -> Option<(MetricId, Measured)> {
    let metric = context.run.program.metrics.get(id.index())?;
    let (place, name, began) = (context.place(span.unwrap_or(metric.span)), Arc::clone(&metric.name), context.now());
    let mut measured =
        Measured { place, metric: name, samples: Vec::new(), fault: None, began: None, taken: None, more: false };
    if metric.labels.is_empty() {
        let value = context.whole(&metric.value).await;
        measured.samples.push(sampled(metric, Labels::new(), value));
    } else {
        let (samples, fault) = each(context.clone(), metric, &metric.labels, Labels::new()).await;
        (measured.samples, measured.fault) = (samples, fault);
        // As `all` of nothing it says nothing: no sample at all would read as nothing wrong.
        if measured.samples.is_empty() && measured.fault.is_none() {
            let lists: Vec<String> =
                metric.labels.iter().map(|label| format!("`{}`", context.written(label.list.span))).collect();
            let message = format!("there is nothing to be measured: no items in {}", lists.join(", "));
            measured.samples.push(sampled(metric, Labels::new(), Err(Fault::no_value(message))));
        }
    }
    if measured.samples.len() > MOST {
        let message = format!("`{}` has {} sets of labels, more than {MOST}", metric.name, measured.samples.len());
        measured.fault = Some(Fault::new(crate::types::FaultKind::TooLarge, message));
        measured.samples.clear();
    }
    // The lists are walked side by side, and a list may name a thing twice.
    measured.samples.sort_by(|one, other| one.labels.cmp(&other.labels));
    measured.samples.dedup_by(|one, other| one.labels == other.labels);
    let is_known = measured.fault.is_none() && measured.samples.iter().all(|sample| sample.fault.is_none());
    measured.began = (!is_known && context.now().duration_since(began) >= LONG).then_some(began);
    measured.taken = Some(context.now());
    Some((id, measured))
}

/// A sample for each item of the first list and of all that follow.
fn each<'r>(
    context: Context<'r>,
    metric: &'r Metric,
    labels: &'r [Label],
    known: Labels,
) -> BoxFuture<'r, (Vec<Sampled>, Option<Fault>)> {
    async move {
        let Some((label, rest)) = labels.split_first() else {
            let value = context.whole(&metric.value).await;
            return (vec![sampled(metric, known, value)], None);
        };
        let looped = match list(&context, &label.list).await {
            Ok(looped) => looped,
            Err(fault) => return (Vec::new(), Some(fault)),
        };
        if let Some(item) = looped.items.iter().find(|item| !has_label(item)) {
            return (Vec::new(), Some(nameless(label, item)));
        }
        let called: Vec<Arc<str>> = looped.items.iter().map(|item| label_of(item).into()).collect();
        let mut firsts = HashMap::new();
        let mut alike = HashSet::new();
        for (item, called) in looped.items.iter().zip(&called) {
            let first = firsts.entry(called).or_insert(item);
            // A list may name a thing twice.
            if !std::ptr::eq(*first, item) && !first.equals(item) {
                alike.insert(called);
            }
        }
        let rounds = looped.items.iter().zip(&called).enumerate().map(|(round, (item, called))| {
            let own = (Arc::clone(&label.name), Arc::clone(called));
            let known: Labels = known.iter().cloned().chain([own]).collect();
            let fault = alike.contains(called).then(|| not_alone(label, called));
            let context = with(context.at(round), label.local, item, called);
            async move {
                match fault {
                    Some(fault) => (vec![sampled(metric, known, Err(fault))], None),
                    None => each(context, metric, rest, known).await,
                }
            }
        });
        let mut samples = Vec::new();
        let mut fault = looped.partial;
        for (own, own_fault) in join_all(rounds).await {
            samples.extend(own);
            fault = fault.or(own_fault);
        }
        (samples, fault)
    }
    .boxed()
}

/// Two things that are called alike would be one in the history, and an alert of one would be that of the other.
fn not_alone(label: &Label, called: &str) -> Fault {
    Fault::no_value(format!("several items of `for {}` are called `{called}`, and are not the same", label.name)).help(
        "give each a name of its own, such as `for pod in cluster.pods(namespace: \"*\") | each({ name: \"{.namespace}/{.name}\", restarts: .restarts })`",
    )
}

/// What is measured would be in the name of the series, and each sample the first one of another.
fn nameless(label: &Label, item: &Value) -> Fault {
    let item = super::text::beginning(item, 200).0;
    Fault::no_value(format!("an item of `for {}` has no name to be told apart by: {item}", label.name))
        .help("give each a name, such as `for row in rows | each({ name: .id, value: .value })`")
}

fn sampled(metric: &Metric, labels: Labels, value: Result<Value, Fault>) -> Sampled {
    let number = value.and_then(|value| {
        let number = Measure::of(&metric.ty).and_then(|measure| measure.number(&value));
        let text = super::text::beginning(&value, 200).0;
        number.map(|number| (number, text.clone())).ok_or_else(|| {
            Fault::no_value(format!("`{}` is {text}, which is not a number that can be kept", metric.name))
        })
    });
    match number {
        Ok((number, text)) => Sampled { labels, value: Some(number), text, fault: None },
        Err(fault) => Sampled { labels, value: None, text: String::new(), fault: Some(fault) },
    }
}

/// What stands for a metric where its history is asked for: its name, what it measures, its labels.
pub(super) fn named(program: &Program, id: MetricId) -> Result<Value, Fault> {
    let metric = program.metrics.get(id.index()).ok_or_else(|| Fault::no_value("a metric that is not there"))?;
    let measure = Measure::of(&metric.ty).ok_or_else(|| Fault::no_value("a metric that measures nothing"))?;
    let labels = metric.labels.iter().map(|label| Value::string(Arc::clone(&label.name)));
    Ok(Value::record([
        (Arc::from("name"), Value::string(Arc::clone(&metric.name))),
        (Arc::from("measure"), Value::string(measure.name())),
        (Arc::from("labels"), Value::list(labels.collect())),
    ]))
}
