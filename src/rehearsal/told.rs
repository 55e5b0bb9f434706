//! What became of a test, for people.

use std::fmt::Write as _;
use std::time::Duration;

use super::Rehearsed;
use crate::shown::look::{Look, Tone, clean};
use crate::source::Sources;
use crate::types::Value;

/// A test with what was not as expected; its story where it failed, or where all are wanted. `took` is how long it took
/// on a real clock.
#[must_use]
pub fn told(test: &Rehearsed, sources: &Sources, took: Option<Duration>, timeline: bool, look: Look) -> String {
    let mut text = String::new();
    let title = clean(&test.title);
    match &test.failure {
        None => {
            let took = took.map(|took| format!("{:.1} ms", took.as_secs_f64() * 1e3));
            let took = took.map(|took| format!("  {}", look.paint(Tone::Faint, &took))).unwrap_or_default();
            let _ = writeln!(text, "{} {title}{took}", look.paint(Tone::Good, "✓"));
        }
        Some(failure) => {
            let at = sources.position(failure.span);
            let name = &sources.file(failure.span.file).name;
            let _ = writeln!(text, "{} {title}", look.paint(Tone::Bad, "✗"));
            let _ = writeln!(text, "    {}:{}: {}", clean(name), at.line, clean(&failure.message));
            for line in &failure.found {
                let _ = writeln!(text, "      {}", clean(line));
            }
        }
    }
    if test.failure.is_some() || timeline {
        story(&mut text, test, look);
    }
    text
}

/// What was told to whom, and when.
fn story(text: &mut String, test: &Rehearsed, look: Look) {
    for (after, happening) in &test.timeline {
        let after = Value::Duration(*after).to_string();
        let _ = writeln!(
            text,
            "    {} {}",
            look.paint(Tone::Faint, &format!("{after:>8}")),
            clean(&happening.what.to_string())
        );
    }
}
