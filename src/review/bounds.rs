//! What another condition means: whether it holds more often than before. Where that cannot be said, it is only different.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::pairs::{Pair, pairs};
use super::{Kind, worst};
use crate::check::program::foregone::Foregone;
use crate::check::program::walk;
use crate::check::program::{BinaryOp, Call, CallArg, Expr, ExprKind, Program, TextPart, UnaryOp};
use crate::plan::{self, text};
use crate::source::Span;
use crate::types::{Type, Value};

/// Where a condition holds, a list has items and a number is large: more of it, or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    More,
    Less,
    /// It cannot be said.
    Otherwise,
}

impl Moved {
    pub(super) const fn turned(self) -> Self {
        match self {
            Self::More => Self::Less,
            Self::Less => Self::More,
            Self::Otherwise => Self::Otherwise,
        }
    }
}

/// An expression in its program.
#[derive(Clone, Copy)]
pub(super) struct Said<'p> {
    program: &'p Program,
    expr: &'p Expr,
    /// What its names stand for, where that is looked at.
    names: Option<&'p Foregone<'p>>,
}

/// The worst of what an edit means to whom more is one thing and less is another; `None` where nothing is different.
pub(super) fn weighed(old: Said<'_>, new: Said<'_>, more: Kind, less: Kind) -> Option<Kind> {
    weigh(&moved(old, new), more, less)
}

/// The same of what is known already.
pub(super) fn weigh(moved: &[Moved], more: Kind, less: Kind) -> Option<Kind> {
    let kinds = moved.iter().map(|moved| match moved {
        Moved::More => more,
        Moved::Less => less,
        Moved::Otherwise => Kind::Changed,
    });
    (!moved.is_empty()).then(|| worst(kinds))
}

/// All that is said of the new one; nothing where it is the same.
pub(super) fn moved(old: Said<'_>, new: Said<'_>) -> Vec<Moved> {
    if old.text() == new.text() {
        return Vec::new();
    }
    if let (Some(a), Some(b)) = (old.items(), new.items()) {
        return lists(a, b).unwrap_or_else(|| by_another_name(old, new));
    }
    // Fewer items of a list.
    match (old.filtered(), new.filtered()) {
        (_, Some(all)) if all.text() == old.text() => return vec![Moved::Less],
        (Some(all), _) if all.text() == new.text() => return vec![Moved::More],
        _ => {}
    }
    if let (Some(a), Some(b)) = (old.constant(), new.constant()) {
        return constants(a, b).unwrap_or_else(|| by_another_name(old, new));
    }
    match (old.written_flag(), new.written_flag()) {
        (_, Some(true)) | (Some(false), _) => return vec![Moved::More],
        (_, Some(false)) | (Some(true), _) => return vec![Moved::Less],
        (None, None) => {}
    }
    if let (Some(a), Some(b)) = (old.negated(), new.negated()) {
        return moved(a, b).into_iter().map(Moved::turned).collect();
    }
    if let Some(op) = joint(old, new) {
        return terms(old, new, op);
    }
    if let (Some((a, list)), Some((b, other))) = (old.one_of(), new.one_of())
        && a.text() == b.text()
    {
        return moved(list, other);
    }
    if let (Some(a), Some(b)) = (old.compared(), new.compared())
        && a.subject.text() == b.subject.text()
    {
        return comparisons(&a, &b);
    }
    match (&old.expr.kind, &new.expr.kind) {
        (ExprKind::Call(a), ExprKind::Call(b)) => calls((old, a), (new, b)),
        (ExprKind::Binary { op, left: a, right: x }, ExprKind::Binary { op: other, left: b, right: y })
            if op == other =>
        {
            sides(*op, moved(old.of(a), new.of(b)), moved(old.of(x), new.of(y)))
        }
        _ => vec![Moved::Otherwise],
    }
}

