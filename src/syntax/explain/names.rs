//! Words that are misspelled, reserved or out of place.

use super::{Puzzle, forms, shown};
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::syntax::grammar::Rule;
use crate::syntax::recover::Place;
use crate::syntax::scan::TokenKind;
use crate::syntax::words;

/// The piece begins with something that begins nothing.
pub(super) fn first_word(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    let known = puzzle.place.words();
    let word = puzzle.found_text();
    if puzzle.stop.at != puzzle.piece.start || known.is_empty() || known.contains(&word) {
        return None;
    }
    let span = puzzle.token_span(found);
    let noun = puzzle.place.noun();
    if found.kind != TokenKind::Word {
        let fault = Diagnostic::new(Code::Syntax, span, format!("expected a {noun}, found {}", shown(word)));
        return Some(fault.help(format!("a {noun} begins with {}", list(known))));
    }
    let lower = word.to_lowercase();
    if known.contains(&lower.as_str()) {
        let fault = Diagnostic::new(Code::UnknownStatement, span, format!("`{word}` is written `{lower}`"));
        return Some(fault.help("the words of the language are lowercase").fix(span, lower));
    }
    let elsewhere = ELSEWHERE.iter().find(|(known_as, own, _)| *known_as == lower && known.contains(own));
    if words::KEYWORDS.contains(&word) && nearest(word, known.iter().copied()).is_none() {
        let fault = Diagnostic::new(Code::UnknownStatement, span, format!("`{word}` cannot begin a {noun} here"));
        return Some(match (elsewhere, home(word)) {
            (Some((_, _, help)), _) => fault.help(*help),
            (None, Some(home)) => fault.help(format!("it stands {home}")),
            (None, None) => fault.help(format!("a {noun} begins with {}", list(known))),
        });
    }
    let fault = Diagnostic::new(Code::UnknownStatement, span, format!("there is no {noun} `{word}`"));
    // `set = 3` and `source.get("/")` use names that somebody gave.
    let is_own_name = matches!(puzzle.recovery.text(puzzle.stop.at + 1), "." | "=");
    if let Some((_, _, help)) = elsewhere.filter(|_| !is_own_name) {
        return Some(fault.help(*help));
    }
    if let Some(bare) = bare_expression(puzzle, known, span) {
        return Some(bare);
    }
    Some(match nearest(word, known.iter().copied()) {
        Some(near) => fault.help(format!("did you mean `{near}`?")).fix(span, near),
        None => fault.help(format!("a {noun} begins with {}", list(known))),
    })
}

/// What other languages begin a piece with, the word that begins it here, and what to write.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("assert", "check", "write `check condition as \"title\"`"),
    ("case", "if", "write `if condition { … } else if condition { … } else { … }`"),
    ("catch", "show", "write `try value otherwise other` in a value; `on failure { … }` closes a step"),
    ("const", "let", "write `let name = …`"),
    ("def", "command", "write `command name(…) -> type { … }`"),
    ("echo", "show", "write `show …`"),
    ("elif", "if", "write `else if condition { … }`"),
    ("elseif", "if", "write `else if condition { … }`"),
    ("elsif", "if", "write `else if condition { … }`"),
    ("exec", "change", "declare the program: `tool name() = argv(\"program\", …)`"),
    ("fn", "command", "write `command name(…) -> type { … }`"),
    ("ensure", "require", "write `require condition as \"title\"`: changes below it are made only where it holds"),
    ("func", "command", "write `command name(…) -> type { … }`"),
    ("function", "command", "write `command name(…) -> type { … }`"),
    ("guard", "require", "write `require condition as \"title\"`: changes below it are made only where it holds"),
    ("import", "use", "write `use \"./file\" as name`"),
    ("include", "use", "write `use \"./file\" as name`"),
    ("job", "section", "write `section \"title\" { … }`"),
    ("match", "if", "write `if condition { … } else if condition { … } else { … }`"),
    ("print", "show", "write `show …`"),
    ("printf", "show", "write `show …`"),
    ("run", "change", "declare the program: `tool name() = argv(\"program\", …)`"),
    ("set", "let", "write `let name = …`"),
    ("sleep", "wait", "write `wait until condition every 5s within 10m`"),
    ("source", "use", "write `use \"./file\" as name`"),
    ("switch", "if", "write `if condition { … } else if condition { … } else { … }`"),
    ("task", "step", "write `step \"title\" { … }`"),
    ("try", "show", "write `try value otherwise other` in a value; `on failure { … }` closes a step"),
    ("var", "let", "write `let name = …`"),
    (
        "verify",
        "change",
        "it belongs to a change: `change … verify condition`; `check condition as \"title\"` only looks",
    ),
    ("while", "wait", "write `wait until condition every 5s within 10m`, or `for item in list { … }`"),
];

