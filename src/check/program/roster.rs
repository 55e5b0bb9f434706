//! Who is behind the levels of an escalation: people, their hours, and when they hand over.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::catalog::Person;

/// Who is on call, by role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// The zone of its hours and hand-overs.
    pub zone: TimeZone,
    pub roles: BTreeMap<Arc<str>, Duty>,
}

/// What the people of a role do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// They follow one another.
    pub people: Vec<Arc<Person>>,
    /// `None` where there is one.
    pub handover: Option<Handover>,
    /// Outside of them nobody is on call. Empty: always.
    pub hours: Vec<Hours>,
}

/// When the next one is on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handover {
    /// `None`: every day.
    pub on: Option<Weekday>,
    pub at: Time,
    /// From the hand-over of this day the first of the list is on call.
    pub since: Date,
}

/// `monday-friday 08:00-18:00`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    pub days: Vec<Weekday>,
    /// Minutes of the day.
    pub from: u16,
    /// One that is not after `from` is on the next day.
    pub to: u16,
}

impl Roster {
    /// Who is on call for a role. `None` where the roster does not know the role, `Some(None)` where nobody is on call.
    #[must_use]
    pub fn on_call(&self, role: &str, at: Timestamp) -> Option<Option<&Arc<Person>>> {
        let duty = self.roles.get(role)?;
        Some(duty.at(wall(&self.zone, at)))
    }
}

/// The time on the wall. An hour that the clock repeats in autumn comes once: it does not go back behind what it has shown
/// already, or whoever has handed over would be called again.
fn wall(zone: &TimeZone, at: Timestamp) -> DateTime {
    let local = zone.to_datetime(at);
    let set_back = || {
        let turned = zone.preceding(at.checked_add(MOMENT).ok()?).next()?.timestamp();
        let before = turned.checked_sub(MOMENT).ok()?;
        Some(zone.to_datetime(before)).filter(|shown| local < *shown)
    };
    set_back().unwrap_or(local)
}

/// The shortest time that there is.
const MOMENT: SignedDuration = SignedDuration::from_nanos(1);

impl Duty {
    fn at(&self, local: DateTime) -> Option<&Arc<Person>> {
        if !self.hours.is_empty() && !self.hours.iter().any(|hours| hours.hold(local)) {
            return None;
        }
        let Some(handover) = self.handover else { return self.people.first() };
        let turns = handover.turns(local);
        let place = turns.rem_euclid(i64::try_from(self.people.len()).ok()?.max(1));
        self.people.get(usize::try_from(place).ok()?)
    }
}

impl Handover {
    const fn period(self) -> i64 {
        if self.on.is_some() { 7 } else { 1 }
    }

    /// How often it was handed over since the first began; negative before that.
    fn turns(self, local: DateTime) -> i64 {
        let before = local.time() < self.at;
        let back = match self.on {
            None => i64::from(before),
            Some(day) => {
                let since = i64::from(local.date().weekday().since(day));
                if since == 0 && before { 7 } else { since }
            }
        };
        let days = days_between(self.since, local.date()) - back;
        days.div_euclid(self.period())
    }
}

fn days_between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

