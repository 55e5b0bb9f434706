//! `replace`

use std::sync::Arc;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Text, Type, Value};

const TEXT: Param<Text> = Param::required("text", "The text.");
const FROM: Param<Arc<str>> = Param::required("from", "What is replaced, letter by letter.");
const TO: Param<Arc<str>> = Param::required("to", "What stands in its place.");

/// A replacement is a text, and that of each letter by a page is none.
const MOST_BYTES: usize = 64 << 20;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "replace",
    summary: "A text with every occurrence of one text replaced by another.",
    params: &[TEXT.info(), FROM.info(), TO.info()],
    returns: Returns::Type(|| Type::String),
    effect: EffectRule::Pure,
    body: Body::Pure(replace),
    needs: &[],
    by_hand: "sed 's/{from}/{to}/g'",
    examples: &[Example::gives(r#""a-b-c" | replace("-", "/")"#, "a/b/c")],
};

fn replace(args: &Args<'_>) -> Result<Value, Fault> {
    let (text, from) = (args.get(&TEXT)?, args.get(&FROM)?);
    if from.is_empty() {
        return Err(Fault::no_value("`replace` wants a text to look for, got an empty one"));
    }
    let to = args.get(&TO)?;
    let longer = text.matches(&*from).count().saturating_mul(to.len().saturating_sub(from.len()));
    if text.len().saturating_add(longer) > MOST_BYTES {
        return Err(Fault::new(FaultKind::TooLarge, "`replace` makes 64MiB at most, and there are more"));
    }
    Ok(text.made(text.replace(&*from, &to)))
}
