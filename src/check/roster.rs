//! The file that says who is behind the levels of an escalation.
//!
//! ```toml
//! timezone = "Europe/Berlin"        # of hours and hand-overs; the runbook's where it is left out
//!
//! [people.ann]
//! name = "Ann Example"
//! email = "ann@example.com"         # what there is of: email, phone, slack
//!
//! [roles."Operations Engineer"]
//! people = ["ann", "ben"]
//! handover = "monday 09:00"         # or "daily 09:00"
//! since = 2026-11-23                # from this hand-over the first is on call
//! hours = ["monday-friday 08:00-18:00"]
//! ```

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use toml_edit::{Document, Item, TableLike};

use super::program::{Duty, Handover, Hours, Roster};
use super::schedules::{day_name, weekday};
use crate::catalog::{Person, Problem};
use crate::diagnostics::nearest;

/// The roster of a text, and all that is wrong with it.
pub(super) fn read(text: &str, zone: &TimeZone) -> (Roster, Vec<Problem>) {
    let mut reader = Reader { found: Vec::new() };
    let mut roster = Roster { zone: zone.clone(), roles: BTreeMap::new() };
    match Document::parse(text) {
        Ok(document) => reader.document(document.as_table(), &mut roster),
        Err(error) => {
            let at = error.span().unwrap_or(0..text.len());
            let message = format!("this is no TOML: {}", error.message().lines().next().unwrap_or_default());
            reader.found.push(Problem { at, message, help: None });
        }
    }
    (roster, reader.found)
}

struct Reader {
    found: Vec<Problem>,
}

impl Reader {
    fn wrong(&mut self, at: Option<Range<usize>>, message: String, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.found.push(Problem { at: at.unwrap_or(0..0), message, help });
    }

    fn document(&mut self, root: &dyn TableLike, roster: &mut Roster) {
        self.known(root, &["timezone", "people", "roles"]);
        if let Some((at, zone)) = self.text(root, "timezone") {
            match TimeZone::get(&zone) {
                Ok(zone) => roster.zone = zone,
                Err(_) => {
                    self.wrong(at, format!("there is no time zone `{zone}`"), "write one such as `Europe/Berlin`");
                }
            }
        }
        let people = self.people(root);
        let Some(roles) = self.table(root, "roles") else {
            let help = "write `[roles.\"Operations Engineer\"]` and `people = [\"ann\"]`";
            return self.wrong(None, "no role is in this file".to_owned(), help);
        };
        for (role, item) in roles.iter() {
            let Some(table) = item.as_table_like() else {
                self.wrong(item.span(), format!("the role `{role}` is no table"), "write `[roles.\"name\"]`");
                continue;
            };
            let duty = self.duty(role, item.span(), table, &people);
            roster.roles.insert(role.into(), duty);
        }
    }

    fn people(&mut self, root: &dyn TableLike) -> BTreeMap<String, Arc<Person>> {
        let mut people = BTreeMap::new();
        for (key, item) in self.table(root, "people").into_iter().flat_map(TableLike::iter) {
            let Some(table) = item.as_table_like() else {
                self.wrong(item.span(), format!("`{key}` is no table"), "write `[people.ann]` and `name = \"Ann\"`");
                continue;
            };
            self.known(table, &["name", "email", "phone", "slack"]);
            let mut text = |name| self.text(table, name).map(|(_, text)| Arc::<str>::from(text));
            let name = text("name").unwrap_or_else(|| key.into());
            let (email, phone, slack) = (text("email"), text("phone"), text("slack"));
            if let Some(email) = email.as_deref().filter(|email| !is_address(email)) {
                let at = table.get("email").and_then(Item::span);
                self.wrong(at, format!("`{email}` is no address of mail"), "write one such as `ann@example.com`");
            }
            if let Some(slack) = slack.as_deref().filter(|id| !is_member(id)) {
                let help = "it stands in the profile in Slack, under `Copy member ID`: `U012AB3CD`";
                let at = table.get("slack").and_then(Item::span);
                self.wrong(at, format!("`{slack}` is no id of a member of Slack"), help);
            }
            people.insert(key.to_owned(), Arc::new(Person { name, email, phone, slack }));
        }
        people
    }

    fn duty(
        &mut self,
        role: &str,
        at: Option<Range<usize>>,
        table: &dyn TableLike,
        known: &BTreeMap<String, Arc<Person>>,
    ) -> Duty {
        self.known(table, &["people", "handover", "since", "hours"]);
        let mut people = Vec::new();
        for (at, key) in self.texts(table, "people") {
            if let Some(person) = known.get(&key) {
                people.push(Arc::clone(person));
                continue;
            }
            let help = match nearest(&key, known.keys().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("write `[people.{key}]`"),
            };
            self.wrong(at, format!("there is no `{key}` under `people`"), &help);
        }
        if !table.contains_key("people") {
            let help = "name them: `people = [\"ann\"]`; `people = []` says that nobody is";
            self.wrong(at.clone(), format!("`{role}` does not say who it is"), help);
        }
        let handover = self.handover(role, at, table, people.len());
        let hours = self.texts(table, "hours").into_iter().filter_map(|(at, text)| {
            let hours = hours(&text);
            if hours.is_none() {
                let help = "write `monday-friday 08:00-18:00`, or `saturday, sunday 10:00-16:00`";
                self.wrong(at, format!("`{text}` are no hours"), help);
            }
            hours
        });
        let hours = hours.collect();
        Duty { people, handover, hours }
    }

