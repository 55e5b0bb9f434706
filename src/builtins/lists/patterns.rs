//! `patterns`

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::mask;
use crate::catalog::{
    Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Mismatch, Operation, Param, Returns,
};
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
    body: Body::Scan(Operation::Patterns, patterns),
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
    /// Where the example is: of equally frequent kinds the earlier comes first.
    place: u64,
}

/// The kinds of lines that were seen.
#[derive(Default)]
pub(in crate::builtins) struct Kinds {
    kinds: HashMap<String, Kind>,
    /// The mask of a line on its way.
    mask: String,
}

fn patterns<'a>(items: Items<'a>, _: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let mut kinds = Kinds::default();
    let mut lines = 0;
    for (place, item) in (0..).zip(items) {
        let (text, time) = line_of(item?)?;
        lines += 1;
        kinds.add(&text, time, place)?;
    }
    Ok(Flow::Value(kinds.into_value(lines)))
}

impl Kinds {
    /// One more line. Lines come in the order of their places.
    pub(in crate::builtins) fn add(&mut self, text: &str, time: Option<Timestamp>, place: u64) -> Result<(), Fault> {
        self.mask.clear();
        mask::mask(head(text), &mut self.mask);
        if let Some(kind) = self.kinds.get_mut(&self.mask) {
            kind.count += 1;
            kind.first = [kind.first, time].into_iter().flatten().min();
            kind.last = [kind.last, time].into_iter().flatten().max();
            return Ok(());
        }
        self.room()?;
        let kind = Kind { count: 1, first: time, last: time, example: shortened(text), place };
        self.kinds.insert(self.mask.clone(), kind);
        Ok(())
    }

    /// Those of other lines of the same log as well.
    pub(in crate::builtins) fn take_over(&mut self, others: Self) -> Result<(), Fault> {
        for (pattern, other) in others.kinds {
            if let Some(kind) = self.kinds.get_mut(&pattern) {
                kind.count += other.count;
                kind.first = [kind.first, other.first].into_iter().flatten().min();
                kind.last = [kind.last, other.last].into_iter().flatten().max();
                if other.place < kind.place {
                    (kind.example, kind.place) = (other.example, other.place);
                }
            } else {
                self.room()?;
                self.kinds.insert(pattern, other);
            }
        }
        Ok(())
    }

    fn room(&self) -> Result<(), Fault> {
        if self.kinds.len() < MOST_PATTERNS {
            return Ok(());
        }
        Err(Fault::new(FaultKind::TooLarge, format!("there are more than {MOST_PATTERNS} kinds of lines"))
            .help("write `where(…)` before `patterns` to look at fewer lines"))
    }

    /// The kinds, the most frequent first, of so many lines.
    pub(in crate::builtins) fn into_value(self, lines: i64) -> Value {
        let mut kinds: Vec<(String, Kind)> = self.kinds.into_iter().collect();
        kinds.sort_unstable_by_key(|(_, kind)| (Reverse(kind.count), kind.place));
        Value::list(kinds.into_iter().map(|(pattern, kind)| record(pattern, kind, lines).into()).collect())
    }
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

fn shortened(text: &str) -> Arc<str> {
    if text.len() <= LOOKED_AT { text.into() } else { format!("{}…", head(text)).into() }
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
