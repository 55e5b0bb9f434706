//! `patterns`

use std::cmp::Reverse;
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;

use super::mask;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Mismatch, Param, Returns};
use crate::types::{Fault, FaultKind, Line, Percent, Type, Typed, Value, records};

const ITEMS: Param<Value> = Param::items();

/// The most patterns that are kept: more of them are no summary.
const MOST_PATTERNS: usize = 10_000;

/// How much of a line is looked at, in bytes. With the cap on patterns it bounds the memory: about 80 MB.
const LOOKED_AT: usize = 4096;

records! {
    /// Lines that differ only in numbers, ids, addresses, times and quoted values.
    struct KindOfLine "pattern" {
        /// What the lines share: `<n>`, `<id>`, `<uuid>`, `<ip>`, `<time>` and `"<text>"` stand for what varies.
        pattern: String,
        /// How many lines are like this.
        count: i64,
        /// Their part of all lines.
        share: Percent,
        /// The earliest time of such a line, where lines have times.
        first: Option<Timestamp>,
        /// The latest time of such a line, where lines have times.
        last: Option<Timestamp>,
        /// The first such line.
        example: Arc<str>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "patterns",
    summary: "The kinds of lines, the most frequent first: lines that differ only in numbers, ids, addresses, times and quoted values are one kind. Each has its `.pattern`, `.count`, `.share`, `.first`, `.last` and an `.example`. The first 4 KiB of a line are looked at; more than 10,000 kinds are a fault.",
    params: &[ITEMS.info()],
    returns: Returns::Computed { shape: "list<pattern> of a list<line> or list<string>", compute: pattern_type },
    effect: EffectRule::Pure,
    body: Body::Stage(patterns),
    needs: &[],
    by_hand: "sed -E 's/[0-9]+/N/g' | sort | uniq -c | sort -rn",
    examples: &[
        Example::gives(r#"["took 3ms", "took 17ms", "no"] | patterns | each(.pattern)"#, "took <n>ms, no"),
        Example::call(r#"logs(file: "/var/log/syslog") | where(.text ~ /error/i) | patterns"#),
    ],
};

struct Kind {
    count: i64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    example: Arc<str>,
}

fn patterns<'a>(items: Items<'a>, _: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let mut kinds: IndexMap<String, Kind> = IndexMap::new();
    let mut lines = 0;
    for item in items {
        let (text, time) = line_of(item?)?;
        lines += 1;
        let masked = mask::mask(head(&text));
        if let Some(kind) = kinds.get_mut(&masked) {
            kind.count += 1;
            kind.first = [kind.first, time].into_iter().flatten().min();
            kind.last = [kind.last, time].into_iter().flatten().max();
        } else if kinds.len() < MOST_PATTERNS {
            kinds.insert(masked, Kind { count: 1, first: time, last: time, example: shortened(&text) });
        } else {
            return Err(Fault::new(FaultKind::TooLarge, format!("there are more than {MOST_PATTERNS} kinds of lines"))
                .help("write `where(…)` before `patterns` to look at fewer lines"));
        }
    }
    kinds.sort_by_key(|_, kind| Reverse(kind.count));
    let records = kinds.into_iter().map(|(pattern, kind)| record(pattern, kind, lines).into());
    Ok(Flow::Value(Value::list(records.collect())))
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of counts is as exact as a double")]
fn record(pattern: String, kind: Kind, lines: i64) -> KindOfLine {
    let share = Percent(kind.count as f64 / lines as f64);
    KindOfLine { pattern, count: kind.count, share, first: kind.first, last: kind.last, example: kind.example }
}

fn line_of(item: Value) -> Result<(Arc<str>, Option<Timestamp>), Fault> {
    match item.plainly() {
        Value::Line(line) => Ok((Arc::clone(&line.text), line.time)),
        Value::String(text) => Ok((text, None)),
        other => Err(Fault::conversion(format!("`patterns` wants lines, got a {}", other.kind()))),
    }
}

fn head(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LOOKED_AT)).unwrap_or(text)
}

fn shortened(text: &Arc<str>) -> Arc<str> {
    if text.len() <= LOOKED_AT { Arc::clone(text) } else { format!("{}…", head(text)).into() }
}

fn pattern_type(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    let item = inputs.item();
    if item == Line::ty() || item.is_text() || matches!(item, Type::Data | Type::Unknown) {
        return Ok(Type::list(KindOfLine::ty()));
    }
    Err(Mismatch {
        param: "items",
        message: format!("`patterns` wants lines of text, and an item is `{item}`"),
        help: Some("say which text of an item is meant: `each(.message) | patterns`".to_owned()),
    })
}
