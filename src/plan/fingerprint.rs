//! The consent hash: what a person agreed to, in twelve characters.
//!
//! It covers each change in its order, what stands around it, its guards, and everything that these lead to: the
//! values behind names, parameters as they are set, connections, tools and commands. Comments, layout, moved lines
//! and titles are not in it, so that tidying up voids no consent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::changes::Found;
use super::definitions::{Definition, Definitions};
use super::written::Reader;
use super::{Around, Part, PlannedChange, Reached, text, walk};
use crate::catalog::need::{Argument, Need, Written};
use crate::catalog::{Body, Builtin};
use crate::check::program::{Change, Expr, ExprKind, Program, StatementKind};
use crate::source::Span;

/// What a consent covers.
#[derive(Default)]
pub(super) struct Covered {
    /// In hex; `None` where nothing changes.
    pub(super) hash: Option<String>,
    /// The same of each change, piece by piece, so that an edit can be told by its place.
    pub(super) covers: Vec<Vec<Part>>,
    /// The connections that the changes lead to.
    pub(super) leads_to: Vec<Arc<str>>,
    /// The programs of this machine that they start.
    pub(super) programs: BTreeSet<String>,
}

pub(super) fn covered(program: &Program, found: &Found<'_>, set: &BTreeMap<Arc<str>, String>) -> Covered {
    let mut facts: Vec<Vec<String>> = Vec::new();
    let definitions = Definitions::in_program(program);
    let (mut named, mut connections, mut covers) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
    let mut programs = BTreeSet::new();
    for (change, depends) in &found.changes {
        facts.push(change_facts(change));
        let mut led_to = LedTo::new(program, set, &definitions);
        for expr in depends {
            led_to.follow(expr);
            facts.push(vec![text::expr(program, expr)]);
        }
        covers.push(change.covers.iter().cloned().chain(led_to.parts).collect());
        named.extend(led_to.facts);
        connections.extend(led_to.connections);
        programs.extend(led_to.programs);
    }
    facts.extend(named.into_iter().map(|(key, value)| vec![key, value]));
    let mut hasher = Sha256::new();
    hasher.update(b"runbook consent 1\n");
    for fact in facts {
        hasher.update(format!("{}\n", fact.len()));
        for part in fact {
            add(&mut hasher, &part);
        }
    }
    let leads_to = connections.into_iter().collect();
    Covered { hash: Some(hex::encode(hasher.finalize())), covers, leads_to, programs }
}

/// The hash of some texts in their order, in hex.
pub fn hash_of(parts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        add(&mut hasher, part.as_ref());
    }
    hex::encode(hasher.finalize())
}

fn add(hasher: &mut Sha256, part: &str) {
    // Lengths keep apart what would read the same when joined.
    hasher.update(format!("{}:{part}\n", part.len()));
}

/// What one call leads to: which connections, which programs, and the declarations behind it.
pub fn reached(program: &Program, call: &Expr, set: &BTreeMap<Arc<str>, String>) -> Reached {
    let definitions = Definitions::in_program(program);
    let mut led_to = LedTo::new(program, set, &definitions);
    led_to.follow(call);
    let LedTo { parts, connections, programs, .. } = led_to;
    Reached { leads_to: connections.into_iter().collect(), programs, parts }
}

fn change_facts(change: &PlannedChange) -> Vec<String> {
    let mut facts = vec!["change".to_owned()];
    facts.extend(change.around.iter().map(|around| match around {
        Around::Each { name, list, at_most, .. } => format!("for {name} in {list} at most {at_most:?}"),
        Around::If { condition } => format!("if {condition}"),
        Around::Else { conditions } => format!("else of {}", conditions.join(" | ")),
        Around::Retry { times } => format!("retry {times}"),
        Around::OnFailure => "on failure".to_owned(),
        Around::Always => "always".to_owned(),
        Around::Command { name } => format!("in {name}"),
    }));
    facts.extend(change.guards.iter().map(|guard| format!("require {}", guard.condition)));
    facts.push(format!("within {:?}", change.within));
    facts.push(format!("approve by {:?}", change.approve_by));
    facts.push(format!("verify {:?}", change.verify));
    facts.push(format!("undo {:?}", change.undo));
    facts
}

