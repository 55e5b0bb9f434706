//! The lines that are typed for an expression: one for each thing outside that it asks, a log with its stages in one pipe.

use super::fill::{self, Typed};
use super::known::{Bound, Knowledge};
use super::logs;
use super::places::Places;
use crate::catalog::{Body, Effect};
use crate::check::program::walk;
use crate::check::program::{Call, CallArg, CommandId, Expr, ExprKind, Statement, StatementKind, ToolId};
use crate::types::{Line, Type, Typed as _};

/// All lines that an expression needs.
pub(super) fn of<'p>(knowledge: &mut Knowledge<'p>, places: &mut Places<'p>, expr: &'p Expr) -> Vec<Typed> {
    let mut found = Vec::new();
    look(knowledge, places, expr, &mut found, 0);
    found
}

/// Commands call commands call commands: not deeper than this on paper.
const DEPTH: usize = 16;

fn look<'p>(
    knowledge: &mut Knowledge<'p>,
    places: &mut Places<'p>,
    expr: &'p Expr,
    found: &mut Vec<Typed>,
    depth: usize,
) {
    if depth > DEPTH {
        return;
    }
    if let Some(typed) = piped(knowledge, places, expr) {
        found.extend(typed);
        return;
    }
    match &expr.kind {
        ExprKind::Call(call) if is_outside(call) => {
            found.extend(fill::call(knowledge, places, call));
            // What a call is about is named in its line; what else it is given may have to be asked for.
            for arg in call.args.iter().skip(1).flatten() {
                if let CallArg::Value(value) = arg {
                    look(knowledge, places, value, found, depth + 1);
                }
            }
        }
        ExprKind::Command { command, args } => {
            for arg in args {
                look(knowledge, places, arg, found, depth + 1);
            }
            let Some(command) = knowledge.program.commands.get(command.index()) else { return };
            for (param, arg) in command.params.iter().zip(args) {
                knowledge.bound.insert(param.local, Bound::Is(arg));
            }
            body(knowledge, places, &command.body, found, depth + 1);
        }
        ExprKind::Tool { tool, args } => {
            found.extend(of_tool(knowledge, places, *tool, args));
        }
        // A log is not asked for where it gets its name, but where it is used.
        ExprKind::Local(_) if is_log(&expr.ty) => {
            let behind = knowledge.behind(expr);
            if !std::ptr::eq(behind, expr) {
                look(knowledge, places, behind, found, depth + 1);
            }
        }
        _ => {
            for inner in walk::parts(expr) {
                look(knowledge, places, inner, found, depth + 1);
            }
        }
    }
}

/// What a command asks that is called for its result.
fn body<'p>(
    knowledge: &mut Knowledge<'p>,
    places: &mut Places<'p>,
    statements: &'p [Statement],
    found: &mut Vec<Typed>,
    depth: usize,
) {
    for statement in statements {
        if let StatementKind::Let { local, value } = &statement.kind {
            knowledge.bound.insert(*local, Bound::Is(value));
            if !is_log(&value.ty) {
                look(knowledge, places, value, found, depth);
            }
            continue;
        }
        for expr in walk::own_exprs(statement) {
            look(knowledge, places, expr, found, depth);
        }
        for block in walk::blocks(statement) {
            body(knowledge, places, block, found, depth);
        }
    }
}

/// Whether a call asks something outside.
pub(super) fn is_outside(call: &Call) -> bool {
    call.effect != Effect::Pure || matches!(call.builtin.body, Body::Outside(_))
}

pub(super) fn is_log(ty: &Type) -> bool {
    matches!(ty, Type::List(item) if **item == Line::ty())
}

/// A log and its stages in one line: `kubectl logs … | grep -i error | wc -l`. A share needs two of them.
fn piped<'p>(knowledge: &mut Knowledge<'p>, places: &mut Places<'p>, expr: &'p Expr) -> Option<Vec<Typed>> {
    let ExprKind::Call(call) = &expr.uncovered().kind else { return None };
    if !is_stage(call) {
        return None;
    }
    let (log, mut typed) = piped_from(knowledge, places, call)?;
    if call.builtin.name == "share" {
        let all = Typed { line: format!("{} | {}", log.line, counts(&log.line)), ..log.clone() };
        typed.line.push_str(" | wc -l");
        return Some(vec![typed, all]);
    }
    Some(vec![typed])
}

/// What counts the lines of a log: `wc -l` leaves out a last one that has no end, which `grep` gives it.
fn counts(log: &str) -> &'static str {
    let is_grep = log.rsplit_once(" | ").is_some_and(|(_, stage)| stage.starts_with("grep "));
    if is_grep { "wc -l" } else { "grep -c ''" }
}

