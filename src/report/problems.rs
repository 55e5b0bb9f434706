//! The end of a report: what did not pass, the worst first, with its evidence.

use std::sync::Arc;

use super::finding::{Finding, Verdict};
use crate::shown::look::{Look, Tone, clean, columns, pad};
use crate::shown::text::{self, Extent};
use crate::store::event::Place;

/// Where the text of a block begins.
const INDENT: usize = 9;
const TITLE: usize = 50;
/// Evidence is an excerpt: all of it is in `runbook show RUN LINE`.
const EVIDENCE_ROWS: usize = 8;
/// So many others are named that are unknown for the same reason.
const SAME_REASON: usize = 6;

/// The blocks of everything that did not pass. `show`: what is typed to see all of a line.
pub(super) fn blocks(mut findings: Vec<Finding>, show: &str, look: Look) -> Vec<String> {
    // A stable sort: within a verdict, by the order of the source.
    findings.sort_by(|one, other| (one.verdict, path(one)).cmp(&(other.verdict, path(other))));
    let (unreached, findings): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.verdict == Verdict::NotReached);
    let mut lines = Vec::new();
    let mut told = vec![false; findings.len()];
    for (index, finding) in findings.iter().enumerate() {
        if told.get(index) == Some(&true) {
            continue;
        }
        let rest = finding.place.as_ref().map(|place| format!("{show} {}", place.line));
        let extent = Extent { rows: EVIDENCE_ROWS, rest: rest.as_deref().unwrap_or("") };
        let times = 1 + repeated(&findings, index, &mut told);
        lines.extend(block(finding, look, extent));
        if times > 1 {
            lines.push(format!("{}{times} times", " ".repeat(INDENT)));
        }
        let same = same_reason(&findings, index, &mut told);
        if !same.is_empty() {
            lines.push(format!("{}also unknown because of it: {}", " ".repeat(INDENT), named(&same)));
        }
    }
    lines.extend(not_reached(&unreached, look));
    lines
}

fn path(finding: &Finding) -> Option<&Vec<u32>> {
    finding.place.as_ref().map(|place| &place.path)
}

/// One block, with everything that is known.
pub(super) fn block(finding: &Finding, look: Look, extent: Extent<'_>) -> Vec<String> {
    let tone = match finding.verdict {
        Verdict::Failed => Tone::Bad,
        Verdict::Unknown | Verdict::Refused | Verdict::Warned => Tone::Doubtful,
        Verdict::Passed => Tone::Good,
        Verdict::Noted | Verdict::NotReached => Tone::Faint,
    };
    let label = look.paint(tone, &pad(finding.verdict.label(), INDENT - 1));
    let title = clean(&finding.headline());
    let place = finding.place.as_ref().map(at).unwrap_or_default();
    let mut lines = vec![format!("{label} {}", headed(&title, &place, look))];
    let mut body = details(finding, look, extent);
    body.extend(finding.doc.lines().map(|line| look.paint(Tone::Faint, &clean(line))));
    lines.extend(body.into_iter().map(|line| format!("{}{line}", " ".repeat(INDENT)).trim_end().to_owned()));
    lines
}

/// What was found, what is to be said of it, and the fault.
fn details(finding: &Finding, look: Look, extent: Extent<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for shown in &finding.evidence {
        lines.extend(text::lines("", shown, look, INDENT, extent));
    }
    lines.extend(finding.says.iter().flat_map(|text| text.lines().map(clean).collect::<Vec<_>>()));
    if let Some(fault) = &finding.fault {
        let could_not = if finding.looks && finding.verdict == Verdict::Unknown { "could not look: " } else { "" };
        let kind = look.paint(Tone::Faint, &format!("[{}]", fault.kind.name()));
        lines.push(format!("{could_not}{} {kind}", clean(&fault.message)));
        lines.extend(fault.help.iter().map(|help| format!("help: {}", clean(help))));
    }
    lines
}

