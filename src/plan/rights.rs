//! The least that the systems have to grant for a runbook to run, derived from what is written in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::Selection;
use super::definitions::Definitions;
use super::written::Reader;
use crate::catalog::need::{Access, Argument, Endpoint, Need, Reach, Right, Rule, Scope, When, Written};
use crate::catalog::{Accepts, Effect};
use crate::check::program::walk;
use crate::check::program::{
    Call, CallArg, CommandId, Connection, ConnectionId, Expr, ExprKind, Made, Member, MetricId, Program, Section,
    Statement, StatementKind,
};
use crate::source::Span;

/// What has to be granted, and where the runbook has to get through to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rights {
    /// By connection, in the order of the source.
    pub granted: Vec<Granted>,
    /// The hosts and ports, each once.
    pub endpoints: BTreeSet<Endpoint>,
}

/// What one login of a connection has to be granted.
#[derive(Clone, Debug, Serialize)]
pub struct Granted {
    pub connection: Arc<str>,
    pub driver: &'static str,
    /// Who asks, as the declaration says it; the login of the environment where `None`.
    pub login: Option<String>,
    /// Whether it is the login that only changes are made with.
    pub changes: bool,
    /// The bucket, the database, the namespace: what the driver's rules are about.
    pub about: Option<String>,
    pub rights: BTreeSet<Right>,
}

/// The rights of the selected part of a program, with the values that `--set` gave.
#[must_use]
pub fn rights(program: &Program, selection: &Selection, set: &BTreeMap<Arc<str>, String>) -> Rights {
    let definitions = Definitions::in_program(program);
    let reader = Reader { program, set, definitions: &definitions };
    let mut finder =
        Finder { program, reader, found: BTreeMap::new(), connections: BTreeSet::new(), seen: Seen::default() };
    for (index, section) in program.sections.iter().enumerate().filter(|(index, _)| selection.section(*index)) {
        finder.section(index, section, selection);
    }
    if selection.is_all() {
        for index in 0..program.metrics.len() {
            finder.metric(MetricId(u32::try_from(index).unwrap_or(u32::MAX)));
        }
        program.escalations.iter().filter_map(|one| one.rota.as_ref()).for_each(|call| finder.look(call));
    }
    for metric in selection.sampled() {
        finder.metric(*metric);
    }
    finder.finish(selection.is_all())
}

/// Where connections and channels lead, as far as that is written in their declarations: with the place and the name of each.
pub(crate) fn endpoints(program: &Program) -> Vec<(Span, Arc<str>, Endpoint)> {
    let set = BTreeMap::new();
    let definitions = Definitions::in_program(program);
    let reader = Reader { program, set: &set, definitions: &definitions };
    let connections = program.connections.iter().map(|one| (&one.name, &one.made));
    let channels = program.channels.iter().map(|one| (&one.name, &one.made));
    let mut found = Vec::new();
    for (name, made) in connections.chain(channels) {
        let argument = |path: &str| reader.declared(made.driver.params, &made.args, path);
        let reached = (made.driver.reaches)(&Written { argument: &argument });
        // What only a run can tell is said in words, or has a `*`.
        let written = reached.into_iter().filter(|one| !one.host.is_empty() && !one.host.contains([' ', '*']));
        found.extend(written.map(|endpoint| (made.span, name.clone(), endpoint)));
    }
    found
}

/// What was looked into already.
#[derive(Default)]
struct Seen {
    commands: BTreeSet<CommandId>,
    metrics: BTreeSet<MetricId>,
    connections: BTreeSet<ConnectionId>,
}

/// Who a right is granted to: by the connection, and whether it is the login for changes.
type Grantee = (ConnectionId, bool);

struct Finder<'p> {
    program: &'p Program,
    reader: Reader<'p>,
    found: BTreeMap<Grantee, BTreeSet<Right>>,
    /// Those that are named, if only to hand them on.
    connections: BTreeSet<ConnectionId>,
    seen: Seen,
}

impl<'p> Finder<'p> {
    fn section(&mut self, index: usize, section: &'p Section, selection: &Selection) {
        for (member, part) in section.members.iter().enumerate() {
            match part {
                Member::Step(step) if selection.step(index, member) => {
                    if let Some((_, list)) = &step.each {
                        self.look(list);
                    }
                    self.block(&step.body);
                    for block in [step.on_failure.as_ref(), step.always.as_ref()].into_iter().flatten() {
                        self.block(block);
                    }
                }
                Member::Step(_) => {}
                Member::Statement(statement) => self.block(std::slice::from_ref(statement)),
            }
        }
        for block in [section.on_failure.as_ref(), section.always.as_ref()].into_iter().flatten() {
            self.block(block);
        }
    }

