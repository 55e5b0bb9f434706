//! The line that a person types instead of a call: the built-in's own, with the values of this runbook.

use std::collections::BTreeSet;

use super::arguments::{self, Filled};
use super::grep;
use super::known::{Blank, Knowledge, Known};
use super::line::{Bit, words};
use super::logs;
use super::places::Places;
use super::word::{Piece, quoted};
use crate::catalog::by_hand::{Part, Slot, When, names, parts};
use crate::catalog::{Accepts, Effect, ParamInfo, Presence};
use crate::check::program::{Call, CallArg, ConnectionId, Expr, ExprKind, LocalId, Tool};
use crate::types::Value;

/// A line of shell.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) line: String,
    pub(super) blanks: Vec<Blank>,
    pub(super) variables: BTreeSet<LocalId>,
    pub(super) programs: Vec<String>,
    /// What the call is given and the line does not say.
    pub(super) left: Vec<Left>,
    /// What whoever types it has to know.
    pub(super) notes: Vec<String>,
}

/// An argument that is in no line, for whoever types it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left {
    /// `since: 2h`
    pub(super) said: String,
    /// Whose it is: `logs`.
    pub(super) of: String,
    pub(super) doc: &'static str,
    /// Whether the line prints something else without it.
    pub(super) prints_other: bool,
}

/// What a slot may ask of.
struct Asked<'p, 'a> {
    params: &'static [ParamInfo],
    args: &'a [Option<&'p CallArg>],
    exprs: Option<&'p [Option<Expr>]>,
    call: Option<&'p Call>,
    on: Option<ConnectionId>,
    changes: bool,
    builtin: &'static str,
    /// What the call is called.
    called: &'p str,
}

/// The line for a call; nothing where nobody can type it.
pub(super) fn call<'p>(knowledge: &mut Knowledge<'p>, places: &mut Places<'p>, call: &'p Call) -> Option<Typed> {
    let args: Vec<Option<&'p CallArg>> = call.args.iter().map(Option::as_ref).collect();
    let on = call.on.or_else(|| source(knowledge, call).and_then(|source| source.on));
    let asked = Asked {
        params: call.builtin.params,
        args: &args,
        exprs: None,
        call: Some(call),
        on,
        changes: call.effect == Effect::Changes,
        builtin: call.builtin.name,
        called: call.builtin.name,
    };
    let by_hand = logs::by_hand(knowledge, call).unwrap_or(call.builtin.by_hand);
    let mut typed = line(knowledge, places, by_hand, &asked)?;
    typed.notes.extend(logs::notes(knowledge, call));
    Some(typed)
}

/// What a stage is in a pipe of the shell: nothing where a person can't type it.
pub(super) fn stage<'p>(
    knowledge: &mut Knowledge<'p>,
    places: &mut Places<'p>,
    call: &'p Call,
    by_hand: &str,
) -> Option<Typed> {
    let args: Vec<Option<&'p CallArg>> = call.args.iter().map(Option::as_ref).collect();
    let asked = Asked {
        params: call.builtin.params,
        args: &args,
        exprs: None,
        call: Some(call),
        on: None,
        changes: false,
        builtin: call.builtin.name,
        called: call.builtin.name,
    };
    // What is asked of each line is no blank to fill in.
    let whole = parts(by_hand);
    if !whole.iter().all(|part| is_given(places, knowledge, part, &asked)) {
        return None;
    }
    line(knowledge, places, by_hand, &asked)
}

/// The line for a tool, whose parameters are bound.
pub(super) fn tool<'p>(knowledge: &mut Knowledge<'p>, places: &mut Places<'p>, tool: &'p Tool) -> Option<Typed> {
    let asked = Asked {
        params: tool.builtin.params,
        args: &[],
        exprs: Some(&tool.args),
        call: None,
        on: None,
        changes: tool.effect == Effect::Changes,
        builtin: tool.builtin.name,
        called: &tool.name,
    };
    line(knowledge, places, tool.builtin.by_hand, &asked)
}