fn at(place: &Place) -> String {
    format!("{}:{}", clean(&place.file), place.line)
}

/// The other findings that could not look, with the very same fault of the very same look: one broken connection is one piece
/// of news. What was only computed is another fault at every line, whatever its words. A change is told by itself.
fn same_reason<'f>(findings: &'f [Finding], index: usize, told: &mut [bool]) -> Vec<&'f Finding> {
    let could_not_look = |one: &Finding| one.verdict == Verdict::Unknown && one.looks;
    let Some(first) = findings.get(index).filter(|one| could_not_look(one) && one.fault.is_some()) else {
        return Vec::new();
    };
    let line = |one: &Finding| one.place.as_ref().map(|place| (place.file.clone(), place.line));
    let (looked, own) = (first.fault.as_ref().is_some_and(|fault| fault.of.is_some()), line(first));
    let mut same = Vec::new();
    for (other, told) in findings.iter().zip(told.iter_mut()).skip(index + 1) {
        let alone = other.evidence.is_empty() && other.doc.is_empty();
        let is_one = other.fault == first.fault && (looked || line(other) == own);
        if !*told && alone && is_one && could_not_look(other) {
            *told = true;
            same.push(other);
        }
    }
    same
}

/// How often the same is said again of the same line: rounds of `retry`.
fn repeated(findings: &[Finding], index: usize, told: &mut [bool]) -> usize {
    let Some(first) = findings.get(index) else { return 0 };
    let line =
        |finding: &Finding| finding.place.as_ref().map(|place| (place.file.clone(), place.line, place.items.clone()));
    let mut times = 0;
    for (other, told) in findings.iter().zip(told.iter_mut()).skip(index + 1) {
        let same = (line(other), &other.title, &other.says, &other.fault, &other.evidence)
            == (line(first), &first.title, &first.says, &first.fault, &first.evidence);
        if !*told && same && other.verdict == first.verdict && other.fault.is_some() {
            *told = true;
            times += 1;
        }
    }
    times
}

fn named(findings: &[&Finding]) -> String {
    let mut names: Vec<String> = findings
        .iter()
        .take(SAME_REASON)
        .map(|finding| match &finding.place {
            Some(place) => format!("{} ({})", clean(&finding.headline()), at(place)),
            None => clean(&finding.title),
        })
        .collect();
    if findings.len() > SAME_REASON {
        names.push(format!("{} more", findings.len() - SAME_REASON));
    }
    names.join(", ")
}

/// Under each reason what it kept from being reached: a stopped run leaves many statements behind.
fn not_reached(findings: &[Finding], look: Look) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        let reason: Arc<str> = finding.says.join("; ").into();
        match reasons.iter_mut().find(|(known, _)| **known == *reason) {
            Some((_, same)) => same.push(finding),
            None => reasons.push((reason.to_string(), vec![finding])),
        }
    }
    let mut lines = Vec::new();
    for (reason, same) in &reasons {
        lines.push(format!("{} {}", look.paint(Tone::Doubtful, Verdict::NotReached.label()), clean(reason)));
        for finding in same.iter().take(EVIDENCE_ROWS) {
            let place = finding.place.as_ref().map(at).unwrap_or_default();
            let line = format!("{}{}", " ".repeat(INDENT), headed(&clean(&finding.headline()), &place, look));
            lines.push(line);
        }
        if same.len() > EVIDENCE_ROWS {
            let more = format!("{}… {} more", " ".repeat(INDENT), same.len() - EVIDENCE_ROWS);
            lines.push(look.paint(Tone::Faint, &more));
        }
    }
    lines
}

/// A title with its place behind it, in one line where the terminal has room for both.
fn headed(title: &str, place: &str, look: Look) -> String {
    let room = look.width.map_or(TITLE, |width| width.saturating_sub(INDENT + columns(place) + 1));
    format!("{} {}", pad(title, TITLE.min(room)), look.paint(Tone::Faint, place)).trim_end().to_owned()
}
