//! `compare`

use std::sync::Arc;

use indexmap::IndexMap;
use indexmap::map::Entry;
use jiff::Timestamp;

use super::kinds::KindOfEntry;
use crate::catalog::{
    Accepts, Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Mismatch, Param, Presence, Returns,
};
use crate::types::{EnumType, Fault, Percent, Type, Typed, Value, Word, Words, records};

const ITEMS: Param<Value> = Param::items();
const BEFORE: Param<Value> = Param::new(
    "before",
    "The patterns of the time before, as `patterns` gives them.",
    Accepts::Items,
    Presence::Required,
);

/// From how many times as many on there are `more`, or as few `less`.
const CLEARLY: i64 = 2;

/// How a kind of entries has changed.
#[derive(Clone, Debug)]
pub struct Change;

impl Words for Change {
    const ENUM: &'static EnumType =
        &EnumType { name: "pattern_change", values: &["new", "gone", "more", "less", "same"], open: false };
}

records! {
    /// A kind of entries, now and before.
    struct Compared "compared_pattern" {
        /// What the entries share.
        pattern: Arc<str>,
        /// `new`: there were none before; `gone`: there are none now; `more` and `less`: twice as many and more, or half of them and fewer; else `same`.
        change: Word<Change>,
        /// How many there are.
        count: i64,
        /// How many there were before.
        before: i64,
        /// How many times as many as before; missing where there were none.
        times: Option<f64>,
        /// Their part of all entries.
        share: Percent,
        /// The earliest time of one, where lines have times; of one before where there are none now.
        first: Option<Timestamp>,
        /// The latest time of one, where lines have times; of one before where there are none now.
        last: Option<Timestamp>,
        /// The first one, with all its lines.
        example: Arc<str>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "compare",
    summary: "The patterns of a log beside those of a time before: which are new, which are gone, and which come more or less often. Those of now come in their order, and behind them those that are gone.",
    params: &[ITEMS.info(), BEFORE.info()],
    returns: Returns::Computed { shape: "list<compared_pattern> of two list<pattern>", compute: compared_type },
    effect: EffectRule::Pure,
    body: Body::Stage(compare),
    needs: &[],
    by_hand: "diff",
    examples: &[
        Example::gives(
            r#"["took 3ms", "no"] | patterns | compare(before: ["took 5ms", "yes"] | patterns) | each("{.pattern}: {.change}")"#,
            "took <n>ms: same, no: new, yes: gone",
        ),
        Example::call(
            r#"logs(file: "/var/log/app.log*", since: 1d) | patterns | compare(before: logs(file: "/var/log/app.log*", since: 2d, until: 1d) | patterns) | where(.change == "new")"#,
        ),
    ],
};

fn compare<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let Value::List(earlier) = args.get(&BEFORE)? else {
        return Err(Fault::conversion("`before` is no list of patterns"));
    };
    let before = counted(earlier.iter().cloned().map(Ok))?;
    let now = counted(items)?;
    let mut compared = Vec::with_capacity(now.len());
    for (pattern, (kind, count)) in &now {
        let before = before.get(pattern).map_or(0, |(_, before)| *before);
        compared.push(record(kind, *count, before)?);
    }
    for (_, (kind, count)) in before.iter().filter(|(pattern, _)| !now.contains_key(*pattern)) {
        compared.push(record(kind, 0, *count)?);
    }
    Ok(Flow::Value(Value::list(compared)))
}

/// The kinds in their order, each once: several logs may have been joined.
fn counted(kinds: impl Iterator<Item = Result<Value, Fault>>) -> Result<IndexMap<Arc<str>, (Value, i64)>, Fault> {
    let mut all: IndexMap<Arc<str>, (Value, i64)> = IndexMap::new();
    for kind in kinds {
        let kind = kind?;
        let own = count(&kind)?;
        match all.entry(pattern(&kind)?) {
            Entry::Occupied(mut known) => {
                let (_, sum) = known.get_mut();
                *sum = sum.saturating_add(own);
            }
            Entry::Vacant(new) => {
                new.insert((kind, own));
            }
        }
    }
    Ok(all)
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of counts is as exact as a double")]
fn record(kind: &Value, now: i64, before: i64) -> Result<Value, Fault> {
    let change = match (now, before) {
        (_, 0) => "new",
        (0, _) => "gone",
        _ if now >= before.saturating_mul(CLEARLY) => "more",
        _ if before >= now.saturating_mul(CLEARLY) => "less",
        _ => "same",
    };
    let time = |name| field(kind, name).map(|value| if let Value::Time(time) = value { Some(time) } else { None });
    let share = match field(kind, "share")? {
        Value::Percent(share) if now > 0 => share,
        _ => 0.0,
    };
    Ok(Compared {
        pattern: pattern(kind)?,
        change: Word::new(change),
        count: now,
        before,
        times: (before > 0).then(|| now as f64 / before as f64),
        share: Percent(share),
        first: time("first")?,
        last: time("last")?,
        example: text(kind, "example")?,
    }
    .into())
}

fn field(kind: &Value, name: &str) -> Result<Value, Fault> {
    let field = if let Value::Record(fields) = kind { fields.get(name).cloned() } else { None };
    field.ok_or_else(|| Fault::conversion(format!("`compare` wants patterns, and an item has no `{name}`")))
}

fn pattern(kind: &Value) -> Result<Arc<str>, Fault> {
    text(kind, "pattern")
}

fn text(kind: &Value, name: &str) -> Result<Arc<str>, Fault> {
    match field(kind, name)? {
        Value::String(text) => Ok(text.into_inner()),
        _ => Err(Fault::conversion(format!("`compare` wants patterns, and the `{name}` of an item is no text"))),
    }
}

fn count(kind: &Value) -> Result<i64, Fault> {
    match field(kind, "count")? {
        Value::Int(count) => Ok(count),
        _ => Err(Fault::conversion("`compare` wants patterns, and the `count` of an item is no number")),
    }
}

fn compared_type(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    let before = match inputs.given(BEFORE.name()) {
        Some(Type::List(item)) => item.as_ref().clone(),
        _ => Type::Unknown,
    };
    for (param, item) in [("items", inputs.item()), (BEFORE.name(), before)] {
        if item != KindOfEntry::ty() && !item.is_unknown() {
            return Err(Mismatch {
                param,
                message: format!("`compare` wants patterns, and an item is `{item}`"),
                help: Some("make them first: `today | patterns | compare(before: yesterday | patterns)`".to_owned()),
            });
        }
    }
    Ok(Type::list(Compared::ty()))
}
