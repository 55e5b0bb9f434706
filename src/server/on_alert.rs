//! Alerts: those that others post, and the sections that answer one.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::current::Current;
use super::going::Going;
use super::served::Served;
use crate::alerting::{Input, Posted, posted};
use crate::check::program::Section;
use crate::store::ledger::Fence;
use crate::types::Fault;

impl Served {
    /// Takes alerts that somebody else posts, as far as this runbook takes them. Gives the names of those.
    pub(super) fn take_posted(&self, all: &[Posted]) -> Result<Vec<Arc<str>>, Fault> {
        let current = self.current();
        let program = &current.loaded.program;
        let known = all.iter().filter_map(|one| Some((Arc::clone(&one.name), posted(program, one)?)));
        let (names, inputs): (Vec<Arc<str>>, Vec<Input>) = known.unzip();
        current.desk.take(self.home.now(), Input::Together(inputs))?;
        Ok(names)
    }

    /// Begins the sections whose alerts were opened. The ledger knows which were answered, so each is answered once,
    /// whoever leads.
    pub(super) fn answer(
        self: &Arc<Self>,
        going: &mut Going,
        current: &Current,
        fence: &Fence,
        now: Timestamp,
    ) -> Result<(), Fault> {
        for section in &current.loaded.program.sections {
            if !section.on_alert.is_empty() {
                self.answer_with(going, current, fence, section, now)?;
            }
        }
        Ok(())
    }

    fn answer_with(
        self: &Arc<Self>,
        going: &mut Going,
        current: &Current,
        fence: &Fence,
        section: &Section,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let title = &section.title;
        // Those that come while it runs are answered together, by the run after it.
        if going.runs.get(title).is_some_and(|run| run.ended.is_none()) {
            return Ok(());
        }
        let thresholds = section.on_alert.iter().filter_map(|id| current.loaded.program.thresholds.get(id.index()));
        let titles: Vec<&str> = thresholds.map(|threshold| &*threshold.title).collect();
        let open = current.desk.told(&titles)?;
        let answered = going.answered.entry(Arc::clone(title)).or_default();
        // What is over is not asked for again.
        answered.retain(|number| open.iter().any(|(own, _)| own == number));
        let new: Vec<(i64, Timestamp)> = open.into_iter().filter(|(number, _)| !answered.contains(number)).collect();
        let mut times = BTreeSet::new();
        for (_, opened) in &new {
            // Another server, or this one before it was started anew, may have answered it.
            if !self.ledger(None).is_noted(current.desk.runbook(), title, *opened)? {
                times.insert(*opened);
            }
        }
        if let Some(newest) = times.pop_last() {
            for opened in times {
                let why = "answered by the run of a later alert";
                self.ledger(Some(fence)).note_due(current.desk.runbook(), title, opened, why, None)?;
            }
            self.begin(going, current, fence, section, newest, now)?;
        }
        going.answered.entry(Arc::clone(title)).or_default().extend(new.iter().map(|(number, _)| *number));
        Ok(())
    }
}
