//! What a runbook works with: connections, channels, params, secrets, tools, the header.

use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Row, Side};
use crate::check::program::Program;
use crate::plan::text;
use crate::source::Span;

pub(super) fn compare(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let (old, new) = (all(before), all(after));
    let mut findings = Vec::new();
    for pair in pairs(&old, &new, |one| (one.word, one.name.clone()), |a, b| a.word == b.word && a.says == b.says) {
        match pair {
            Pair::Both(a, b) => {
                let rows = [Row::of("is called", &*a.name, &*b.name), Row::of("is", &*a.says, &*b.says)];
                let rows: Vec<Row> = rows.into_iter().flatten().collect();
                if !rows.is_empty() {
                    let finding = Finding::new(b.chapter, Kind::Changed, format!("{} {}", b.word, b.name), "changed");
                    findings.push(finding.rows(rows).at(place(before, a), place(after, b)));
                }
            }
            Pair::Gone(a) => {
                let finding = Finding::new(a.chapter, Kind::Changed, format!("{} {}", a.word, a.name), "gone");
                findings.push(finding.rows(Row::of("is", &*a.says, "")).at(place(before, a), None));
            }
            Pair::New(b) => {
                let finding = Finding::new(b.chapter, Kind::Changed, format!("{} {}", b.word, b.name), "new");
                findings.push(finding.rows(Row::of("is", "", &*b.says)).at(None, place(after, b)));
            }
        }
    }
    findings
}

/// A declaration in one line.
struct Declared {
    chapter: Chapter,
    word: &'static str,
    name: String,
    says: String,
    span: Option<Span>,
}

fn place(side: Side<'_>, one: &Declared) -> Option<super::Place> {
    one.span.map(|span| side.place(span))
}

fn all(side: Side<'_>) -> Vec<Declared> {
    let program: &Program = side.program;
    let mut found = Vec::new();
    let mut add = |chapter, word, name: &str, says: String, span| {
        found.push(Declared { chapter, word, name: name.to_owned(), says, span });
    };
    let inputs = Chapter::Inputs;
    for one in &program.connections {
        add(inputs, "connection", &one.name, text::made(program, &one.made), Some(one.span));
    }
    for one in &program.channels {
        add(Chapter::Told, "channel", &one.name, text::made(program, &one.made), Some(one.span));
    }
    for one in &program.secrets {
        add(inputs, "secret", &one.name, text::made(program, &one.source), Some(one.span));
    }
    for one in &program.params {
        let default = one.default.as_ref().map_or_else(
            || "has to be given".to_owned(),
            |default| format!("{} unless it is given", text::expr(program, default)),
        );
        add(inputs, "param", &one.name, format!("{}: {default}", one.ty), Some(one.span));
    }
    for one in &program.tools {
        // Its declaration is all there is to it.
        add(inputs, "tool", &one.name, side.written(one.span), Some(one.span));
    }
    let header = &program.header;
    for (word, says) in [
        ("title", Some(header.title.to_string())),
        ("owner", header.owner.as_ref().map(ToString::to_string)),
        ("version", header.version.as_ref().map(ToString::to_string)),
        ("log folder", header.log.as_ref().map(ToString::to_string)),
        ("time zone", Some(header.timezone_name.to_string())),
    ] {
        if let Some(says) = says {
            add(inputs, word, "of the runbook", says, header.span);
        }
    }
    found
}
