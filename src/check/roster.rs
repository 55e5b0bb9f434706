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
use serde_json::Value as Json;
use toml_edit::{Item, TableLike};

use super::program::{Duty, Escalation, Handover, Roster};
use super::schedules::{day_name, weekday};
use super::toml::{Reader, hours};
use crate::catalog::{Person, Problem};
use crate::diagnostics::nearest;
use crate::types::{Fault, FaultKind};

/// The roster of a text, and all that is wrong with it.
pub(super) fn read(text: &str, zone: &TimeZone) -> (Roster, Vec<Problem>) {
    let mut reader = Reader::default();
    let mut roster = Roster { zone: zone.clone(), roles: BTreeMap::new() };
    if let Some(document) = reader.parse(text) {
        reader.document(document.as_table(), &mut roster);
    }
    (roster, reader.found)
}

/// The roster that a tool says, in JSON of the same shape, for the levels of an escalation.
///
/// # Errors
/// What of it cannot be, or that it says nothing of any level: such an answer must not read as one that nobody is on call.
pub fn said(answer: &Json, zone: &TimeZone, escalation: &Escalation) -> Result<Roster, Fault> {
    let wrong = |why: String| Fault::new(FaultKind::BadAnswer, why);
    let Some(root) = item(answer).and_then(|item| item.into_table().ok()) else {
        return Err(wrong("it is no object with `people` and `roles`".to_owned()));
    };
    let mut reader = Reader::default();
    let mut roster = Roster { zone: zone.clone(), roles: BTreeMap::new() };
    reader.document(&root, &mut roster);
    if let Some(problem) = reader.found.into_iter().next() {
        let fault = wrong(problem.message);
        return Err(match problem.help {
            Some(help) => fault.help(help),
            None => fault,
        });
    }
    if !escalation.levels.iter().any(|level| roster.roles.contains_key(&level.role)) {
        let known = roster.roles.keys().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(", ");
        return Err(wrong(format!("it says nothing of any level: its roles are {known}")));
    }
    Ok(roster)
}

/// What stands in JSON, as if it stood in TOML. A field that is null is left out; of a number nobody asks.
fn item(json: &Json) -> Option<Item> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => toml_edit::value(*value),
        Json::Number(number) => toml_edit::value(number.as_f64()?),
        // A day has no quotes in TOML; JSON has no other way.
        Json::String(text) => match text.parse::<toml_edit::Datetime>() {
            Ok(date) if date.time.is_none() && date.offset.is_none() => toml_edit::value(date),
            _ => toml_edit::value(text.as_str()),
        },
        Json::Array(all) => {
            let values = all.iter().map(|one| item(one)?.into_value().ok()).collect::<Option<toml_edit::Array>>();
            toml_edit::value(values?)
        }
        Json::Object(fields) => {
            let mut table = toml_edit::Table::new();
            for (name, field) in fields.iter().filter(|(_, field)| !field.is_null()) {
                table.insert(name, item(field)?);
            }
            Item::Table(table)
        }
    })
}

impl Reader {
    fn document(&mut self, root: &dyn TableLike, roster: &mut Roster) {
        self.known(root, &["timezone", "people", "roles"]);
        if let Some((zone, _)) = self.zone(root, "timezone") {
            roster.zone = zone;
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
