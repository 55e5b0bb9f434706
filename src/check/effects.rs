//! What calls and statements do to the world: who may change it, and what waits for whom.

use super::calls::Position;
use super::checker::Checker;
use super::names::What;
use super::program::{
    Block, CallArg, Command, CommandId, ConnectionId, Expr, ExprKind, Member, Program, Statement, StatementKind,
    TextPart,
};
use crate::catalog::{Builtin, CallFacts, Effect, EffectRule};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, ItemKind, Name};
use crate::types::Value;

impl Checker<'_> {
    /// What a call of a built-in does, as far as it can be told from what is written.
    pub(super) fn effect_of(
        &self,
        builtin: &'static Builtin,
        args: &[Option<CallArg>],
        on: Option<ConnectionId>,
    ) -> Effect {
        let decide = match builtin.effect {
            EffectRule::Pure => return Effect::Pure,
            EffectRule::Reads => return Effect::Reads,
            EffectRule::Changes { .. } => return Effect::Changes,
            EffectRule::ByCall(decide) => decide,
        };
        let argument = |name: &str| {
            let index = builtin.params.iter().position(|param| param.name == name)?;
            match args.get(index)?.as_ref()? {
                CallArg::Value(expr) => written_text(expr),
                CallArg::PerItem(_) => None,
            }
        };
        let of_connection = |name: &str| on.map_or_else(Vec::new, |id| self.declared_texts(id, name));
        decide(&CallFacts { argument: &argument, connection: &of_connection })
    }

    /// The connection that a call is made on.
    pub(super) fn made_on(&self, args: &[Option<CallArg>]) -> Option<ConnectionId> {
        let named = args.iter().flatten().find_map(|arg| match arg {
            CallArg::Value(Expr { kind: ExprKind::Connection(id), .. }) => Some(*id),
            _ => None,
        });
        // That of `cluster.pod("x").exec(…)` is `cluster`, also where a `let` holds the pod.
        named.or_else(|| self.origin_of_arg(args.first()?.as_ref()))
    }

    /// The literal texts of an argument of a connection's declaration: `reads: ["POST /query"]`.
    fn declared_texts(&self, id: ConnectionId, name: &str) -> Vec<String> {
        let Some(declaration) = self.names.declaration(What::Connection(id)) else { return Vec::new() };
        let ItemKind::Connect(connect) = &declaration.item.kind else { return Vec::new() };
        let args = &connect.driver.args.items;
        let named = args.iter().find(|arg| arg.name.as_ref().is_some_and(|own| &*own.text == name));
        let value = named.map(|arg| arg.value.bare()).or_else(|| {
            let driver = self.catalog.driver(connect.driver.path.first()?.as_str())?;
            let index = driver.params.iter().position(|param| param.name == name)?;
            args.iter().filter(|arg| arg.name.is_none()).nth(index).map(|arg| arg.value.bare())
        });
        match value.map(|value| &value.kind) {
            Some(ast::ExprKind::List(items)) => items.iter().filter_map(literal_text).collect(),
            Some(_) => value.and_then(literal_text).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Whether a call may do what it does where it stands.
    pub(super) fn check_effect(
        &mut self,
        effect: Effect,
        idempotent: bool,
        name: &Name,
        span: Span,
        position: Position,
    ) {
        match (position, effect) {
            (Position::Value, Effect::Changes) => self.report_unguarded(name, span),
            (Position::Change, Effect::Changes) => self.check_repeated(effect, idempotent, name),
            (Position::Change, _) => {
                let message = format!("`{name}` changes nothing");
                let help = "`change` is for what changes a system; a read stands in `let`, `show` or `check`";
                self.report(Diagnostic::new(Code::NothingChanges, span, message).help(help));
            }
            (Position::Do, _) => {
                let message = format!("`do` runs a command, and `{name}` is none");
                let help =
                    if effect == Effect::Changes { "write `change` for it" } else { "write `show` or `let` for it" };
                self.report(Diagnostic::new(Code::TypeMismatch, span, message).help(help));
            }
            _ => {}
        }
    }

    fn report_unguarded(&mut self, name: &Name, span: Span) {
        let message = format!("`{name}` changes something, and stands outside a `change` statement");
        let mut diagnostic = Diagnostic::new(Code::UnguardedChange, span, message);
        let call = crate::syntax::one_line(self.text(span));
        diagnostic = match &self.place.heading(span) {
            Some((heading, replacement)) => {
                let what = crate::syntax::one_line(replacement);
                diagnostic.help(format!("write `{} {call}`", what.trim_end())).fix(*heading, replacement.clone())
            }
            None => diagnostic.help(format!("give it a statement of its own: `change {call}`")),
        };
        self.report(diagnostic);
    }

    /// A change that `retry` repeats must be one that does no more when it is done twice.
    pub(super) fn check_repeated(&mut self, effect: Effect, idempotent: bool, name: &Name) {
        if effect == Effect::Changes && self.place.is_repeated() && !idempotent {
            let message = format!("`retry` would repeat `{name}`, and doing it twice may do it twice");
            let help =
                "take it out of the `retry`; a command or a tool that may be repeated is declared `changes idempotent`";
            self.report(Diagnostic::new(Code::NotIdempotent, name.span, message).help(help));
        }
    }
}

/// Whether a `change` is written somewhere in a block.
pub(super) fn has_change(block: &ast::Block) -> bool {
    block.statements.iter().any(|statement| match &statement.kind {
        ast::StatementKind::Change(_) => true,
        ast::StatementKind::For(each) => has_change(&each.body),
        ast::StatementKind::Retry { body, .. } => has_change(body),
        ast::StatementKind::If { branches, otherwise } => {
            branches.iter().any(|branch| has_change(&branch.body)) || otherwise.as_ref().is_some_and(has_change)
        }
        _ => false,
    })
}

/// Whether doing it twice is the same as doing it once.
pub(super) fn is_idempotent(builtin: &Builtin, effect: Effect) -> bool {
    match builtin.effect {
        EffectRule::Changes { idempotent } => idempotent,
        _ => effect != Effect::Changes,
    }
}

/// The literal text of an argument, with `*` for every value in it.
fn written_text(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Literal(Value::String(text)) => Some(text.to_string()),
        ExprKind::Text(parts) | ExprKind::Template(parts) => Some(
            parts
                .iter()
                .map(|part| match part {
                    TextPart::Text(text) => text.to_string(),
                    TextPart::Value { .. } => "*".to_owned(),
                })
                .collect(),
        ),
        _ => None,
    }
}

