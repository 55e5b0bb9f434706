//! What a runbook works with: connections, channels, params, secrets, tools, the header.

use std::collections::BTreeSet;

use super::bounds::Said;
use super::depends::{self, Depends};
use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Row, Rows, Side, worst};
use crate::catalog::{Effect, ParamInfo};
use crate::check::program::{Expr, Made, Program, Tool};
use crate::plan::text;
use crate::source::Span;

pub(super) fn compare(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let (old, new) = (all(before), all(after));
    let mut findings = Vec::new();
    for pair in pairs(&old, &new, |one| (one.word, one.name.clone()), |a, b| a.word == b.word && a.says() == b.says()) {
        match pair {
            Pair::Both(a, b) => findings.extend(changed(before, after, a, b)),
            Pair::Gone(a) => {
                let finding = Finding::new(a.chapter, Kind::Changed, a.subject(), "gone");
                findings.push(finding.rows(Row::of("is", a.says(), "")).at(place(before, a), None));
            }
            Pair::New(b) => {
                let finding = Finding::new(b.chapter, Kind::Changed, b.subject(), "new");
                findings.push(finding.rows(Row::of("is", "", b.says())).at(None, place(after, b)));
            }
        }
    }
    findings
}

/// Each declaration: its word, its name, what it says, and where.
pub(super) fn each(side: Side<'_>, add: &mut dyn FnMut(&'static str, &str, String, Span)) {
    for one in all(side) {
        if let Some(span) = one.span {
            add(one.word, &one.name, one.says(), span);
        }
    }
}

/// A declaration, part by part.
struct Declared<'p> {
    chapter: Chapter,
    word: &'static str,
    name: String,
    parts: Vec<Part<'p>>,
    span: Option<Span>,
}

struct Part<'p> {
    /// `is` of what it is by itself, else the name of an argument.
    what: &'static str,
    says: String,
    /// What was given for an argument.
    value: Option<Said<'p>>,
}

impl<'p> Declared<'p> {
    fn subject(&self) -> String {
        format!("{} {}", self.word, self.name)
    }

    /// In one line: `http(url: "https://api.example.com", insecure: yes)`.
    fn says(&self) -> String {
        let (own, args): (Vec<&Part<'p>>, Vec<&Part<'p>>) = self.parts.iter().partition(|part| part.value.is_none());
        let own = own.iter().map(|part| part.says.as_str()).collect::<Vec<_>>().join(" ");
        let args = args.iter().map(|part| format!("{}: {}", part.what, part.says)).collect::<Vec<_>>().join(", ");
        if args.is_empty() { own } else { format!("{own}({args})") }
    }

    fn part(&self, what: &str) -> Option<&Part<'p>> {
        self.parts.iter().find(|part| part.what == what)
    }
}

fn place(side: Side<'_>, one: &Declared<'_>) -> Option<super::Place> {
    one.span.map(|span| side.place(span))
}

fn changed(before: Side<'_>, after: Side<'_>, a: &Declared<'_>, b: &Declared<'_>) -> Option<Finding> {
    let mut found = Rows::default();
    let mut notes = Vec::new();
    found.add(Row::of("is called", &*a.name, &*b.name), Kind::Changed);
    let parts = a.parts.iter().chain(&b.parts).map(|part| part.what);
    let mut seen = BTreeSet::new();
    for what in parts.filter(|what| seen.insert(*what)) {
        let (old, new) = (a.part(what), b.part(what));
        let says = |part: Option<&Part<'_>>| part.map_or_else(|| "nothing".to_owned(), |part| part.says.clone());
        let Some(row) = Row::of(what, says(old), says(new)) else { continue };
        let (from, to) = (old.and_then(|part| part.value), new.and_then(|part| part.value));
        // In which order people are written makes no difference to them.
        if what == "to" && set(from) == set(to) {
            continue;
        }
        let (kind, note) = meaning(what, from, to, &row);
        found.add(Some(row), kind);
        notes.extend(note.map(str::to_owned));
    }
    if found.rows.is_empty() {
        return None;
    }
    let kind = worst(found.kinds);
    let headline = match kind {
        Kind::Loosened => "loosened: fewer people get it",
        Kind::Dangerous => "more dangerous",
        Kind::Permissions => "leads over another host",
        Kind::Safer => "safer",
        _ => "changed",
    };
    let mut finding = Finding::new(b.chapter, kind, b.subject(), headline).rows(found.rows);
    finding.notes = notes;
    let depends = match b.word {
        "tool" => Some(depends::on_tool(after.program, &b.name)),
        "param" => Some(depends::on_param(after.program, &b.name)),
        "connection" => Some(depends::on_connection(after.program, &b.name)),
        _ => None,
    };
    finding.notes.extend(depends.iter().flat_map(Depends::notes));
    Some(finding.at(place(before, a), place(after, b)))
}

