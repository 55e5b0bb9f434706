//! `patterns`

use super::kinds::{Entries, KindOfEntry};
use crate::catalog::{
    Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Mismatch, Operation, Param, Returns,
};
use crate::types::{Fault, Line, Type, Typed, Value};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "patterns",
    summary: "The kinds of entries, the most frequent first: entries that differ only in numbers, ids, addresses, times and quoted values are one kind. Of JSON lines the keys tell them apart, and in JSON, behind `=` and in klog the message, the level and the error. A line that begins with a time and those below it that do not are one entry, whose indented lines are not compared; any other line is one by itself. Each kind has its `.pattern`, `.count`, `.share`, `.first`, `.last` and an `.example`. The first 4 KiB of an entry are looked at; more than 10,000 kinds are a fault.",
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

fn patterns<'a>(items: Items<'a>, _: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let mut entries = Entries::default();
    for (place, item) in (0..).zip(items) {
        match item?.plainly() {
            Value::Line(line) => entries.line(&line, place)?,
            Value::String(text) => entries.text(&text, place)?,
            other => return Err(Fault::conversion(format!("`patterns` wants lines, got a {}", other.kind()))),
        }
    }
    Ok(Flow::Value(entries.into_kinds()?.into_value()))
}

fn pattern_type(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    let item = inputs.item();
    if item == Line::ty() || item.is_text() || matches!(item, Type::Data | Type::Unknown) {
        return Ok(Type::list(KindOfEntry::ty()));
    }
    Err(Mismatch {
        param: "items",
        message: format!("`patterns` wants lines of text, and an item is `{item}`"),
        help: Some("say which text of an item is meant: `each(.message) | patterns`".to_owned()),
    })
}