/// What is said of the two sides of an operator, as it is said of both together.
fn sides(op: BinaryOp, left: Vec<Moved>, right: Vec<Moved>) -> Vec<Moved> {
    let turned = |moved: Vec<Moved>| moved.into_iter().map(Moved::turned).collect::<Vec<_>>();
    match op {
        BinaryOp::Greater | BinaryOp::GreaterOrEqual | BinaryOp::Subtract => [left, turned(right)].concat(),
        BinaryOp::Less | BinaryOp::LessOrEqual => [turned(left), right].concat(),
        BinaryOp::Add => [left, right].concat(),
        _ => vec![Moved::Otherwise],
    }
}

/// What has the same value now is what else may be set to: that is another one where a param is, or is no longer.
fn by_another_name(old: Said<'_>, new: Said<'_>) -> Vec<Moved> {
    if old.plain() == new.plain() { Vec::new() } else { vec![Moved::Otherwise] }
}

/// `None` where they are the same.
fn constants(old: &Value, new: &Value) -> Option<Vec<Moved>> {
    Some(match (old, new) {
        (Value::Bool(a), Value::Bool(b)) if a != b => vec![if *b { Moved::More } else { Moved::Less }],
        // Beyond what a float can tell apart.
        (Value::Int(a), Value::Int(b)) | (Value::Size(a), Value::Size(b)) => match b.cmp(a) {
            Ordering::Equal => return None,
            Ordering::Greater => vec![Moved::More],
            Ordering::Less => vec![Moved::Less],
        },
        _ => match number(old).zip(number(new)).and_then(|(a, b)| b.partial_cmp(&a)) {
            Some(Ordering::Equal) => return None,
            Some(Ordering::Greater) => vec![Moved::More],
            Some(Ordering::Less) => vec![Moved::Less],
            None => vec![Moved::Otherwise],
        },
    })
}

/// As sets of items. Where these are the same and the lists are not, one has an item more often; `None` where it has not.
fn lists(mut old: Vec<String>, mut new: Vec<String>) -> Option<Vec<Moved>> {
    let moved = more_or_less(old.iter().all(|item| new.contains(item)), new.iter().all(|item| old.contains(item)));
    old.sort_unstable();
    new.sort_unstable();
    if moved.is_empty() { (old != new).then(|| vec![Moved::Otherwise]) } else { Some(moved) }
}

/// By whether the old one lies within the new one, and the other way round.
fn more_or_less(within: bool, around: bool) -> Vec<Moved> {
    match (within, around) {
        (true, true) => Vec::new(),
        (true, false) => vec![Moved::More],
        (false, true) => vec![Moved::Less],
        (false, false) => vec![Moved::Otherwise],
    }
}

/// By what the terms of two conditions are joined: the one by which they share a term, if there is one.
fn joint(old: Said<'_>, new: Said<'_>) -> Option<BinaryOp> {
    let shares = |op: &BinaryOp| {
        let known: Vec<String> = old.terms(*op).into_iter().map(Said::text).collect();
        new.terms(*op).into_iter().any(|term| known.contains(&term.text()))
    };
    let own = |side: Said<'_>| match side.expr.kind {
        ExprKind::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), .. } => Some(op),
        _ => None,
    };
    let (a, b) = (own(old), own(new));
    a.or(b)?;
    [BinaryOp::Or, BinaryOp::And].into_iter().find(shares).or(b).or(a)
}

