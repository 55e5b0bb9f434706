//! What is written in a program as far as it is known before a run: texts with params in their values, and `*` for
//! what only the run will tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::definitions::{Definition, Definitions};
use crate::catalog::need::Argument;
use crate::catalog::{Accepts, Landing, ParamInfo};
use crate::check::program::{Call, CallArg, Expr, ExprKind, Format, Program, TextPart};
use crate::check::setting;
use crate::types::{Type, Value};

/// How many texts one argument may be. A list of more is said as a pattern.
const MOST: usize = 64;

/// Reads what is written.
pub(super) struct Reader<'p> {
    pub(super) program: &'p Program,
    /// What `--set` gave, as it was typed.
    pub(super) set: &'p BTreeMap<Arc<str>, String>,
    pub(super) definitions: &'p Definitions<'p>,
}

impl<'p> Reader<'p> {
    /// An argument of a call by its name, a field of one, or an item: `manifest.kind`, `words.0`.
    pub(super) fn argument(&self, params: &[ParamInfo], args: &'p [Option<CallArg>], path: &str) -> Argument {
        let exprs = args.iter().map(|arg| match arg {
            Some(CallArg::Value(expr)) => Some(expr),
            _ => None,
        });
        self.one(params, exprs, path)
    }

    /// The same of a declaration.
    pub(super) fn declared(&self, params: &[ParamInfo], args: &'p [Option<Expr>], path: &str) -> Argument {
        self.one(params, args.iter().map(Option::as_ref), path)
    }

    fn one(&self, params: &[ParamInfo], mut args: impl Iterator<Item = Option<&'p Expr>>, path: &str) -> Argument {
        let mut steps = path.split('.');
        let name = steps.next().unwrap_or_default();
        let index = params.iter().position(|param| param.name == name);
        let Some(Some(expr)) = index.and_then(|index| args.nth(index)) else { return Argument::Absent };
        let mut expr = self.behind(expr);
        let landing = index.and_then(|index| params.get(index)).and_then(|param| match param.accepts {
            Accepts::Literal(landing) => Some(landing),
            _ => None,
        });
        if let (Some(_), ExprKind::Template(parts)) = (landing, &expr.kind) {
            return known(self.joined(parts, landing));
        }
        while let Some(step) = steps.next() {
            if let ExprKind::Literal(value) = &expr.kind {
                return of_value(value, std::iter::once(step).chain(steps));
            }
            match field(expr, step) {
                Some(inner) => expr = self.behind(inner),
                None => return Argument::Absent,
            }
        }
        self.texts(expr)
    }

