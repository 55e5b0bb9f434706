//! `join`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Mismatch, Param, Returns};
use crate::types::{Fault, FaultKind, Type, Value};

const ITEMS: Param<Value> = Param::items().in_answer();
const WITH: Param<String> = Param::or("with", "What stands between two items.", || Value::string(", "));

/// The longest text that is made: longer ones are no text for a person.
const MOST_BYTES: usize = 16 << 20;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "join",
    summary: "The items as one text.",
    params: &[ITEMS.info(), WITH.info()],
    returns: Returns::Computed { shape: "string", compute: text_type },
    effect: EffectRule::Pure,
    body: Body::Stage(join),
    needs: &[],
    by_hand: "paste -s -d ,",
    examples: &[Example::gives(r#"["a", "b"] | join"#, "a, b"), Example::gives(r#"[1, 2] | join("/")"#, "1/2")],
};

fn join<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let with = args.get(&WITH)?;
    let mut text = String::new();
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push_str(&with);
        }
        match item? {
            secret @ Value::Secret(_) => return Err(Fault::conversion(format!("a {} is not joined", secret.kind()))),
            item => text.push_str(&item.whole()),
        }
        if text.len() > MOST_BYTES {
            return Err(Fault::new(
                FaultKind::TooLarge,
                format!("`join` makes {MOST_BYTES} bytes at most, and there are more"),
            ));
        }
    }
    Ok(Flow::Value(Value::string(text)))
}

fn text_type(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    match inputs.item() {
        Type::List(_) | Type::Record(_) | Type::Secret | Type::Connection(_) => Err(Mismatch {
            param: "items",
            message: format!("`join` makes one text of texts, and an item is `{}`", inputs.item()),
            help: Some("say which text of an item is meant: `each(.name) | join`".to_owned()),
        }),
        _ => Ok(Type::String),
    }
}
