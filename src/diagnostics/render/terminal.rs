//! Diagnostics for a person at a terminal, or for whoever reads the log of one.

use std::fmt::{self, Write as _};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, ThemeCharacters, ThemeStyles};

use super::excerpt::{Excerpt, one_line};
use crate::diagnostics::{Code, Diagnostic, Level};
use crate::source::Sources;

/// What the place that the text goes to can show.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub colour: bool,
    /// Box drawing characters, as on a terminal. Plain ASCII otherwise.
    pub boxes: bool,
    /// Columns to wrap at; `None` where long lines are welcome, as in a file that is searched.
    pub width: Option<usize>,
}

impl Look {
    /// For a pipe or a file.
    pub const PLAIN: Self = Self { colour: false, boxes: false, width: None };
}

/// All of them, each with an empty line behind it.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, look: Look) -> String {
    let handler = handler(look);
    let mut text = String::new();
    for diagnostic in diagnostics {
        headline(&mut text, diagnostic, sources, look);
        body(&mut text, diagnostic, sources, &handler);
        text.push('\n');
    }
    text
}

/// `2 errors, 1 warning in 3 files`
#[must_use]
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.level() == Level::Error).count();
    let warnings = diagnostics.len() - errors;
    let mut files: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.span().file).collect();
    files.sort_unstable();
    files.dedup();
    let counts = [(errors, "error"), (warnings, "warning")];
    let counts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| counted(*n, what)).collect();
    format!("{} in {}", counts.join(", "), counted(files.len(), "file"))
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `error: daily.runbook:34:25 message [unit-mismatch]`: where and what on one line, so that it can be searched for.
fn headline(text: &mut String, diagnostic: &Diagnostic, sources: &Sources, look: Look) {
    let (colour, bold, faint, plain) = if look.colour {
        let colour = if diagnostic.level() == Level::Error { "\x1b[1;31m" } else { "\x1b[1;33m" };
        (colour, "\x1b[1m", "\x1b[2m", "\x1b[0m")
    } else {
        ("", "", "", "")
    };
    let level = diagnostic.level().name();
    let place = place(diagnostic, sources);
    let message = one_line(&diagnostic.message);
    let code = diagnostic.code.name();
    // Writing to a string never fails.
    let _ = writeln!(text, "{colour}{level}{plain}: {place} {bold}{message}{plain} {faint}[{code}]{plain}");
}

fn place(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let file = sources.file(diagnostic.span().file);
    let name = one_line(&file.name);
    // A file that has no text to point at has no line 1 either.
    if matches!(diagnostic.code, Code::FileUnreadable | Code::FileTooLarge) && file.text.is_empty() {
        return format!("{name}:");
    }
    let position = sources.position(diagnostic.span());
    format!("{name}:{}:{}", position.line, position.column)
}

fn body(text: &mut String, diagnostic: &Diagnostic, sources: &Sources, handler: &GraphicalReportHandler) {
    let shown = Adapter {
        level: diagnostic.level(),
        excerpt: Excerpt::new(diagnostic, sources),
        help: diagnostic.help.as_deref(),
    };
    let mut body = String::new();
    if handler.render_report(&mut body, &shown).is_err() {
        // Only a broken excerpt does that; the headline and the help are still true.
        body = diagnostic.help.as_ref().map_or_else(String::new, |help| format!("\n  help: {}", one_line(help)));
    }
    // miette's first line is its own headline, empty here.
    for line in body.lines().skip(1) {
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn handler(look: Look) -> GraphicalReportHandler {
    let characters = if look.boxes { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let styles = if look.colour { ThemeStyles::ansi() } else { ThemeStyles::none() };
    GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_links(look.colour)
        .with_width(look.width.unwrap_or(80))
        .with_wrap_lines(look.width.is_some())
        .with_context_lines(0)
        .without_syntax_highlighting()
        .without_primary_span_start()
}

/// A diagnostic as miette draws it: its places and its help. The headline is ours.
#[derive(Debug)]
struct Adapter<'a> {
    level: Level,
    excerpt: Option<Excerpt>,
    help: Option<&'a str>,
}

impl fmt::Display for Adapter<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Adapter<'_> {}

impl miette::Diagnostic for Adapter<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.level {
            Level::Error => miette::Severity::Error,
            Level::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.help?;
        Some(Box::new(help.lines().map(one_line).collect::<Vec<_>>().join("\n")))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.excerpt.as_ref().map(|excerpt| Box::new(excerpt.labels()) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}
