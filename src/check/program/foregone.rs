//! Conditions whose answer is written in them: they hold, or do not, whatever is found.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::mem::discriminant;

use super::{
    BinaryOp, CallArg, CommandId, Expr, ExprKind, LocalId, Program, Statement, StatementKind, TextPart, UnaryOp, walk,
};
use crate::types::Value;

/// How far names are followed: a circle of them is a mistake, and is looked at all the same.
const DEEPEST: u32 = 64;

/// What is called by a built-in that counts is never less than nothing.
const COUNTS: &str = "count";

/// What the names of a program stand for.
#[derive(Debug, Default)]
pub struct Foregone<'p> {
    lets: HashMap<LocalId, &'p Expr>,
    /// What commands return that return one thing alone.
    returns: HashMap<CommandId, &'p Expr>,
}

impl<'p> Foregone<'p> {
    #[must_use]
    pub fn of(program: &'p Program) -> Self {
        let mut lets = HashMap::new();
        walk::all(program, &mut |statement| {
            if let StatementKind::Let { local, value } = &statement.kind {
                lets.insert(*local, value);
            }
        });
        let returns = (0..).map(CommandId).zip(&program.commands);
        let returns = returns.filter_map(|(id, command)| Some((id, returned(&command.body)?))).collect();
        Self { lets, returns }
    }

    /// What a `let` gave to a name, and what a command returns.
    #[must_use]
    pub fn stands_for(&self, expr: &Expr) -> Option<&'p Expr> {
        match &expr.kind {
            ExprKind::Local(local) => self.lets.get(local).copied(),
            ExprKind::Command { command, .. } => self.returns.get(command).copied(),
            _ => None,
        }
    }

    /// Whether a condition holds whatever is found; `None` where that decides. A param is what somebody sets.
    #[must_use]
    pub fn holds(&self, condition: &Expr) -> Option<bool> {
        self.look(condition, DEEPEST)
    }

    fn look(&self, expr: &Expr, depth: u32) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        let look = |expr: &Expr| self.look(expr, depth);
        match &expr.uncovered().kind {
            ExprKind::Literal(Value::Bool(holds)) => Some(*holds),
            ExprKind::Local(local) => look(self.lets.get(local)?),
            ExprKind::Unary { op: UnaryOp::Not, operand } => Some(!look(operand)?),
            ExprKind::Binary { op: BinaryOp::And, left, right } => match (look(left), look(right)) {
                (Some(true), other) | (other, Some(true)) => other,
                (Some(false), _) | (_, Some(false)) => Some(false),
                (None, None) => opposites(left, right).then_some(false),
            },
            ExprKind::Binary { op: BinaryOp::Or, left, right } => match (look(left), look(right)) {
                (Some(false), other) | (other, Some(false)) => other,
                (Some(true), _) | (_, Some(true)) => Some(true),
                (None, None) => opposites(left, right).then_some(true),
            },
            ExprKind::Binary { op, left, right } => compared(*op, left.uncovered(), right.uncovered()),
            ExprKind::If { condition, then, otherwise } => match look(condition) {
                Some(true) => look(then),
                Some(false) => look(otherwise),
                None => look(then).filter(|then| look(otherwise) == Some(*then)),
            },
            ExprKind::Try { value, otherwise, .. } => look(value).filter(|value| look(otherwise) == Some(*value)),
            _ => None,
        }
    }
}

/// What a block returns, where it is always the same expression.
fn returned(body: &[Statement]) -> Option<&Expr> {
    let mut all = Vec::new();
    walk::statements(body, &mut |statement| {
        if let StatementKind::Return { value } = &statement.kind {
            all.push(value);
        }
    });
    let StatementKind::Return { value } = &body.last()?.kind else { return None };
    (all.len() == 1).then_some(value)
}

/// `x` and `not x`
fn opposites(one: &Expr, other: &Expr) -> bool {
    let not = |one: &Expr, other: &Expr| matches!(&one.uncovered().kind, ExprKind::Unary { op: UnaryOp::Not, operand } if same(operand, other));
    not(one, other) || not(other, one)
}