impl Hours {
    /// Whether a time on the wall is within them.
    #[must_use]
    pub fn hold(&self, local: DateTime) -> bool {
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let minute = u16::try_from(minute).unwrap_or(0);
        let today = local.date().weekday();
        if self.from < self.to {
            return self.days.contains(&today) && (self.from..self.to).contains(&minute);
        }
        let yesterday = local.date().saturating_sub(1.day()).weekday();
        self.days.contains(&today) && minute >= self.from || self.days.contains(&yesterday) && minute < self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> Arc<Person> {
        Arc::new(Person { name: name.into(), email: None, phone: None, slack: None })
    }

    fn who(duty: &Duty, at: &str) -> String {
        duty.at(at.parse().unwrap()).map_or_else(|| "nobody".to_owned(), |one| one.name.to_string())
    }

    #[test]
    fn people_follow_one_another_at_their_hand_over() {
        let monday: Date = "2026-11-23".parse().unwrap();
        let at: Time = "09:00".parse().unwrap();
        let weekly = Duty {
            people: ["Ann", "Ben", "Cem"].map(person).into(),
            handover: Some(Handover { on: Some(Weekday::Monday), at, since: monday }),
            hours: Vec::new(),
        };
        for (at, name) in [
            ("2026-11-23T08:59", "Cem"),
            ("2026-11-23T09:00", "Ann"),
            ("2026-11-29T23:59", "Ann"),
            ("2026-11-30T08:59:59", "Ann"),
            ("2026-11-30T09:00", "Ben"),
            ("2026-12-07T12:00", "Cem"),
            ("2026-12-14T12:00", "Ann"),
            ("2026-11-16T12:00", "Cem"),
            ("2027-11-22T12:00", "Ben"),
        ] {
            assert_eq!(who(&weekly, at), name, "{at}");
        }
        let daily = Duty { handover: Some(Handover { on: None, at, since: monday }), ..weekly };
        assert_eq!(who(&daily, "2026-11-24T08:59"), "Ann");
        assert_eq!(who(&daily, "2026-11-24T09:00"), "Ben");
        assert_eq!(who(&daily, "2026-11-26T09:00"), "Ann");
    }

    #[test]
    fn who_has_handed_over_is_not_called_again_where_the_clock_repeats_an_hour() {
        let zone = crate::units::zone("Europe/Berlin").unwrap();
        let handover = Handover { on: None, at: "02:30".parse().unwrap(), since: "2026-10-24".parse().unwrap() };
        let people: Vec<_> = ["Ann", "Ben"].map(person).into();
        let daily = Duty { people, handover: Some(handover), hours: Vec::new() };
        let night = Hours { days: vec![Weekday::Sunday], from: 60, to: 150 };
        let early = Duty { people: vec![person("Cem")], handover: None, hours: vec![night] };
        let roster = Roster { zone, roles: [("daily".into(), daily), ("early".into(), early)].into() };
        for (at, name, is_early) in [
            ("2026-10-25T02:29:59+02", "Ann", true),
            ("2026-10-25T02:30:00+02", "Ben", false),
            ("2026-10-25T02:00:00+01", "Ben", false),
            ("2026-10-25T02:15:00+01", "Ben", false),
            ("2026-10-25T02:31:00+01", "Ben", false),
            ("2026-10-26T02:29:00+01", "Ben", false),
            ("2026-10-26T02:30:00+01", "Ann", false),
            ("2027-03-28T01:59:59+01", "Ann", true),
            ("2027-03-28T03:00:00+02", "Ben", false),
        ] {
            let at_time = at.parse().unwrap();
            let on_call = roster.on_call("daily", at_time).flatten().map(|one| &*one.name);
            assert_eq!(on_call, Some(name), "{at}");
            assert_eq!(roster.on_call("early", at_time).flatten().is_some(), is_early, "{at}");
        }
    }

    #[test]
    fn nobody_is_on_call_outside_of_the_hours() {
        use Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
        let hours = |days: &[Weekday], from, to| Hours { days: days.to_vec(), from, to };
        let office = hours(&[Monday, Tuesday, Wednesday, Thursday, Friday], 8 * 60, 18 * 60);
        let night = hours(&[Friday], 22 * 60, 6 * 60);
        let duty = Duty { people: vec![person("Ann")], handover: None, hours: vec![office, night] };
        for (at, name) in [
            ("2026-11-26T07:59", "nobody"),
            ("2026-11-26T08:00", "Ann"),
            ("2026-11-26T17:59", "Ann"),
            ("2026-11-26T18:00", "nobody"),
            ("2026-11-27T22:00", "Ann"),
            ("2026-11-28T05:59", "Ann"),
            ("2026-11-28T06:00", "nobody"),
            ("2026-11-28T22:00", "nobody"),
        ] {
            assert_eq!(who(&duty, at), name, "{at}");
        }
    }
}
