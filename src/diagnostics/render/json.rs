//! Diagnostics as JSON Lines: one object a line, for editors and scripts.
//!
//! Lines and columns count from 1, columns in characters; an end is the first column that is no longer meant.

use serde::Serialize;

use super::range;
use crate::diagnostics::{Diagnostic, Level};
use crate::source::{Sources, Span};

#[derive(Serialize)]
struct Line<'a> {
    code: &'static str,
    level: Level,
    message: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    labels: Vec<Label<'a>>,
    help: Option<&'a str>,
    fix: Option<Fix<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
struct Label<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct Fix<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    replacement: &'a str,
}

/// One line for each.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    diagnostics
        .iter()
        .map(|diagnostic| {
            let line = serde_json::to_string(&line(diagnostic, sources));
            // Text and numbers always serialise; a message of the library is still better than a missing line.
            line.unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}")) + "\n"
        })
        .collect()
}

fn line<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Line<'a> {
    Line {
        code: diagnostic.code.name(),
        level: diagnostic.level(),
        message: &diagnostic.message,
        place: place(diagnostic.span(), sources),
        labels: diagnostic
            .labels
            .iter()
            .map(|label| Label { place: place(label.span, sources), text: &label.text })
            .collect(),
        help: diagnostic.help.as_deref(),
        fix: diagnostic.fix.as_ref().map(|fix| Fix { place: place(fix.span, sources), replacement: &fix.replacement }),
    }
}

fn place(span: Span, sources: &Sources) -> Place<'_> {
    let (start, end) = range(sources, span);
    Place {
        file: &sources.file(span.file).name,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
    }
}
