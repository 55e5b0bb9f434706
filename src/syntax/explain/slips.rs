//! Slips of the hand, and habits from other languages.

use super::{Puzzle, shown};
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::syntax::scan::TokenKind;
use crate::syntax::words;
use crate::units;

/// Quotes that a word processor made.
pub(super) fn curly_quote(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    let text = puzzle.found_text();
    let straight = match text {
        "“" | "”" | "„" | "«" | "»" => "\"",
        "‘" | "’" | "‚" | "`" => "'",
        _ => return None,
    };
    let span = puzzle.token_span(found);
    Some(
        Diagnostic::new(Code::Syntax, span, format!("{} is not a quote of this language", shown_quote(text)))
            .help(format!("write {straight} for it"))
            .fix(span, straight),
    )
}

fn shown_quote(text: &str) -> String {
    if text == "`" { "a backtick".to_owned() } else { shown(text) }
}

/// Signs that other languages have.
pub(super) fn foreign_sign(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    let text = puzzle.found_text();
    let next = puzzle.recovery.token(puzzle.stop.at + 1).filter(|next| next.start == found.end);
    let next_text = next.map_or("", |_| puzzle.recovery.text(puzzle.stop.at + 1));
    let condition =
        matches!(puzzle.first_word(), "check" | "require" | "if" | "wait" | "when" | "until" | "else" | "show");
    let meant = match text {
        "%" | "mod" if puzzle.after_value() && is_operand(puzzle) => {
            let span = puzzle.token_span(found);
            let fault = Diagnostic::new(Code::Syntax, span, format!("there is no operator `{text}` here"));
            return Some(fault.help("write what is left of a division as `a | remainder(b)`"));
        }
        "&&" | "&" => "and",
        "||" => "or",
        "!" if next_text == "~" => return Some(negated_match(puzzle.token_span(found))),
        "!" => "not",
        "=" if next_text == "~" => "~",
        "->" if matches!(puzzle.first_word(), "tool" | "command") => {
            let span = puzzle.token_span(found);
            let fault = Diagnostic::new(Code::Syntax, span, "what it gives is said before `changes`");
            return Some(fault.help(format!("the form is `{} name(…) -> type changes …`", puzzle.first_word())));
        }
        "->" => "=>",
        "=" if next_text == "<" => "<=",
        "=>" if puzzle.after_value() && condition => ">=",
        "=" | "is" if puzzle.after_value() && condition => "==",
        _ => return None,
    };
    let (span, text) = match next {
        Some(next) if meant == "~" => (puzzle.token_span(found).to(puzzle.token_span(next)), "=~"),
        Some(next) if meant == "<=" => (puzzle.token_span(found).to(puzzle.token_span(next)), "=<"),
        _ => (puzzle.token_span(found), text),
    };
    let replacement = if next.is_some() && meant == "not" { "not " } else { meant };
    Some(
        Diagnostic::new(Code::Syntax, span, format!("there is no operator `{text}` here"))
            .help(format!("write `{meant}`"))
            .fix(span, replacement),
    )
}

/// Whether a value follows what was found.
fn is_operand(puzzle: &Puzzle<'_, '_, '_>) -> bool {
    let at = puzzle.stop.at + 1;
    puzzle.recovery.token(at).is_some_and(|next| match next.kind {
        TokenKind::Word => !words::KEYWORDS.contains(&puzzle.recovery.text(at)),
        TokenKind::Number => true,
        _ => puzzle.recovery.text(at) == "(",
    })
}

fn negated_match(span: Span) -> Diagnostic {
    Diagnostic::new(Code::Syntax, span, "there is no operator `!~` here").help("write `not (text ~ /pattern/)`")
}

/// `$name`, as the shell has it.
pub(super) fn dollar(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found().filter(|_| puzzle.found_text().starts_with('$'))?;
    let start = puzzle.token_span(found);
    let fault = Diagnostic::new(Code::Syntax, start, "a name is written without `$`");
    let next = puzzle.recovery.token(puzzle.stop.at + 1).filter(|next| next.kind == TokenKind::Word);
    Some(match next.filter(|next| next.start == found.end) {
        // As variables of the environment are called.
        Some(name) if puzzle.recovery.text(puzzle.stop.at + 1).starts_with(|c: char| c.is_ascii_uppercase()) => {
            let name_text = puzzle.recovery.text(puzzle.stop.at + 1);
            let call = format!("host.variable(\"{name_text}\")");
            fault
                .help(format!("write `{call}`; for a secret, declare `secret name = env(\"{name_text}\")`"))
                .fix(start.to(puzzle.token_span(name)), call)
        }
        Some(_) => fault.help(format!("write {}", shown(puzzle.recovery.text(puzzle.stop.at + 1)))).fix(start, ""),
        None => fault.help("write the name alone; in a text, `{name}`"),
    })
}