/// The line of the log alone, and with this stage behind it.
fn piped_from<'p>(knowledge: &mut Knowledge<'p>, places: &mut Places<'p>, call: &'p Call) -> Option<(Typed, Typed)> {
    let Some(Some(CallArg::Value(items))) = call.args.first() else { return None };
    let mut log = log_of(knowledge, places, items)?;
    // kubectl writes the pod in front of each line then, and that is not what was logged.
    if log.line.contains("--all-pods=true") && !log.line.contains(" | ") {
        log.line.push_str(" | sed 's/^\\[[^]]*\\] //'");
    }
    // What is counted has to be what is asked for.
    if call.builtin.name != "where" && log.left.iter().any(|left| left.prints_other) {
        return None;
    }
    let stage = match call.builtin.name {
        // A share is counted: those for which it is true, and all.
        "share" => fill::stage(knowledge, places, call, "grep -a {holds}")?,
        "count" => fill::stage(knowledge, places, call, counts(&log.line))?,
        "where" | "any" | "patterns" | "take" | "first" | "last" | "skip" => {
            fill::stage(knowledge, places, call, call.builtin.by_hand)?
        }
        _ => return None,
    };
    let mut whole = log.clone();
    whole.notes.extend(logs::notes_of_stage(call, &log.line, &stage.line));
    whole.line = format!("{} | {}", log.line, stage.line);
    whole.blanks.extend(stage.blanks);
    whole.variables.extend(stage.variables);
    Some((log, whole))
}

/// The line that prints a log, with the stages that are in front.
fn log_of<'p>(knowledge: &mut Knowledge<'p>, places: &mut Places<'p>, expr: &'p Expr) -> Option<Typed> {
    if !is_log(&expr.ty) {
        return None;
    }
    match &knowledge.behind(expr).kind {
        ExprKind::Call(call) if is_stage(call) => piped_from(knowledge, places, call).map(|(_, whole)| whole),
        ExprKind::Call(call) if is_outside(call) => fill::call(knowledge, places, call),
        ExprKind::Tool { tool, args } => of_tool(knowledge, places, *tool, args),
        // A command that is nothing but a log with a name.
        ExprKind::Command { command, args } => {
            let value = result(knowledge, *command, args)?;
            log_of(knowledge, places, value)
        }
        _ => None,
    }
}

fn of_tool<'p>(
    knowledge: &mut Knowledge<'p>,
    places: &mut Places<'p>,
    tool: ToolId,
    args: &'p [Expr],
) -> Option<Typed> {
    let tool = knowledge.program.tools.get(tool.index())?;
    for (param, arg) in tool.params.iter().zip(args) {
        knowledge.bound.insert(param.local, Bound::Is(arg));
    }
    fill::tool(knowledge, places, tool)
}

/// What a command gives that is nothing but an expression with a name.
fn result<'p>(knowledge: &mut Knowledge<'p>, command: CommandId, args: &'p [Expr]) -> Option<&'p Expr> {
    let command = knowledge.program.commands.get(command.index())?;
    let [Statement { kind: StatementKind::Return { value }, .. }] = command.body.as_slice() else { return None };
    for (param, arg) in command.params.iter().zip(args) {
        knowledge.bound.insert(param.local, Bound::Is(arg));
    }
    Some(value)
}

/// Whether the lines for an expression print what it gives, and nothing is left to be done by whoever reads them.
pub(super) fn say<'p>(knowledge: &mut Knowledge<'p>, places: &mut Places<'p>, expr: &'p Expr) -> bool {
    say_at(knowledge, places, expr, 0)
}

fn say_at<'p>(knowledge: &mut Knowledge<'p>, places: &mut Places<'p>, expr: &'p Expr, depth: usize) -> bool {
    if depth > DEPTH {
        return false;
    }
    let whole = |typed: Option<Typed>| typed.is_some_and(|typed| typed.left.iter().all(|left| !left.prints_other));
    match &knowledge.behind(expr).kind {
        // Of those two counts somebody has to make a share.
        ExprKind::Call(call) if is_stage(call) => {
            call.builtin.name != "share" && whole(piped_from(knowledge, places, call).map(|(_, typed)| typed))
        }
        ExprKind::Call(call) if is_outside(call) => whole(fill::call(knowledge, places, call)),
        ExprKind::Tool { tool, args } => whole(of_tool(knowledge, places, *tool, args)),
        ExprKind::Command { command, args } => {
            let value = result(knowledge, *command, args);
            value.is_some_and(|value| say_at(knowledge, places, value, depth + 1))
        }
        // Of an answer, its body is what is printed.
        ExprKind::Field { base, name, .. } if matches!(&**name, "json" | "text" | "timing") => {
            let is_answer = matches!(&knowledge.behind(base).kind, ExprKind::Call(call) if is_outside(call));
            is_answer && say_at(knowledge, places, base, depth + 1)
        }
        _ => false,
    }
}

fn is_stage(call: &Call) -> bool {
    matches!(call.builtin.body, Body::Stage(_) | Body::Scan(..) | Body::Pure(_) | Body::Text(..))
        && call.builtin.params.first().is_some_and(|first| first.name == "items")
}
