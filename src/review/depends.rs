//! What stands on a command, a tool, a metric, a param or a connection: the metrics that measure by it, the thresholds on those, the checks.

use std::collections::HashSet;

use crate::check::program::walk;
use crate::check::program::{
    CommandId, ConnectionId, Expr, ExprKind, LocalId, Member, MetricId, ParamId, Program, Statement, StatementKind,
    Threshold, ToolId,
};
use crate::plan::text;

/// How many of one kind are named.
const SHOWN: usize = 20;

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

pub(super) fn on_param(program: &Program, name: &str) -> Depends {
    let all = (0..).zip(&program.params).filter(|(_, one)| *one.name == *name);
    let params = all.map(|(index, _)| ParamId(index)).collect();
    Reached { params, ..Reached::of(program) }.all()
}

pub(super) fn on_connection(program: &Program, name: &str) -> Depends {
    let all = (0..).zip(&program.connections).filter(|(_, one)| *one.name == *name);
    let connections = all.map(|(index, _)| ConnectionId(index)).collect();
    Reached { connections, ..Reached::of(program) }.all()
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
        some.map(|(what, names)| {
            let more = names.len().saturating_sub(SHOWN);
            let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
            format!("{what}: {}{rest}", names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", "))
        })
        .collect()
    }
}

/// What leads to it.
struct Reached<'p> {
    program: &'p Program,
    commands: HashSet<CommandId>,
    tools: HashSet<ToolId>,
    metrics: HashSet<MetricId>,
    locals: HashSet<LocalId>,
    params: HashSet<ParamId>,
    connections: HashSet<ConnectionId>,
}

impl<'p> Reached<'p> {
    fn of(program: &'p Program) -> Self {
        Self {
            program,
            commands: HashSet::new(),
            tools: HashSet::new(),
            metrics: HashSet::new(),
            locals: HashSet::new(),
            params: HashSet::new(),
            connections: HashSet::new(),
        }
    }

    fn all(mut self) -> Depends {
        // Each round finds one more of them, or nothing: there are no more rounds than names.
        while self.round() {}
        let program = self.program;
        let metrics = self.metrics.iter().filter_map(|id| program.metrics.get(id.index()));
        let mut found = Depends { metrics: metrics.map(|one| one.name.to_string()).collect(), ..Depends::default() };
        found.metrics.sort_unstable();
        let opens = |one: &Threshold| one.when.iter().any(|when| self.leads(&when.condition));
        let measured = |one: &Threshold| one.metrics.iter().any(|id| self.metrics.contains(id));
        let thresholds = program.thresholds.iter().filter(|one| measured(one) || opens(one));
        found.thresholds = thresholds.map(|one| format!("\"{}\" ({})", one.title, one.severity.name())).collect();
        for part in walk::blocks_of(program) {
            let title = part.title();
            walk::statements(part.block, &mut |statement| found.checks.extend(self.check(&title, statement)));
        }
        found
    }

    /// Whether something was found that was not known.
    fn round(&mut self) -> bool {
        let program = self.program;
        let known = self.known();
        for (id, param) in (0..).map(ParamId).zip(&program.params) {
            if param.default.as_ref().is_some_and(|default| self.leads(default)) {
                self.params.insert(id);
            }
        }
        for (id, connection) in (0..).map(ConnectionId).zip(&program.connections) {
            if connection.made.args.iter().flatten().any(|arg| self.leads(arg)) {
                self.connections.insert(id);
            }
        }
        for (id, tool) in (0..).map(ToolId).zip(&program.tools) {
            if tool.args.iter().flatten().any(|arg| self.leads(arg)) {
                self.tools.insert(id);
            }
        }
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
        self.known() > known
    }

    fn known(&self) -> usize {
        let declared = self.commands.len() + self.tools.len() + self.params.len() + self.connections.len();
        declared + self.metrics.len() + self.locals.len()
    }

    fn leads(&self, root: &Expr) -> bool {
        let mut leads = false;
        walk::expr(root, &mut |expr| {
            leads |= match &expr.kind {
                ExprKind::Command { command, .. } => self.commands.contains(command),
                ExprKind::Tool { tool, .. } => self.tools.contains(tool),
                ExprKind::Metric(metric) => self.metrics.contains(metric),
                ExprKind::Local(local) => self.locals.contains(local),
                ExprKind::Param(param) => self.params.contains(param),
                ExprKind::Connection(connection) => self.connections.contains(connection),
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