/// `f (x)`, `xs [0]`
pub(super) fn detached_bracket(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let (found, before) = (puzzle.found()?, puzzle.before()?);
    let bracket = puzzle.found_text();
    if !puzzle.after_value() || !matches!(bracket, "(" | "[") || found.start == before.end {
        return None;
    }
    let span = puzzle.token_span(found);
    let what = if bracket == "(" { "a call's `(`" } else { "an index's `[`" };
    let fault = Diagnostic::new(Code::DetachedBracket, span, format!("{what} touches the name before it"));
    let gap = puzzle.gap(before, found);
    Some(if gap.trim_matches([' ', '\t']).is_empty() {
        let fix = format!("{}{bracket}", puzzle.before_text());
        fault.help(format!("take the blank away: {}", shown(&fix))).fix(puzzle.gap_span(before, found), "")
    } else {
        fault.help("every statement begins with its own word")
    })
}

/// `x .y`
pub(super) fn detached_field(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let (found, before) = (puzzle.found()?, puzzle.before()?);
    if !puzzle.after_value() || puzzle.found_text() != "." || found.start == before.end {
        return None;
    }
    let span = puzzle.token_span(found);
    let earlier = puzzle.stop.at.checked_sub(2).map_or("", |at| puzzle.recovery.text(at));
    if before.kind == TokenKind::Word && earlier == "|" {
        let name = puzzle.recovery.text(puzzle.stop.at + 1);
        let fault = Diagnostic::new(Code::Syntax, span, "what a stage asks for each item stands in brackets");
        return Some(fault.help(format!("write `{}(.{name} …)`", puzzle.before_text())));
    }
    Some(
        Diagnostic::new(Code::DetachedBracket, span, "a `.` with a blank before it is the item's own field")
            .help("take the blank away for a field of what stands before it")
            .fix(puzzle.gap_span(before, found), ""),
    )
}

/// `10 GiB`, `5 %`
pub(super) fn detached_unit(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let (found, before) = (puzzle.found()?, puzzle.before()?);
    let unit = puzzle.found_text();
    let is_unit = unit == "%" || (found.kind == TokenKind::Word && !words::KEYWORDS.contains(&unit));
    let gap = puzzle.gap(before, found);
    if before.kind != TokenKind::Number || !is_unit || gap.is_empty() || !gap.trim_matches([' ', '\t']).is_empty() {
        return None;
    }
    let clauses: Vec<String> = puzzle.stop.wanted.iter().filter_map(|rule| super::forms::keyword_text(*rule)).collect();
    let is_known = unit == "%" || units::UNITS.iter().any(|(known, _)| *known == unit);
    let meant = units::meant(unit);
    // `5 s`: a unit, however near a clause's word it is. `3 times`: none, and no word would become one by touching.
    if !is_known && (meant.is_none() || nearest(unit, clauses.iter().map(String::as_str)).is_some()) {
        return None;
    }
    let unit = if is_known { unit } else { meant.unwrap_or(unit) };
    let joined = format!("{}{unit}", puzzle.before_text());
    let span = puzzle.token_span(before).to(puzzle.token_span(found));
    Some(
        Diagnostic::new(Code::Syntax, span, "a unit touches its number")
            .help(format!("write {}", shown(&joined)))
            .fix(span, joined),
    )
}

