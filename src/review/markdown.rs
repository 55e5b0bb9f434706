//! A review as a comment under a pull request.
//!
//! Whatever comes from a runbook stands in a code span: there nothing is a link, an image, a mention or a tag, and what
//! would end the span or the cell of a table is taken care of.

use std::fmt::Write as _;

use super::{About, Chapter, Finding, Kind, Place, REMARKS, Remark, Review};
use crate::shown::look::{clean, counted};

/// How many lines a comment has before the rest is folded.
const LINES: usize = 60;

/// Longer values are cut: a comment is not the runbook.
const LONGEST: usize = 300;

/// By which the comment of a former push is found again.
pub const MARKER: &str = "<!-- runbook diff -->";

/// How many bytes a comment has at most: GitHub takes no more than 65,536 characters, and whoever posts it may add a line.
const MOST: usize = 64_000;

/// A comment. One that would be longer than is taken has the worst findings first, and says how much it leaves out.
#[must_use]
pub fn comment(review: &Review) -> String {
    let head = format!("{MARKER}\n### {}\n", headline(review));
    let foot = format!("\n<sub>{}</sub>\n", footer(review));
    let findings = review.ordered();
    let whole = folded(&head, chapters(&findings).chain(others(review)), &foot);
    if whole.len() <= MOST { whole } else { shortened(&head, &findings, others(review), &foot) }
}

/// A block a finding, with a title above the first of each chapter.
fn chapters(findings: &[Finding]) -> impl Iterator<Item = String> {
    let mut chapter: Option<Chapter> = None;
    findings.iter().map(move |finding| {
        let is_first = chapter.replace(finding.chapter) != Some(finding.chapter);
        let title = if is_first { format!("\n#### {}\n", finding.chapter.title()) } else { String::new() };
        title + &one(finding)
    })
}

/// What is no finding.
fn others(review: &Review) -> impl Iterator<Item = String> {
    let remarks = About::ALL.into_iter().flat_map(|about| review.remarks(about)).enumerate().map(|(place, remark)| {
        let title = if place == 0 { format!("\n#### {REMARKS}\n") } else { String::new() };
        title + &said(remark)
    });
    remarks.chain(review.unchanged().map(|runbook| {
        let former = runbook.former().map_or_else(String::new, |former| format!(", was {}", code(former)));
        let (name, lines) = (code(runbook.name()), counted(runbook.lines as u64, "line"));
        format!("\n⚪ {name}{former}: {lines} moved, reformatted, renamed or commented, no effect\n")
    }))
}

/// All of it, what is beyond the first lines folded.
fn folded(head: &str, blocks: impl Iterator<Item = String>, foot: &str) -> String {
    let mut text = head.to_owned();
    let mut lines = text.lines().count();
    let mut folded = false;
    for block in blocks {
        let own = block.lines().count();
        if !folded && lines + own > LINES {
            folded = true;
            text.push_str("\n<details><summary>more</summary>\n");
        }
        lines += own;
        text.push_str(&block);
    }
    if folded {
        text.push_str("\n</details>\n");
    }
    text + foot
}

/// What fits of it, the worst first, and how much is left out.
fn shortened(head: &str, findings: &[Finding], others: impl Iterator<Item = String>, foot: &str) -> String {
    let mut worst: Vec<&Finding> = findings.iter().collect();
    worst.sort_by_key(|finding| (finding.kind, finding.chapter));
    // The line that says what is left out, and the marks around what is folded.
    let mut room = MOST.saturating_sub(head.len() + foot.len() + 1_000);
    let mut fits = |block: &str| {
        let left = room.checked_sub(block.len());
        room = left.unwrap_or(room);
        left.is_some()
    };
    let (mut blocks, mut left) = (Vec::new(), Vec::new());
    for finding in worst {
        let block = one(finding);
        if fits(&block) {
            blocks.push(block);
        } else {
            left.push(finding.kind);
        }
    }
    let (kept, more): (Vec<String>, Vec<String>) = others.partition(|block| fits(block));
    blocks.extend(kept);
    let kinds = Kind::ALL.into_iter().filter_map(|kind| {
        let count = left.iter().filter(|own| **own == kind).count();
        (count > 0).then(|| format!("{} {count} {}", sign(kind), kind.name()))
    });
    let more =
        (!more.is_empty()).then(|| format!("{} of tests, warnings and files", counted(more.len() as u64, "line")));
    let left = kinds.chain(more).collect::<Vec<_>>().join(" · ");
    let head = format!(
        "{head}\n**Too long for a comment, the worst first. Left out: {left}.** All of it: `runbook diff --git BASE`\n"
    );
    folded(&head, blocks.into_iter(), foot)
}