/// `api.post("/x")` or `x = 3` where a statement is wanted, as other languages have it.
fn bare_expression(puzzle: &Puzzle<'_, '_, '_>, known: &[&str], span: Span) -> Option<Diagnostic> {
    let next = puzzle.recovery.text(puzzle.stop.at + 1);
    if !known.contains(&"let") || puzzle.stop.at + 1 >= puzzle.piece.end {
        return None;
    }
    let word = puzzle.found_text();
    match next {
        "." | "(" => Some(
            Diagnostic::new(Code::UnknownStatement, span, "a call alone is no statement")
                .help("write `change` before one that changes something, `show` or `check` before one that looks"),
        ),
        "=" => Some(
            Diagnostic::new(Code::UnknownStatement, span, format!("`{word}` is given a value without `let`"))
                .help(format!("write `let {word} = …`"))
                .fix(span, format!("let {word}")),
        ),
        _ => None,
    }
}

fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => quoted.join(""),
    }
}

/// Where a word that begins something belongs.
fn home(word: &str) -> Option<&'static str> {
    if words::ITEMS.contains(&word) {
        return Some("at the top of the file");
    }
    Some(match word {
        "step" => "in a section",
        "given" | "expect" | "run" | "after" | "alert" => "in a test",
        "level" | "repeat" | "roles" | "by" => "in an escalation",
        "respond" => "in a level of an escalation",
        "when" | "until" | "from" | "group" => "in a threshold",
        "on" | "always" => "at the end of a step or a section",
        "else" => "behind the block of an `if`, or in a `check`",
        _ if words::STATEMENTS.contains(&word) => "in a step, a section, a command or a report",
        _ => return None,
    })
}

/// A title that is none.
pub(super) fn title(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    let span = puzzle.token_span(found);
    if found.inside && puzzle.wants(Rule::name_chars) {
        return Some(interpolated(span));
    }
    if !(puzzle.wants(Rule::name) || puzzle.wants(Rule::name_chars)) || puzzle.wants_value() {
        return None;
    }
    let text = puzzle.found_text();
    match found.kind {
        TokenKind::TextPiece => Some(interpolated(span)),
        TokenKind::Text if text.len() <= 2 => {
            Some(Diagnostic::new(Code::Syntax, span, "a title is not empty").help("write what it is about"))
        }
        TokenKind::Text => {
            let inner = text.trim_matches('\'');
            let fault = Diagnostic::new(Code::Syntax, span, "a title stands in double quotes, on one line");
            if inner.contains(['"', '\\', '{', '\n']) {
                return Some(fault);
            }
            let fixed = format!("\"{inner}\"");
            Some(fault.help(format!("write {}", shown(&fixed))).fix(span, fixed))
        }
        TokenKind::Word if !words::KEYWORDS.contains(&text) => {
            let fixed = format!("\"{text}\"");
            Some(
                Diagnostic::new(Code::Syntax, span, format!("expected a title in quotes, found {}", shown(text)))
                    .help(format!("write {}", shown(&fixed)))
                    .fix(span, fixed),
            )
        }
        _ => None,
    }
}

fn interpolated(span: Span) -> Diagnostic {
    Diagnostic::new(Code::Syntax, span, "a title is constant, so nothing can be interpolated here")
        .help("write the text itself, or `\\{` for a brace")
}

/// A word of the language where a name is wanted.
pub(super) fn reserved(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    let word = puzzle.found_text();
    if found.kind != TokenKind::Word || !words::is_reserved(word) || !puzzle.wants(Rule::ident) || puzzle.wants_value()
    {
        return None;
    }
    Some(
        Diagnostic::new(
            Code::ReservedName,
            puzzle.token_span(found),
            format!("`{word}` is a word of the language and cannot be a name"),
        )
        .help(format!("choose another name, such as `{word}_`")),
    )
}

