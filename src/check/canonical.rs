//! What a consent covers: a change in one canonical text, the same whatever its layout, its comments and the names of
//! the values in it; another one as soon as it does something else, or to somebody else.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::names::{Names, What};
use super::program::{
    Block, Call, CallArg, Change, Connection, ConnectionId, Expr, ExprKind, Format, Local, LocalId, Member, Program,
    RunField, Statement, StatementKind, TextPart,
};
use super::wording::{one_line, type_text};
use crate::source::{Sources, Span};
use crate::types::Value;

/// A text longer than this is named by its hash: values that are made of values twice would double with each `let`.
const MAX_TEXT: usize = 2_000;

/// How many connections may lead through one another; a circle of them is an error already.
const MAX_CHAIN: usize = 32;

/// Writes the text of every change. Last of all, for a connection may be declared below what uses it.
pub(super) fn write_down(program: &mut Program, locals: &[Local], sources: &Sources, names: &Names<'_>) {
    let connections = std::mem::take(&mut program.connections);
    let mut writer =
        Writer { sources, names, locals, connections: &connections, texts: HashMap::new(), through: Cell::new(0) };
    for section in &mut program.sections {
        for member in &mut section.members {
            match member {
                Member::Statement(statement) => writer.statement(statement),
                Member::Step(step) => {
                    if let Some((local, list)) = &step.each {
                        writer.remember_loop(*local, list, None);
                    }
                    writer.block(&mut step.body);
                    step.on_failure.iter_mut().chain(&mut step.always).for_each(|block| writer.block(block));
                }
            }
        }
        section.on_failure.iter_mut().chain(&mut section.always).for_each(|block| writer.block(block));
    }
    for command in &mut program.commands {
        writer.block(&mut command.body);
    }
    program.connections = connections;
}

struct Writer<'w> {
    sources: &'w Sources,
    names: &'w Names<'w>,
    locals: &'w [Local],
    connections: &'w [Connection],
    /// What names stand for, so that the names themselves do not matter.
    texts: HashMap<LocalId, Arc<str>>,
    through: Cell<usize>,
}