fn line<'p>(
    knowledge: &mut Knowledge<'p>,
    places: &mut Places<'p>,
    by_hand: &str,
    asked: &Asked<'p, '_>,
) -> Option<Typed> {
    if by_hand.is_empty() {
        return None;
    }
    let blanks = std::mem::take(&mut knowledge.blanks);
    let variables = std::mem::take(&mut knowledge.variables);
    let whole = with_connection(parts(by_hand), places, asked);
    let mut bits = Vec::new();
    fill(knowledge, places, &whole, asked, &mut bits);
    let (mut line, programs) = words(&bits);
    let mut notes = Vec::new();
    if bits.iter().any(finds_below) {
        // A shell takes `**` for `*` where nobody says otherwise, and finds fewer files.
        line.insert_str(0, "shopt -s globstar && ");
        notes.push(
            "`shopt -s globstar` makes `**` any folders, and only bash has it. It lists as well what stands right below \
             a linked folder, and for a `**` at the end the folder itself: these do not count."
                .to_owned(),
        );
    }
    let left = left_out(knowledge, by_hand, asked);
    Some(Typed {
        left,
        notes,
        line,
        programs,
        blanks: std::mem::replace(&mut knowledge.blanks, blanks),
        variables: std::mem::replace(&mut knowledge.variables, variables),
    })
}

/// Whether files are found in all folders below one.
fn finds_below(bit: &Bit) -> bool {
    let is_star = |piece: &Piece| matches!(piece, Piece::Glob('*'));
    matches!(bit, Bit::Word(pieces) if pieces.windows(2).any(|two| two.iter().all(is_star)))
}

/// What nobody types, and nothing is lost without it: limits, how an answer is read, what the page says in words.
const UNTYPED: &[&str] = &["within", "at_most", "output", "over", "status", "unmanaged"];

/// What the call is given, and has no place in its line.
fn left_out<'p>(knowledge: &mut Knowledge<'p>, by_hand: &str, asked: &Asked<'p, '_>) -> Vec<Left> {
    let names = names(by_hand);
    let mut left = Vec::new();
    for (index, param) in asked.params.iter().enumerate() {
        let is_typed = names.iter().any(|name| name == param.name) || UNTYPED.contains(&param.name);
        if is_typed || matches!(param.presence, Presence::Required) {
            continue;
        }
        let Some(expr) = own(asked, index) else { continue };
        let shown = match knowledge.of(expr) {
            Known::Value(Value::Null) => continue,
            Known::Value(value) => value.to_string(),
            _ => knowledge.source(expr),
        };
        let said = format!("{}: {shown}", param.name);
        let prints_other = param.name != "exits";
        left.push(Left { said, of: asked.called.to_owned(), doc: param.doc, prints_other });
    }
    left
}

/// The parts with those of the driver in the place of `{connection}`, and what is set for its client in front of it.
fn with_connection(own: Vec<Part>, places: &Places<'_>, asked: &Asked<'_, '_>) -> Vec<Part> {
    let driver = asked.on.and_then(|id| places.driver(id));
    let mut whole = Vec::new();
    for part in own {
        let Part::Slot(Slot { name, field: None, .. }) = &part else {
            whole.push(part);
            continue;
        };
        if name != "connection" {
            whole.push(part);
            continue;
        }
        let Some(driver) = driver else { continue };
        let environment = of_connection(parts(driver.by_hand.environment));
        if !environment.is_empty()
            && let Some(Part::Text(before)) = whole.last_mut()
            && let Some(client) = before.trim_end().rsplit(' ').position(|word| !word.starts_with('-'))
        {
            // `psql -X ` is the client and its own option; what is set for it stands before both.
            let words: Vec<&str> = before.trim_end().split(' ').collect();
            let at = words.len().saturating_sub(client + 1);
            let (front, back) = words.split_at(at);
            let (front, back) = (front.join(" "), format!(" {} ", back.join(" ")));
            *before = if front.is_empty() { front } else { front + " " };
            whole.extend(environment);
            whole.push(Part::Text(back));
        }
        whole.extend(of_connection(parts(driver.by_hand.connection)));
    }
    whole
}

/// What a driver asks for, asked of the connection.
fn of_connection(parts: Vec<Part>) -> Vec<Part> {
    let named = |name: String| format!("connection.{name}");
    parts
        .into_iter()
        .map(|part| match part {
            Part::Text(text) => Part::Text(text),
            Part::Slot(slot) => Part::Slot(Slot { name: "connection".to_owned(), field: Some(slot.name), ..slot }),
            Part::Group { when, parts } => {
                let when = match when {
                    When::Given => When::Given,
                    When::Set(name) => When::Set(named(name)),
                    When::NotSet(name) => When::NotSet(named(name)),
                };
                Part::Group { when, parts: of_connection(parts) }
            }
        })
        .collect()
}

