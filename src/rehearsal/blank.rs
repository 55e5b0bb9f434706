//! Answers that a test does not give, or gives in part.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::run::Asked;
use crate::types::{Fault, FaultKind, RecordType, Type, Value};

/// How a fault says that a test gives no answer.
const NOT_GIVEN: &str = "not given in this test";

pub(super) fn not_given(what: &str) -> Fault {
    Fault::new(FaultKind::Unsupported, format!("{what} is {NOT_GIVEN}"))
}

/// Whether a fault comes from what a test does not say, and from nothing that it does.
pub(super) fn is_not_given(fault: &Fault) -> bool {
    fault.kind == FaultKind::Unsupported && fault.message.ends_with(NOT_GIVEN)
}

/// What is answered where the test says nothing: a record whose fields cannot be had, so that what it is asked for in
/// turn can be given (`cluster.pod("x").disk("/data")`).
pub(super) fn blank(asked: &Asked, ty: &Type) -> Option<Value> {
    let Type::Record(record) = ty.present() else { return None };
    let fields = record.fields.keys().map(|name| {
        let place = asked.builtin.params.iter().position(|param| *param.name == **name);
        let given = place.and_then(|place| asked.args.get(place).cloned().flatten());
        let value = match given {
            Some(value @ (Value::String(_) | Value::Int(_))) => value,
            _ => faulted(name),
        };
        (Arc::clone(name), value)
    });
    Some(Value::record(fields))
}

/// What a test gives, with the fields that it leaves out.
pub(super) fn padded(value: Value, ty: &Type) -> Value {
    match (value, ty.present()) {
        (Value::List(items), Type::List(item)) => {
            Value::list(items.iter().map(|value| padded(value.clone(), item)).collect())
        }
        (Value::Record(fields), Type::Record(record)) => {
            let all = record.fields.iter().map(|(name, field)| {
                let value = match fields.get(name) {
                    Some(value) => padded(value.clone(), &field.ty),
                    None if field.ty.is_optional() => Value::Null,
                    None => faulted(name),
                };
                (Arc::clone(name), value)
            });
            Value::record(all)
        }
        (value, _) => value,
    }
}

/// An answer that took its time and was fine: `true` of what answers, the time where an answer has a place for it.
pub(super) fn slow(asked: &Asked, ty: &Type, took: jiff::SignedDuration) -> Option<Value> {
    match ty.present() {
        Type::Bool => Some(Value::Bool(true)),
        Type::Record(record) => {
            let Some(Value::Record(fields)) = blank(asked, ty) else { return None };
            let all = fields.iter().map(|(name, value)| {
                let value = match (&**name, record.fields.get(name).map(|field| &field.ty)) {
                    ("status", _) => Value::Int(200),
                    ("timing", Some(Type::Record(timing))) => timed(timing, took),
                    _ => value.clone(),
                };
                (Arc::clone(name), value)
            });
            Some(Value::record(all))
        }
        _ => None,
    }
}

fn timed(timing: &RecordType, took: jiff::SignedDuration) -> Value {
    Value::record(timing.fields.keys().map(|name| {
        let value = if &**name == "total" { Value::Duration(took) } else { faulted(name) };
        (Arc::clone(name), value)
    }))
}

/// A field that cannot be had. A night asks for a few names, thousands of times.
fn faulted(name: &str) -> Value {
    thread_local! {
        static KNOWN: RefCell<HashMap<Box<str>, Value>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(known) = known.get(name) {
            return known.clone();
        }
        let fresh = Value::Faulted(Arc::new(not_given(&format!("`.{name}`"))));
        known.insert(name.into(), fresh.clone());
        fresh
    })
}
