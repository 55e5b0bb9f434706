//! When something runs: tables for the clocks of the world, properties for all of them, and what is done after an outage.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod decide;
mod properties;
mod tables;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use runbook::catalog::Catalog;
use runbook::check::program::Schedule;
use runbook::check::{self, Modules};
use runbook::diagnostics::has_errors;
use runbook::schedule::Timetable;
use runbook::source::Sources;
use runbook::syntax;

/// A schedule as it stands behind the title of a section, in a zone.
pub(crate) struct Clocked {
    schedule: Schedule,
    zone: TimeZone,
}

impl Clocked {
    #[track_caller]
    pub(crate) fn new(schedule: &str, zone: &str) -> Self {
        let text =
            format!("runbook \"Care\" {{ edition 1 timezone \"{zone}\" }}\nsection \"S\" {schedule} {{ show 1 }}\n");
        let mut sources = Sources::new();
        let id = sources.add("care.runbook", text.as_str());
        let parsed = syntax::parse(id, &text);
        let checked = check::check(&sources, &Modules::of(parsed.file), &Catalog::default());
        assert!(!has_errors(&parsed.diagnostics), "{schedule}: {:?}", parsed.diagnostics);
        assert!(!has_errors(&checked.diagnostics), "{schedule} in {zone}: {:?}", checked.diagnostics);
        let program = checked.program;
        let section = program.sections.into_iter().next().unwrap();
        Self { schedule: section.schedule.unwrap(), zone: program.header.timezone }
    }

    pub(crate) fn table(&self) -> Timetable<'_> {
        Timetable::new(&self.schedule, &self.zone, "Care", "S")
    }

    /// The next times after a moment, as the clock of the zone shows them, with its distance from UTC.
    pub(crate) fn local(&self, after: &str, most: usize) -> Vec<String> {
        let after = moment(after);
        let shown = |at: Timestamp| at.to_zoned(self.zone.clone()).strftime("%F %H:%M:%S%:z").to_string();
        self.table()
            .after(after)
            .take(most)
            .map(|due| shown(due.at).replace(":00+", "+").replace(":00-", "-"))
            .collect()
    }
}

#[track_caller]
pub(crate) fn moment(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
