//! p50, p90, p95, p99: one family, by the nearest rank, so that the answer is a number that was measured.

use super::amount::{self, OF};
use super::order;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Param, Returns};
use crate::types::{Fault, Value};

const ITEMS: Param<Value> = Param::items();

macro_rules! percentile {
    ($static:ident, $name:literal, $percent:literal, $summary:literal, $gives:literal) => {
        pub(super) static $static: Builtin = Builtin {
            name: $name,
            summary: $summary,
            params: &[ITEMS.info(), OF.info()],
            returns: Returns::Computed {
                shape: "the type of the numbers",
                compute: |inputs| amount::number_type($name, "takes", inputs),
            },
            effect: EffectRule::Pure,
            body: Body::Stage(|items, args| nearest_rank($name, $percent, items, args)),
            needs: &[],
            by_hand: "",
            examples: &[Example::gives(concat!("[4ms, 1ms, 3ms, 2ms] | ", $name), $gives)],
        };
    };
}

percentile!(P50, "p50", 50, "The smallest of the numbers that half of them do not exceed; a fault of nothing.", "2ms");
percentile!(P90, "p90", 90, "The smallest of the numbers that 90% of them do not exceed; a fault of nothing.", "4ms");
percentile!(P95, "p95", 95, "The smallest of the numbers that 95% of them do not exceed; a fault of nothing.", "4ms");
percentile!(P99, "p99", 99, "The smallest of the numbers that 99% of them do not exceed; a fault of nothing.", "4ms");

fn nearest_rank<'a>(stage: &'static str, percent: usize, items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let numbers = order::sorted(stage, amount::numbers(stage, items, args))?;
    let rank = (numbers.len() * percent).div_ceil(100);
    let nothing = || Fault::no_value(format!("`{stage}` of nothing: there are no items"));
    rank.checked_sub(1).and_then(|index| numbers.into_iter().nth(index)).map(Flow::Value).ok_or_else(nothing)
}
