//! Who is behind the levels of an escalation: which people, by which ways, at which hours.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{Chapter, Finding, Kind, Row, Rows, worst};
use crate::catalog::Person;
use crate::check::program::{Duty, Escalation, Hours, Program, Roster};

/// For how many hours to come two zones are compared: each change of the clock of a year is among them.
const COMPARED: i64 = 366 * 24;

const WEEK: i64 = 7 * 24 * 60;

/// What is different of where it is said who is on call, and of what is said there.
pub(super) fn compare<'p>(
    before: (&'p Program, &'p Escalation),
    after: (&'p Program, &'p Escalation),
    now: Timestamp,
) -> impl Iterator<Item = Finding> + 'p {
    let (old, new) = (before.1, after.1);
    let people = old.roster.as_deref().zip(new.roster.as_deref()).and_then(|(was, is)| {
        let found = rosters((old, was), (new, is), now);
        let kind = worst(found.kinds.iter().copied());
        let headline = match kind {
            Kind::Loosened => "loosened: somebody is on call less, by fewer ways or no more",
            Kind::Safer => "more are on call, or longer",
            _ => "other people, or other hours",
        };
        let finding = Finding::new(Chapter::Told, kind, format!("escalation {}", new.name), headline);
        (!found.rows.is_empty()).then(|| finding.rows(found.rows))
    });
    from(before, after).into_iter().chain(people)
}

fn from((was, old): (&Program, &Escalation), (is, new): (&Program, &Escalation)) -> Option<Finding> {
    let row = Row::of("who is on call", source(was, old), source(is, new))?;
    let none = |one: &Escalation| one.roles.is_none() && one.rota.is_none();
    let (kind, headline) = match (none(old), none(new)) {
        (false, true) => (Kind::Loosened, "loosened: nobody is told by name any more"),
        (true, _) => (Kind::Safer, "people are told by name"),
        (false, false) => (Kind::Changed, "source of roles"),
    };
    let finding = Finding::new(Chapter::Told, kind, format!("escalation {}", new.name), headline).rows([row]);
    if kind != Kind::Loosened {
        return Some(finding);
    }
    let all = old.roster.iter().flat_map(|roster| roster.roles.values()).flat_map(|duty| &duty.people);
    let names = all.map(|one| one.name.to_string()).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ");
    let who = if names.is_empty() { "whoever is on call".to_owned() } else { names };
    Some(finding.note(format!("no level names them, mails them or calls them by name any more: {who}")))
}

/// Where it is said who is on call.
fn source(program: &Program, one: &Escalation) -> String {
    match (&one.roles, &one.rota) {
        (Some((path, _)), _) => format!("`{path}`"),
        (None, Some(call)) => format!("`{}`", crate::plan::text::expr(program, call)),
        (None, None) => "none".to_owned(),
    }
}

/// What rosters say of the role of each level, where it is not the same.
fn rosters((old, was): (&Escalation, &Roster), (new, is): (&Escalation, &Roster), now: Timestamp) -> Rows {
    let mut found = Rows::default();
    let shifts = shifts(&was.zone, &is.zone, now);
    let mut of_zone = vec![Kind::Changed];
    let mut seen = BTreeSet::new();
    // A role that no level has is a mistake: each of them belongs to the level that it has now, or had.
    let numbers: BTreeSet<u32> = old.levels.iter().chain(&new.levels).map(|level| level.number).collect();
    for number in numbers {
        let role = |one: &Escalation| {
            let level = one.levels.iter().find(|level| level.number == number);
            level.map(|level| level.role.clone())
        };
        let (former, role) = (role(old), role(new));
        let duty = |roster: &'_ Roster, role: &Option<Arc<str>>| {
            role.as_ref().and_then(|role| roster.roles.get(role)).cloned()
        };
        let (a, b) = (duty(was, &former), duty(is, &role));
        if !seen.insert((former.clone(), role.clone())) {
            continue;
        }
        let of = |what, says: fn(&Duty) -> String| {
            let text = |role: &Option<Arc<str>>, duty: &Option<Duty>| {
                let said = role.as_ref().zip(duty.as_ref()).map(|(role, duty)| format!("{role}: {}", says(duty)));
                said.unwrap_or_default()
            };
            let same = a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| says(a) == says(b));
            if same { None } else { Row::of(what, text(&former, &a), text(&role, &b)) }
        };
        found.add(of("is on call", people), fewer(a.as_ref(), b.as_ref()));
        let (Some(a), Some(b)) = (&a, &b) else { continue };
        found.add(of("hand-over", handover), Kind::Changed);
        let when = covered(a, b, &shifts);
        found.add(of("hours", hours), when);
        of_zone.push(when);
    }
    let zone = |roster: &Roster| roster.zone.iana_name().unwrap_or("a zone of its own").to_owned();
    found.add(Row::of("time zone of hours", zone(was), zone(is)), worst(of_zone));
    found
}

