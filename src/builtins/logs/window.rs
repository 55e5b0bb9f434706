//! Windows: which lines of a log `since` asks for, and whether the log reaches back that far.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::snapshot::Part;
use crate::builtins::line_time::Reading;
use crate::catalog::Judge;
use crate::types::{Fault, Partial, Value};
use crate::units;

/// What is said of the two where they are written.
pub(super) const SINCE: Judge = Judge::Value(|since| judge(Some(since), None));
pub(super) const UNTIL: Judge = Judge::Beside("since", |since, until| judge(since, Some(until)));

fn judge(since: Option<&Value>, until: Option<&Value>) -> Result<(), Fault> {
    let length = |value: Option<&Value>| match value {
        Some(Value::Duration(length)) => Some(*length),
        _ => None,
    };
    Window::of(length(since), length(until), Timestamp::UNIX_EPOCH).map(drop)
}

/// The times between which lines are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    from: Timestamp,
    /// Lines of this moment are asked for no more: the window of the time after begins with it.
    until: Option<Timestamp>,
}

impl Window {
    /// The one that begins and ends so long before a moment.
    fn new(since: SignedDuration, until: Option<SignedDuration>, now: Timestamp) -> Result<Self, Fault> {
        let before = |name: &str, length: SignedDuration| {
            let at = now.checked_sub(length).ok().filter(|at| *at <= now);
            at.ok_or_else(|| Fault::no_value(format!("`{name}` is no length of time before now")))
        };
        let from = before("since", since)?;
        let until = until.map(|until| before("until", until)).transpose()?;
        if until.is_some_and(|until| until <= from) {
            return Err(Fault::no_value("`until` is not after `since`")
                .help("both say how long before the run: `since: 2d, until: 1d` is the day before"));
        }
        Ok(Self { from, until })
    }

    /// The one that a call asks for; none where it asks for all lines.
    pub(super) fn of(
        since: Option<SignedDuration>,
        until: Option<SignedDuration>,
        now: Timestamp,
    ) -> Result<Option<Self>, Fault> {
        match (since, until) {
            (Some(since), until) => Self::new(since, until, now).map(Some),
            (None, Some(_)) => Err(Fault::no_value("`until` is given without `since`")
                .help("say from when on as well: `since: 2d, until: 1d`")),
            (None, None) => Ok(None),
        }
    }

    pub(super) fn holds(self, time: Timestamp) -> bool {
        time >= self.from && self.until.is_none_or(|until| time < until)
    }

    /// Whether a file can have such lines: one that was last written before has none, unless its last lines say otherwise:
    /// not every file system says at once when a file was written.
    pub(super) fn may_hold(self, part: &Part, reading: &Reading) -> bool {
        part.modified.is_none_or(|modified| modified >= self.from)
            || part.last_time(reading).is_some_and(|last| last >= self.from)
    }

    /// What is missing where a file begins after what is asked for, or has nothing of it, and an older one may have it that is
    /// not read.
    pub(super) fn missing(self, parts: &[Part], reading: &Reading) -> Result<Option<Partial>, Fault> {
        let mut folders: HashMap<&Path, Vec<String>> = HashMap::new();
        for part in parts {
            let Some((folder, name)) = part.path.parent().zip(part.path.file_name().and_then(OsStr::to_str)) else {
                continue;
            };
            let names = folders.entry(folder).or_insert_with(|| names(folder));
            let is_read = |path: &Path| parts.iter().any(|part| part.path == path);
            let may_hold = |other: &&String| {
                // One that was written after it is of no day before, whatever day of the week it is called by.
                let latest = match (is_rotated(name, other), is_of_earlier_day(name, other)) {
                    (true, _) => None,
                    (false, true) => part.modified,
                    (false, false) => return false,
                };
                let path = folder.join(other);
                let written = std::fs::metadata(&path).ok().filter(|it| it.is_file() && it.len() > 0);
                let modified = written.map(|it| it.modified().ok().and_then(|time| Timestamp::try_from(time).ok()));
                let may = |time: Timestamp| time >= self.from && latest.is_none_or(|latest| time <= latest);
                modified.is_some_and(|time| time.is_none_or(may)) && !is_read(&path)
            };
            if let Some(older) = names.iter().find(may_hold)
                && let Some(begins) = self.begins_late(part, reading)?
            {
                return Ok(Some(Partial { reason: format!("{begins}, and `{older}` is not read").into() }));
            }
        }
        Ok(None)
    }

    /// That a file does not reach back to what is asked for.
    fn begins_late(self, part: &Part, reading: &Reading) -> Result<Option<String>, Fault> {
        let path = part.path.display();
        if part.size == 0 {
            return Ok(Some(format!("`{path}` is empty")));
        }
        if !self.may_hold(part, reading) {
            return Ok(Some(format!("`{path}` was written last before what is asked for")));
        }
        let Some(first) = part.first_time(reading)? else { return Ok(None) };
        let late = i64::try_from(first.as_nanosecond() - self.from.as_nanosecond()).ok().filter(|late| *late > 0);
        Ok(late.map(|late| format!("`{path}` begins at {first:.0}, {} later than asked for", units::duration(late))))
    }
}