pub(super) fn headline(review: &Review) -> String {
    let same = (!review.is_different()).then(|| "nothing does anything else than before".to_owned());
    let findings = review.ordered();
    let counts = Kind::ALL.into_iter().filter_map(|kind| {
        let count = findings.iter().filter(|finding| finding.kind == kind).count();
        (count > 0).then(|| format!("{} {count} {}", sign(kind), kind.name()))
    });
    let remarks = About::ALL.into_iter().filter_map(|about| {
        let count = review.remarks(about).count();
        (count > 0).then(|| format!("{} {}", about.sign(), about.counted(count)))
    });
    format!("runbook diff: {}", same.into_iter().chain(counts).chain(remarks).collect::<Vec<_>>().join(" · "))
}

pub(super) fn footer(review: &Review) -> String {
    let history = review.history.as_ref().map_or_else(
        || "without a history nobody can say how often a threshold would have opened".to_owned(),
        |history| format!("numbers from recorded history, {}", clean(history)),
    );
    format!("no connection was opened; {history}")
}

pub(super) const fn sign(kind: Kind) -> &'static str {
    match kind {
        Kind::Loosened | Kind::Blind | Kind::Dangerous => "🔴",
        Kind::Permissions => "🟠",
        Kind::Changed => "🟡",
        Kind::Safer => "🟢",
    }
}

fn one(finding: &Finding) -> String {
    let place = finding
        .after
        .as_ref()
        .or(finding.before.as_ref())
        .map_or_else(String::new, |place| format!(" · {}", at(place)));
    let mut text = format!("\n{} {} **{}**{place}\n", sign(finding.kind), code(&finding.subject), finding.headline);
    if !finding.rows.is_empty() {
        text.push_str("\n| | before | after |\n|-|-|-|\n");
        for row in &finding.rows {
            _ = writeln!(text, "| {} | {} | {} |", row.what, cell(&row.before), cell(&row.after));
        }
    }
    if !finding.notes.is_empty() {
        text.push('\n');
        for note in &finding.notes {
            _ = writeln!(text, "- {}", code(note));
        }
    }
    text
}

fn said(remark: &Remark) -> String {
    let (sign, headline, place) = (remark.about.sign(), remark.headline(), at(&remark.place));
    let mut text =
        format!("\n{sign} {} **{headline}** · {place}\n\n- {}\n", code(&remark.subject), code(&remark.message));
    for line in &remark.more {
        _ = writeln!(text, "- {}", code(line));
    }
    text
}

fn at(place: &Place) -> String {
    format!("{}:{}", code(&place.file), place.line)
}

fn cell(text: &str) -> String {
    if text.is_empty() { String::new() } else { code(text).replace('|', "\\|") }
}

/// A code span that its text cannot end.
fn code(text: &str) -> String {
    let mut text: String = clean(text).trim().to_owned();
    if text.chars().count() > LONGEST {
        text = text.chars().take(LONGEST).chain(['…']).collect();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::{cell, code};

    #[test]
    fn a_code_span_is_not_ended_by_what_is_in_it() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a `b` c"), "``a `b` c``");
        assert_eq!(code("``"), "``` `` ```");
        assert!(!code("a\n</details>\u{1b}[2J\u{202e}b").contains(['\n', '\u{1b}', '\u{202e}']));
        assert_eq!(cell("a | b"), "`a \\| b`");
        assert!(code(&"x".repeat(10_000)).chars().count() < 400);
    }
}