/// Whether somebody, or a way to them, is there no more.
fn fewer(old: Option<&Duty>, new: Option<&Duty>) -> Kind {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (Some(_), None) => return Kind::Loosened,
        (None, _) => return Kind::Safer,
    };
    let named = |one: &Person| new.people.iter().find(|other| other.name == one.name);
    let known = |one: &Person| new.people.iter().find(|other| ways(other).iter().any(|way| ways(one).contains(way)));
    let lost = |one: &Person| {
        let now = named(one).or_else(|| known(one)).map(|other| ways(other));
        now.is_none_or(|now| ways(one).iter().any(|way| !now.contains(way)))
    };
    if old.people.iter().any(|one| lost(one)) {
        return Kind::Loosened;
    }
    // With one more in the row, or in another order, others have other days.
    let names = |duty: &Duty| duty.people.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    if names(old) == names(new) { Kind::Safer } else { Kind::Changed }
}

fn ways(person: &Person) -> Vec<(u8, &str)> {
    let ways = [&person.email, &person.phone, &person.slack];
    (0..).zip(ways).filter_map(|(kind, way)| Some((kind, way.as_deref()?))).collect()
}

/// By how many minutes a clock of the new zone is ahead of one of the old zone, now and in the time to come.
fn shifts(old: &TimeZone, new: &TimeZone, now: Timestamp) -> BTreeSet<i64> {
    let at = |hours| now.checked_add(SignedDuration::from_hours(hours)).ok();
    let ahead = |at| i64::from(new.to_offset(at).seconds() - old.to_offset(at).seconds()) / 60;
    (0..COMPARED).filter_map(at).map(ahead).collect()
}

/// What it means that somebody is on call at these hours, and was at those: outside of them nobody is.
fn covered(old: &Duty, new: &Duty, shifts: &BTreeSet<i64>) -> Kind {
    if old.hours == new.hours && shifts.iter().all(|shift| *shift == 0) {
        return Kind::Changed;
    }
    let (was, is) = (week(old), week(new));
    let within = |some: &BTreeSet<i64>, others: &BTreeSet<i64>, sign: i64| {
        shifts.iter().all(|shift| some.iter().all(|minute| others.contains(&(minute + sign * shift).rem_euclid(WEEK))))
    };
    match (within(&was, &is, 1), within(&is, &was, -1)) {
        (false, _) => Kind::Loosened,
        (true, false) => Kind::Safer,
        (true, true) => Kind::Changed,
    }
}

/// The minutes of a week at which somebody is on call.
fn week(duty: &Duty) -> BTreeSet<i64> {
    let monday = DateTime::from_parts(Date::constant(2026, 1, 5), jiff::civil::Time::midnight());
    let holds = |minute: &i64| {
        let at = monday.saturating_add(minute.minutes());
        duty.hours.is_empty() || duty.hours.iter().any(|hours| hours.hold(at))
    };
    (0..WEEK).filter(holds).collect()
}

fn people(duty: &Duty) -> String {
    let all: Vec<String> = duty.people.iter().map(|one| shown(one)).collect();
    if all.is_empty() { "nobody".to_owned() } else { all.join("; ") }
}

/// A person with all ways to them.
fn shown(person: &Person) -> String {
    let slack = person.slack.as_ref().map_or_else(String::new, |id| format!(", Slack {id}"));
    format!("{person}{slack}")
}

fn handover(duty: &Duty) -> String {
    duty.handover.map_or_else(
        || "none".to_owned(),
        |one| {
            let on = one.on.map_or_else(|| "every day".to_owned(), |day| format!("every {day:?}"));
            format!("{on} at {}, from {}", one.at.strftime("%H:%M"), one.since)
        },
    )
}

fn hours(duty: &Duty) -> String {
    let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let one = |hours: &Hours| {
        let days = hours.days.iter().map(|day| format!("{day:?}")).collect::<Vec<_>>().join(", ");
        format!("{days} {}-{}", time(hours.from), time(hours.to))
    };
    let all: Vec<String> = duty.hours.iter().map(one).collect();
    if all.is_empty() { "always".to_owned() } else { all.join("; ") }
}
