//! What sampling gave. Most of a test is the same samples taken again and again while time passes, and they are the same until
//! something else is given.

use std::collections::HashMap;

use crate::check::program::walk;
use crate::check::program::{Expr, ExprKind, MetricId, Program};
use crate::store::event::Event;

#[derive(Debug)]
pub(super) struct Samples {
    /// Whether no metric can tell when it is sampled.
    timeless: bool,
    /// How many answers were given when these were taken.
    given: usize,
    known: HashMap<Vec<MetricId>, Vec<Event>>,
}

impl Samples {
    pub(super) fn of(program: &Program) -> Self {
        Self { timeless: is_timeless(program), given: 0, known: HashMap::new() }
    }

    /// What the same gave before, with so many answers given.
    pub(super) fn known(&mut self, metrics: &[MetricId], given: usize) -> Option<Vec<Event>> {
        if self.given != given {
            self.given = given;
            self.known.clear();
        }
        self.known.get(metrics).cloned()
    }

    /// Keeps what was found at once. What took its time is not the same at another time: others are sampled meanwhile.
    pub(super) fn keep(&mut self, metrics: Vec<MetricId>, given: usize, events: Vec<Event>) {
        if self.timeless && self.given == given {
            self.known.insert(metrics, events);
        }
    }
}

/// Whether nothing that a metric may lead to asks about the run itself: when it began, which it is, or how old something is then.
fn is_timeless(program: &Program) -> bool {
    let metrics =
        program.metrics.iter().flat_map(|metric| metric.labels.iter().map(|label| &label.list).chain([&metric.value]));
    let connections = program.connections.iter().flat_map(|connection| connection.made.args.iter().flatten());
    let params = program.params.iter().filter_map(|param| param.default.as_ref());
    let tools = program.tools.iter().flat_map(|tool| {
        tool.args.iter().flatten().chain(tool.params.iter().filter_map(|param| param.default.as_ref()))
    });
    let commands = program.commands.iter().flat_map(|command| {
        let mut found: Vec<&Expr> = command.params.iter().filter_map(|param| param.default.as_ref()).collect();
        walk::statements(&command.body, &mut |statement| found.extend(walk::own_exprs(statement)));
        found
    });
    let mut timeless = true;
    for root in metrics.chain(connections).chain(params).chain(tools).chain(commands) {
        walk::expr(root, &mut |expr| timeless &= !tells_time(expr));
    }
    timeless
}

fn tells_time(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Run(_) => true,
        // Of a time it is how long ago that was.
        ExprKind::Field { name, .. } => &**name == "age",
        _ => false,
    }
}
