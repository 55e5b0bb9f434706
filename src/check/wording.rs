//! How things are called in messages.

use super::checker::Checker;
use super::names::What;
use super::program::{Expr, ExprKind};
use crate::source::Span;
use crate::syntax::one_line;
use crate::types::Type;

/// The longest piece of source that a message repeats.
const MAX_QUOTED: usize = 40;

/// How deep a type is written out: one of a deep record would fill a page.
const MAX_TYPE_DEPTH: usize = 3;

/// `a duration`, `an int`, `a list of pod`.
pub(super) fn a(ty: &Type) -> String {
    match ty {
        Type::Cores => "a number of cores".to_owned(),
        Type::Data => "data".to_owned(),
        Type::Null => "null".to_owned(),
        Type::Optional(inner) => format!("{} that may be missing", a(inner)),
        Type::Connection(driver) => format!("a connection of `{driver}`"),
        Type::Record(record) if record.name.is_none() => "a record".to_owned(),
        other => {
            let name = type_text(other);
            let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
            format!("{article} {name}")
        }
    }
}

/// A type as it is written, its innermost parts left out where it is deep.
pub(super) fn type_text(ty: &Type) -> String {
    fn write(ty: &Type, depth: usize) -> String {
        match ty {
            Type::List(item) => format!("list<{}>", write(item, depth)),
            Type::Optional(inner) => format!("{}?", write(inner, depth)),
            Type::Record(record) => match &record.name {
                Some(name) => name.to_string(),
                None if depth == 0 => "{ … }".to_owned(),
                None => {
                    let mut fields: Vec<String> = record
                        .fields
                        .iter()
                        .take(8)
                        .map(|(name, field)| format!("{name}: {}", write(&field.ty, depth - 1)))
                        .collect();
                    if record.fields.len() > fields.len() {
                        fields.push("…".to_owned());
                    }
                    format!("{{ {} }}", fields.join(", "))
                }
            },
            Type::Enum(words) => words.name.replace('_', " "),
            other => other.to_string(),
        }
    }
    write(ty, MAX_TYPE_DEPTH)
}

/// `` `a`, `b` or `c` ``.
pub(super) fn alternatives<'k>(words: impl IntoIterator<Item = &'k str>) -> String {
    let mut quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.pop() {
        None => String::new(),
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} or {last}", quoted.join(", ")),
    }
}

impl Checker<'_> {
    /// What an expression is called in a message: its source, if that is short.
    pub(super) fn quoted(&self, span: Span) -> String {
        let line = one_line(self.text(span));
        if line.chars().count() <= MAX_QUOTED && !line.is_empty() { format!("`{line}`") } else { "this".to_owned() }
    }

    /// What was written, where a help can repeat it: a name, or a field of one.
    pub(super) fn named(&self, expr: &Expr) -> String {
        let text = one_line(self.text(expr.span));
        let is_name = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        if is_name && !text.is_empty() && text.len() <= MAX_QUOTED { text } else { "x".to_owned() }
    }

    /// A quantity as the plain number that it is of its unit, as it is written: `size / 1B`.
    pub(super) fn divided(&self, quantity: &Expr) -> String {
        let text = one_line(self.text(quantity.span));
        let is_one = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        let unit = quantity.ty.present().one().unwrap_or("…");
        match text.len() {
            _ if is_one && !text.is_empty() => format!("{text} / {unit}"),
            1..=MAX_QUOTED => format!("({text}) / {unit}"),
            _ => format!("x / {unit}"),
        }
    }

    /// `` `response_time` is a duration``.
    pub(super) fn claim(&self, expr: &Expr) -> String {
        let claim = format!("{} is {}", self.quoted(expr.span), a(&expr.ty));
        match (&expr.kind, expr.ty.present()) {
            (ExprKind::Literal(crate::types::Value::Int(_) | crate::types::Value::Float(_)), _) => {
                format!("{} is a bare number", self.quoted(expr.span))
            }
            _ => claim,
        }
    }

    /// Where the name that an expression is was declared.
    pub(super) fn declared_at(&self, expr: &Expr) -> Option<Span> {
        let declaration = |what| self.names.declaration(what).map(|declaration| declaration.name.span);
        match &expr.kind {
            ExprKind::Local(id) => {
                self.locals.get(id.index()).map(|local| local.span).filter(|span| *span != expr.span)
            }
            ExprKind::Param(id) => declaration(What::Param(*id)),
            ExprKind::Metric(id) => declaration(What::Metric(*id)),
            ExprKind::Convert(inner) => self.declared_at(inner),
            _ => None,
        }
    }
}
