//! What decided a check that failed: the items, the two sides, the record a field is of.
//!
//! It is made from what has been read for the check; where that is not enough, less is said.

use std::collections::HashSet;
use std::sync::Arc;

use super::context::one_line;
use super::eval::{Evaluation, truth};
use super::scope::Scope;
use super::shown::{cell, rows};
use super::told::{beside, is_short, told, unlike, with_texts};
use crate::catalog::Body;
use crate::check::program::walk;
use crate::check::program::{BinaryOp, Call, CallArg, Expr, ExprKind, Lambda, LocalId, UnaryOp};
use crate::shown::{Cell, Shown, ShownBody};
use crate::source::{Sources, Span};
use crate::types::Value;

/// How many items are told.
const MOST_ITEMS: usize = 20;
/// How many things are told.
const MOST: usize = 6;

pub(crate) fn evidence(
    evaluation: &Evaluation<'_>,
    sources: &Sources,
    condition: &Expr,
    scope: &Arc<Scope>,
) -> Vec<Shown> {
    let mut search = Search { evaluation, sources, scope, found: Vec::new() };
    search.of(condition, false);
    search.found.truncate(MOST);
    search.found
}

struct Search<'s> {
    evaluation: &'s Evaluation<'s>,
    sources: &'s Sources,
    scope: &'s Arc<Scope>,
    found: Vec<Shown>,
}

impl Search<'_> {
    /// Why an expression is what it is: `value`.
    fn of(&mut self, expr: &Expr, value: bool) {
        match &expr.kind {
            ExprKind::Convert(inner) => self.of(inner, value),
            ExprKind::Unary { op: UnaryOp::Not, operand } => self.of(operand, !value),
            ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, left, right } => {
                for side in [left, right] {
                    if self.value(side).is_some_and(|side| truth(side).is_ok_and(|side| side == value)) {
                        self.of(side, value);
                    }
                }
            }
            ExprKind::Binary { op, left, right } if *op != BinaryOp::Coalesce => {
                self.side(left, right);
                self.side(right, left);
            }
            ExprKind::Call(call) => self.call(call, value),
            ExprKind::Field { base, .. } => {
                let base_value = self.value(base);
                if let Some(Value::Record(fields)) = base_value {
                    let short = fields.iter().filter(|(_, value)| is_short(value));
                    let fields = short.map(|(name, value)| (name.to_string(), cell(value))).collect();
                    self.tell(base.span, ShownBody::Record { fields });
                }
            }
            _ => {}
        }
    }

    /// One side of a comparison, unless it says itself what it is.
    fn side(&mut self, side: &Expr, other: &Expr) {
        let plain = unconverted(side);
        if matches!(plain.kind, ExprKind::Literal(_) | ExprKind::List(_)) {
            return;
        }
        if let Some(value) = self.value(side) {
            let other = self.value(other);
            let body = match &value {
                Value::List(items) => {
                    let others: Vec<Value> = other.into_iter().collect();
                    let texts = match unlike(&value, &others) {
                        Value::List(texts) => rows(told(&texts, &HashSet::new()), MOST_ITEMS),
                        _ => return,
                    };
                    rows(told(items, &HashSet::new()), MOST_ITEMS).and_then(|body| Ok(with_texts(body, texts?)))
                }
                value => {
                    let others = other.map(alternatives).unwrap_or_default();
                    Ok(ShownBody::Value { cell: Cell { text: beside(value, &others), ..cell(value) } })
                }
            };
            if let Ok(body) = body {
                self.tell(plain.span, body);
            }
        }
    }

    /// The items that decide a question about all of them, or what was said beside an answer from outside.
    fn call(&mut self, call: &Call, value: bool) {
        if let Body::Outside(_) = call.builtin.body {
            if let Some(remark) = self.evaluation.remark(call, self.scope) {
                let body = ShownBody::Value { cell: cell(&Value::string(remark)) };
                self.found.push(Shown { title: None, body, partial: None });
            }
            return;
        }
        let Some(Some(CallArg::Value(source))) = call.args.first() else { return };
        let question = question_of(call);
        // The answer that speaks against the question as a whole; `None` where every item does.
        let guilty = match (call.builtin.name, value) {
            ("all", false) => Some(false),
            ("none", false) | ("any", true) => Some(true),
            ("any" | "is_empty", false) => None,
            _ => return,
        };
        let (mut total, mut deciding, mut kept) = (0u64, 0u64, Vec::new());
        // One that could not be had decides nothing, and takes nothing from what the others say.
        let whole = self.evaluation.each_item(source, self.scope, &mut |item| {
            total += 1;
            let Ok(item) = item else { return };
            let answer = match question {
                Some(question) => self.evaluation.answer(question.param, &question.body, &item, self.scope),
                None => Some(item.clone()),
            };
            let decides = guilty
                .is_none_or(|guilty| answer.is_some_and(|answer| truth(answer).is_ok_and(|answer| answer == guilty)));
            if decides {
                deciding += 1;
                if kept.len() < MOST_ITEMS {
                    kept.push(item);
                }
            }
        });
        if !whole {
            return;
        }
        // What is left over by `where(…) | is_empty` is there for what the `where` asks.
        let question = question.or_else(|| match &source.kind {
            ExprKind::Call(call) if call.builtin.name == "where" => question_of(call),
            _ => None,
        });
        let texts = question.map(|question| self.told_apart(question, &kept)).unwrap_or_default();
        let looked_at = question.map(looked_at).unwrap_or_default();
        if let Ok(mut body) = rows(told(&kept, &looked_at), MOST_ITEMS) {
            for (row, field, text) in texts {
                put(&mut body, row, field.as_deref(), text);
            }
            if let ShownBody::Table { total, .. } | ShownBody::Lines { total, .. } = &mut body {
                *total = deciding;
            }
            self.found.push(Shown { title: Some(format!("{deciding} of {total}")), body, partial: None });
        }
    }

    /// The fields of items that a question compares with something, with the digits that tell them from it: the number
    /// of the item, the name of the field (the item itself where there is none), the text.
    fn told_apart(&self, question: &Lambda, items: &[Value]) -> Vec<(usize, Option<Arc<str>>, String)> {
        let mut compared = Vec::new();
        comparisons(&question.body, question.param, &mut compared);
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            for (field, other) in &compared {
                let value = match (field, item) {
                    (Some(name), Value::Record(fields)) => fields.get(name).cloned(),
                    (Some(name), Value::Data(data)) => {
                        data.get(&***name).map(|field| Value::Data(field.clone().into()))
                    }
                    (Some(_), _) => None,
                    (None, item) => Some(item.clone()),
                };
                let other = self.evaluation.answer(question.param, other, item, self.scope);
                if let (Some(value), Some(other)) = (value, other) {
                    texts.push((index, field.cloned(), beside(&value, &alternatives(other))));
                }
            }
        }
        texts
    }

    fn value(&self, expr: &Expr) -> Option<Value> {
        self.evaluation.tracked(expr, self.scope).ok().map(|tracked| tracked.value)
    }

    fn tell(&mut self, span: Span, body: ShownBody) {
        let title = Some(one_line(self.sources.text(span)));
        self.found.push(Shown { title, body, partial: None });
    }
}

