//! `.field` and `[index]`, of records, lines and data.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Env, Eval, Evaluation};
use crate::check::program::{Call, CallArg, Expr, ExprKind};
use crate::run::convert::absent;
use crate::run::items::short;
use crate::types::{Fault, Line, Value};

impl Evaluation<'_> {
    pub(super) fn field(&self, base: &Expr, name: &Arc<str>, optional: bool, env: Env<'_>) -> Eval {
        let value = self.eval(base, env)?;
        if optional && is_missing(&value) {
            return Ok(Value::Null);
        }
        Ok(match value.read()? {
            Value::Record(fields) => match fields.get(name) {
                Some(value) => value.clone().read()?,
                // Records that were joined by their types: a field that only one of them has.
                None => Value::Null,
            },
            Value::Line(line) => line_field(&line, name)?,
            Value::Data(data) => match (data.as_ref(), data.get(&**name)) {
                (_, Some(value)) => Value::Data(Arc::new(value.clone())),
                (Json::Object(_), None) if optional => Value::Null,
                (Json::Object(object), None) => {
                    return Err(absent(name, object.keys(), path(base), &self.written(base)).into());
                }
                _ => {
                    let found = short(&Value::Data(Arc::clone(&data)));
                    let fault = Fault::no_value(format!("`{}.{name}` is not there: got {found}", path(base)));
                    let help =
                        data.is_null().then(|| format!("`{}?.{name}` is missing where that is", self.written(base)));
                    return Err(help.map_or_else(|| fault.clone(), |help| fault.clone().help(help)).into());
                }
            },
            Value::Time(time) if &**name == "age" => Value::Duration(self.facts.run.started_at.duration_since(time)),
            Value::Null => return Err(Fault::no_value(format!("`{}` is missing", path(base))).into()),
            other => return Err(Fault::conversion(format!("{} has no field `{name}`", short(&other))).into()),
        })
    }

    pub(super) fn index(&self, base: &Expr, index: &Expr, env: Env<'_>) -> Eval {
        let (list, index) = super::both(self.eval(base, env), self.eval(index, env))?;
        let index = index.read()?.plainly();
        Ok(match (self.in_memory(list.read()?)?, index) {
            (Value::List(items), Value::Int(index)) => {
                let place = position(index, items.len());
                place.and_then(|place| items.get(place)).cloned().ok_or_else(|| outside(index, items.len()))?.read()?
            }
            (Value::Record(fields), Value::String(key)) => match fields.get(&key) {
                Some(value) => value.clone().read()?,
                None => return Err(Fault::no_value(format!("there is no `{key}`")).into()),
            },
            (Value::Data(data), index) => Value::Data(Arc::new(self.data_at(&data, &index, base)?)),
            (Value::Null, _) => return Err(Fault::no_value(format!("`{}` is missing", path(base))).into()),
            (list, index) => {
                return Err(Fault::conversion(format!("{} has no place {index}", short(&list))).into());
            }
        })
    }

    fn data_at(&self, data: &Json, index: &Value, base: &Expr) -> Result<Json, Fault> {
        match (data, index) {
            (Json::Array(items), Value::Int(index)) => {
                let place = position(*index, items.len());
                place.and_then(|place| items.get(place)).cloned().ok_or_else(|| outside(*index, items.len()))
            }
            (Json::Object(object), Value::String(key)) => {
                object.get(&***key).cloned().ok_or_else(|| absent(key, object.keys(), path(base), &self.written(base)))
            }
            (other, index) => {
                let found = short(&Value::Data(Arc::new(other.clone())));
                Err(Fault::no_value(format!("`{}[{index}]` is not there: got {found}", path(base))))
            }
        }
    }

    /// An expression as a help writes it: `it`, `.used`, `answer.json`; `…` for what is longer.
    fn written(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Local(local) => {
                self.facts.program.locals.get(local.index()).map_or_else(|| "…".to_owned(), |one| one.name.to_string())
            }
            ExprKind::Field { base, name, optional } => match (self.written(base).as_str(), optional) {
                ("it", false) => format!(".{name}"),
                (base, false) => format!("{base}.{name}"),
                (base, true) => format!("{base}?.{name}"),
            },
            ExprKind::Index { base, index } => match &index.kind {
                ExprKind::Literal(Value::String(key)) => format!("{}[\"{key}\"]", self.written(base)),
                ExprKind::Literal(index) => format!("{}[{index}]", self.written(base)),
                _ => format!("{}[…]", self.written(base)),
            },
            ExprKind::Convert(inner) => self.written(inner),
            _ => "…".to_owned(),
        }
    }

    /// A fault whose help names the value that it speaks of.
    pub(super) fn about(&self, fault: Fault, expr: &Expr) -> Fault {
        fault.about(&self.written(expr), name_of(expr))
    }

    /// The same of a stage: the value is what it was asked for each item, or the item.
    pub(super) fn about_items(&self, fault: Fault, call: &Call) -> Fault {
        let asked = call.args.iter().flatten().find_map(|arg| match arg {
            CallArg::PerItem(lambda) => Some(&lambda.body),
            CallArg::Value(_) => None,
        });
        match asked {
            Some(body) => self.about(fault, body),
            None => fault.about("it", None),
        }
    }
}

/// Counted from 0; below 0 from the end.
fn position(index: i64, length: usize) -> Option<usize> {
    if index >= 0 {
        usize::try_from(index).ok()
    } else {
        length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
    }
}

fn outside(index: i64, length: usize) -> Fault {
    let fault = Fault::no_value(format!("`[{index}]` of a list of {length}"));
    fault.help("places are counted from 0; `first` gives an item that may be missing")
}

fn line_field(line: &Line, name: &str) -> Result<Value, Fault> {
    Ok(match name {
        "text" => Value::part(line.text.clone()),
        "number" => Value::Int(line.number),
        "source" => Value::string(line.source.clone()),
        "time" => line.time.map_or(Value::Null, Value::Time),
        _ => return Err(Fault::conversion(format!("a line has no field `{name}`"))),
    })
}

fn is_missing(value: &Value) -> bool {
    matches!(value, Value::Null) || matches!(value, Value::Data(data) if data.is_null())
}

/// The name of the field that an expression is.
fn name_of(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Field { name, .. } => Some(name),
        ExprKind::Convert(inner) => name_of(inner),
        _ => None,
    }
}

/// The fields that lead to an expression, for messages: `.json.tasks`.
fn path(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Field { base, name, .. } => format!("{}.{name}", path(base)),
        ExprKind::Index { base, index } => match &index.kind {
            ExprKind::Literal(index) => format!("{}[{index}]", path(base)),
            _ => format!("{}[…]", path(base)),
        },
        ExprKind::Convert(inner) => path(inner),
        _ => String::new(),
    }
}
