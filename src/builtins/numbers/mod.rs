//! Numbers, with and without a unit.

mod abs;
mod remainder;
mod round;

use crate::catalog::Builtin;
use crate::types::{Fault, Value};

pub(super) static ALL: &[&Builtin] = &[&abs::BUILTIN, &round::BUILTIN, &remainder::BUILTIN];

/// A number as it is, in data or not.
fn number(value: Value) -> Result<Value, Fault> {
    value.read().map(Value::plainly)
}
