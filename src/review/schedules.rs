//! When sections run, for how long, and over which others.

use jiff::{SignedDuration, Timestamp};

use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Row, Rows, Side, worst};
use crate::check::program::{ExprKind, Schedule, ScheduleRule, Section, ThresholdId};
use crate::plan::text;
use crate::schedule::Timetable;
use crate::types::Value;
use crate::units::{Quantity, parse_quantity};

/// How many coming times are shown.
const SHOWN: usize = 3;

/// In how many coming days runs are counted: each day of a month is among them.
const COUNTED: i64 = 35;

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
                let row = Row::of("runs", says(before, a), "never");
                let finding = Finding::new(Chapter::Schedules, Kind::Blind, subject(a), "gone").rows(row);
                findings.push(finding.at(Some(before.place(a.span)), None));
                continue;
            }
            Pair::New(b) => {
                let row = Row::of("runs", "never", says(after, b));
                let mut finding = Finding::new(Chapter::Schedules, Kind::Changed, subject(b), "new").rows(row);
                finding.notes.extend(times(after, b, now));
                findings.push(finding.at(None, Some(after.place(b.span))));
                continue;
            }
        };
        let within = |side: Side<'_>, one: &Section| {
            one.within.as_ref().map_or_else(|| "no time limit".to_owned(), |within| text::expr(&**side.program, within))
        };
        let (quiet, quieter) = (titles(before, &a.quiet), titles(after, &b.quiet));
        let more_quiet = if lacks(&quiet, &quieter) { Kind::Loosened } else { Kind::Safer };
        let mut found = Rows::default();
        found.add(Row::of("is called", &*a.title, &*b.title), Kind::Changed);
        found.add(runs(before, after, a, b), by_itself(before, after, a, b, now));
        let moved = found.rows.iter().all(|row| row.what != "runs") && is_moved(before, after, a, b, now);
        if moved {
            found.add(next(before, after, a, b, now), Kind::Changed);
        }
        found.add(Row::of("within", within(before, a), within(after, b)), Kind::Changed);
        found.add(Row::of("keeps quiet", quiet.join(", "), quieter.join(", ")), more_quiet);
        if found.rows.is_empty() {
            continue;
        }
        let scheduled = found.rows.iter().any(|row| row.what == "runs");
        let kind = worst(found.kinds);
        let headline = if moved { "runs at other times: the title or the time zone is another one" } else { "changed" };
        let mut finding = Finding::new(Chapter::Schedules, kind, subject(b), headline).rows(found.rows);
        if moved && !quieter.is_empty() {
            finding.notes.push(format!("at these times it keeps quiet: {}", quieter.join(", ")));
        }
        if let Some((was, is)) = more_often(before, after, a, b, now).filter(|_| scheduled && b.changes()) {
            finding.notes.push(format!("its changes are made {is} times in {COUNTED} days, and were made {was} times"));
        }
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

/// What makes it run: its schedule, the alerts that begin it.
fn says(side: Side<'_>, section: &Section) -> String {
    let schedule = section.schedule.as_ref().map(|schedule| side.written(schedule.span));
    let alerts = titles(side, &section.on_alert).join(", ");
    let alerts = (!alerts.is_empty()).then(|| format!("on alert {alerts}"));
    let says: Vec<String> = schedule.into_iter().chain(alerts).collect();
    if says.is_empty() { "by hand only".to_owned() } else { says.join(", ") }
}

/// The thresholds by their titles.
pub(super) fn titles(side: Side<'_>, thresholds: &[ThresholdId]) -> Vec<String> {
    let title = |id: &ThresholdId| side.program.thresholds.get(id.index()).map(|one| format!("\"{}\"", one.title));
    thresholds.iter().filter_map(title).collect()
}

/// Whether there is something in the second list that the first one does not have.
pub(super) fn lacks(one: &[String], other: &[String]) -> bool {
    other.iter().any(|title| !one.contains(title))
}

/// When it runs, where that is not the same: the rule decides and not how it is written.
fn runs(before: Side<'_>, after: Side<'_>, a: &Section, b: &Section) -> Option<Row> {
    let rule =
        |section: &Section| section.schedule.clone().map(|one| (one.rule, one.late, one.overlap, one.gap, one.jitter));
    let (from, to) = (titles(before, &a.on_alert), titles(after, &b.on_alert));
    if rule(a) == rule(b) && !lacks(&from, &to) && !lacks(&to, &from) {
        return None;
    }
    Row::of("runs", says(before, a), says(after, b))
}

