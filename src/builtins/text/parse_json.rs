//! `parse_json`

use std::sync::Arc;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Value};

const TEXT: Param<Arc<str>> = Param::required("text", "The text.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "parse_json",
    summary: "A text as the data that it is in JSON.",
    params: &[TEXT.info()],
    returns: Returns::Type(|| Type::Data),
    effect: EffectRule::Pure,
    body: Body::Pure(parse_json),
    needs: &[],
    by_hand: "jq .",
    examples: &[Example::gives(r#"('{ "up": 3 }' | parse_json).up"#, "3")],
};

fn parse_json(args: &Args<'_>) -> Result<Value, Fault> {
    let data = serde_json::from_str(&args.get(&TEXT)?);
    data.map(|data| Value::Data(Arc::new(data)))
        .map_err(|error| Fault::conversion(format!("the text is no JSON: {error}")))
}