/// What the expressions of the changes lead to, by kind and name, each once.
struct LedTo<'p> {
    program: &'p Program,
    set: &'p BTreeMap<Arc<str>, String>,
    definitions: &'p Definitions<'p>,
    facts: BTreeMap<String, String>,
    parts: Vec<Part>,
    connections: BTreeSet<Arc<str>>,
    programs: BTreeSet<String>,
}

impl<'p> LedTo<'p> {
    fn new(program: &'p Program, set: &'p BTreeMap<Arc<str>, String>, definitions: &'p Definitions<'p>) -> Self {
        let (facts, parts) = (BTreeMap::new(), Vec::new());
        Self { program, set, definitions, facts, parts, connections: BTreeSet::new(), programs: BTreeSet::new() }
    }

    fn follow(&mut self, root: &'p Expr) {
        let mut inner: Vec<&'p Expr> = Vec::new();
        walk::expr(root, &mut |expr| inner.push(expr));
        for expr in inner {
            self.one(expr);
        }
    }

    fn one(&mut self, expr: &'p Expr) {
        let program = self.program;
        match &expr.kind {
            ExprKind::Local(id) => {
                if let Some(value) = self.definitions.of_local(*id) {
                    // With its value, since two may have the same name, and without its number, which moves with lines.
                    let name = program.locals.get(id.index()).map_or("?", |local| &*local.name);
                    let text = text::expr(program, value);
                    let is_item = matches!(self.definitions.of(*id), Some(Definition::OneOf(_)));
                    let what = format!("{} {name}", if is_item { "each" } else { "let" });
                    let part = Part { what, says: text.clone(), is_read: reads(value), span: value.span };
                    self.note(&format!("local {name} = {text}"), String::new(), &[value], part);
                }
            }
            ExprKind::Param(id) => {
                if let Some(param) = program.params.get(id.index()) {
                    let set = self.set.get(&param.name).map(|value| format!("set {value:?}"));
                    let default = param.default.as_ref().map(|default| text::expr(program, default));
                    let value = set.or(default).unwrap_or_default();
                    let exprs: Vec<&Expr> = param.default.iter().collect();
                    self.named("param", &param.name, value, &exprs, param.span);
                }
            }
            ExprKind::Connection(id) => {
                if let Some(connection) = program.connections.get(id.index()) {
                    let exprs: Vec<&Expr> = connection.made.args.iter().flatten().collect();
                    let made = text::made(program, &connection.made);
                    self.connections.insert(connection.name.clone());
                    self.named("connection", &connection.name, made, &exprs, connection.span);
                }
            }
            ExprKind::Secret(id) => {
                if let Some(secret) = program.secrets.get(id.index()) {
                    self.named("secret", &secret.name, text::made(program, &secret.source), &[], secret.span);
                }
            }
            ExprKind::Tool { tool, .. } => {
                if let Some(tool) = program.tools.get(tool.index()) {
                    let reader = self.reader();
                    self.starts(tool.builtin, &|path| reader.declared(tool.builtin.params, &tool.args, path));
                    let exprs: Vec<&Expr> = tool.args.iter().flatten().collect();
                    let args: Vec<String> = tool
                        .builtin
                        .params
                        .iter()
                        .zip(&tool.args)
                        .filter_map(|(param, arg)| {
                            Some(format!("{}: {}", param.name, text::expr(program, arg.as_ref()?)))
                        })
                        .collect();
                    let made = format!("{}({})", tool.builtin.name, args.join(", "));
                    self.named("tool", &tool.name, made, &exprs, tool.span);
                }
            }
            ExprKind::Call(call) => {
                let reader = self.reader();
                self.starts(call.builtin, &|path| reader.argument(call.builtin.params, &call.args, path));
            }
            ExprKind::Command { command, .. } => {
                if let Some(command) = program.commands.get(command.index()) {
                    let mut body = Vec::new();
                    let mut exprs = Vec::new();
                    walk::statements(&command.body, &mut |statement| {
                        body.push(what(program, &statement.kind));
                        exprs.extend(walk::own_exprs(statement));
                    });
                    self.named("command", &command.name, body.join("\n"), &exprs, command.span);
                }
            }
            _ => {}
        }
    }

