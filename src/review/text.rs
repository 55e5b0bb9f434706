//! A review on a terminal.

use super::markdown::{footer, headline, sign};
use super::{About, Chapter, Finding, Kind, Place, REMARKS, Remark, Review};
use crate::shown::look::{Look, Tone, clean, counted};

#[must_use]
pub fn lines(review: &Review, look: Look) -> Vec<String> {
    let mut lines = vec![look.paint(Tone::Strong, &headline(review))];
    let mut chapter: Option<Chapter> = None;
    for finding in review.ordered() {
        if chapter != Some(finding.chapter) {
            chapter = Some(finding.chapter);
            lines.push(String::new());
            lines.push(look.paint(Tone::Strong, &finding.chapter.title().to_uppercase()));
        }
        lines.extend(one(&finding, look));
    }
    for (place, remark) in About::ALL.into_iter().flat_map(|about| review.remarks(about)).enumerate() {
        if place == 0 {
            lines.push(String::new());
            lines.push(look.paint(Tone::Strong, &REMARKS.to_uppercase()));
        }
        lines.extend(said(remark, look));
    }
    for runbook in review.unchanged() {
        let former = runbook.former().map_or_else(String::new, |former| format!(", was {}", clean(former)));
        let (name, count) = (clean(runbook.name()), counted(runbook.lines as u64, "line"));
        lines.push(String::new());
        lines.push(format!("{name}{former}: {count} moved, reformatted, renamed or commented, no effect"));
    }
    lines.push(String::new());
    lines.push(look.paint(Tone::Faint, &footer(review)));
    lines
}

fn said(remark: &Remark, look: Look) -> Vec<String> {
    let tone = match remark.about {
        About::Test => Tone::Bad,
        About::Warning => Tone::Doubtful,
    };
    let mut lines = vec![format!(
        "{} {}: {}{}",
        remark.about.sign(),
        clean(&remark.subject),
        look.paint(tone, remark.headline()),
        look.paint(Tone::Faint, &at(&remark.place))
    )];
    lines.extend([&remark.message].into_iter().chain(&remark.more).map(|line| format!("     {}", clean(line))));
    lines
}

fn at(place: &Place) -> String {
    format!("   {}:{}", clean(&place.file), place.line)
}

fn one(finding: &Finding, look: Look) -> Vec<String> {
    let tone = match finding.kind {
        Kind::Loosened | Kind::Blind | Kind::Dangerous => Tone::Bad,
        Kind::Permissions | Kind::Changed => Tone::Doubtful,
        Kind::Safer => Tone::Good,
    };
    let place = finding.after.as_ref().or(finding.before.as_ref());
    let place = place.map_or_else(String::new, at);
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
