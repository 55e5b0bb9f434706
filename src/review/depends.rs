//! What stands on a command, a tool or a metric: the metrics that measure by it, the thresholds on those, the checks.

use std::collections::HashSet;

use crate::check::program::walk;
use crate::check::program::{
    CommandId, Expr, ExprKind, LocalId, Member, MetricId, Program, Statement, StatementKind, ToolId,
};
use crate::plan::text;

/// What stands on something, by the names that people have for it.
#[derive(Default)]
pub(super) struct Depends {
    metrics: Vec<String>,
    thresholds: Vec<String>,
    checks: Vec<String>,
}

pub(super) fn on_command(program: &Program, name: &str) -> Depends {
    let all = (0..).zip(&program.commands).filter(|(_, one)| *one.name == *name);
    let commands = all.map(|(index, _)| CommandId(index)).collect();
    Reached { program, commands, ..Reached::of(program) }.all()
}

pub(super) fn on_tool(program: &Program, name: &str) -> Depends {
    let all = (0..).zip(&program.tools).filter(|(_, one)| *one.name == *name);
    let tools = all.map(|(index, _)| ToolId(index)).collect();
    Reached { program, tools, ..Reached::of(program) }.all()
}

/// Without the metric itself.
pub(super) fn on_metric(program: &Program, name: &str) -> Depends {
    let all = (0..).zip(&program.metrics).filter(|(_, one)| *one.name == *name);
    let metrics = all.map(|(index, _)| MetricId(index)).collect();
    let mut found = Reached { program, metrics, ..Reached::of(program) }.all();
    found.metrics.retain(|one| one != name);
    found
}

impl Depends {
    pub(super) fn is_empty(&self) -> bool {
        self.metrics.is_empty() && self.thresholds.is_empty() && self.checks.is_empty()
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let all = [
            ("metrics that measure by it", &self.metrics),
            ("thresholds that hang on it", &self.thresholds),
            ("checks that hang on it", &self.checks),
        ];
        let some = all.into_iter().filter(|(_, names)| !names.is_empty());
        some.map(|(what, names)| format!("{what}: {}", names.join(", "))).collect()
    }
}

/// What leads to it.
struct Reached<'p> {
    program: &'p Program,
    commands: HashSet<CommandId>,
    tools: HashSet<ToolId>,
    metrics: HashSet<MetricId>,
    locals: HashSet<LocalId>,
}

impl<'p> Reached<'p> {
    fn of(program: &'p Program) -> Self {
        let (commands, tools) = (HashSet::new(), HashSet::new());
        Self { program, commands, tools, metrics: HashSet::new(), locals: HashSet::new() }
    }

    fn all(mut self) -> Depends {
        // Each round finds one more of them, or nothing: there are no more rounds than names.
        while self.round() {}
        let program = self.program;
        let metrics = self.metrics.iter().filter_map(|id| program.metrics.get(id.index()));
        let mut found = Depends { metrics: metrics.map(|one| one.name.to_string()).collect(), ..Depends::default() };
        found.metrics.sort_unstable();
        let thresholds = program.thresholds.iter().filter(|one| one.metrics.iter().any(|id| self.metrics.contains(id)));
        found.thresholds = thresholds.map(|one| format!("\"{}\" ({})", one.title, one.severity.name())).collect();
        for part in walk::blocks_of(program) {
            walk::statements(part.block, &mut |statement| found.checks.extend(self.check(&part.title, statement)));
        }
        found
    }

    /// Whether something was found that was not known.
    fn round(&mut self) -> bool {
        let program = self.program;
        let known = self.commands.len() + self.metrics.len() + self.locals.len();
        for (id, metric) in (0..).map(MetricId).zip(&program.metrics) {
            if self.leads(&metric.value) || metric.labels.iter().any(|label| self.leads(&label.list)) {
                self.metrics.insert(id);
            }
        }
        for section in &program.sections {
            for member in &section.members {
                if let Member::Step(step) = member
                    && let Some((local, list)) = &step.each
                    && self.leads(list)
                {
                    self.locals.insert(*local);
                }
            }
        }
        for part in walk::blocks_of(program) {
            walk::statements(part.block, &mut |statement| match &statement.kind {
                StatementKind::Let { local, value } if self.leads(value) => _ = self.locals.insert(*local),
                StatementKind::For(each) if self.leads(&each.list) => _ = self.locals.insert(each.local),
                _ => {}
            });
        }
        for (id, command) in (0..).map(CommandId).zip(&program.commands) {
            let mut leads = false;
            walk::statements(&command.body, &mut |statement| {
                leads |= walk::own_exprs(statement).into_iter().any(|expr| self.leads(expr));
                leads |=
                    matches!(&statement.kind, StatementKind::Do { command, .. } if self.commands.contains(command));
            });
            if leads {
                self.commands.insert(id);
            }
        }
        self.commands.len() + self.metrics.len() + self.locals.len() > known
    }

    fn leads(&self, root: &Expr) -> bool {
        let mut leads = false;
        walk::expr(root, &mut |expr| {
            leads |= match &expr.kind {
                ExprKind::Command { command, .. } => self.commands.contains(command),
                ExprKind::Tool { tool, .. } => self.tools.contains(tool),
                ExprKind::Metric(metric) => self.metrics.contains(metric),
                ExprKind::Local(local) => self.locals.contains(local),
                _ => false,
            };
        });
        leads
    }

    fn check(&self, within: &str, statement: &Statement) -> Option<String> {
        let called = |title: &Option<Expr>, source: &str| text::titled(self.program, title.as_ref(), source);
        let (what, condition, title) = match &statement.kind {
            StatementKind::Check { condition, title, source, .. } => ("check", condition, called(title, source)),
            StatementKind::Require { condition, title, source } => ("guard", condition, called(title, source)),
            StatementKind::Change(change) => {
                ("the verify of", change.verify.as_ref()?, called(&change.title, &change.source))
            }
            _ => return None,
        };
        self.leads(condition).then(|| format!("{what} \"{title}\" in {within}"))
    }
}