fn compared(op: BinaryOp, left: &Expr, right: &Expr) -> Option<bool> {
    let order = match (&left.kind, &right.kind) {
        (ExprKind::Literal(a), ExprKind::Literal(b)) => a.order(b)?,
        (ExprKind::Call(call), ExprKind::Literal(Value::Int(least))) if call.builtin.name == COUNTS => {
            return counted(op, *least);
        }
        _ if same(left, right) => Ordering::Equal,
        _ => return None,
    };
    Some(match op {
        BinaryOp::Equal => order.is_eq(),
        BinaryOp::NotEqual => order.is_ne(),
        BinaryOp::Less => order.is_lt(),
        BinaryOp::LessOrEqual => order.is_le(),
        BinaryOp::Greater => order.is_gt(),
        BinaryOp::GreaterOrEqual => order.is_ge(),
        _ => return None,
    })
}

/// A count against a number.
const fn counted(op: BinaryOp, least: i64) -> Option<bool> {
    match op {
        BinaryOp::GreaterOrEqual if least <= 0 => Some(true),
        BinaryOp::Greater | BinaryOp::NotEqual if least < 0 => Some(true),
        BinaryOp::Less if least <= 0 => Some(false),
        BinaryOp::LessOrEqual | BinaryOp::Equal if least < 0 => Some(false),
        _ => None,
    }
}

/// Whether two expressions are the same read: what is read twice between two changes is read once.
fn same(one: &Expr, other: &Expr) -> bool {
    let all = |a: &[Expr], b: &[Expr]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b));
    match (&one.uncovered().kind, &other.uncovered().kind) {
        (ExprKind::Literal(a), ExprKind::Literal(b)) => {
            a.equals(b) || discriminant(a) == discriminant(b) && a.to_string() == b.to_string()
        }
        (ExprKind::Text(a), ExprKind::Text(b)) | (ExprKind::Template(a), ExprKind::Template(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_part(a, b))
        }
        (ExprKind::Local(a), ExprKind::Local(b)) => a == b,
        (ExprKind::Param(a), ExprKind::Param(b)) => a == b,
        (ExprKind::Connection(a), ExprKind::Connection(b)) => a == b,
        (ExprKind::Metric(a), ExprKind::Metric(b)) => a == b,
        (ExprKind::Run(a), ExprKind::Run(b)) => a == b,
        (ExprKind::Field { base: a, name: x, .. }, ExprKind::Field { base: b, name: y, .. }) => x == y && same(a, b),
        (ExprKind::Unary { op: a, operand: x }, ExprKind::Unary { op: b, operand: y }) => a == b && same(x, y),
        (ExprKind::Binary { op, left, right }, ExprKind::Binary { op: by, left: first, right: second }) => {
            op == by && same(left, first) && same(right, second)
        }
        (ExprKind::List(a), ExprKind::List(b)) => all(a, b),
        (ExprKind::Command { command: a, args: x }, ExprKind::Command { command: b, args: y }) => a == b && all(x, y),
        (ExprKind::Tool { tool: a, args: x }, ExprKind::Tool { tool: b, args: y }) => a == b && all(x, y),
        (ExprKind::Call(a), ExprKind::Call(b)) => {
            let args = a.args.iter().zip(&b.args).all(|(a, b)| match (a, b) {
                (None, None) => true,
                (Some(CallArg::Value(a)), Some(CallArg::Value(b))) => same(a, b),
                _ => false,
            });
            a.builtin.name == b.builtin.name && a.args.len() == b.args.len() && args
        }
        _ => false,
    }
}

fn same_part(one: &TextPart, other: &TextPart) -> bool {
    match (one, other) {
        (TextPart::Text(a), TextPart::Text(b)) => a == b,
        (TextPart::Value { value: a, format: x }, TextPart::Value { value: b, format: y }) => x == y && same(a, b),
        _ => false,
    }
}
