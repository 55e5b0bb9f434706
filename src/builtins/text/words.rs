//! `words`

use std::sync::Arc;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Value};

const TEXT: Param<Arc<str>> = Param::required("text", "The text.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "words",
    summary: "The words of a text: what stands between spaces, tabs and newlines.",
    params: &[TEXT.info()],
    returns: Returns::Type(|| Type::list(Type::String)),
    effect: EffectRule::Pure,
    body: Body::Pure(words),
    needs: &[],
    by_hand: "awk",
    examples: &[Example::gives(r#""a  b" | words"#, "a, b")],
};

fn words(args: &Args<'_>) -> Result<Value, Fault> {
    Ok(Value::list(args.get(&TEXT)?.split_ascii_whitespace().map(Value::part).collect()))
}
