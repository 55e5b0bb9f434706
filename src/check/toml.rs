//! Files of TOML that people write beside their runbooks: read strictly, and every mistake told with its place.

use std::ops::Range;

use jiff::tz::TimeZone;
use toml_edit::{Document, TableLike};

use super::program::Hours;
use super::schedules::weekday;
use crate::catalog::Problem;
use crate::diagnostics::nearest;
use crate::units;

/// Where in the text something stands.
pub(crate) type At = Option<Range<usize>>;

#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) found: Vec<Problem>,
}

impl Reader {
    /// The document; `None` where it is no TOML, which is noted then.
    pub(crate) fn parse<'t>(&mut self, text: &'t str) -> Option<Document<&'t str>> {
        match Document::parse(text) {
            Ok(document) => Some(document),
            Err(error) => {
                let at = error.span().unwrap_or(0..text.len());
                let message = format!("this is no TOML: {}", error.message().lines().next().unwrap_or_default());
                self.found.push(Problem { at, message, help: None });
                None
            }
        }
    }

    pub(crate) fn wrong(&mut self, at: At, message: String, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.found.push(Problem { at: at.unwrap_or(0..0), message, help });
    }

    /// Whether something holds; `false` where it is not said.
    pub(crate) fn flag(&mut self, table: &dyn TableLike, key: &str) -> bool {
        let Some(item) = table.get(key) else { return false };
        item.as_bool().unwrap_or_else(|| {
            self.wrong(item.span(), format!("`{key}` is neither true nor false"), "write `true`, without quotes");
            false
        })
    }

    /// Says which keys mean nothing here.
    pub(crate) fn known(&mut self, table: &dyn TableLike, known: &[&'static str]) {
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

    pub(crate) fn table<'t>(&mut self, table: &'t dyn TableLike, key: &str) -> Option<&'t dyn TableLike> {
        let item = table.get(key)?;
        let found = item.as_table_like();
        if found.is_none() {
            self.wrong(item.span(), format!("`{key}` is no table"), "");
        }
        found
    }

    pub(crate) fn text(&mut self, table: &dyn TableLike, key: &str) -> Option<(At, String)> {
        let item = table.get(key)?;
        let Some(text) = item.as_str() else {
            self.wrong(item.span(), format!("`{key}` is no text"), "put it between quotes");
            return None;
        };
        Some((item.span(), text.to_owned()))
    }

    /// A time zone and its name; `None` where it is not said, or is none.
    pub(crate) fn zone(&mut self, table: &dyn TableLike, key: &str) -> Option<(TimeZone, String)> {
        let (at, name) = self.text(table, key)?;
        if let Some(zone) = units::zone(&name) {
            return Some((zone, name));
        }
        self.wrong(at, format!("there is no time zone `{name}`"), "write one such as `Europe/Berlin`");
        None
    }

    pub(crate) fn texts(&mut self, table: &dyn TableLike, key: &str) -> Vec<(At, String)> {
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

/// `monday-friday 08:00-18:00`, `saturday, sunday 10:00-24:00`
pub(crate) fn hours(text: &str) -> Option<Hours> {
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
