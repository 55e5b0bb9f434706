//! Windows: which lines of a log `since` asks for, and whether the log reaches back that far.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::snapshot::Part;
use crate::types::{Fault, Partial};
use crate::units;

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

    /// Whether a file can have such lines: one that was last written before has none.
    pub(super) fn may_hold(self, part: &Part) -> bool {
        part.modified.is_none_or(|modified| modified >= self.from)
    }

    /// What is missing where the log begins after what is asked for and an older file of it is there.
    pub(super) fn missing_before(self, first: Timestamp, oldest: &Part) -> Option<Partial> {
        let late = i64::try_from(first.as_nanosecond() - self.from.as_nanosecond()).ok().filter(|late| *late > 0)?;
        let older = older_sibling(&oldest.path)?;
        let reason = format!(
            "`{}` begins at {first:.0}, {} later than asked for, and `{older}` is not read",
            oldest.path.display(),
            units::duration(late),
        );
        Some(Partial { reason: reason.into() })
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

/// A file that the log was rotated to: `app.log.1`, `app.log-20261123`, `app-20261123.log`.
fn older_sibling(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let (stem, end) = name.rsplit_once('.').map_or((name, String::new()), |(stem, end)| (stem, format!(".{end}")));
    let rotated = |other: &str| {
        let behind = other.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '-']));
        let between = other.strip_prefix(stem).and_then(|rest| rest.strip_suffix(&end));
        let dated =
            |rest: &str| rest.starts_with(['-', '.']) && rest.chars().skip(1).all(|c| c.is_ascii_digit() || c == '-');
        other != name && (behind || between.is_some_and(|rest| rest.len() > 1 && dated(rest)))
    };
    // A folder that cannot be listed says nothing about siblings.
    let entries = std::fs::read_dir(path.parent()?).ok()?;
    let mut names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.find(|other| rotated(other))
}

#[cfg(test)]
mod tests {
    use super::older_sibling;

    #[test]
    fn finds_what_a_log_was_rotated_to() {
        let folder = tempfile::tempdir().unwrap();
        let found = |names: &[&str]| {
            let folder = tempfile::tempdir_in(&folder).unwrap();
            for name in names {
                std::fs::write(folder.path().join(name), "").unwrap();
            }
            older_sibling(&folder.path().join("app.log"))
        };
        assert_eq!(found(&["app.log", "other.log", "app.log2", "app-errors.log", "apple.log"]), None);
        assert_eq!(found(&["app.log", "app.log.1"]).as_deref(), Some("app.log.1"));
        assert_eq!(found(&["app.log", "app.log-20261123.gz"]).as_deref(), Some("app.log-20261123.gz"));
        assert_eq!(found(&["app.log", "app-2026-11-23.log"]).as_deref(), Some("app-2026-11-23.log"));
    }
}
