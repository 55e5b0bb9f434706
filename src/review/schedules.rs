//! When sections run, for how long, and over which others.

use jiff::{SignedDuration, Timestamp};

use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Row, Rows, Side, worst};
use crate::check::program::{ExprKind, Schedule, Section, ThresholdId};
use crate::plan::text;
use crate::schedule::Timetable;
use crate::types::Value;
use crate::units::{Quantity, parse_quantity};

/// How many coming times are shown.
const SHOWN: usize = 3;

pub(super) fn compare(before: Side<'_>, after: Side<'_>, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let key = |section: &Section| section.title.clone();
    let alike = |a: &Section, b: &Section| {
        !a.members.is_empty()
            && a.members.len() == b.members.len()
            && body(&before.written(a.span)) == body(&after.written(b.span))
    };
    for pair in pairs(&before.program.sections, &after.program.sections, key, alike) {
        let (a, b) = match pair {
            Pair::Both(a, b) => (a, b),
            Pair::Gone(a) => {
                let row = Row::of("runs", says(before, a.schedule.as_ref()), "never");
                let finding = Finding::new(Chapter::Schedules, Kind::Blind, subject(a), "gone").rows(row);
                findings.push(finding.at(Some(before.place(a.span)), None));
                continue;
            }
            Pair::New(b) => {
                let row = Row::of("runs", "never", says(after, b.schedule.as_ref()));
                let mut finding = Finding::new(Chapter::Schedules, Kind::Changed, subject(b), "new").rows(row);
                finding.notes.extend(times(after, b, now));
                findings.push(finding.at(None, Some(after.place(b.span))));
                continue;
            }
        };
        let never = if b.schedule.is_none() { Kind::Blind } else { Kind::Changed };
        let within = |side: Side<'_>, one: &Section| {
            one.within.as_ref().map_or_else(|| "no time limit".to_owned(), |within| text::expr(side.program, within))
        };
        let quiet = |side: Side<'_>, one: &Section| {
            let title =
                |id: &ThresholdId| side.program.thresholds.get(id.index()).map(|one| format!("\"{}\"", one.title));
            one.quiet.iter().filter_map(title).collect::<Vec<_>>().join(", ")
        };
        let more_quiet = if b.quiet.len() > a.quiet.len() { Kind::Loosened } else { Kind::Changed };
        let mut found = Rows::default();
        found.add(Row::of("is called", &*a.title, &*b.title), Kind::Changed);
        found.add(Row::of("runs", says(before, a.schedule.as_ref()), says(after, b.schedule.as_ref())), never);
        found.add(Row::of("within", within(before, a), within(after, b)), Kind::Changed);
        found.add(Row::of("keeps quiet", quiet(before, a), quiet(after, b)), more_quiet);
        if found.rows.is_empty() {
            continue;
        }
        let scheduled = found.rows.iter().any(|row| row.what == "runs");
        let kind = worst(found.kinds);
        let mut finding = Finding::new(Chapter::Schedules, kind, subject(b), "changed").rows(found.rows);
        if scheduled {
            finding.notes.extend(times(after, b, now));
            finding.notes.extend(overlaps(after, b, longest(b), now));
        }
        findings.push(finding.at(Some(before.place(a.span)), Some(after.place(b.span))));
    }
    findings
}

/// What stands between the brackets of a section.
fn body(written: &str) -> Option<&str> {
    written.split_once('{').map(|(_, body)| body)
}

fn subject(section: &Section) -> String {
    section.name()
}

fn says(side: Side<'_>, schedule: Option<&Schedule>) -> String {
    schedule.map_or_else(|| "by hand only".to_owned(), |schedule| side.written(schedule.span))
}

fn coming<'a>(side: Side<'a>, section: &'a Section, now: Timestamp) -> impl Iterator<Item = Timestamp> + 'a {
    let header = &side.program.header;
    let table = section
        .schedule
        .as_ref()
        .map(|schedule| Timetable::new(schedule, &header.timezone, &header.title, &section.title).after(now));
    table.into_iter().flatten().map(|due| due.at)
}

fn shown(side: Side<'_>, at: Timestamp) -> String {
    at.to_zoned(side.program.header.timezone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

fn times(side: Side<'_>, section: &Section, now: Timestamp) -> Option<String> {
    let times: Vec<String> = coming(side, section, now).take(SHOWN).map(|at| shown(side, at)).collect();
    (!times.is_empty()).then(|| format!("next: {}", times.join(", ")))
}

/// How long a section may take, where it says so.
fn longest(section: &Section) -> Option<SignedDuration> {
    match section.within.as_ref()?.uncovered().kind {
        ExprKind::Literal(Value::Duration(duration)) => Some(duration),
        _ => None,
    }
}

/// The other sections that begin while this one may still run.
fn overlaps(side: Side<'_>, section: &Section, longest: Option<SignedDuration>, now: Timestamp) -> Option<String> {
    let longest = longest?;
    let begins = coming(side, section, now).next()?;
    let ends = begins.checked_add(longest).ok()?;
    let others = side.program.sections.iter().filter(|other| other.title != section.title);
    let over: Vec<String> = others
        .filter_map(|other| {
            let at = coming(side, other, begins).next().filter(|at| *at < ends)?;
            Some(format!("\"{}\" at {}", other.title, shown(side, at)))
        })
        .collect();
    (!over.is_empty()).then(|| format!("may run until {}, over {}", shown(side, ends), over.join(", ")))
}

/// That a section runs by itself, with nobody there, and what a change of it that may take so long runs over.
pub(super) fn unattended(side: Side<'_>, section: &str, within: Option<&str>, now: Timestamp) -> Vec<String> {
    let Some(section) = side.program.sections.iter().find(|one| *one.title == *section) else { return Vec::new() };
    let Some(schedule) = &section.schedule else { return Vec::new() };
    let mut notes = vec![format!("unattended: {}", side.written(schedule.span))];
    notes.extend(times(side, section, now));
    let own = within.and_then(|within| match parse_quantity(within) {
        Ok(Quantity::Duration(nanoseconds)) => Some(SignedDuration::from_nanos(nanoseconds)),
        _ => None,
    });
    notes.extend(overlaps(side, section, own.max(longest(section)), now));
    notes
}
