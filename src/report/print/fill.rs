//! The line that a person types instead of a call: the built-in's own, with the values of this runbook.

use std::collections::BTreeSet;

use super::arguments::{self, Filled};
use super::known::{Blank, Knowledge, Known};
use super::places::Places;
use super::word::{Piece, quoted, word};
use crate::catalog::by_hand::{Part, Slot, When, parts};
use crate::catalog::{Accepts, Effect, ParamInfo, Presence};
use crate::check::program::{Call, CallArg, ConnectionId, Expr, ExprKind, LocalId, Tool};

/// A line of shell.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) line: String,
    pub(super) blanks: Vec<Blank>,
    pub(super) variables: BTreeSet<LocalId>,
    pub(super) programs: Vec<String>,
}

/// A piece of a line on the way to words.
enum Bit {
    /// As the built-in has it: shell, with its quotes.
    Raw(String),
    /// A part of a word.
    Word(Vec<Piece>),
    /// Whole words.
    Words(Vec<Vec<Piece>>),
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
    };
    line(knowledge, places, call.builtin.by_hand, &asked)
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
    let (line, programs) = words(&bits);
    Some(Typed {
        line,
        programs,
        blanks: std::mem::replace(&mut knowledge.blanks, blanks),
        variables: std::mem::replace(&mut knowledge.variables, variables),
    })
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
    let own = match asked.exprs {
        Some(exprs) => exprs.get(index).and_then(Option::as_ref),
        None => match asked.args.get(index).copied().flatten() {
            Some(CallArg::Value(expr)) => Some(expr),
            Some(CallArg::PerItem(lambda)) => return arguments::pattern(knowledge, lambda),
            None => None,
        },
    };
    let known = match (own, param.presence) {
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
    arguments::filled(knowledge, Some(param), &known, form, &slot.name)
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

/// Programs that take `--` as the end of their options.
const ENDING: &[&str] = &["kubectl", "cat", "df", "stat", "ls", "systemctl", "printenv", "getent"];

/// What is on every machine, and is not worth a word.
const EVERYWHERE: &[&str] = &[
    "printf", "grep", "sed", "sort", "uniq", "head", "tail", "cat", "ls", "df", "wc", "stat", "sh", "cd", "date", "awk",
];

/// The words of a line, and the programs that it starts.
fn words(bits: &[Bit]) -> (String, Vec<String>) {
    let mut line = Line::default();
    for bit in bits {
        match bit {
            Bit::Raw(text) => text.chars().for_each(|c| line.character(c)),
            Bit::Word(pieces) => line.pieces(pieces),
            Bit::Words(words) => {
                for (index, pieces) in words.iter().enumerate() {
                    if index > 0 {
                        line.end();
                    }
                    line.pieces(pieces);
                }
            }
        }
    }
    line.end();
    (line.done.join(" "), line.programs)
}

#[derive(Default)]
struct Line {
    done: Vec<String>,
    programs: Vec<String>,
    /// The program whose words these are, once it is there.
    program: Option<String>,
    raw: String,
    pieces: Vec<Piece>,
    /// Something was put in.
    filled: bool,
    quote: Option<char>,
    escaped: bool,
}

impl Line {
    fn character(&mut self, c: char) {
        if self.quote.is_none() && c == ' ' {
            self.end();
            return;
        }
        self.raw.push(c);
        if self.escaped {
            self.escaped = false;
        } else if self.quote == Some(c) {
            self.quote = None;
            return;
        } else if self.quote.is_none() && matches!(c, '\'' | '"') {
            self.quote = Some(c);
            return;
        } else if self.quote == Some('"') && c == '\\' {
            self.escaped = true;
            return;
        }
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(c),
            _ => self.pieces.push(Piece::Text(c.to_string())),
        }
    }

    fn pieces(&mut self, pieces: &[Piece]) {
        self.filled = true;
        self.pieces.extend(pieces.iter().cloned());
    }

    fn end(&mut self) {
        let (raw, pieces) = (std::mem::take(&mut self.raw), std::mem::take(&mut self.pieces));
        let filled = std::mem::take(&mut self.filled);
        if raw.is_empty() && !filled {
            return;
        }
        let whole = filled && raw.is_empty();
        let written = match raw.split_once('=') {
            // A variable that is set keeps its name outside of quotes.
            Some((name, _)) if filled && self.program.is_none() && is_variable(name) => {
                let value: Vec<Piece> = without(&pieces, name.len() + 1);
                format!("{name}={}", word(&value))
            }
            _ if filled => word(&pieces),
            _ => raw,
        };
        match (&self.program, written.as_str()) {
            (_, "|" | "||" | "&&" | ";") => self.program = None,
            (None, text) if !is_setting(text) => {
                let name = text.trim_matches(['\'', '"']).to_owned();
                if !EVERYWHERE.contains(&name.as_str()) && !self.programs.contains(&name) {
                    self.programs.push(name.clone());
                }
                self.program = Some(name);
            }
            // A name that begins with a dash would be read as an option.
            (Some(program), _) if whole && ENDING.contains(&program.as_str()) => {
                let after_option = self.done.last().is_some_and(|before| before.starts_with('-'));
                let is_dashed = matches!(pieces.first(), Some(Piece::Text(text)) if text.starts_with('-'));
                if is_dashed && !after_option {
                    self.done.push("--".to_owned());
                }
            }
            _ => {}
        }
        self.done.push(written);
    }
}

fn without(pieces: &[Piece], bytes: usize) -> Vec<Piece> {
    let mut pieces = pieces.to_vec();
    if let Some(Piece::Text(first)) = pieces.first_mut() {
        *first = first.get(bytes..).unwrap_or_default().to_owned();
    }
    pieces
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

fn is_setting(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| is_variable(name))
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
