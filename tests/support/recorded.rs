//! Events of a run that is written into a journal.

use jiff::Timestamp;
use runbook::store::definition::Definition;
use runbook::store::event::{Counts, Event, Record, RunFinished, RunStarted, Status, VERSION};

pub(crate) fn started(run: &str) -> Event {
    Event::RunStarted(RunStarted {
        version: VERSION,
        tool: "runbook 0.1.0".to_owned(),
        run: run.into(),
        runbook: "Daily".into(),
        folder: None,
        file: "daily.runbook".into(),
        source_hash: String::new(),
        plan: None,
        scheduled_at: Timestamp::UNIX_EPOCH,
        timezone: "UTC".into(),
        by: "me@here".to_owned(),
        read_only: false,
        only: Vec::new(),
        set: Vec::new(),
        changes: 0,
        steps: 1,
        definition: Definition::default(),
        continues: None,
    })
}

pub(crate) fn finished() -> Event {
    let counts = Counts { passed: 2, ..Counts::default() };
    Event::RunFinished(RunFinished { status: Status::Passed, counts, exit: 0, seconds: 1.5 })
}

pub(crate) fn record(seq: u64, event: Event) -> Record {
    Record { seq, at: Timestamp::UNIX_EPOCH, event }
}
