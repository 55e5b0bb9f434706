//! Built-ins of a test's own, with types and effects to choose from, beside the whole catalogue.
//!
//! They are answered by their first argument: `lab.number("a")` by `a`, `lab.set("x", to: 1)` by `set x`.

use std::sync::Arc;

use jiff::SignedDuration;
use runbook::catalog::{Body, Builtin, ByHand, Call, Catalog, Driver, DriverKind, EffectRule, Open, Param, Returns};
use runbook::types::{Connection, Line, SecretText, Type, Typed, Value};

const LAB: Param<Arc<Connection>> = Param::connection("lab");
const NAME: Param<String> = Param::required("name", "What is asked for.");
const TO: Param<Option<i64>> = Param::optional("to", "What it is set to.");
const WITHIN: Param<Option<SignedDuration>> = Param::optional("within", "How long it may take.");
const AT_ONCE: Param<i64> = Param::or("at_once", "How many calls side by side.", || Value::Int(64));
const KEY: Param<Option<SecretText>> = Param::optional("key", "A secret.");

macro_rules! builtins {
    ($($id:ident $name:literal $effect:expr, $ty:expr;)*) => {
        $(static $id: Builtin = Builtin {
            name: $name,
            summary: "Asks the lab.",
            params: &[LAB.info(), NAME.info(), TO.info(), WITHIN.info()],
            returns: Returns::Type(|| $ty),
            effect: $effect,
            body: Body::Outside(|_, _| unreachable!("the world answers")),
            needs: &[],
            by_hand: "ask {name}",
            examples: &[],
        };)*
        static BUILTINS: &[&Builtin] = &[$(&$id),*];
    };
}

builtins! {
    NUMBER "lab.number" EffectRule::Reads, Type::Int;
    FLAG "lab.flag" EffectRule::Reads, Type::Bool;
    WORDS "lab.words" EffectRule::Reads, Type::list(Type::String);
    JSON "lab.json" EffectRule::Reads, Type::Data;
    LOG "lab.log" EffectRule::Reads, Type::list(Line::ty());
    MAYBE "lab.maybe" EffectRule::Reads, Type::Int.optional();
    SET "lab.set" EffectRule::Changes { idempotent: false }, Type::Int;
    TOUCH "lab.touch" EffectRule::Changes { idempotent: true }, Type::Int;
}

static DRIVER: Driver = Driver {
    name: "lab",
    kind: DriverKind::Connection,
    summary: "A lab.",
    params: &[AT_ONCE.info(), KEY.info()],
    open: Open::Now(|_, _| unreachable!("the world opens it")),
    needs: &[],
    reaches: |_| Vec::new(),
    by_hand: ByHand::NONE,
    examples: &[],
};

pub fn catalog() -> Catalog {
    let real = runbook::builtins::catalog();
    let builtins: Vec<&'static Builtin> = real.builtins().chain(BUILTINS.iter().copied()).collect();
    let drivers: Vec<&'static Driver> = real.drivers().chain([&DRIVER]).collect();
    Catalog::new(&builtins, &drivers)
}

/// What a call of the lab is answered by, and how it is noted: `a` and `read a`, `set x` and `set x=1`.
pub fn short(call: &Call) -> Option<(String, String)> {
    let verb = call.builtin.name.strip_prefix("lab.")?;
    let name = call.args.get(&NAME).unwrap();
    if !matches!(verb, "set" | "touch") {
        return Some((name.clone(), format!("read {name}")));
    }
    let to = call.args.get(&TO).unwrap().map_or_else(String::new, |to| format!("={to}"));
    Some((format!("{verb} {name}"), format!("{verb} {name}{to}")))
}