    fn reader(&self) -> Reader<'p> {
        Reader { program: self.program, set: self.set, definitions: self.definitions }
    }

    /// Notes the programs that a call starts, with `*` for what only the run will tell.
    fn starts(&mut self, builtin: &Builtin, argument: &dyn Fn(&str) -> Argument) {
        for need in builtin.needs {
            if let Need::Program { program, .. } = need {
                let program = program(&Written { argument });
                self.programs.extend(program.patterns().iter().cloned());
                if program == Argument::Absent {
                    self.programs.insert("*".to_owned());
                }
            }
        }
    }

    /// Notes a declaration.
    fn named(&mut self, kind: &str, name: &str, value: String, exprs: &[&'p Expr], span: Span) {
        let key = format!("{kind} {name}");
        let part = Part { what: key.clone(), says: value.clone(), is_read: false, span };
        self.note(&key, value, exprs, part);
    }

    /// Notes it, and follows what it leads to, once.
    fn note(&mut self, key: &str, value: String, exprs: &[&'p Expr], part: Part) {
        if self.facts.contains_key(key) {
            return;
        }
        self.parts.push(part);
        self.facts.insert(key.to_owned(), value);
        for expr in exprs {
            self.follow(expr);
        }
    }
}

/// Whether something is asked for a value.
fn reads(root: &Expr) -> bool {
    let mut reads = false;
    walk::expr(root, &mut |expr| {
        reads |= match &expr.kind {
            ExprKind::Call(call) => matches!(call.builtin.body, Body::Outside(_) | Body::Scan(..)),
            ExprKind::Tool { .. } | ExprKind::Command { .. } => true,
            _ => false,
        };
    });
    reads
}

/// A statement of a command: its word and its expressions, without titles and layout.
fn what(program: &Program, kind: &StatementKind) -> String {
    let expr = |expr: &Expr| text::expr(program, expr);
    match kind {
        StatementKind::Let { value, .. } => format!("let {}", expr(value)),
        StatementKind::Require { condition, .. } => format!("require {}", expr(condition)),
        StatementKind::Change(change) => change_text(program, change),
        StatementKind::Wait { condition, every, within, .. } => {
            format!("wait {} {} {}", expr(condition), expr(every), expr(within))
        }
        StatementKind::Retry { times, every, .. } => format!("retry {times} {}", expr(every)),
        StatementKind::For(each) => format!("for {} {:?}", expr(&each.list), each.at_most),
        StatementKind::If { branches, otherwise } => {
            let conditions: Vec<String> = branches.iter().map(|branch| expr(&branch.condition)).collect();
            format!("if {} {}", conditions.join(" | "), otherwise.is_some())
        }
        StatementKind::Do { command, args } => {
            let name = program.commands.get(command.index()).map_or("?", |command| &*command.name);
            format!("do {name} {}", args.iter().map(expr).collect::<Vec<_>>().join(", "))
        }
        StatementKind::Return { value } => format!("return {}", expr(value)),
        StatementKind::Manual { text, .. } => format!("manual {}", expr(text)),
        // These change nothing and hold nothing back.
        StatementKind::Show { .. }
        | StatementKind::Check { .. }
        | StatementKind::Measure { .. }
        | StatementKind::Notify { .. }
        | StatementKind::Raise { .. }
        | StatementKind::Escalate { .. }
        | StatementKind::Send { .. } => String::new(),
    }
}

fn change_text(program: &Program, change: &Change) -> String {
    let clause = |clause: &Option<Expr>| clause.as_ref().map(|expr| text::expr(program, expr));
    format!(
        "change {} within {:?} approve by {:?} verify {:?} undo {:?}",
        text::expr(program, &change.call),
        clause(&change.within),
        change.approve_by,
        clause(&change.verify),
        clause(&change.undo)
    )
}