fn set(value: Option<Said<'_>>) -> BTreeSet<String> {
    items(value).into_iter().collect()
}

const CHANGES: &str = "changes";
const LOOKS: &str = "only looks";

/// What another value of an argument means, and why.
fn meaning(what: &str, old: Option<Said<'_>>, new: Option<Said<'_>>, row: &Row) -> (Kind, Option<&'static str>) {
    let on = |value: Option<Said<'_>>| value.is_some_and(|value| value.flag() == Some(true));
    let by_order = |less: bool, more: bool, kind: Kind, note| match (less, more) {
        (true, _) => (kind, Some(note)),
        (false, true) => (Kind::Safer, None),
        (false, false) => (Kind::Changed, None),
    };
    let flag = |note| by_order(on(new), on(old), Kind::Dangerous, note);
    match what {
        "does" => by_order(
            row.after == LOOKS && row.before == CHANGES,
            row.after == CHANGES,
            Kind::Dangerous,
            "it is taken for a look: no consent is asked for any more",
        ),
        "secret" => by_order(
            old.is_some() && new.is_none(),
            old.is_none() && new.is_some(),
            Kind::Dangerous,
            "it is no longer signed: whoever gets it cannot tell who sent it",
        ),
        "insecure" => flag("any certificate is taken: nobody knows who answers"),
        "downgrade" => flag("a redirect from https to http is followed"),
        "tls" => {
            let (was, is) = (sealed(old, new), sealed(new, old));
            by_order(is < was, is > was, Kind::Dangerous, "the way there is sealed less, or not at all")
        }
        "url" | "host" | "endpoint" => {
            let (was, is) = (in_the_clear(old), in_the_clear(new));
            by_order(
                is == Some(true) && was == Some(false),
                false,
                Kind::Dangerous,
                "the way there is no longer sealed",
            )
        }
        "proxy" => match text_of(new).as_deref() {
            None | Some("env" | "none") => (Kind::Changed, None),
            Some(_) => (Kind::Permissions, Some("what is sent goes over another host")),
        },
        "reads" => {
            let (was, is) = (items(old), items(new));
            let widened = is.iter().any(|item| !was.contains(item));
            by_order(
                widened,
                was.iter().any(|item| !is.contains(item)),
                Kind::Dangerous,
                "more is held to only look: no consent is asked for it",
            )
        }
        "to" => {
            let (was, is) = (items(old), items(new));
            let fewer = was.iter().any(|item| !is.contains(item));
            let more = is.iter().any(|item| !was.contains(item));
            by_order(fewer, more, Kind::Loosened, "somebody who got messages gets none any more")
        }
        _ => (Kind::Changed, None),
    }
}

fn text_of(value: Option<Said<'_>>) -> Option<String> {
    value.and_then(Said::words)
}

/// The items of a list, and the list itself where they are not written out.
fn items(value: Option<Said<'_>>) -> Vec<String> {
    value.map_or_else(Vec::new, |value| value.items().unwrap_or_else(|| vec![value.text()]))
}

