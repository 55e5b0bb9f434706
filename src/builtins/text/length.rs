//! `length`

use crate::catalog::{Accepts, Args, Body, Builtin, EffectRule, Example, Inputs, Mismatch, Param, Presence, Returns};
use crate::types::{Fault, Type, Value};

const TEXT: Param<Value> = Param::new("text", "The text.", Accepts::Anything, Presence::Required);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "length",
    summary: "How many characters a text has; `count` is for the items of a list.",
    params: &[TEXT.info()],
    returns: Returns::Computed { shape: "int", compute: length_type },
    effect: EffectRule::Pure,
    body: Body::Pure(length),
    needs: &[],
    by_hand: "wc -m",
    examples: &[Example::gives(r#""größe" | length"#, "5")],
};

fn length(args: &Args<'_>) -> Result<Value, Fault> {
    let text = match args.get(&TEXT)?.read()?.plainly() {
        Value::String(text) => text.into_inner(),
        Value::Line(line) => line.text.clone(),
        other => return Err(Fault::conversion(format!("`length` is of a text, got a {}", other.kind()))),
    };
    Ok(Value::Int(i64::try_from(text.chars().count()).unwrap_or(i64::MAX)))
}

fn length_type(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    let ty = inputs.of("text");
    if ty.is_text() || matches!(ty, Type::Data | Type::Unknown) {
        return Ok(Type::Int);
    }
    let help = match &ty {
        Type::List(_) => Some("write `count` for the items of a list".to_owned()),
        Type::Optional(_) => Some(format!("say what stands in for it: `… ?? {}`", ty.stand_in())),
        _ => None,
    };
    Err(Mismatch { param: "text", message: format!("`length` is of a text, and this is `{ty}`"), help })
}
