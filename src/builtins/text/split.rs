//! `split`

use std::sync::Arc;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Judge, Param, Returns};
use crate::types::{Fault, Type, Value};

const TEXT: Param<Arc<str>> = Param::required("text", "The text.");
const BY: Param<Arc<str>> =
    Param::required("by", "What stands between the parts.").judged(Judge::Text(|by, _| separator(by)));

pub(super) static BUILTIN: Builtin = Builtin {
    name: "split",
    summary: "The parts of a text between separators; a text without the separator is one part.",
    params: &[TEXT.info(), BY.info()],
    returns: Returns::Type(|| Type::list(Type::String)),
    effect: EffectRule::Pure,
    body: Body::Pure(split),
    needs: &[],
    by_hand: "cut -d '{by}'",
    examples: &[Example::gives(r#""a,b,,c" | split(",") | count"#, "4")],
};

fn split(args: &Args<'_>) -> Result<Value, Fault> {
    let (text, by) = (args.get(&TEXT)?, args.get(&BY)?);
    separator(&by)?;
    Ok(Value::list(text.split(&*by).map(Value::part).collect()))
}

fn separator(by: &str) -> Result<(), Fault> {
    if by.is_empty() {
        return Err(Fault::no_value("`split` wants a separator, got an empty text").help("`words` splits at spaces"));
    }
    Ok(())
}