fn fill<'p>(
    knowledge: &mut Knowledge<'p>,
    places: &mut Places<'p>,
    parts: &[Part],
    asked: &Asked<'p, '_>,
    bits: &mut Vec<Bit>,
) {
    for part in parts {
        match part {
            Part::Text(text) => bits.push(Bit::Raw(text.clone())),
            Part::Slot(slot) => {
                let filled = filled(knowledge, places, slot, asked).unwrap_or_else(|| {
                    Filled::Word(vec![Piece::Blank(slot.field.clone().unwrap_or_else(|| slot.name.clone()))])
                });
                // `kubectl -n *` is no namespace: all of them have an option of their own.
                let every = Filled::Word(vec![Piece::Text("*".to_owned())]);
                if slot.name == "namespace"
                    && filled == every
                    && let Some(Bit::Raw(before)) = bits.last_mut()
                {
                    if let Some(front) = before.strip_suffix("-n ") {
                        *before = format!("{front}-A");
                    }
                    continue;
                }
                bits.push(match filled {
                    Filled::Word(pieces) => Bit::Word(pieces),
                    Filled::Words(words) => Bit::Words(words),
                });
            }
            Part::Group { when, parts } => {
                let is_there = match when {
                    When::Given => true,
                    When::Set(name) => is_set(knowledge, places, name, asked),
                    When::NotSet(name) => !is_set(knowledge, places, name, asked),
                };
                if is_there && parts.iter().all(|part| is_given(places, knowledge, part, asked)) {
                    fill(knowledge, places, parts, asked, bits);
                }
            }
        }
    }
}

fn is_given<'p>(places: &mut Places<'p>, knowledge: &mut Knowledge<'p>, part: &Part, asked: &Asked<'p, '_>) -> bool {
    match part {
        Part::Slot(slot) => given(knowledge, places, slot, asked),
        _ => true,
    }
}

fn given<'p>(knowledge: &mut Knowledge<'p>, places: &mut Places<'p>, slot: &Slot, asked: &Asked<'p, '_>) -> bool {
    filled(knowledge, places, slot, asked).is_some()
}

fn is_set<'p>(knowledge: &mut Knowledge<'p>, places: &mut Places<'p>, name: &str, asked: &Asked<'p, '_>) -> bool {
    let (name, field) = match name.split_once('.') {
        Some((name, field)) => (name.to_owned(), Some(field.to_owned())),
        None => (name.to_owned(), None),
    };
    let off = Filled::Word(vec![Piece::Text("false".to_owned())]);
    filled(knowledge, places, &Slot { name, field, form: None }, asked).is_some_and(|filled| filled != off)
}

/// What stands for a slot; nothing where it is not given.
fn filled<'p>(
    knowledge: &mut Knowledge<'p>,
    places: &mut Places<'p>,
    slot: &Slot,
    asked: &Asked<'p, '_>,
) -> Option<Filled> {
    let form = slot.form.as_deref();
    if let Some(field) = &slot.field {
        let known = places.field(knowledge, asked.on?, field, asked.changes)?;
        return arguments::filled(knowledge, None, &known, form, field);
    }
    if slot.name == "namespace" {
        let known = namespace(knowledge, places, asked)?;
        return arguments::filled(knowledge, None, &known, form, "namespace");
    }
    let index = asked.params.iter().position(|param| param.name == slot.name)?;
    let param = asked.params.get(index)?;
    if let Some(CallArg::PerItem(lambda)) = asked.args.get(index).copied().flatten() {
        return grep::pattern(knowledge, lambda);
    }
    let known = match (own(asked, index), param.presence) {
        (Some(expr), _) => match pod(knowledge, expr, param) {
            Some(name) => name,
            None => knowledge.of(expr),
        },
        (None, Presence::Default(default)) => Known::Value(default()),
        (None, _) => return None,
    };
    if asked.builtin == "shell" && matches!(param.accepts, Accepts::Literal(_)) {
        return Some(arguments::script(knowledge, &known));
    }
    let mut filled = arguments::filled(knowledge, Some(param), &known, form, &slot.name)?;
    let moved = asked.builtin == "argv" && slot.name == "words" && is_set(knowledge, places, "directory", asked);
    if moved && let Filled::Words(words) = &mut filled {
        words.first_mut().into_iter().for_each(from_outside);
    }
    Some(filled)
}

