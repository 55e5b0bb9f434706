//! How long the call of a change may take by itself: what it is given, its own limit, or that of its connection.

use crate::catalog::{ParamInfo, Presence};
use crate::check::program::{Call, CallArg, ConnectionId, Expr, ExprKind, Program};

use super::text;

/// The parameters that say so.
const NAMES: [&str; 2] = ["within", "timeout"];

/// The limit of a call; `None` where it has none, or is a command, whose changes have limits of their own.
#[must_use]
pub fn of(program: &Program, call: &Expr) -> Option<String> {
    match &call.uncovered().kind {
        ExprKind::Call(call) => {
            said(program, call.builtin.params, |at| argument(call, at)).or_else(|| of_connection(program, call.on?))
        }
        ExprKind::Tool { tool, .. } => {
            let tool = program.tools.get(tool.index())?;
            said(program, tool.builtin.params, |at| tool.args.get(at)?.as_ref())
        }
        _ => None,
    }
}

fn argument(call: &Call, at: usize) -> Option<&Expr> {
    match call.args.get(at)?.as_ref()? {
        CallArg::Value(value) => Some(value),
        CallArg::PerItem(_) => None,
    }
}

fn of_connection(program: &Program, id: ConnectionId) -> Option<String> {
    let made = &program.connections.get(id.index())?.made;
    said(program, made.driver.params, |at| made.args.get(at)?.as_ref())
}

fn said<'p>(program: &Program, params: &[ParamInfo], given: impl Fn(usize) -> Option<&'p Expr>) -> Option<String> {
    NAMES.iter().find_map(|name| {
        let at = params.iter().position(|param| param.name == *name)?;
        match (given(at), params.get(at)?.presence) {
            (Some(expr), _) => Some(text::expr(program, expr)),
            (None, Presence::Default(default)) => Some(default().to_string()),
            (None, Presence::Required | Presence::Optional) => None,
        }
    })
}