    /// The call that a value comes from: that of `cluster.pod("db-0")`, also where a `let` holds it.
    pub(super) fn source(&self, expr: &'p Expr) -> Option<&'p Call> {
        match &self.behind(expr).kind {
            ExprKind::Call(call) => Some(call),
            ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => self.source(base),
            _ => None,
        }
    }

    /// The expression that a name or a conversion stands for.
    fn behind(&self, expr: &'p Expr) -> &'p Expr {
        let mut expr = expr;
        // A name never stands for itself; the bound is for what this function cannot see.
        for _ in 0..MOST {
            expr = match &expr.kind {
                ExprKind::Convert(inner) => inner,
                ExprKind::Local(local) => match self.definitions.of(*local) {
                    Some(Definition::Is(value)) => value,
                    _ => return expr,
                },
                _ => return expr,
            };
        }
        expr
    }

    /// All texts that an expression may be.
    fn texts(&self, expr: &'p Expr) -> Argument {
        known(self.all(expr))
    }

    /// Each with whether it is all known.
    fn all(&self, expr: &'p Expr) -> Option<Vec<(String, bool)>> {
        let expr = self.behind(expr);
        match &expr.kind {
            ExprKind::Literal(Value::String(text)) => Some(vec![(text.to_string(), true)]),
            ExprKind::Literal(value @ (Value::Int(_) | Value::Bool(_))) => Some(vec![(value.to_string(), true)]),
            ExprKind::Param(id) => {
                let param = self.program.params.get(id.index())?;
                match (self.set.get(&param.name), &param.default) {
                    (Some(_), _) if matches!(param.ty.present(), Type::List(_)) => None,
                    (Some(typed), _) => Some(vec![(typed.clone(), true)]),
                    (None, Some(default)) => self.all(default),
                    (None, None) => None,
                }
            }
            ExprKind::Local(local) => match self.definitions.of(*local)? {
                Definition::Is(_) => None,
                Definition::OneOf(list) => self.items(list),
            },
            ExprKind::Text(parts) | ExprKind::Template(parts) => self.joined(parts, None),
            _ => None,
        }
    }

    /// The parts of a text in a row, as what they are sent as.
    fn joined(&self, parts: &'p [TextPart], landing: Option<Landing>) -> Option<Vec<(String, bool)>> {
        let mut whole = vec![(String::new(), true)];
        // The quote that is open where a value stands.
        let mut quote = None;
        for part in parts {
            let own = match part {
                TextPart::Text(text) => {
                    quote = text.chars().fold(quote, |quote, c| match (quote, c) {
                        (Some(open), c) if c == open => None,
                        (None, '"' | '\'') => Some(c),
                        _ => quote,
                    });
                    vec![(text.to_string(), true)]
                }
                // It is sent beside the statement.
                TextPart::Value { .. } if matches!(landing, Some(Landing::Sql)) => vec![("*".to_owned(), true)],
                TextPart::Value { value, format: None | Some(Format::Whole | Format::Name) } => match landing {
                    Some(Landing::Words) => self.words(value, quote),
                    _ => self.all(value),
                }
                .unwrap_or_else(|| vec![("*".to_owned(), false)]),
                TextPart::Value { .. } => vec![("*".to_owned(), false)],
            };
            if whole.len() * own.len() > MOST {
                return None;
            }
            let join = |(left, known): &(String, bool)| {
                own.iter().map(|(right, also)| (format!("{left}{right}"), *known && *also)).collect::<Vec<_>>()
            };
            whole = whole.iter().flat_map(join).collect();
        }
        Some(whole)
    }

    /// A value in a text of words: it never leaves its word. A list is as many words as it has items.
    fn words(&self, value: &'p Expr, quote: Option<char>) -> Option<Vec<(String, bool)>> {
        if matches!(value.ty.present(), Type::List(_)) {
            let items = self.items(value)?;
            let known = items.iter().all(|(_, known)| *known);
            let words: Vec<String> = items.iter().map(|(text, _)| word(text, quote)).collect();
            return Some(vec![(words.join(" "), known)]);
        }
        let all = self.all(value)?.into_iter();
        Some(all.map(|(text, known)| (word(&text, quote), known)).collect())
    }

    /// The texts of the items of a list that is written there or set.
    fn items(&self, list: &'p Expr) -> Option<Vec<(String, bool)>> {
        let ExprKind::List(items) = &self.behind(list).kind else { return self.literals(list) };
        let items: Option<Vec<_>> = items.iter().map(|item| self.all(item)).collect();
        items.map(|items| items.into_iter().flatten().collect())
    }

    /// The texts of a list that is a constant, or set.
    fn literals(&self, list: &'p Expr) -> Option<Vec<(String, bool)>> {
        let texts = |items: &[Value]| {
            let text =
                |item: &Value| if let Value::String(text) = item { Some((text.to_string(), true)) } else { None };
            items.iter().map(text).collect()
        };
        match &self.behind(list).kind {
            ExprKind::Param(id) => {
                let param = self.program.params.get(id.index())?;
                match self.set.get(&param.name) {
                    Some(typed) => match setting(&param.ty, typed) {
                        Ok(Value::List(items)) => texts(&items),
                        _ => None,
                    },
                    None => self.items(param.default.as_ref()?),
                }
            }
            ExprKind::Literal(Value::List(items)) => texts(items),
            _ => None,
        }
    }
}

fn known(all: Option<Vec<(String, bool)>>) -> Argument {
    match all {
        Some(texts) if texts.len() <= MOST && texts.iter().all(|(_, known)| *known) => {
            Argument::Texts(texts.into_iter().map(|(text, _)| text).collect())
        }
        Some(texts) if texts.len() == 1 => Argument::Pattern(texts.into_iter().map(|(text, _)| text).collect()),
        _ => Argument::Pattern("*".to_owned()),
    }
}

/// A value as a word, or a part of one that a quote holds together: no sign in it parts words or ends a quote.
fn word(value: &str, quote: Option<char>) -> String {
    let parts = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
    let Some(open) = quote else {
        let is_plain = !value.is_empty() && !value.contains(parts);
        return if is_plain { value.to_owned() } else { format!("'{}'", word(value, Some('\''))) };
    };
    let other = if open == '"' { '\'' } else { '"' };
    value.replace(open, &format!("{open}{other}{open}{other}{open}"))
}

fn field<'p>(expr: &'p Expr, name: &str) -> Option<&'p Expr> {
    match &expr.kind {
        ExprKind::Record(fields) => fields.iter().find(|(own, _)| **own == *name).map(|(_, value)| value),
        ExprKind::List(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

/// A field of a constant.
fn of_value<'s>(value: &Value, steps: impl Iterator<Item = &'s str>) -> Argument {
    let json = value.to_json();
    let mut json = &json;
    for step in steps {
        let inner = match step.parse::<usize>() {
            Ok(index) if json.is_array() => json.get(index),
            _ => json.get(step),
        };
        match inner {
            Some(inner) => json = inner,
            None => return Argument::Absent,
        }
    }
    json.as_str().map_or_else(|| Argument::Pattern("*".to_owned()), |text| Argument::Texts(vec![text.to_owned()]))
}