/// What a log is called that is asked for a window.
pub(super) fn named(log: &str, since: Option<SignedDuration>, until: Option<SignedDuration>) -> String {
    let mut name = log.to_owned();
    for (word, length) in [("since", since), ("until", until)] {
        let shown = |length: SignedDuration| units::duration(i64::try_from(length.as_nanos()).unwrap_or(i64::MAX));
        name.extend(length.map(|length| format!(" {word} {}", shown(length))));
    }
    name
}

/// The names in a folder, in their order. One that cannot be listed says nothing about what is beside a log.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

/// What packers write at the end of a name.
const PACKED: &[&str] = &[".gz", ".zst", ".xz", ".bz2", ".lz4", ".zip", ".Z"];

/// A name as it was before it was packed.
fn unpacked(name: &str) -> &str {
    PACKED.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// Whether a log of that name was rotated to this one: `app.log.1`, `app.log-20261123.gz`, `app.log.old`,
/// `app-2026-11-23-1.log.gz`, `app.2026-11-23.0.log`.
fn is_rotated(name: &str, other: &str) -> bool {
    const BETWEEN: [char; 3] = ['.', '-', '_'];
    if other.strip_prefix(name).is_some_and(|rest| rest.len() > 1 && rest.starts_with(BETWEEN)) {
        return true;
    }
    let (stem, end) = name.rsplit_once('.').map_or((name, String::new()), |(stem, end)| (stem, format!(".{end}")));
    let number = unpacked(other).strip_prefix(stem).and_then(|rest| rest.strip_suffix(&end)).unwrap_or_default();
    number.starts_with(BETWEEN)
        && number.contains(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || BETWEEN.contains(&c) || matches!(c, 'T' | 'Z' | ':'))
}

/// Whether two logs have their days in their names, and are called alike but for that: `catalina.2026-11-28.log` comes after
/// `catalina.2026-11-27.log`, and `postgresql-Sat.log` may come after `postgresql-Fri.log`.
fn is_of_earlier_day(name: &str, other: &str) -> bool {
    let other = unpacked(other);
    let ((own, own_digits, dated), (form, digits, _)) = (form_of(name), form_of(other));
    // Words for days have no order of their own.
    dated && own == form && name != other && digits <= own_digits
}

/// A name without the days and numbers in it, those numbers, and whether a day is in it.
fn form_of(name: &str) -> (String, String, bool) {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    let has_weekday = parts.clone().any(|part| DAYS.contains(&part));
    let lengths: Vec<usize> =
        parts.clone().map(|part| if part.bytes().all(|byte| byte.is_ascii_digit()) { part.len() } else { 0 }).collect();
    let has_date = lengths.contains(&8) || lengths.windows(3).any(|three| three == [4, 2, 2]);
    let mut form: String = name.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect();
    for day in DAYS {
        form = form.replace(day, "@");
    }
    (form, name.chars().filter(char::is_ascii_digit).collect(), has_weekday || has_date)
}

#[cfg(test)]
mod tests {
    use super::{is_of_earlier_day, is_rotated};

    #[test]
    fn knows_the_logs_of_days_before() {
        for (own, other) in [
            ("catalina.2026-11-28.log", "catalina.2026-11-27.log"),
            ("catalina.2026-11-28.log", "catalina.2026-11-27.log.gz"),
            ("postgresql-2026-11-28_100000.log", "postgresql-2026-11-28_000000.log"),
            ("app_20261128.txt", "app_20261031.txt"),
            ("postgresql-Sat.log", "postgresql-Fri.log"),
        ] {
            assert!(is_of_earlier_day(own, other), "{own} {other}");
        }
        for (own, other) in [
            ("catalina.2026-11-28.log", "catalina.2026-11-29.log"),
            ("catalina.2026-11-28.log", "localhost.2026-11-27.log"),
            ("catalina.2026-11-28.log", "catalina.2026-11-28.log"),
            ("node-2.log", "node-1.log"),
            ("shard-0002.log", "shard-0001.log"),
            ("Sunny.log", "Monny.log"),
        ] {
            assert!(!is_of_earlier_day(own, other), "{own} {other}");
        }
    }

    #[test]
    fn knows_what_a_log_was_rotated_to() {
        for other in
            ["app.log", "other.log", "app.log2", "app-errors.log", "apple.log", "app.log.", "app-.log", "app.json"]
        {
            assert!(!is_rotated("app.log", other), "{other}");
        }
        for other in [
            "app.log.1",
            "app.log.2.gz",
            "app.log.old",
            "app.log-20261123.gz",
            "app.log_20261123",
            "app.log.2026-11-23-01",
            "app-20261123.log",
            "app_20261123.log",
            "app.1.log",
            "app-1.log.gz",
            "app.2026-11-23.log",
            "app.2026-11-23.0.log",
            "app-2026-11-23-1.log.gz",
            "app-2026-11-23T08:00:00Z.log.zst",
        ] {
            assert!(is_rotated("app.log", other), "{other}");
        }
        assert!(is_rotated("current", "current.1") && !is_rotated("current", "currently"));
    }
}