/// Whether the same schedule means other times: in another zone, or by another jitter.
fn is_moved(before: Side<'_>, after: Side<'_>, a: &Section, b: &Section, now: Timestamp) -> bool {
    let next = |side, section| coming(side, section, now).take(SHOWN).collect::<Vec<_>>();
    next(before, a) != next(after, b)
}

/// Of a section that is only called otherwise, the next times where these hang on its title.
pub(super) fn by_title(before: Side<'_>, after: Side<'_>, (old, new): (&str, &str), now: Timestamp) -> Option<Row> {
    let of = |side: Side<'_>, title: &str| side.program.sections.iter().position(|one| *one.title == *title);
    let a = before.program.sections.get(of(before, old)?)?;
    let b = after.program.sections.get(of(after, new)?)?;
    is_moved(before, after, a, b, now).then(|| next(before, after, a, b, now))?
}

/// The next times before and now; where the zones are two, now in both.
fn next(before: Side<'_>, after: Side<'_>, a: &Section, b: &Section, now: Timestamp) -> Option<Row> {
    let was: Vec<String> = coming(before, a, now).take(SHOWN).map(|at| shown(before, at)).collect();
    let is = coming(after, b, now).take(SHOWN).map(|at| {
        let (former, own) = (shown(before, at), shown(after, at));
        if former == own { own } else { format!("{own} (= {former})") }
    });
    Row::of("next", was.join(", "), is.collect::<Vec<_>>().join(", "))
}

/// What it means that a section begins by itself at other times: what it looked at is looked at more rarely, or what it
/// changes is changed with nobody there.
fn by_itself(before: Side<'_>, after: Side<'_>, a: &Section, b: &Section, now: Timestamp) -> Kind {
    let (from, to) = (titles(before, &a.on_alert), titles(after, &b.on_alert));
    let rarer = match (&a.schedule, &b.schedule) {
        (Some(_), None) => true,
        (Some(old), Some(new)) => often(after, b, new, now) < often(before, a, old, now),
        (None, _) => false,
    };
    if rarer || lacks(&to, &from) {
        return Kind::Blind;
    }
    let began = a.schedule.is_none() && b.schedule.is_some() || lacks(&from, &to);
    let more = began || more_often(before, after, a, b, now).is_some();
    if more && b.changes() { Kind::Dangerous } else { Kind::Changed }
}

/// How often a section that has a schedule on both sides runs, where that is more often than before.
fn more_often(before: Side<'_>, after: Side<'_>, a: &Section, b: &Section, now: Timestamp) -> Option<(i128, i128)> {
    let (old, new) = (a.schedule.as_ref()?, b.schedule.as_ref()?);
    let (was, is) = (often(before, a, old, now), often(after, b, new, now));
    (is > was).then_some((was, is))
}

/// Whether nobody has to begin it.
pub(super) fn begins_by_itself(section: &Section) -> bool {
    section.schedule.is_some() || !section.on_alert.is_empty()
}

/// How often it runs in the days that are counted.
fn often(side: Side<'_>, section: &Section, schedule: &Schedule, now: Timestamp) -> i128 {
    let period = SignedDuration::from_hours(24 * COUNTED);
    if let ScheduleRule::Every(every) = schedule.rule {
        return period.as_nanos() / every.as_nanos().max(1);
    }
    let Ok(end) = now.checked_add(period) else { return 0 };
    coming(side, section, now).take_while(|at| *at < end).map(|_| 1).sum()
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
    let section = side.program.sections.iter().find(|one| *one.title == *section && begins_by_itself(one));
    let Some(section) = section else { return Vec::new() };
    let mut notes = vec![format!("unattended: {}", says(side, section))];
    notes.extend(times(side, section, now));
    let own = within.and_then(|within| match parse_quantity(within) {
        Ok(Quantity::Duration(nanoseconds)) => Some(SignedDuration::from_nanos(nanoseconds)),
        _ => None,
    });
    notes.extend(overlaps(side, section, own.max(longest(section)), now));
    notes
}