/// A program with a slash is looked for from the folder of the runbook, wherever it is started.
fn from_outside(word: &mut Vec<Piece>) {
    let is_path = matches!(word.first(), Some(Piece::Text(text)) if !text.starts_with('/'))
        && word.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains('/')));
    if is_path {
        word.insert(0, Piece::Shell("$OLDPWD/".to_owned()));
    }
}

/// What is written for a parameter.
fn own<'p>(asked: &Asked<'p, '_>, index: usize) -> Option<&'p Expr> {
    match asked.exprs {
        Some(exprs) => exprs.get(index).and_then(Option::as_ref),
        None => match asked.args.get(index).copied().flatten() {
            Some(CallArg::Value(expr)) => Some(expr),
            _ => None,
        },
    }
}

/// A pod or a service as kubectl calls it: by the name that it was read by.
fn pod<'p>(knowledge: &mut Knowledge<'p>, expr: &'p Expr, param: &ParamInfo) -> Option<Known<'p>> {
    if !matches!(param.name, "pod") || matches!(param.accepts, Accepts::Type(ty) if ty() == crate::types::Type::String)
    {
        return None;
    }
    match &knowledge.behind(expr).kind {
        ExprKind::Call(source) => named(knowledge, source).or(Some(Known::Blank(expr))),
        _ => Some(Known::Blank(expr)),
    }
}

/// The `name` of a call such as `cluster.pod("db-0")`.
pub(super) fn named<'p>(knowledge: &mut Knowledge<'p>, call: &'p Call) -> Option<Known<'p>> {
    let expr = argument(call, "name")?;
    let known = knowledge.of(expr);
    let pieces = knowledge.plain(&known);
    let kind = if call.builtin.name == "kubernetes.service" { "service/" } else { "" };
    Some(Known::Pieces([Piece::Text(kind.to_owned())].into_iter().chain(pieces).collect()))
}

/// An argument of a call.
pub(super) fn argument<'p>(call: &'p Call, name: &str) -> Option<&'p Expr> {
    let index = call.builtin.params.iter().position(|param| param.name == name)?;
    match call.args.get(index)? {
        Some(CallArg::Value(expr)) => Some(expr),
        _ => None,
    }
}

/// The call that the first argument of another comes from: that of the pod.
fn source<'p>(knowledge: &Knowledge<'p>, call: &'p Call) -> Option<&'p Call> {
    let Some(Some(CallArg::Value(first))) = call.args.first() else { return None };
    match &knowledge.behind(first).kind {
        ExprKind::Call(source) => Some(source),
        _ => None,
    }
}

/// Of the call, else of the pod that it is about, else of the connection.
fn namespace<'p>(knowledge: &mut Knowledge<'p>, places: &mut Places<'p>, asked: &Asked<'p, '_>) -> Option<Known<'p>> {
    let own = asked.call.and_then(|call| {
        argument(call, "namespace").or_else(|| {
            // An object that is written out says where it is.
            let manifest = argument(call, "manifest")?;
            let metadata = field(knowledge.behind(manifest), "metadata")?;
            field(metadata, "namespace")
        })
    });
    let of_pod = || asked.call.and_then(|call| source(knowledge, call)).and_then(|call| argument(call, "namespace"));
    match own.or_else(of_pod) {
        Some(expr) => Some(knowledge.of(expr)),
        None => places.field(knowledge, asked.on?, "namespace", false),
    }
}

fn field<'p>(expr: &'p Expr, name: &str) -> Option<&'p Expr> {
    let ExprKind::Record(fields) = &expr.uncovered().kind else { return None };
    fields.iter().find(|(own, _)| **own == *name).map(|(_, value)| value)
}

/// The items of a list as words, where each is so plain that it means the same everywhere.
pub(super) fn plain_items(items: &[String]) -> bool {
    let is_plain = |text: &String| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
            && quoted(text) == *text
    };
    !items.is_empty() && items.iter().all(is_plain)
}
