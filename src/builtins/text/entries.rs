//! `entries`

use std::sync::Arc;

use serde_json::Value as Json;

use crate::catalog::{Accepts, Args, Body, Builtin, EffectRule, Example, Param, Presence, Returns};
use crate::types::{Fault, Field, RecordType, Type, Value};

pub(super) const OBJECT: Param<Value> =
    Param::new("object", "An object of JSON.", Accepts::Type(|| Type::Data), Presence::Required);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "entries",
    summary: "The keys of a JSON object with their values, in its order.",
    params: &[OBJECT.info()],
    returns: Returns::Type(|| Type::list(entry())),
    effect: EffectRule::Pure,
    body: Body::Pure(entries),
    needs: &[],
    by_hand: "jq 'to_entries[]'",
    examples: &[Example::gives(
        r#"'{ "a": 1, "b": 20 }' | parse_json | entries | where(.value > 9) | each(.key) | join"#,
        "b",
    )],
};

fn entry() -> Type {
    let field = |name: &str, ty, doc: &str| (name.into(), Field { ty, doc: doc.into() });
    let fields = [field("key", Type::String, "The key."), field("value", Type::Data, "What stands behind it.")];
    Type::Record(Arc::new(RecordType { name: None, fields: fields.into_iter().collect() }))
}

fn entries(args: &Args<'_>) -> Result<Value, Fault> {
    let entries = object(args)?
        .into_iter()
        .map(|(key, value)| Value::record([("key", Value::part(key)), ("value", Value::Data(Arc::new(value)))]));
    Ok(Value::list(entries.collect()))
}

/// The fields of the object that a call is made on.
pub(super) fn object(args: &Args<'_>) -> Result<serde_json::Map<String, Json>, Fault> {
    match args.get(&OBJECT)?.read()? {
        Value::Data(data) => match Arc::unwrap_or_clone(data) {
            Json::Object(object) => Ok(object),
            Json::Array(_) => {
                Err(Fault::conversion("wanted an object of JSON, got a list").help("its items are asked by `each`"))
            }
            other => Err(Fault::conversion(format!("wanted an object of JSON, got {other}"))),
        },
        other => Err(Fault::conversion(format!("wanted an object of JSON, got a {}", other.kind()))),
    }
}
