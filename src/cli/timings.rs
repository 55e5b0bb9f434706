//! `--timings`: what the time of a run went to, as lines to read and as a trace for `ui.perfetto.dev` or `chrome://tracing`.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::console::Failure;
use crate::catalog::timing::BEGUN;
use crate::shown::look::{clean, columns, counted, cut, pad};

/// More lines than these nobody reads: the longest are shown, and all are in the trace.
const MOST: usize = 40;
/// How wide a bar is.
const BAR: usize = 40;
/// How wide what it is of may be.
const WIDEST: usize = 44;

/// Listens to a run.
#[derive(Clone)]
pub(super) struct Timings {
    began: Instant,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// A call that is over.
#[derive(Clone, Debug)]
struct Call {
    /// The section and the step that asked for it first.
    parts: Vec<String>,
    what: String,
    on: String,
    start: Duration,
    end: Duration,
    /// What it waited for, and from when on.
    phases: Vec<(Duration, String)>,
}

/// A call that goes on, or a section or step.
struct Begun {
    is_call: bool,
    what: String,
    on: String,
    start: Duration,
    phases: Vec<(Duration, String)>,
}

impl Timings {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), calls: Arc::default() }
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls in the order in which they were wanted.
    fn sorted(&self) -> Vec<Call> {
        let mut calls = self.calls().clone();
        calls.sort_by_key(|call| (call.start, call.end));
        calls
    }
}

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for Timings {
    fn on_new_span(&self, attrs: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attrs.record(&mut fields);
        let Fields { what, on, .. } = fields;
        let is_call = span.name() == "call";
        span.extensions_mut().insert(Begun { is_call, what, on, start: self.began.elapsed(), phases: Vec::new() });
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some(begun) = span.extensions_mut().get_mut::<Begun>() {
            begun.phases.push((self.began.elapsed(), fields.phase));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let end = self.began.elapsed();
        let Some(span) = context.span(&id) else { return };
        let Some(begun) = span.extensions_mut().remove::<Begun>().filter(|begun| begun.is_call) else { return };
        let mut parts = Vec::new();
        for outer in span.scope().from_root() {
            if let Some(outer) = outer.extensions().get::<Begun>().filter(|outer| !outer.is_call) {
                parts.push(outer.what.clone());
            }
        }
        let Begun { what, on, start, phases, .. } = begun;
        self.calls().push(Call { parts, what, on, start, end, phases });
    }
}

#[derive(Default)]
struct Fields {
    what: String,
    on: String,
    phase: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "what" => value.clone_into(&mut self.what),
            "on" => value.clone_into(&mut self.on),
            "phase" => value.clone_into(&mut self.phase),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl Call {
    fn took(&self) -> Duration {
        self.end.saturating_sub(self.start)
    }

    /// What a column of the bar stands for: the last phase that had begun by then.
    fn sign(&self, at: Duration) -> char {
        match self.phases.iter().rev().find(|(from, _)| *from <= at) {
            None => '.',
            Some((_, phase)) if phase.starts_with("waiting") => '-',
            Some((_, phase)) if phase.starts_with("reading") || phase == BEGUN => '=',
            Some(_) => '~',
        }
    }

    fn name(&self) -> String {
        let on = if self.on.is_empty() { String::new() } else { format!(" {}", self.on) };
        let part = self.parts.last().map_or_else(String::new, |part| format!("{part}: "));
        clean(&format!("{part}{}{on}", self.what))
    }
}

/// What the time went to, a line a call.
pub(super) fn lines(timings: &Timings, width: Option<usize>) -> Vec<String> {
    let calls = timings.sorted();
    let (Some(first), Some(last)) =
        (calls.iter().map(|call| call.start).min(), calls.iter().map(|call| call.end).max())
    else {
        return vec!["TIMINGS   nothing was asked".to_owned()];
    };
    let whole = last.saturating_sub(first);
    let busy: Duration = calls.iter().map(Call::took).sum();
    let mut lines = vec![format!(
        "TIMINGS   {} in {}, one after the other {}   . queued  ~ connecting  - waiting  = reading",
        counted(calls.len() as u64, "call"),
        seconds(whole),
        seconds(busy)
    )];
    let mut shown: Vec<&Call> = calls.iter().collect();
    shown.sort_by_key(|call| std::cmp::Reverse(call.took()));
    shown.truncate(MOST);
    shown.sort_by_key(|call| (call.start, call.end));
    let bar = width.map_or(BAR, |width| width.saturating_sub(WIDEST + 14).clamp(10, BAR));
    let names: Vec<String> = shown.iter().map(|call| cut(&call.name(), WIDEST)).collect();
    let widest = names.iter().map(|name| columns(name)).max().unwrap_or(0);
    for (call, name) in shown.iter().zip(&names) {
        lines.push(format!("  {}  |{}|  {}", pad(name, widest), drawn(call, first, whole, bar), seconds(call.took())));
    }
    let left = calls.len() - shown.len();
    if left > 0 {
        lines.push(format!("  and {} that took less: `--timings=FILE` has all of them", counted(left as u64, "call")));
    }
    lines
}

/// The bar of a call in the time of all of them.
fn drawn(call: &Call, first: Duration, whole: Duration, columns: usize) -> String {
    let columns = u32::try_from(columns).unwrap_or(u32::MAX).max(1);
    let step = |index: u32| whole.mul_f64(f64::from(index) / f64::from(columns)) + first;
    let mut bar = String::new();
    for index in 0..columns {
        let (from, to) = (step(index), step(index + 1));
        bar.push(if call.end <= from && call.start < from || call.start >= to {
            ' '
        } else {
            call.sign(to.min(call.end))
        });
    }
    bar
}

fn seconds(duration: Duration) -> String {
    match duration.as_micros() {
        0..1_000 => format!("{}us", duration.as_micros()),
        1_000..1_000_000 => format!("{:.1}ms", duration.as_secs_f64() * 1e3),
        _ => format!("{:.2}s", duration.as_secs_f64()),
    }
}

/// Writes all calls in the Trace Event Format.
pub(super) fn write(timings: &Timings, path: &Path) -> Result<(), Failure> {
    let cannot = |error: &dyn fmt::Display| Failure::new(format!("cannot write `{}`: {error}", path.display()));
    let text = serde_json::to_string(&trace(&timings.sorted())).map_err(|error| cannot(&error))?;
    std::fs::write(path, text + "\n").map_err(|error| cannot(&error))
}

/// Calls that overlap are in lanes of their own.
fn trace(calls: &[Call]) -> Value {
    let mut lanes: Vec<Duration> = Vec::new();
    let mut events = vec![json!({ "name": "process_name", "ph": "M", "pid": 1, "args": { "name": "runbook" } })];
    for call in calls {
        let free = lanes.iter().position(|end| *end <= call.start);
        let lane = free.unwrap_or_else(|| {
            lanes.push(Duration::ZERO);
            lanes.len() - 1
        });
        if let Some(end) = lanes.get_mut(lane) {
            *end = call.end;
        }
        let slice = |name: &str, category: &str, from: Duration, to: Duration, args: Value| {
            let (ts, dur) = (micros(from), micros(to.saturating_sub(from)));
            json!({ "name": name, "cat": category, "ph": "X", "ts": ts, "dur": dur, "pid": 1, "tid": lane + 1, "args": args })
        };
        let args = json!({ "in": call.parts.join(" / "), "on": call.on });
        events.push(slice(&call.what, "call", call.start, call.end, args));
        let mut from = (call.start, "queued");
        for (at, phase) in call.phases.iter().map(|(at, phase)| (*at, phase.as_str())).chain([(call.end, "")]) {
            if at > from.0 {
                events.push(slice(from.1, "phase", from.0, at, json!({})));
            }
            from = (at, phase);
        }
    }
    json!({ "displayTimeUnit": "ms", "traceEvents": events })
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