    fn handover(
        &mut self,
        role: &str,
        at: Option<Range<usize>>,
        table: &dyn TableLike,
        people: usize,
    ) -> Option<Handover> {
        let Some((place, text)) = self.text(table, "handover") else {
            if people > 1 {
                let help = "write `handover = \"monday 09:00\"` and `since = 2026-11-23`, or name one";
                self.wrong(at, format!("`{role}` has {people} people, and nobody says who of them is on call"), help);
            }
            return None;
        };
        let words = text.split_once(' ').and_then(|(day, clock)| Some((day, clock.trim().parse::<Time>().ok()?)));
        let day = words.and_then(|(day, clock)| match day {
            "daily" => Some((None, clock)),
            day => Some((Some(weekday(day)?), clock)),
        });
        let Some((on, at)) = day else {
            self.wrong(place, format!("`{text}` is no hand-over"), "write `monday 09:00`, or `daily 09:00`");
            return None;
        };
        let since = table.get("since");
        let date = since.and_then(Item::as_datetime).and_then(|date| date.date);
        let date = date.and_then(|date| {
            let (year, month, day) = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
            Date::new(year.ok()?, month.ok()?, day.ok()?).ok()
        });
        let Some(since_date) = date else {
            let help = "write the day of a hand-over, without quotes: `since = 2026-11-23`";
            self.wrong(since.and_then(Item::span).or(place), "nobody says from when on they count".to_owned(), help);
            return None;
        };
        if let Some(on) = on
            && since_date.weekday() != on
        {
            let message = format!(
                "{since_date} is a {}, and it is handed over on {}",
                day_name(since_date.weekday()),
                day_name(on)
            );
            self.wrong(since.and_then(Item::span), message, "write the day of a hand-over");
        }
        Some(Handover { on, at, since: since_date })
    }

    /// Says which keys mean nothing here.
    fn known(&mut self, table: &dyn TableLike, known: &[&'static str]) {
        for (key, item) in table.iter() {
            if !known.contains(&key) {
                let help = match nearest(key, known.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("there are {}", known.join(", ")),
                };
                self.wrong(item.span(), format!("`{key}` means nothing here"), &help);
            }
        }
    }

    fn table<'t>(&mut self, table: &'t dyn TableLike, key: &str) -> Option<&'t dyn TableLike> {
        let item = table.get(key)?;
        let found = item.as_table_like();
        if found.is_none() {
            self.wrong(item.span(), format!("`{key}` is no table"), "");
        }
        found
    }

    fn text(&mut self, table: &dyn TableLike, key: &str) -> Option<(Option<Range<usize>>, String)> {
        let item = table.get(key)?;
        let Some(text) = item.as_str() else {
            self.wrong(item.span(), format!("`{key}` is no text"), "put it between quotes");
            return None;
        };
        Some((item.span(), text.to_owned()))
    }

    fn texts(&mut self, table: &dyn TableLike, key: &str) -> Vec<(Option<Range<usize>>, String)> {
        let Some(item) = table.get(key) else { return Vec::new() };
        let Some(list) = item.as_array() else {
            self.wrong(item.span(), format!("`{key}` is no list"), "put it between brackets: `[\"…\"]`");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for value in list {
            match value.as_str() {
                Some(text) => texts.push((value.span(), text.to_owned())),
                None => self.wrong(value.span(), format!("`{key}` holds what is no text"), "put it between quotes"),
            }
        }
        texts
    }
}

/// A header that takes it cannot be broken out of, and there is one address.
fn is_address(text: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic() && !"<>,;:\"@".contains(c));
    text.split_once('@').is_some_and(|(name, host)| plain(name) && plain(host))
}

fn is_member(id: &str) -> bool {
    id.starts_with(['U', 'W', 'S'])
        && id.len() > 5
        && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// `monday-friday 08:00-18:00`, `saturday, sunday 10:00-24:00`
fn hours(text: &str) -> Option<Hours> {
    let (days, clocks) = text.trim().rsplit_once(' ')?;
    let (from, to) = clocks.split_once('-')?;
    let mut all = Vec::new();
    for part in days.split(',').map(str::trim) {
        match part.split_once('-') {
            None => all.push(weekday(part)?),
            Some((first, last)) => {
                let (first, last) = (weekday(first.trim())?, weekday(last.trim())?);
                let mut day = first;
                all.push(day);
                while day != last {
                    day = day.next();
                    all.push(day);
                }
            }
        }
    }
    Some(Hours { days: all, from: minute(from)?, to: minute(to)? })
}

fn minute(clock: &str) -> Option<u16> {
    let (hour, minute) = clock.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= 24 * 60).then_some(all)
}
