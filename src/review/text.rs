//! A review on a terminal.

use super::markdown::{footer, headline, sign};
use super::{Chapter, Finding, Kind, Review};
use crate::report::look::{Look, Tone, clean, counted};

#[must_use]
pub fn lines(review: &Review, look: Look) -> Vec<String> {
    let mut lines = vec![look.paint(Tone::Strong, &headline(review))];
    let mut findings: Vec<&Finding> = review.runbooks.iter().flat_map(|one| &one.findings).collect();
    findings.sort_by_key(|finding| (finding.chapter, finding.kind));
    let mut chapter: Option<Chapter> = None;
    for finding in findings {
        if chapter != Some(finding.chapter) {
            chapter = Some(finding.chapter);
            lines.push(String::new());
            lines.push(look.paint(Tone::Strong, &finding.chapter.title().to_uppercase()));
        }
        lines.extend(one(finding, look));
    }
    for runbook in review.runbooks.iter().filter(|one| one.findings.is_empty()) {
        let name = runbook.after.as_ref().or(runbook.before.as_ref()).map_or("", String::as_str);
        let renamed = match (&runbook.before, &runbook.after) {
            (Some(before), Some(after)) if before != after => format!(", was {}", clean(before)),
            _ => String::new(),
        };
        let count = counted(runbook.lines as u64, "line");
        lines.push(String::new());
        lines.push(format!("{}{renamed}: {count} moved, reformatted, renamed or commented, no effect", clean(name)));
    }
    lines.push(String::new());
    lines.push(look.paint(Tone::Faint, &footer(review)));
    lines
}

fn one(finding: &Finding, look: Look) -> Vec<String> {
    let tone = match finding.kind {
        Kind::Loosened | Kind::Blind | Kind::Dangerous => Tone::Bad,
        Kind::Permissions | Kind::Changed => Tone::Doubtful,
        Kind::Safer => Tone::Good,
    };
    let place = finding.after.as_ref().or(finding.before.as_ref());
    let place = place.map_or_else(String::new, |place| format!("   {}:{}", clean(&place.file), place.line));
    let mut lines = vec![format!(
        "{} {}: {}{}",
        sign(finding.kind),
        clean(&finding.subject),
        look.paint(tone, &finding.headline),
        look.paint(Tone::Faint, &place)
    )];
    for row in &finding.rows {
        if !row.before.is_empty() {
            lines.push(format!("     {} before: {}", row.what, clean(&row.before)));
        }
        if !row.after.is_empty() {
            lines.push(format!("     {} now:    {}", row.what, clean(&row.after)));
        }
    }
    lines.extend(finding.notes.iter().map(|note| format!("     {}", clean(note))));
    lines
}