fn literal_text(expr: &ast::Expr) -> Option<String> {
    match &expr.bare().kind {
        ast::ExprKind::Template(template) => Some(super::templates::outline(template)),
        _ => None,
    }
}

/// Says of every statement what it does at most and whether others wait for it, called commands included.
pub(super) fn seal(program: &mut Program) {
    let mut commands: Vec<Option<Flags>> = vec![None; program.commands.len()];
    for index in 0..program.commands.len() {
        command_flags(&program.commands, index, &mut commands);
    }
    let flags: Vec<Flags> = commands.into_iter().map(|flags| flags.unwrap_or(CHANGES)).collect();
    for (command, flags) in program.commands.iter_mut().zip(&flags) {
        if command.effect != Effect::Changes {
            command.effect = flags.effect;
        }
    }
    let blocks = program
        .sections
        .iter_mut()
        .flat_map(|section| {
            let members = section.members.iter_mut().flat_map(|member| -> Vec<&mut [Statement]> {
                match member {
                    Member::Statement(statement) => vec![std::slice::from_mut(statement)],
                    Member::Step(step) => {
                        let closing = step.on_failure.as_mut().into_iter().chain(step.always.as_mut());
                        closing.map(Vec::as_mut_slice).chain([step.body.as_mut_slice()]).collect()
                    }
                }
            });
            let closing = section.on_failure.as_mut().into_iter().chain(section.always.as_mut());
            members.chain(closing.map(Vec::as_mut_slice)).collect::<Vec<_>>()
        })
        .chain(program.commands.iter_mut().map(|command| command.body.as_mut_slice()));
    for block in blocks {
        for statement in block {
            mark(statement, &flags);
        }
    }
}

#[derive(Clone, Copy)]
struct Flags {
    effect: Effect,
    barrier: bool,
}

const NOTHING: Flags = Flags { effect: Effect::Pure, barrier: false };
const CHANGES: Flags = Flags { effect: Effect::Changes, barrier: true };

impl Flags {
    fn and(self, other: Self) -> Self {
        Self { effect: self.effect.max(other.effect), barrier: self.barrier || other.barrier }
    }
}

