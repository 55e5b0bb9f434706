//! `keys`

use super::entries::{OBJECT, object};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Type, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "keys",
    summary: "The keys of a JSON object, in its order.",
    params: &[OBJECT.info()],
    returns: Returns::Type(|| Type::list(Type::String)),
    effect: EffectRule::Pure,
    body: Body::Pure(keys),
    needs: &[],
    by_hand: "jq -r 'keys_unsorted[]'",
    examples: &[Example::gives(r#"'{ "b": 1, "a": 2 }' | parse_json | keys"#, "b, a")],
};

fn keys(args: &Args<'_>) -> Result<Value, Fault> {
    Ok(Value::list(object(args)?.into_iter().map(|(key, _)| Value::part(key)).collect()))
}
