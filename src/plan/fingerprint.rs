//! The consent hash: what a person agreed to, in twelve characters.
//!
//! It covers each change in its order, what stands around it and holds it back, and everything that these lead to: the
//! values behind names, parameters as they are set, connections, tools and commands ([`super::meaning`]). Comments,
//! layout, names, titles and lines that are moved without an effect are not in it, so that tidying up voids no consent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::changes::Found;
use super::definitions::{Definition, Definitions};
use super::given::{self, Arguments};
use super::meaning::Meaning;
use super::outline::{Of, shown};
use super::written::Reader;
use super::{Part, Reached, Selection, text};
use crate::catalog::need::{Argument, Need, Written};
use crate::catalog::{Body, Builtin};
use crate::check::program::walk;
use crate::check::program::{Expr, ExprKind, Program};
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

pub(super) fn covered(
    program: &Program,
    found: &Found<'_>,
    selection: &Selection,
    set: &BTreeMap<Arc<str>, String>,
) -> Covered {
    let definitions = Definitions::in_program(program);
    let (mut connections, mut covers, mut programs) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
    for (change, depends) in &found.changes {
        let mut led_to = LedTo::new(program, set, &definitions);
        led_to.arguments.clone_from(&depends.arguments);
        for expr in &depends.exprs {
            led_to.follow(expr);
        }
        for (_, value) in &depends.arguments {
            led_to.follow_argument(value);
        }
        covers.push(change.covers.iter().cloned().chain(led_to.parts).collect());
        connections.extend(led_to.connections);
        programs.extend(led_to.programs);
    }
    let meaning = Meaning::new(program, Of::Consent, set);
    let outline = meaning.outline();
    let sections = program.sections.iter().enumerate().filter(|(index, section)| {
        selection.members(*index, section).any(|(_, member)| member.changes())
            || selection.whole(*index) && section.changes()
    });
    let lines = sections.flat_map(|(index, section)| outline.agreed(index, section, selection));
    let hash = hash_of(std::iter::once("runbook consent 2".to_owned()).chain(lines));
    Covered { hash: Some(hash), covers, leads_to: connections.into_iter().collect(), programs }
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

/// What the expressions of the changes lead to, by kind and name, each once.
struct LedTo<'p> {
    program: &'p Program,
    set: &'p BTreeMap<Arc<str>, String>,
    definitions: &'p Definitions<'p>,
    arguments: Arguments<'p>,
    known: BTreeSet<String>,
    parts: Vec<Part>,
    connections: BTreeSet<Arc<str>>,
    programs: BTreeSet<String>,
}

impl<'p> LedTo<'p> {
    fn new(program: &'p Program, set: &'p BTreeMap<Arc<str>, String>, definitions: &'p Definitions<'p>) -> Self {
        let (arguments, known, parts) = (Vec::new(), BTreeSet::new(), Vec::new());
        Self {
            program,
            set,
            definitions,
            arguments,
            known,
            parts,
            connections: BTreeSet::new(),
            programs: BTreeSet::new(),
        }
    }

    fn follow(&mut self, root: &'p Expr) {
        let mut inner: Vec<&'p Expr> = Vec::new();
        walk::expr(root, &mut |expr| inner.push(expr));
        for expr in inner {
            self.one(expr);
        }
    }

    /// What an argument leads to. The parameters in it are written as what they are given.
    fn follow_argument(&mut self, value: &'p Expr) {
        let mut inner: Vec<&'p Expr> = Vec::new();
        walk::expr(value, &mut |expr| inner.push(expr));
        for expr in inner {
            let outer = match expr.kind {
                ExprKind::Local(id) => given::argument(&self.arguments, id),
                _ => None,
            };
            match outer {
                Some(outer) => self.follow_argument(outer),
                None => self.one(expr),
            }
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
                    self.note(format!("local {name} = {text}"), &[value], part);
                } else if let Some(value) = given::argument(&self.arguments, *id) {
                    let name = program.locals.get(id.index()).map_or("?", |local| &*local.name);
                    let says = given::said(program, &self.arguments, value);
                    let key = format!("argument {name} = {says}");
                    let part = Part { what: format!("argument {name}"), says, is_read: reads(value), span: value.span };
                    self.note(key, &[], part);
                    self.follow_argument(value);
                }
            }
            ExprKind::Param(id) => {
                if let Some(param) = program.params.get(id.index()) {
                    let set = given::set(param, self.set).map(|value| format!("set {value:?}"));
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
                    let made = text::tool(program, tool);
                    self.named("tool", &tool.name, made, &exprs, tool.span);
                }
            }
            ExprKind::Call(call) => {
                let reader = self.reader();
                self.starts(call.builtin, &|path| reader.argument(call.builtin.params, &call.args, path));
            }
            ExprKind::Command { command, .. } => {
                if let Some(command) = program.commands.get(command.index()) {
                    let mut exprs = Vec::new();
                    walk::statements(&command.body, &mut |statement| exprs.extend(walk::own_exprs(statement)));
                    let body = shown(program).of_command(&command.body);
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
        let what = format!("{kind} {name}");
        let part = Part { what: what.clone(), says: value, is_read: false, span };
        self.note(what, exprs, part);
    }

    /// Notes it, and follows what it leads to, once.
    fn note(&mut self, key: String, exprs: &[&'p Expr], part: Part) {
        if !self.known.insert(key) {
            return;
        }
        self.parts.push(part);
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
