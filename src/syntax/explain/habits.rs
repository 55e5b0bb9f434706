//! Habits of other languages: operators and words that are written otherwise here. What is named in a call or a value is
//! in `catalog::elsewhere`, what begins a statement in `names`.

use super::Puzzle;
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::recover::Place;
use crate::syntax::scan::{Token, TokenKind};

/// What stands between two values elsewhere, and what to write for it. A replacement for the word alone is its fix.
const BETWEEN: &[(&str, &str, Option<&str>)] = &[
    ("between", "write `x >= low and x <= high`", None),
    ("contains", "write `… | contains(\"…\")`, or `\"…\" in text`", None),
    ("endswith", "write `… | ends_with(\"…\")`", None),
    ("ends_with", "write `… | ends_with(\"…\")`", None),
    ("eq", "write `==`", Some("==")),
    ("equals", "write `==`", Some("==")),
    ("ge", "write `>=`", Some(">=")),
    ("gt", "write `>`", Some(">")),
    ("gte", "write `>=`", Some(">=")),
    ("isnt", "write `!=`", Some("!=")),
    ("le", "write `<=`", Some("<=")),
    ("like", "write `text ~ /pattern/`", None),
    ("lt", "write `<`", Some("<")),
    ("lte", "write `<=`", Some("<=")),
    ("matches", "write `text ~ /pattern/`", None),
    ("ne", "write `!=`", Some("!=")),
    ("neq", "write `!=`", Some("!=")),
    ("of", "write `*`: `80% * total`", Some("*")),
    ("startswith", "write `… | starts_with(\"…\")`", None),
    ("starts_with", "write `… | starts_with(\"…\")`", None),
    ("xor", "write `!=` between two conditions in brackets: `(a) != (b)`", None),
    ("?", "write `if condition then a else b`", None),
];

/// Operators of other languages.
pub(super) fn operator(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    if let Some(signs) = signs(puzzle, found) {
        return Some(signs);
    }
    let word = puzzle.found_text();
    if word == "." && puzzle.before_text() == "." && puzzle.before()?.end == found.start {
        let fault = Diagnostic::new(Code::Syntax, puzzle.token_span(found), "there is no range `a..b` here");
        return Some(fault.help("write `x >= 200 and x <= 299`, or the list: `[1, 2, 3]`"));
    }
    if !puzzle.after_value() || found.inside && found.kind == TokenKind::Sign && word != "?" {
        return None;
    }
    if let Some(words) = several(puzzle, found) {
        return Some(words);
    }
    if (puzzle.first_word(), word) == ("for", "of") {
        let span = puzzle.token_span(found);
        return Some(
            Diagnostic::new(Code::Syntax, span, "a loop is written with `in`").help("write `in`").fix(span, "in"),
        );
    }
    let (_, help, fix) = BETWEEN.iter().find(|(known, ..)| *known == word)?;
    let span = puzzle.token_span(found);
    let fault = Diagnostic::new(Code::Syntax, span, format!("there is no operator `{word}` here")).help(*help);
    Some(match fix {
        Some(fix) => fault.fix(span, *fix),
        None => fault,
    })
}

/// `<>`, `===`, `!==`: reading stops behind what is an operator here.
fn signs(puzzle: &Puzzle<'_, '_, '_>, found: Token) -> Option<Diagnostic> {
    let source = puzzle.recovery.builder.source;
    let end = found.end as usize;
    for (sign, meant) in [("===", "=="), ("!==", "!="), ("<>", "!=")] {
        let start = end.checked_sub(sign.len())?;
        if source.text.get(start..end) == Some(sign) {
            let span = source.span(start, end);
            let fault = Diagnostic::new(Code::Syntax, span, format!("there is no operator `{sign}` here"));
            return Some(fault.help(format!("write `{meant}`")).fix(span, meant));
        }
    }
    None
}

/// `not in`, `is not null`, `is empty`.
fn several(puzzle: &Puzzle<'_, '_, '_>, found: Token) -> Option<Diagnostic> {
    let at = |more: usize| puzzle.recovery.text(puzzle.stop.at + more);
    let through = |more: usize| {
        let last = puzzle.recovery.token(puzzle.stop.at + more).unwrap_or(found);
        puzzle.token_span(found).to(puzzle.token_span(last))
    };
    let (more, help, fix) = match (puzzle.found_text(), at(1), at(2)) {
        ("not", "in", _) => (1, "write `not (x in list)`", None),
        ("is", "not", "in") => (2, "write `not (x in list)`", None),
        ("is", "not", "empty") => (2, "write `not (list | is_empty)`", None),
        ("is", "not", _) => (1, "write `!=`: `x != null`", Some("!=")),
        ("is", "empty", _) => (1, "write `list | is_empty`", Some("| is_empty")),
        ("is", "in", _) => (1, "write `in`", Some("in")),
        _ => return None,
    };
    let span = through(more);
    let written = puzzle.recovery.builder.source.slice(span.start, span.end);
    let fault = Diagnostic::new(Code::Syntax, span, format!("there is no operator `{written}` here")).help(help);
    Some(match fix {
        Some(fix) => fault.fix(span, fix),
        None => fault,
    })
}

/// `section: "A"`, `show: x`, `- show x`, `if x then { … }`: what YAML and others put around a word.
pub(super) fn around_a_word(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    let span = puzzle.token_span(found);
    let fault = |message: String| Diagnostic::new(Code::Syntax, span, message).help("take it away").fix(span, "");
    let known = puzzle.place.words();
    match puzzle.found_text() {
        ":" if puzzle.stop.at == puzzle.piece.start + 1 && known.contains(&puzzle.first_word()) => {
            Some(fault(format!("no `:` stands behind `{}`", puzzle.first_word())))
        }
        "-" | "*" if puzzle.stop.at == puzzle.piece.start && puzzle.place != Place::HeaderField => {
            let word = puzzle.recovery.text(puzzle.stop.at + 1);
            known.contains(&word).then(|| fault(format!("a {} begins with its word, `{word}`", puzzle.place.noun())))
        }
        "then" if puzzle.first_word() == "if" => Some(fault("no `then` stands before the block of an `if`".to_owned())),
        _ => None,
    }
}