/// A term more after `or` holds more often, one more after `and` less.
fn terms(old: Said<'_>, new: Said<'_>, op: BinaryOp) -> Vec<Moved> {
    let (terms, others) = (keyed(old, op), keyed(new, op));
    let (mut gone, mut added, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for pair in pairs(&terms, &others, |term| term.0.clone(), |a, b| a.1.is_some() && a.1 == b.1) {
        match pair {
            Pair::Both(a, b) => found.extend(moved(a.2, b.2)),
            Pair::Gone(a) => gone.push(a.2),
            Pair::New(b) => added.push(b.2),
        }
    }
    found.extend(gone.iter().zip(&added).flat_map(|(a, b)| moved(*a, *b)));
    let more = if op == BinaryOp::Or { Moved::More } else { Moved::Less };
    found.extend(added.iter().skip(gone.len()).map(|_| more));
    found.extend(gone.iter().skip(added.len()).map(|_| more.turned()));
    found
}

/// Each term with its text and with what it compares with something, if it does.
fn keyed(side: Said<'_>, op: BinaryOp) -> Vec<(String, Option<String>, Said<'_>)> {
    let subject = |term: Said<'_>| term.compared().map(|one| one.subject.text());
    side.terms(op).into_iter().map(|term| (term.text(), subject(term), term)).collect()
}

/// `errors > 5%`, with the constant on the right.
struct Compared<'p> {
    subject: Said<'p>,
    op: BinaryOp,
    with: &'p Value,
    /// It is written there, and is no param.
    is_written: bool,
}

impl Compared<'_> {
    /// The numbers for which it holds, each end with whether it belongs to them.
    fn range(&self) -> Option<[(f64, bool); 2]> {
        let bound = number(self.with)?;
        // Whole numbers lie between bounds that are whole.
        let whole = self.subject.expr.ty == Type::Int;
        let (least, most) = ((f64::NEG_INFINITY, true), (f64::INFINITY, true));
        Some(match self.op {
            BinaryOp::Greater if whole => [(bound.floor(), false), most],
            BinaryOp::Greater => [(bound, false), most],
            BinaryOp::GreaterOrEqual if whole => [(bound.ceil() - 1.0, false), most],
            BinaryOp::GreaterOrEqual => [(bound, true), most],
            BinaryOp::Less if whole => [least, (bound.ceil(), false)],
            BinaryOp::Less => [least, (bound, false)],
            BinaryOp::LessOrEqual if whole => [least, (bound.floor() + 1.0, false)],
            BinaryOp::LessOrEqual => [least, (bound, true)],
            BinaryOp::Equal => [(bound, true), (bound, true)],
            _ => return None,
        })
    }
}

fn comparisons(old: &Compared<'_>, new: &Compared<'_>) -> Vec<Moved> {
    let (Some(a), Some(b)) = (old.range(), new.range()) else { return vec![Moved::Otherwise] };
    // The same value, written otherwise: `85%` and `0.85`.
    if old.op == new.op && old.is_written && new.is_written && old.with.equals(new.with) {
        return Vec::new();
    }
    // The same bound: another param, or one where there was none, or beyond what a float can tell apart.
    if a == b && (old.op == new.op || !old.is_written || !new.is_written) {
        return vec![Moved::Otherwise];
    }
    let within = |[from, to]: [(f64, bool); 2], [least, most]: [(f64, bool); 2]| {
        (from.0 > least.0 || from.0 >= least.0 && from.1 <= least.1)
            && (to.0 < most.0 || to.0 <= most.0 && to.1 <= most.1)
    };
    more_or_less(within(a, b), within(b, a))
}

/// The statuses of an answer that are well.
const STATUS: &str = "status";

/// Whether a status is among them by which a server says that it fails.
fn fails(statuses: Said<'_>) -> bool {
    statuses.items().is_some_and(|items| items.iter().any(|status| status.starts_with('5')))
}

/// Whether more of an argument is more of what a call gives, or less; `None` where it is not known.
fn follows(builtin: &str, param: &str) -> Option<bool> {
    match (builtin, param) {
        ("where" | "any" | "all" | "share", "holds")
        | ("where" | "any" | "count" | "each" | "distinct", "items")
        | (_, STATUS) => Some(true),
        ("none", "holds" | "items") | ("all" | "is_empty", "items") => Some(false),
        _ => None,
    }
}

