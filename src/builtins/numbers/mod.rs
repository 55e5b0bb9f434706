//! Numbers, with and without a unit.

mod abs;
mod round;

use crate::catalog::Builtin;
use crate::types::{Fault, Value};

pub(super) static ALL: &[&Builtin] = &[&abs::BUILTIN, &round::BUILTIN];

/// A number in data is a float: it has no unit, and its type does not hang on how it was written.
fn number(value: Value) -> Result<Value, Fault> {
    let data = matches!(value, Value::Data(_));
    let value = value.read()?.plainly();
    Ok(if data { value.plain_number().map_or(value, Value::Float) } else { value })
}