impl Writer<'_> {
    fn block(&mut self, block: &mut Block) {
        for statement in block.iter_mut() {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &mut Statement) {
        match &mut statement.kind {
            StatementKind::Let { local, value } => self.remember(*local, "", value),
            StatementKind::Change(change) => {
                if let Some(local) = change.binding {
                    self.remember(local, "result of ", &change.call);
                }
                change.canonical = self.change(change);
            }
            StatementKind::For(each) => {
                self.remember_loop(each.local, &each.list, each.at_most);
                self.block(&mut each.body);
            }
            StatementKind::Retry { body, .. } => self.block(body),
            StatementKind::If { branches, otherwise } => {
                for branch in branches.iter_mut() {
                    self.block(&mut branch.body);
                }
                for block in otherwise.iter_mut() {
                    self.block(block);
                }
            }
            _ => {}
        }
    }

    fn change(&self, change: &Change) -> Arc<str> {
        let mut text = String::from("change ");
        self.write(&change.call, &mut text);
        let clauses = [("within", &change.within), ("verify", &change.verify), ("undo", &change.undo)];
        for (word, clause) in clauses {
            if let Some(clause) = clause {
                put(&mut text, format_args!(" {word} "));
                self.write(clause, &mut text);
            }
        }
        if let Some(role) = &change.approve_by {
            put(&mut text, format_args!(" approve by {role:?}"));
        }
        text.into()
    }

    fn remember(&mut self, local: LocalId, what: &str, value: &Expr) {
        let mut text = format!("({what}");
        self.write(value, &mut text);
        text.push(')');
        self.texts.insert(local, bounded(text));
    }

    /// The variable of a loop stands for each item of its list.
    fn remember_loop(&mut self, local: LocalId, list: &Expr, at_most: Option<u32>) {
        let mut text = String::from("(each of ");
        self.write(list, &mut text);
        if let Some(at_most) = at_most {
            put(&mut text, format_args!(" at most {at_most}"));
        }
        text.push(')');
        self.texts.insert(local, bounded(text));
    }

    fn write(&self, expr: &Expr, out: &mut String) {
        match &expr.kind {
            ExprKind::Literal(value) => literal(value, out),
            ExprKind::Local(id) => match self.texts.get(id) {
                Some(text) => out.push_str(text),
                // A parameter or an item is told apart by its name: renaming it is a new text, and a new consent.
                None => out.push_str(self.locals.get(id.index()).map_or("?", |local| &local.name)),
            },
            ExprKind::Param(id) => self.declared_name("param", What::Param(*id), out),
            ExprKind::Secret(id) => self.declared_name("secret", What::Secret(*id), out),
            ExprKind::Metric(id) => self.declared_name("metric", What::Metric(*id), out),
            ExprKind::Connection(id) => self.connection(*id, out),
            ExprKind::Run(field) => out.push_str(match field {
                RunField::Id => "run.id",
                RunField::StartedAt => "run.started_at",
                RunField::ScheduledAt => "run.scheduled_at",
                RunField::Date => "run.date",
            }),
            ExprKind::Field { base, name, optional } => {
                self.write(base, out);
                out.push_str(if *optional { "?." } else { "." });
                out.push_str(name);
            }
            ExprKind::Index { base, index } => {
                self.write(base, out);
                self.listed([index.as_ref()], "[", "]", out);
            }
            ExprKind::Unary { op, operand } => {
                put(out, format_args!("({op:?} "));
                self.write(operand, out);
                out.push(')');
            }
            ExprKind::Binary { op, left, right } => {
                out.push('(');
                self.write(left, out);
                put(out, format_args!(" {} ", op.symbol()));
                self.write(right, out);
                out.push(')');
            }
            ExprKind::If { condition, then, otherwise } => {
                self.listed([condition.as_ref(), then, otherwise], "if(", ")", out);
            }
            ExprKind::Try { value, on, otherwise } => {
                out.push_str("try");
                for kind in on {
                    put(out, format_args!(" {}", kind.name()));
                }
                self.listed([value.as_ref(), otherwise], "(", ")", out);
            }
            ExprKind::List(items) => self.listed(items, "[", "]", out),
            ExprKind::Record(fields) => {
                out.push('{');
                for (name, value) in fields {
                    put(out, format_args!("{name:?}: "));
                    self.write(value, out);
                    out.push(',');
                }
                out.push('}');
            }
            ExprKind::Text(parts) | ExprKind::Template(parts) => self.text_parts(parts, out),
            ExprKind::Call(call) => self.call_text(call, out),
            ExprKind::Command { command, args } => {
                self.declared_name("command", What::Command(*command), out);
                self.listed(args, "(", ")", out);
                self.body(What::Command(*command), out);
            }
            ExprKind::Tool { tool, args } => {
                self.declared_name("tool", What::Tool(*tool), out);
                self.listed(args, "(", ")", out);
                self.body(What::Tool(*tool), out);
            }
            ExprKind::Convert(inner) => {
                self.write(inner, out);
                put(out, format_args!(" as {}", type_text(&expr.ty)));
            }
            ExprKind::Broken => out.push('?'),
        }
    }

    fn listed<'e>(&self, items: impl IntoIterator<Item = &'e Expr>, open: &str, close: &str, out: &mut String) {
        out.push_str(open);
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            self.write(item, out);
        }
        out.push_str(close);
    }

    fn call_text(&self, call: &Call, out: &mut String) {
        out.push_str(call.builtin.name);
        out.push('(');
        for (info, arg) in call.builtin.params.iter().zip(&call.args) {
            let Some(arg) = arg else { continue };
            out.push_str(info.name);
            out.push_str(": ");
            match arg {
                CallArg::Value(value) => self.write(value, out),
                CallArg::PerItem(lambda) => {
                    out.push_str("each ");
                    self.write(&lambda.body, out);
                }
            }
            out.push_str(", ");
        }
        out.push(')');
    }

    fn text_parts(&self, parts: &[TextPart], out: &mut String) {
        out.push('"');
        for part in parts {
            match part {
                TextPart::Text(text) => out.push_str(&text.escape_default().to_string()),
                TextPart::Value { value, format } => {
                    out.push('{');
                    self.write(value, out);
                    match format {
                        Some(Format::Time(pattern)) => put(out, format_args!(":{pattern}")),
                        Some(Format::Number { decimals, grouped }) => put(out, format_args!(":{grouped}.{decimals:?}")),
                        None => {}
                    }
                    out.push('}');
                }
            }
        }
        out.push('"');
    }

    fn declared_name(&self, noun: &str, what: What, out: &mut String) {
        let name = self.names.declaration(what).map_or("?", |declaration| &declaration.name.text);
        put(out, format_args!("{noun}:{name}"));
    }

    /// A connection by what it is made of: another host voids the consent, another name does not.
    fn connection(&self, id: ConnectionId, out: &mut String) {
        let deep = self.through.get() >= MAX_CHAIN;
        let Some(connection) = self.connections.get(id.index()).filter(|_| !deep) else {
            self.declared_name("connection", What::Connection(id), out);
            return;
        };
        self.through.set(self.through.get() + 1);
        let mut text = format!("{}(", connection.made.driver.name);
        for (info, arg) in connection.made.driver.params.iter().zip(&connection.made.args) {
            if let Some(arg) = arg {
                put(&mut text, format_args!("{}: ", info.name));
                self.write(arg, &mut text);
                text.push_str(", ");
            }
        }
        text.push(')');
        self.through.set(self.through.get() - 1);
        out.push_str(&bounded(text));
    }

    /// What a command or a tool is, by its hash: a consent to call it is one to what it does today.
    fn body(&self, what: What, out: &mut String) {
        if let Some(declaration) = self.names.declaration(what) {
            let text = self.without_comments(declaration.item.span);
            put(out, format_args!("#{}", hash(&text)));
        }
    }

    fn without_comments(&self, span: Span) -> String {
        let text = self.sources.text(span);
        let Some(module) = self.names.modules.iter().find(|module| module.file.id == span.file) else {
            return one_line(text);
        };
        let comments = &module.file.comments;
        let first = comments.partition_point(|comment| comment.span.start < span.start);
        let mut kept = String::new();
        let mut at = span.start;
        for comment in comments.iter().skip(first).take_while(|comment| comment.span.end <= span.end) {
            kept.push_str(self.sources.text(Span { start: at, end: comment.span.start, ..span }));
            at = comment.span.end;
        }
        kept.push_str(self.sources.text(Span { start: at, ..span }));
        one_line(&kept)
    }
}

/// A value exactly: what people read is rounded.
fn literal(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => put(out, format_args!("\"{}\"", text.escape_default())),
        Value::Duration(duration) => put(out, format_args!("{}ns", duration.as_nanos())),
        Value::Size(bytes) => put(out, format_args!("{bytes}B")),
        Value::Float(number) | Value::Percent(number) | Value::Cores(number) => {
            put(out, format_args!("{}:{number:?}", value.kind()));
        }
        Value::Rate(per_second, counted) => put(out, format_args!("{counted:?}:{per_second:?}/s")),
        Value::Regex(regex) => put(out, format_args!("{regex}")),
        Value::Time(time) => out.push_str(&time.to_string()),
        other => out.push_str(&other.to_string()),
    }
}

fn put(out: &mut String, text: fmt::Arguments<'_>) {
    // A string takes whatever is written into it.
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok());
}

fn bounded(text: String) -> Arc<str> {
    if text.len() <= MAX_TEXT { text.into() } else { format!("(#{})", hash(&text)).into() }
}

fn hash(text: &str) -> String {
    format!("{:.32}", hex::encode(Sha256::digest(text.as_bytes())))
}