    fn block(&mut self, block: &'p [Statement]) {
        let mut found = Vec::new();
        walk::statements(block, &mut |statement| found.push(statement));
        for statement in found {
            for expr in walk::own_exprs(statement) {
                self.look(expr);
            }
            match &statement.kind {
                StatementKind::Do { command, .. } => self.command(*command),
                StatementKind::Measure { metrics } => metrics.iter().for_each(|metric| self.metric(*metric)),
                _ => {}
            }
        }
    }

    fn command(&mut self, id: CommandId) {
        if self.seen.commands.insert(id)
            && let Some(command) = self.program.commands.get(id.index())
        {
            self.block(&command.body);
        }
    }

    fn metric(&mut self, id: MetricId) {
        if self.seen.metrics.insert(id)
            && let Some(metric) = self.program.metrics.get(id.index())
        {
            metric.labels.iter().for_each(|label| self.look(&label.list));
            self.look(&metric.value);
        }
    }

    fn look(&mut self, root: &'p Expr) {
        let mut inner = Vec::new();
        walk::expr(root, &mut |expr| inner.push(expr));
        for expr in inner {
            match &expr.kind {
                ExprKind::Connection(id) => self.connection(*id),
                ExprKind::Call(call) => self.call(call, false),
                ExprKind::Command { command, .. } => self.command(*command),
                _ => {}
            }
        }
    }

    /// What leads to a connection is asked for, too.
    fn connection(&mut self, id: ConnectionId) {
        self.connections.insert(id);
        if !self.seen.connections.insert(id) {
            return;
        }
        let Some(connection) = self.program.connections.get(id.index()) else { return };
        for (param, arg) in connection.made.driver.params.iter().zip(&connection.made.args) {
            let Some(arg) = arg else { continue };
            self.look(arg);
            if matches!(param.accepts, Accepts::Way)
                && let ExprKind::Call(call) = &arg.uncovered().kind
            {
                self.call(call, true);
            }
        }
    }

    fn call(&mut self, call: &'p Call, carrying: bool) {
        // One that comes from several connections may come from each of them.
        let on: Vec<ConnectionId> = call.on.map_or_else(|| self.possible(call), |id| vec![id]);
        for id in on {
            let Some(connection) = self.program.connections.get(id.index()) else { continue };
            let mut rights = self.rights_of(call, connection, carrying);
            if rights.is_empty() {
                continue;
            }
            rights.extend(self.own_rights(&connection.made));
            let changes = call.effect == Effect::Changes && self.has_a_login_for_changes(connection);
            self.found.entry((id, changes)).or_default().extend(rights);
        }
    }

    /// The connections whose driver has built-ins such as this one.
    fn possible(&self, call: &Call) -> Vec<ConnectionId> {
        let of_pod = call.builtin.needs.iter().any(|need| matches!(need, Need::Kubernetes(_)));
        let all = self.program.connections.iter().enumerate();
        all.filter(|(_, connection)| of_pod && connection.made.driver.name == "kubernetes")
            .map(|(index, _)| ConnectionId(u32::try_from(index).unwrap_or(u32::MAX)))
            .collect()
    }

    fn has_a_login_for_changes(&self, connection: &'p Connection) -> bool {
        LOGINS_FOR_CHANGES.iter().any(|param| self.declared(&connection.made, param) != Argument::Absent)
    }

    fn declared(&self, made: &'p Made, param: &str) -> Argument {
        self.reader.declared(made.driver.params, &made.args, param)
    }

    fn rights_of(&self, call: &'p Call, connection: &'p Connection, carrying: bool) -> Vec<Right> {
        let argument = |path: &str| self.argument(call, path);
        let written = Written { argument: &argument };
        let namespaces = self.namespaces(call, connection);
        let mut rights = Vec::new();
        for need in call.builtin.needs {
            match need {
                Need::Words(_) | Need::Program { .. } => {}
                // What carries nothing is asked for its own sake; what carries something was, too, where it stands.
                Need::Kubernetes(access) if carrying != (access.when == When::Carrying) => {}
                Need::Kubernetes(access) => rights.extend(rules(access, &written, &namespaces)),
                Need::Granted { .. } if carrying => {}
                Need::Granted { rights: of, .. } => {
                    rights.extend(of(&written).into_iter().flat_map(|right| placed(right, &namespaces)));
                }
            }
        }
        rights
    }