/// `{ check }`: a key may be reserved, the name it stands for may not.
pub(super) fn shorthand(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let before = puzzle.before()?;
    let word = puzzle.before_text();
    let opens = matches!(puzzle.recovery.text(puzzle.stop.at.saturating_sub(2)), "{" | ",");
    let closes = matches!(puzzle.found_text(), "}" | ",");
    if before.kind != TokenKind::Word || !words::is_reserved(word) || !opens || !closes || before.depth == 0 {
        return None;
    }
    Some(
        Diagnostic::new(
            Code::ReservedName,
            puzzle.token_span(before),
            format!("`{word}` is a word of the language and cannot be a name"),
        )
        .help(format!("give the key its value: `{word}: …`")),
    )
}

/// `{ .name }`: a key has a name of its own.
pub(super) fn field_as_key(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let (found, before) = (puzzle.found()?, puzzle.before()?);
    let next = puzzle.recovery.token(puzzle.stop.at + 1).filter(|next| next.start == found.end)?;
    let is_field = puzzle.found_text() == "." && next.kind == TokenKind::Word;
    if !is_field || !matches!(puzzle.before_text(), "{" | ",") || before.depth == 0 {
        return None;
    }
    let name = puzzle.recovery.text(puzzle.stop.at + 1);
    let entry = format!("{name}: .{name}");
    let span = puzzle.token_span(found).to(puzzle.token_span(next));
    let message = format!("`.{name}` is a value, and an entry of a record has a name as well");
    Some(Diagnostic::new(Code::Syntax, span, message).help(format!("write `{entry}`")).fix(span, entry))
}

/// A clause's or operator's word with a slip in it.
pub(super) fn misspelled(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    let word = puzzle.found_text();
    if found.kind != TokenKind::Word || words::KEYWORDS.contains(&word) {
        return None;
    }
    let mut wanted: Vec<String> = puzzle.stop.wanted.iter().filter_map(|rule| forms::keyword_text(*rule)).collect();
    if puzzle.wants(Rule::op) {
        wanted.extend(["and", "or", "in"].map(str::to_owned));
    }
    if puzzle.wants(Rule::severity) {
        wanted.extend(["critical", "warning", "info"].map(str::to_owned));
    }
    if puzzle.wants(Rule::schedule) || puzzle.wants(Rule::interval) {
        wanted.extend(["every", "daily", "weekly", "monthly", "cron"].map(str::to_owned));
    }
    let lower = word.to_lowercase();
    let exact = wanted.iter().find(|known| **known == lower).map(String::as_str);
    // Two letters are near to many words.
    let near = || nearest(word, wanted.iter().map(String::as_str)).filter(|near| near.len() > 2);
    let near = exact.or_else(near)?.to_owned();
    if puzzle.wants_value() && exact.is_none() {
        return None;
    }
    let span = puzzle.token_span(found);
    Some(
        Diagnostic::new(Code::Syntax, span, format!("{} cannot stand here", shown(word)))
            .help(format!("did you mean `{near}`?"))
            .fix(span, near),
    )
}

/// A name with a capital at its start.
pub(super) fn capital(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    let word = puzzle.found_text();
    let begins = word.starts_with(|first: char| first.is_ascii_uppercase());
    let wanted = puzzle.wants(Rule::ident) || puzzle.wants_value();
    if found.kind != TokenKind::Word || !begins || !wanted || puzzle.place == Place::HeaderField {
        return None;
    }
    let lower = word.to_lowercase();
    let span = puzzle.token_span(found);
    let fault =
        Diagnostic::new(Code::Syntax, span, format!("a name begins with a lowercase letter, {} does not", shown(word)));
    if puzzle.wants_value() && !matches!(lower.as_str(), "true" | "false" | "null" | "it") {
        return Some(fault.help(format!("write the name as it was declared, or \"{word}\" for a text")));
    }
    Some(fault.help(format!("write {}", shown(&lower))).fix(span, lower))
}