/// How well a way is sealed by what `tls` says. Left out, it is sealed as well as the driver can, but for one that has to be
/// told to.
fn sealed(value: Option<Said<'_>>, other: Option<Said<'_>>) -> u8 {
    match (value.and_then(Said::flag), text_of(value).as_deref()) {
        (Some(false), _) | (_, Some("disable" | "none")) => 0,
        (_, Some("prefer")) => 1,
        (_, Some("require")) => 2,
        (_, Some("verify-ca")) => 3,
        _ if value.is_none() && other.and_then(Said::flag).is_some() => 0,
        _ => 4,
    }
}

/// Whether a URL says that nothing is sealed; `None` where it says nothing of it.
fn in_the_clear(value: Option<Said<'_>>) -> Option<bool> {
    let text = text_of(value)?;
    let (scheme, _) = text.split_once("://")?;
    Some(!matches!(scheme, "https" | "rediss"))
}

fn all<'p>(side: Side<'p>) -> Vec<Declared<'p>> {
    let program: &'p Program = side.program;
    let mut found = Vec::new();
    let mut add = |chapter, word, name: &str, parts: Vec<Part<'p>>, span| {
        found.push(Declared { chapter, word, name: name.to_owned(), parts, span });
    };
    let inputs = Chapter::Inputs;
    for one in &program.connections {
        add(inputs, "connection", &one.name, made(program, &one.made), Some(one.span));
    }
    for one in &program.channels {
        add(Chapter::Told, "channel", &one.name, made(program, &one.made), Some(one.span));
    }
    for one in &program.secrets {
        add(inputs, "secret", &one.name, made(program, &one.source), Some(one.span));
    }
    for one in &program.params {
        let default = one.default.as_ref().map_or_else(
            || "has to be given".to_owned(),
            |default| format!("{} unless it is given", text::expr(program, default)),
        );
        add(inputs, "param", &one.name, vec![own("is", format!("{}: {default}", one.ty))], Some(one.span));
    }
    for one in &program.tools {
        add(inputs, "tool", &one.name, tool(program, one), Some(one.span));
    }
    let header = &program.header;
    for (word, says) in [
        ("owner", header.owner.as_ref().map(ToString::to_string)),
        ("version", header.version.as_ref().map(ToString::to_string)),
        ("log folder", header.log.as_ref().map(ToString::to_string)),
    ] {
        if let Some(says) = says {
            add(inputs, word, "of the runbook", vec![own("is", says)], header.span);
        }
    }
    found
}

const fn own<'p>(what: &'static str, says: String) -> Part<'p> {
    Part { what, says, value: None }
}

fn made<'p>(program: &'p Program, made: &'p Made) -> Vec<Part<'p>> {
    called(program, made.driver.name, made.driver.params, &made.args)
}

/// What is called, and each argument that is given.
fn called<'p>(
    program: &'p Program,
    name: &str,
    params: &'static [ParamInfo],
    args: &'p [Option<Expr>],
) -> Vec<Part<'p>> {
    let given = params.iter().zip(args).filter_map(|(param, arg)| {
        let arg = arg.as_ref()?;
        Some(Part { what: param.name, says: text::expr(program, arg), value: Some(Said::new(program, arg)) })
    });
    std::iter::once(own("is", name.to_owned())).chain(given).collect()
}

fn tool<'p>(program: &'p Program, tool: &'p Tool) -> Vec<Part<'p>> {
    let does = if tool.effect == Effect::Changes { CHANGES } else { LOOKS };
    let again = if tool.idempotent { "idempotent" } else { "once" };
    let own_parts = [
        own("takes", format!("({})", text::parameters(program, &tool.params))),
        own("gives", format!("-> {}", tool.returns)),
        own("does", does.to_owned()),
        own("may be made", again.to_owned()),
    ];
    own_parts.into_iter().chain(called(program, tool.builtin.name, tool.builtin.params, &tool.args)).collect()
}