fn calls((old, a): (Said<'_>, &Call), (new, b): (Said<'_>, &Call)) -> Vec<Moved> {
    let args = |side: Said<'_>, call: &Call| -> Vec<Option<String>> {
        let text = |arg: &CallArg| side.of(inside(arg)).text();
        call.args.iter().map(|arg| arg.as_ref().map(text)).collect()
    };
    if a.builtin.name != b.builtin.name {
        return match (a.builtin.name, b.builtin.name) {
            ("all", "any") if args(old, a) == args(new, b) => vec![Moved::More],
            ("any", "all") if args(old, a) == args(new, b) => vec![Moved::Less],
            _ => vec![Moved::Otherwise],
        };
    }
    let mut found = Vec::new();
    for ((param, was), is) in a.builtin.params.iter().zip(&a.args).zip(&b.args) {
        let moved = match (was, is) {
            (None, None) => continue,
            (Some(was), Some(is)) => moved(old.of(inside(was)), new.of(inside(is))),
            // What a server says where it fails is taken for well, which it is not by itself.
            (None, Some(is)) if param.name == STATUS && fails(new.of(inside(is))) => vec![Moved::More],
            _ => vec![Moved::Otherwise],
        };
        found.extend(moved.into_iter().map(|moved| match follows(a.builtin.name, param.name) {
            Some(true) => moved,
            Some(false) => moved.turned(),
            None => Moved::Otherwise,
        }));
    }
    found
}

/// What is looked at of an argument: a per-item expression is a condition for each item.
fn inside(arg: &CallArg) -> &Expr {
    match arg {
        CallArg::Value(value) => value,
        CallArg::PerItem(lambda) => &lambda.body,
    }
}

impl<'p> Said<'p> {
    pub(super) fn new(program: &'p Program, expr: &'p Expr) -> Self {
        Self { program, expr: expr.uncovered(), names: None }
    }

    /// With the constants that `let` gave to the names in it, and those that its commands give.
    pub(super) fn knowing(self, names: &'p Foregone<'p>) -> Self {
        Self { names: Some(names), ..self }
    }

    pub(super) const fn span(self) -> Span {
        self.expr.span
    }

    fn of(self, expr: &'p Expr) -> Self {
        Self { expr: expr.uncovered(), ..self }
    }

    /// What its names are, where these are constants.
    fn known(self) -> Vec<(Arc<str>, String)> {
        let mut found = Vec::new();
        let Some(names) = self.names else { return found };
        walk::expr(self.expr, &mut |expr| {
            let value = self.of(expr).behind();
            if names.stands_for(expr).is_some() && (value.constant().is_some() || value.items().is_some()) {
                found.push((text::expr(self.program, expr).into(), value.text()));
            }
        });
        found
    }

    /// What a name or a command stands for, at the end of all names.
    fn behind(self) -> Self {
        match self.names.and_then(|names| names.stands_for(self.expr)) {
            Some(value) => self.of(value).behind(),
            None => self,
        }
    }

    /// With the params in it, as what they are unless they are given: ` (error_limit = 5%)`.
    pub(super) fn text(self) -> String {
        let given = plan::given(self.program, &[self.expr], &BTreeMap::new());
        let known = given.into_iter().filter(|(_, value)| !value.is_empty()).chain(self.known());
        let mut known: Vec<String> = known.map(|(name, value)| format!("{name} = {value}")).collect();
        known.sort();
        known.dedup();
        let text = self.plain();
        if known.is_empty() { text } else { format!("{text} ({})", known.join(", ")) }
    }

    /// Without what its params are.
    pub(super) fn plain(self) -> String {
        text::expr(self.program, self.expr)
    }

    /// A text that is written out, with a blank for each value in it.
    pub(super) fn words(self) -> Option<String> {
        match (self.constant(), &self.expr.kind) {
            (Some(Value::String(text)), _) => Some(text.to_string()),
            (_, ExprKind::Text(parts) | ExprKind::Template(parts)) => {
                let word = |part: &TextPart| match part {
                    TextPart::Text(text) => text.to_string(),
                    TextPart::Value { .. } => "_".to_owned(),
                };
                Some(parts.iter().map(word).collect())
            }
            _ => None,
        }
    }

