//! What to expect: conditions with their values, how bad it is where they do not hold, and who is told.

use super::known::Bound;
use super::names;
use super::page::{Line, code, joined, strong, text};
use super::sheet::of;
use super::steps::{Writer, each_word};
use super::words;
use crate::check::program::{CheckElse, Expr, MetricId, ThresholdId};
use crate::plan;
use crate::types::Severity;

impl<'p> Writer<'p> {
    pub(super) fn message(&mut self, message: Option<&'p Expr>) -> Line {
        message.map_or_else(Line::new, |message| of([text(": "), text(self.title(message))]))
    }

    /// A title as it was written, without its quotes.
    pub(super) fn title(&mut self, title: &'p Expr) -> String {
        let known = self.knowledge.text(title);
        known.unwrap_or_else(|| self.knowledge.source(title).trim_matches('"').to_owned())
    }

    /// `**title**: `condition` (with its params)`
    pub(super) fn condition(&mut self, condition: &'p Expr, title: Option<&'p Expr>, source: &str) -> Line {
        let mut line = Line::new();
        if let Some(title) = title {
            line.push(strong(self.title(title)));
            line.push(text(": "));
        }
        match words::answer(&mut self.knowledge, condition) {
            Some(said) => line.push(text(said)),
            None => line.push(code(source)),
        }
        line.extend(self.given(condition));
        line
    }

    /// What the names in an expression stand for: params with their values, and what no line above printed under its name.
    pub(super) fn given(&mut self, expr: &'p Expr) -> Line {
        let mut exprs = vec![expr];
        let mut given = names::behind(&mut self.knowledge, &mut exprs);
        given.extend(plan::given(self.knowledge.program, &exprs, self.typed));
        if given.is_empty() {
            return Line::new();
        }
        let parts = given.into_iter().map(|(name, value)| of([code(format!("{name} = {value}"))]));
        let mut line = of([text(" (")]);
        line.extend(joined(parts, ", "));
        line.push(text(")"));
        line
    }

    pub(super) fn otherwise(&mut self, otherwise: &'p CheckElse) -> Line {
        match otherwise {
            CheckElse::Severity { severity, message } => {
                let word = match severity {
                    Severity::Critical => strong("critical"),
                    other => text(other.name()),
                };
                let mut line = of([word]);
                line.extend(self.message(message.as_ref()));
                line
            }
            CheckElse::Raise { threshold, message } => {
                let mut line = self.raised(*threshold);
                line.extend(self.message(message.as_ref()));
                line
            }
        }
    }

    pub(super) fn threshold(&mut self, id: ThresholdId) -> Option<String> {
        if !self.thresholds.contains(&id) {
            self.thresholds.push(id);
        }
        self.knowledge.program.thresholds.get(id.index()).map(|threshold| threshold.title.to_string())
    }

    /// What is opened by a person, and who hears of it.
    pub(super) fn raised(&mut self, id: ThresholdId) -> Line {
        let Some(title) = self.threshold(id) else { return Line::new() };
        let program = self.knowledge.program;
        let Some(threshold) = program.thresholds.get(id.index()) else { return Line::new() };
        let mut line = of([text("alert "), strong(title), text(format!(" ({})", threshold.severity.name()))]);
        let names = threshold.notify.iter().filter_map(|id| program.channels.get(id.index()));
        let names: Vec<Line> = names.map(|channel| of([code(channel.name.to_string())])).collect();
        if !names.is_empty() {
            line.push(text(", tell "));
            line.extend(joined(names, ", "));
        }
        line
    }

    pub(super) fn measure(&mut self, id: MetricId) {
        let program = self.knowledge.program;
        let Some(metric) = program.metrics.get(id.index()) else { return };
        let mut known = 0;
        let mut names = Vec::new();
        for label in &metric.labels {
            names.push(of([code(label.name.to_string())]));
            if let Some((bound, words)) = self.items(&label.list).and_then(|items| each_word(&items)) {
                self.knowledge.bound.insert(label.local, bound);
                self.sheet.loops.push((label.local, words));
                known += 1;
            } else {
                self.knowledge.bound.insert(label.local, Bound::Open);
                self.asked(&label.list, None);
            }
        }
        self.asked(&metric.value, None);
        let mut line = of([strong(metric.name.to_string()), text(" is "), code(self.knowledge.source(&metric.value))]);
        if !names.is_empty() {
            line.push(text(", for each "));
            line.extend(joined(names, ", "));
        }
        line.extend(self.given(&metric.value));
        for (index, threshold) in program.thresholds.iter().enumerate() {
            if !threshold.metrics.contains(&id) || threshold.when.is_empty() {
                continue;
            }
            let id = ThresholdId(u32::try_from(index).unwrap_or(u32::MAX));
            line.push(text(". If "));
            line.extend(joined(self.whens(threshold), " or "));
            line.push(text(": "));
            line.extend(self.raised(id));
        }
        line.push(text("."));
        self.sheet.tick(line);
        for _ in 0..known {
            self.sheet.loops.pop();
        }
    }
}