/// Of every command: what its body does, those that it calls first. Without recursion, for a chain of commands is as
/// long as the file. A circle of them is an error already, so what it is taken for does not matter.
fn command_flags(commands: &[Command], start: usize, known: &mut [Option<Flags>]) {
    let mut path = vec![(start, false)];
    while let Some((index, called_first)) = path.pop() {
        let Some(command) = commands.get(index) else { continue };
        if called_first {
            let of = |id: CommandId| known.get(id.index()).copied().flatten().unwrap_or(CHANGES);
            let flags =
                command.body.iter().fold(NOTHING, |flags, statement| flags.and(statement_flags(statement, &of)));
            let flags = Flags { effect: flags.effect.max(declared(command.effect)), ..flags };
            if let Some(slot) = known.get_mut(index) {
                *slot = Some(flags);
            }
            continue;
        }
        if known.get(index).is_some_and(Option::is_some) {
            continue;
        }
        if let Some(slot) = known.get_mut(index) {
            *slot = Some(CHANGES);
        }
        path.push((index, true));
        let mut called = Vec::new();
        calls_of(&command.body, &mut called);
        path.extend(called.into_iter().map(|id| (id.index(), false)));
    }
}

/// A command that declares no change may turn out to look at nothing at all.
const fn declared(effect: Effect) -> Effect {
    match effect {
        Effect::Changes => Effect::Changes,
        Effect::Pure | Effect::Reads => Effect::Pure,
    }
}

fn calls_of(block: &Block, called: &mut Vec<CommandId>) {
    for statement in block {
        match &statement.kind {
            StatementKind::Do { command, .. } => called.push(*command),
            StatementKind::Change(change) => {
                if let ExprKind::Command { command, .. } = &change.call.kind {
                    called.push(*command);
                }
            }
            _ => {}
        }
        each_block(&statement.kind, &mut |block| calls_of(block, called));
    }
}

fn each_block<'s>(kind: &'s StatementKind, visit: &mut dyn FnMut(&'s Block)) {
    match kind {
        StatementKind::Retry { body, .. } => visit(body),
        StatementKind::For(each) => visit(&each.body),
        StatementKind::If { branches, otherwise } => {
            for branch in branches {
                visit(&branch.body);
            }
            if let Some(block) = otherwise {
                visit(block);
            }
        }
        _ => {}
    }
}

fn statement_flags(statement: &Statement, of: &dyn Fn(CommandId) -> Flags) -> Flags {
    let own = match &statement.kind {
        StatementKind::Change(_) => CHANGES,
        StatementKind::Require { .. } | StatementKind::Manual { .. } | StatementKind::Wait { .. } => {
            Flags { effect: Effect::Reads, barrier: true }
        }
        // It sends what is above it.
        StatementKind::Send { .. } => Flags { effect: Effect::Pure, barrier: true },
        StatementKind::Measure { .. } => Flags { effect: Effect::Reads, barrier: false },
        StatementKind::Do { command, .. } => of(*command),
        _ => NOTHING,
    };
    let mut flags = own.and(Flags { effect: statement.effect, barrier: false });
    each_block(&statement.kind, &mut |block| {
        for inner in block {
            flags = flags.and(statement_flags(inner, of));
        }
    });
    flags
}

/// Marks a statement and what is inside it; a deep block is walked once.
fn mark(statement: &mut Statement, commands: &[Flags]) -> Flags {
    let of = |id: CommandId| commands.get(id.index()).copied().unwrap_or(CHANGES);
    let mut inside = NOTHING;
    let mut visit = |block: &mut Block| {
        for inner in block {
            inside = inside.and(mark(inner, commands));
        }
    };
    match &mut statement.kind {
        StatementKind::Retry { body, .. } => visit(body),
        StatementKind::For(each) => visit(&mut each.body),
        StatementKind::If { branches, otherwise } => {
            for branch in branches.iter_mut() {
                visit(&mut branch.body);
            }
            if let Some(block) = otherwise {
                visit(block);
            }
        }
        _ => {}
    }
    let flags = match &statement.kind {
        StatementKind::Retry { .. } | StatementKind::For(_) | StatementKind::If { .. } => {
            inside.and(Flags { effect: statement.effect, barrier: false })
        }
        _ => statement_flags(statement, &of),
    };
    statement.effect = flags.effect;
    statement.barrier = flags.barrier;
    flags
}