    /// A constant, or the default of a param.
    pub(super) fn constant(self) -> Option<&'p Value> {
        match &self.expr.kind {
            ExprKind::Literal(value) => Some(value),
            ExprKind::Param(id) => self.of(self.program.params.get(id.index())?.default.as_ref()?).constant(),
            ExprKind::Local(_) | ExprKind::Command { .. } => self.of(self.names?.stands_for(self.expr)?).constant(),
            _ => None,
        }
    }

    pub(super) fn flag(self) -> Option<bool> {
        if let Some(Value::Bool(flag)) = self.constant() { Some(*flag) } else { None }
    }

    /// What it is whatever is found: nobody can set it.
    fn written_flag(self) -> Option<bool> {
        self.holds(&Foregone::default())
    }

    /// Whether it holds whatever is found.
    pub(super) fn holds(self, names: &Foregone<'_>) -> Option<bool> {
        names.holds(self.expr)
    }

    /// The items of a list that is written out, as texts.
    pub(super) fn items(self) -> Option<Vec<String>> {
        if let Some(Value::List(items)) = self.constant() {
            return Some(items.iter().map(ToString::to_string).collect());
        }
        match &self.expr.kind {
            ExprKind::List(items) => {
                Some(items.iter().map(|item| text::plain(self.program, item.uncovered())).collect())
            }
            ExprKind::Param(id) => self.of(self.program.params.get(id.index())?.default.as_ref()?).items(),
            ExprKind::Local(_) | ExprKind::Command { .. } => self.of(self.names?.stands_for(self.expr)?).items(),
            _ => None,
        }
    }

    /// The list of which some items are taken: `list | where(…)`.
    fn filtered(self) -> Option<Self> {
        let ExprKind::Call(call) = &self.expr.kind else { return None };
        match call.args.first() {
            Some(Some(CallArg::Value(list))) if matches!(call.builtin.name, "where" | "take") => Some(self.of(list)),
            _ => None,
        }
    }

    fn negated(self) -> Option<Self> {
        match &self.expr.kind {
            ExprKind::Unary { op: UnaryOp::Not, operand } => Some(self.of(operand)),
            _ => None,
        }
    }

    /// `service in ["web", "worker"]`
    fn one_of(self) -> Option<(Self, Self)> {
        match &self.expr.kind {
            ExprKind::Binary { op: BinaryOp::In, left, right } => Some((self.of(left), self.of(right))),
            _ => None,
        }
    }

    /// What is joined by an operator; itself where it is not.
    fn terms(self, by: BinaryOp) -> Vec<Self> {
        match &self.expr.kind {
            ExprKind::Binary { op, left, right } if *op == by => {
                let mut terms = self.of(left).terms(by);
                terms.extend(self.of(right).terms(by));
                terms
            }
            _ => vec![self],
        }
    }

    fn compared(self) -> Option<Compared<'p>> {
        let ExprKind::Binary { op, left, right } = &self.expr.kind else { return None };
        let (left, right) = (self.of(left), self.of(right));
        let turned = op.turned()?;
        let is_written = |side: Self| matches!(side.expr.kind, ExprKind::Literal(_));
        if let Some(with) = right.constant() {
            return Some(Compared { subject: left, op: *op, with, is_written: is_written(right) });
        }
        Some(Compared { subject: right, op: turned, with: left.constant()?, is_written: is_written(left) })
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is compared with another one that was rounded in the same way")]
fn number(value: &Value) -> Option<f64> {
    Some(match value {
        Value::Int(n) | Value::Size(n) => *n as f64,
        Value::Float(n) | Value::Percent(n) | Value::Cores(n) | Value::Rate(n, _) => *n,
        Value::Duration(duration) => duration.as_secs_f64(),
        _ => return None,
    })
}
