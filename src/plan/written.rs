//! What is written in a program as far as it is known before a run: texts with params in their values, and `*` for
//! what only the run will tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::definitions::{Definition, Definitions};
use crate::catalog::ParamInfo;
use crate::catalog::need::Argument;
use crate::check::program::{Call, CallArg, Expr, ExprKind, Format, Program, TextPart};
use crate::types::Value;

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
        match self.all(expr) {
            Some(texts) if texts.len() <= MOST && texts.iter().all(|(_, known)| *known) => {
                Argument::Texts(texts.into_iter().map(|(text, _)| text).collect())
            }
            Some(texts) if texts.len() == 1 => Argument::Pattern(texts.into_iter().map(|(text, _)| text).collect()),
            _ => Argument::Pattern("*".to_owned()),
        }
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
                    (Some(typed), _) => Some(vec![(typed.clone(), true)]),
                    (None, Some(default)) => self.all(default),
                    (None, None) => None,
                }
            }
            ExprKind::Local(local) => match self.definitions.of(*local)? {
                Definition::Is(_) => None,
                Definition::OneOf(list) => {
                    let ExprKind::List(items) = &self.behind(list).kind else { return self.literals(list) };
                    let items: Option<Vec<_>> = items.iter().map(|item| self.all(item)).collect();
                    items.map(|items| items.into_iter().flatten().collect())
                }
            },
            ExprKind::Text(parts) | ExprKind::Template(parts) => {
                let mut whole = vec![(String::new(), true)];
                for part in parts {
                    let own = match part {
                        TextPart::Text(text) => vec![(text.to_string(), true)],
                        TextPart::Value { value, format: None | Some(Format::Whole | Format::Name) } => {
                            self.all(value).unwrap_or_else(|| vec![("*".to_owned(), false)])
                        }
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
            _ => None,
        }
    }

    /// The texts of a list that is a constant.
    fn literals(&self, list: &'p Expr) -> Option<Vec<(String, bool)>> {
        let list = match &self.behind(list).kind {
            ExprKind::Param(id) => {
                self.program.params.get(id.index())?.default.as_ref().map(|list| self.behind(list))?
            }
            _ => self.behind(list),
        };
        match &list.kind {
            ExprKind::Literal(Value::List(items)) => items
                .iter()
                .map(|item| if let Value::String(text) = item { Some((text.to_string(), true)) } else { None })
                .collect(),
            _ => None,
        }
    }
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
