//! Diagnostics as workflow commands, which GitHub shows beside the lines of a pull request.

use super::range;
use crate::diagnostics::Diagnostic;
use crate::source::{Sources, visible};

/// `::error file=…,line=…,col=…,title=…::message`, one line for each.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    diagnostics.iter().map(|diagnostic| line(diagnostic, sources)).collect()
}

fn line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let span = diagnostic.span();
    let (start, end) = range(sources, span);
    let mut properties = vec![
        ("file", sources.file(span.file).name.clone()),
        ("line", start.line.to_string()),
        ("col", start.column.to_string()),
        ("endLine", end.line.to_string()),
    ];
    // GitHub takes an end column only within one line, and counts the last column in.
    if start.line == end.line {
        properties.push(("endColumn", end.column.saturating_sub(1).max(start.column).to_string()));
    }
    properties.push(("title", diagnostic.code.name().to_owned()));
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    let help = diagnostic.help.as_ref().map_or_else(String::new, |help| format!("\nhelp: {help}"));
    let message = message(&format!("{}{help}", diagnostic.message));
    format!("::{} {}::{message}\n", diagnostic.level().name(), properties.join(","))
}

/// What a message may not hold as it is, by the toolkit's own rules; nor what moves the cursor of whoever reads the log.
fn message(text: &str) -> String {
    let lines: Vec<String> = text.replace('%', "%25").split('\n').map(|line| visible(line).into_owned()).collect();
    lines.join("%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