/// `a/b`, and a regex that is none.
pub(super) fn division(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    if !puzzle.found_text().starts_with('/') {
        return None;
    }
    let source = puzzle.recovery.builder.source;
    let slash = source.span(found.start as usize, found.start as usize + 1);
    if puzzle.before().is_some_and(|before| before.kind == TokenKind::Regex) {
        return Some(
            Diagnostic::new(Code::Syntax, slash, "the regex has ended before this `/`")
                .help("write `\\/` for a slash in a regex"),
        );
    }
    if let Some(date) = date(puzzle) {
        return Some(date);
    }
    if puzzle.after_value() {
        return Some(
            Diagnostic::new(Code::Syntax, slash, "a division has a blank behind its `/`")
                .help("write `a / b`; a regex stands behind `~` or in a call")
                .fix(slash, "/ "),
        );
    }
    let rest = source.text.get(found.start as usize..).unwrap_or("");
    let line = rest.lines().next().unwrap_or("");
    if line.starts_with("/ ") && line.matches('/').count() > 1 {
        return Some(
            Diagnostic::new(Code::Syntax, slash, "a regex does not begin with a blank: that is a division")
                .help("write `/[ ]…/`"),
        );
    }
    Some(
        Diagnostic::new(Code::Unclosed, slash, "this regex is not closed on its line")
            .help("write `/…/`, and `\\/` for a slash in it"),
    )
}

/// `2026/11/23`
fn date(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let (found, before) = (puzzle.found()?, puzzle.before()?);
    let source = puzzle.recovery.builder.source;
    let rest = source.text.get(found.start as usize..)?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '/').unwrap_or(rest.len());
    let parts: Vec<&str> = rest.get(..end)?.split('/').collect();
    let (["", month, day], 4) = (parts.as_slice(), puzzle.before_text().len()) else { return None };
    let (month, day): (u8, u8) = (month.parse().ok()?, day.parse().ok()?);
    let date = format!("{}-{month:02}-{day:02}", puzzle.before_text());
    let whole = Span::new(source.file, before.start, found.start + u32::try_from(end).ok()?);
    let fault = Diagnostic::new(Code::Syntax, whole, "a date has `-` between its numbers");
    (before.kind == TokenKind::Number).then(|| fault.help(format!("write `{date}`")).fix(whole, date))
}

/// `08:00:00.5Z`, `xs | .name`: a `.` where no field is.
pub(super) fn stray_point(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    let text = puzzle.found_text();
    if let Some((time, fraction)) = text.split_once('.')
        && text.starts_with(|c: char| c.is_ascii_digit())
        && time.contains('T')
        && time.matches(':').count() == 2
    {
        let whole = format!("{time}{}", fraction.trim_start_matches(|c: char| c.is_ascii_digit()));
        let span = puzzle.token_span(found);
        let fault = Diagnostic::new(Code::Syntax, span, "a time is written in whole seconds");
        return Some(fault.help(format!("write `{whole}`")).fix(span, whole));
    }
    if puzzle.found_text() == "." && puzzle.before_text() == "|" {
        let name = puzzle.recovery.text(puzzle.stop.at + 1);
        let fault =
            Diagnostic::new(Code::Syntax, puzzle.token_span(found), "a stage stands behind `|`, and a field is none");
        return Some(fault.help(format!(
            "write `(…).{name}` for a field of one value, `(…)?.{name}` behind `first`, and `| each(.{name})` for that of each item"
        )));
    }
    None
}

/// `3_a`, `1.2.3`
pub(super) fn bad_number(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    if found.kind != TokenKind::Number || !puzzle.wants_value() {
        return None;
    }
    let span = puzzle.token_span(found);
    Some(Diagnostic::new(Code::Syntax, span, format!("{} is not a number", shown(puzzle.found_text()))).help(
        "write a number as `1_000` or `0.5`, with its unit as `10GiB`, `5%` or `3/min`; a name begins with a letter",
    ))
}

/// `check x else "message"`
pub(super) fn severity_missing(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found();
    if puzzle.first_word() != "check" || puzzle.before_text() != "else" {
        return None;
    }
    let else_span = puzzle.token_span(puzzle.before()?);
    let span = found.map_or(else_span.after(), |found| puzzle.token_span(found));
    Some(
        Diagnostic::new(Code::Syntax, span, "a severity is missing behind `else`")
            .help("write `else warning \"message\"`, `else critical \"message\"` or `else raise \"Threshold\"`"),
    )
}

/// `1 + if a then b else c`
pub(super) fn bare_branch(puzzle: &Puzzle<'_, '_, '_>) -> Option<Diagnostic> {
    let found = puzzle.found()?;
    let word = puzzle.found_text();
    if !matches!(word, "if" | "try") || puzzle.stop.at == puzzle.piece.start || puzzle.after_value() {
        return None;
    }
    Some(
        Diagnostic::new(
            Code::Syntax,
            puzzle.token_span(found),
            format!("`{word}` needs brackets inside of an expression"),
        )
        .help(format!("write `({word} …)`")),
    )
}
