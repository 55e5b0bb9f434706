//! `capture`

use std::sync::Arc;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Operation, Param, Returns};
use crate::types::{Fault, Regex, Type, Value};

const TEXT: Param<Arc<str>> = Param::required("text", "The text.");
const PATTERN: Param<Regex> = Param::required("pattern", "What is looked for.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "capture",
    summary: "What a pattern finds in a text: its first group, or all of it where it has no group; missing where it does not match.",
    params: &[TEXT.info(), PATTERN.info()],
    returns: Returns::Type(|| Type::String.optional()),
    effect: EffectRule::Pure,
    body: Body::Text(Operation::Capture, capture),
    needs: &[],
    by_hand: "grep -oP",
    examples: &[
        Example::gives(r#""user=ann failed" | capture(/user=(\w+)/)"#, "ann"),
        Example::gives(r#"("ok" | capture(/user=(\w+)/)) ?? "nobody""#, "nobody"),
    ],
};

fn capture(args: &Args<'_>) -> Result<Value, Fault> {
    let (text, pattern) = (args.get(&TEXT)?, args.get(&PATTERN)?);
    let Some(found) = pattern.compiled()?.captures(text.as_bytes()) else {
        return Ok(Value::Null);
    };
    // A group that took no part in the match is missing, and so is what it would have found.
    let Some(part) = found.get(usize::from(found.len() > 1)) else {
        return Ok(Value::Null);
    };
    let part = std::str::from_utf8(part.as_bytes());
    part.map(Value::part).map_err(|_| Fault::conversion("`capture` found half a character: the pattern matches bytes"))
}
