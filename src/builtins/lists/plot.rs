//! `plot`

use crate::catalog::{Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Type, Value};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "plot",
    summary: "Draws numbers over time.",
    params: &[ITEMS.info()],
    returns: Returns::Type(|| Type::Data),
    effect: EffectRule::Pure,
    body: Body::Later("reports"),
    needs: &[],
    by_hand: "",
    examples: &[Example::call("[1, 4, 2] | plot")],
};