fn question_of(call: &Call) -> Option<&Lambda> {
    call.args.iter().flatten().find_map(|arg| match arg {
        CallArg::PerItem(lambda) => Some(lambda),
        CallArg::Value(_) => None,
    })
}

fn unconverted(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Convert(inner) => inner,
        _ => expr,
    }
}

/// What a value was compared with: each item of a list that it was looked for in.
fn alternatives(other: Value) -> Vec<Value> {
    match other {
        Value::List(items) => items.to_vec(),
        other => vec![other],
    }
}

/// The fields of an item that a question asks for.
fn looked_at(question: &Lambda) -> HashSet<&str> {
    let mut found = HashSet::new();
    walk::expr(&question.body, &mut |expr| {
        if let ExprKind::Field { base, name, .. } = &expr.kind
            && matches!(unconverted(base).kind, ExprKind::Local(local) if local == question.param)
        {
            found.insert(&**name);
        }
    });
    found
}

/// The fields of an item, and the item itself, that a question compares with something.
fn comparisons<'e>(expr: &'e Expr, item: LocalId, found: &mut Vec<(Option<&'e Arc<str>>, &'e Expr)>) {
    let is_item = |expr: &Expr| matches!(unconverted(expr).kind, ExprKind::Local(local) if local == item);
    match &expr.kind {
        ExprKind::Convert(inner) => comparisons(inner, item, found),
        ExprKind::Unary { op: UnaryOp::Not, operand } => comparisons(operand, item, found),
        ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, left, right } => {
            comparisons(left, item, found);
            comparisons(right, item, found);
        }
        ExprKind::Binary { op, left, right } if *op != BinaryOp::Coalesce => {
            for (side, other) in [(left, right), (right, left)] {
                match &unconverted(side).kind {
                    ExprKind::Field { base, name, .. } if is_item(base) => found.push((Some(name), other)),
                    ExprKind::Local(local) if *local == item => found.push((None, other)),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Puts a text into a row, or into the cell of one.
fn put(body: &mut ShownBody, row: usize, field: Option<&str>, text: String) {
    match body {
        ShownBody::Table { columns, rows, .. } => {
            let column = columns.iter().position(|column| Some(column.as_str()) == field);
            if let Some(cell) = column.and_then(|column| rows.get_mut(row)?.get_mut(column)) {
                cell.text = text;
            }
        }
        ShownBody::Lines { lines, .. } if field.is_none() => {
            if let Some(line) = lines.get_mut(row) {
                *line = text;
            }
        }
        _ => {}
    }
}