    /// What a connection needs for itself.
    fn own_rights(&self, made: &'p Made) -> Vec<Right> {
        let argument = |path: &str| self.declared(made, path);
        let written = Written { argument: &argument };
        let of = |need: &Need| if let Need::Granted { rights, .. } = need { rights(&written) } else { Vec::new() };
        made.driver.needs.iter().flat_map(of).collect()
    }

    /// An argument of a call. The pod that `pod.disk` is about is called as where it was read.
    fn argument(&self, call: &'p Call, path: &str) -> Argument {
        let own = self.reader.argument(call.builtin.params, &call.args, path);
        let first = call.builtin.params.first().filter(|param| param.name == path);
        match (first, call.args.first()) {
            (Some(_), Some(Some(CallArg::Value(expr)))) => match self.reader.source(expr) {
                Some(source) => self.reader.argument(source.builtin.params, &source.args, "name"),
                None => own,
            },
            _ => own,
        }
    }

    /// The namespaces that a call means.
    fn namespaces(&self, call: &'p Call, connection: &'p Connection) -> Vec<Scope> {
        let mut named = self.reader.argument(call.builtin.params, &call.args, NAMESPACE);
        if named == Argument::Absent
            && let Some(Some(CallArg::Value(first))) = call.args.first()
            && let Some(source) = self.reader.source(first)
        {
            named = self.reader.argument(source.builtin.params, &source.args, NAMESPACE);
        }
        if named == Argument::Absent {
            named = self.declared(&connection.made, NAMESPACE);
        }
        match named {
            Argument::Absent => vec![Scope::Namespace(None)],
            Argument::Texts(names) => names
                .into_iter()
                .map(|name| if name == "*" { Scope::Cluster } else { Scope::Namespace(Some(name)) })
                .collect(),
            Argument::Pattern(_) => vec![Scope::Cluster],
        }
    }

    fn finish(self, all: bool) -> Rights {
        let mut rights = Rights::default();
        for ((id, changes), found) in &self.found {
            let Some(connection) = self.program.connections.get(id.index()) else { continue };
            let made = &connection.made;
            let text = |names: &[&str]| {
                names.iter().find_map(|name| match self.declared(made, name) {
                    Argument::Texts(texts) => texts.into_iter().next(),
                    _ => None,
                })
            };
            rights.granted.push(Granted {
                connection: connection.name.clone(),
                driver: made.driver.name,
                login: if *changes { text(LOGINS_FOR_CHANGES) } else { text(LOGINS) },
                changes: *changes,
                about: text(ABOUT),
                rights: found.clone(),
            });
        }
        let opened = self.connections.iter().filter_map(|id| self.program.connections.get(id.index()));
        let mut made: Vec<&Made> = opened.map(|connection| &connection.made).collect();
        if all {
            made.extend(self.program.channels.iter().map(|channel| &channel.made));
        }
        for made in made {
            let argument = |path: &str| self.declared(made, path);
            rights.endpoints.extend((made.driver.reaches)(&Written { argument: &argument }));
        }
        rights
    }
}

/// The params of drivers that say who asks, who changes, and what the rules are about.
const LOGINS: &[&str] = &["user", "context", "profile"];
const LOGINS_FOR_CHANGES: &[&str] = &["change_user", "change"];
const ABOUT: &[&str] = &["database", "bucket", "namespace"];
const NAMESPACE: &str = "namespace";

fn rules(access: &Access, written: &Written<'_>, namespaces: &[Scope]) -> Vec<Right> {
    if let When::Given(param) = access.when
        && (written.argument)(param) == Argument::Absent
    {
        return Vec::new();
    }
    let scopes = match access.reach {
        Reach::Namespace => namespaces,
        Reach::Everywhere | Reach::Cluster => &[Scope::Cluster],
    };
    let names = match access.name.map(written.argument) {
        Some(Argument::Texts(names)) => names.into_iter().map(Some).collect(),
        _ => vec![None],
    };
    let mut rights = Vec::new();
    for scope in scopes {
        for name in &names {
            let rule = |verb: &&'static str| Rule::new(verb, access.resource, scope.clone(), name.clone());
            rights.extend(access.verbs.iter().map(rule).map(Right::Kubernetes));
        }
    }
    rights
}

/// A right in the namespaces that the call means, where it does not say which itself.
fn placed(right: Right, namespaces: &[Scope]) -> Vec<Right> {
    match right {
        Right::Kubernetes(rule) if rule.scope == Scope::Namespace(None) => {
            namespaces.iter().map(|scope| Right::Kubernetes(Rule { scope: scope.clone(), ..rule.clone() })).collect()
        }
        other => vec![other],
    }
}
