//! Where the events of a run go: to the journal first, then to whoever reads along.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::future::BoxFuture;

use super::console::Out;
use super::run_log::RunLog;
use crate::alerting::Along;
use crate::desk::Desk;
use crate::report::terminal::Terminal;
use crate::report::{json, junit};
use crate::run::EventSink;
use crate::store::event::{Event, Record};
use crate::store::journal::Journal;
use crate::store::ledger::locked;
use crate::system;
use crate::types::{Fault, FaultKind};

/// How the events are written.
pub(super) enum Output {
    Terminal(Box<Terminal<Out>>),
    Json(Out),
    /// Only a whole run is `JUnit`.
    Junit(Out, Vec<Record>),
    /// Nobody reads along: it is in the journal.
    Silent,
}

pub(super) struct Recorder {
    inner: Mutex<Inner>,
}

struct Inner {
    seq: u64,
    /// `None` where it could not be begun: nothing can be changed then.
    journal: Option<Journal>,
    output: Output,
    /// The runbook's own log of the run, where it names a folder for it.
    log: Option<RunLog>,
    /// Why the journal or the output is not whole; the first of each.
    faults: Vec<String>,
    /// What is not printed while a person is asked.
    held: Option<Vec<Record>>,
    changes: BTreeMap<u32, (String, bool)>,
    /// Reads along where the runbook has alerting.
    desk: Option<Arc<Desk>>,
    along: Along,
    /// The last event, as long as it is not known how the run ends for whoever waits for it.
    end: Option<Record>,
}

/// What became of the record of a run.
pub(super) struct Written {
    /// As it is kept; `None` where the run did not come to its end.
    pub(super) exit: Option<u8>,
    /// Why the journal or the output is not whole.
    pub(super) faults: Vec<String>,
}

impl Recorder {
    pub(super) fn new(journal: Option<Journal>, output: Output, log: Option<RunLog>, desk: Option<Arc<Desk>>) -> Self {
        let (faults, changes) = (Vec::new(), BTreeMap::new());
        let inner = Inner {
            seq: 0,
            journal,
            output,
            log,
            faults,
            held: None,
            changes,
            desk,
            along: Along::default(),
            end: None,
        };
        Self { inner: Mutex::new(inner) }
    }

    /// Prints nothing until [`Self::go_on`], so that a question stays on the screen.
    pub(super) fn hold(&self) {
        let mut inner = self.lock();
        if let Output::Terminal(terminal) = &mut inner.output {
            terminal.pause();
            inner.held.get_or_insert_default();
        }
    }

    pub(super) fn go_on(&self) {
        let mut inner = self.lock();
        for record in inner.held.take().unwrap_or_default() {
            inner.write(&record);
        }
    }

    /// Changes that are over, and those that are on their way, by their titles.
    pub(super) fn changes(&self) -> (usize, Vec<String>) {
        let inner = self.lock();
        let in_flight = inner.changes.values().filter(|(_, ended)| !ended).map(|(title, _)| title.clone());
        (inner.changes.values().filter(|(_, ended)| *ended).count(), in_flight.collect())
    }

    /// Writes the end of the run, and gives what could not be written with the exit code that stands there.
    pub(super) fn finish(&self, all_told: bool) -> Written {
        self.go_on();
        let mut inner = self.lock();
        let exit = inner.end(all_told);
        let ended = match &mut inner.output {
            Output::Terminal(terminal) => terminal.finish(),
            Output::Json(_) | Output::Silent => Ok(()),
            Output::Junit(out, records) => junit::write(out, records),
        };
        inner.note_output(ended);
        let logged = inner.log.as_mut().map_or(Ok(()), RunLog::finish);
        inner.note_log(logged);
        Written { exit, faults: std::mem::take(&mut inner.faults) }
    }

    /// Whether what is to follow may still be done: a server that was suspended, and has lost its lead, changes nothing.
    fn may_go_on(&self, event: &Event) -> Result<(), Fault> {
        let desk = self.lock().desk.clone().filter(|_| matches!(event, Event::ChangeIntended { .. }));
        desk.map_or(Ok(()), |desk| desk.holds())
    }

    fn take(&self, event: Event) -> Result<(), Fault> {
        let mut inner = self.lock();
        let record = Record { seq: inner.seq, at: system::now(), event };
        inner.seq += 1;
        inner.note_change(&record.event);
        let is_end = matches!(record.event, Event::RunFinished(_));
        let written = if is_end { Ok(()) } else { inner.keep(&record) };
        if let Some(desk) = inner.desk.clone()
            && let Err(fault) = desk.read(&mut inner.along, &record)
        {
            let message = format!("what follows from the run could not be written down, and nobody is told: {fault}");
            if !inner.faults.contains(&message) {
                inner.faults.push(message);
            }
        }
        if is_end {
            inner.over(record);
        } else {
            inner.tell(record);
        }
        written
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What a panic elsewhere left behind is still the run's record.
        locked(&self.inner)
    }
}

impl Inner {
    /// Writes a record into the journal.
    fn keep(&mut self, record: &Record) -> Result<(), Fault> {
        tracing::debug!(target: "runbook::events", record = %serde_json::to_string(record).unwrap_or_default());
        let written = match &mut self.journal {
            Some(journal) => journal.append(record),
            None => Err(Fault::new(FaultKind::Setup, "the run is not recorded")),
        };
        if let (Err(fault), true) = (&written, self.journal.is_some() && self.faults.is_empty()) {
            self.faults.push(fault.message.to_string());
        }
        written
    }

    /// Shows a record to whoever reads along.
    fn tell(&mut self, record: Record) {
        let logged = self.log.as_mut().map_or(Ok(()), |log| log.record(&record));
        self.note_log(logged);
        match &mut self.held {
            Some(held) => held.push(record),
            None => self.write(&record),
        }
    }

    /// The run is over. What was found is printed now, and its last event waits: whether people were told belongs to how
    /// it ended.
    fn over(&mut self, end: Record) {
        self.end = Some(end);
        if let (Output::Terminal(terminal), None) = (&mut self.output, &self.held) {
            let written = terminal.over();
            self.note_output(written);
        }
    }

    /// Writes the last event, and gives its exit code.
    fn end(&mut self, all_told: bool) -> Option<u8> {
        let mut record = self.end.take()?;
        let Event::RunFinished(finished) = &mut record.event else { return None };
        // A pass that somebody should have heard of, or that nobody can read back, is not whole.
        finished.exit = match finished.exit {
            0 if !all_told => 3,
            0 if !self.faults.is_empty() => 1,
            exit => exit,
        };
        let exit = finished.exit;
        // What is not on the disk is among the faults.
        let _ = self.keep(&record);
        self.tell(record);
        Some(exit)
    }

    fn write(&mut self, record: &Record) {
        let written = match &mut self.output {
            Output::Terminal(terminal) => terminal.record(record),
            Output::Json(out) => json::write(out, record),
            Output::Silent => Ok(()),
            Output::Junit(_, records) => {
                records.push(record.clone());
                Ok(())
            }
        };
        self.note_output(written);
    }

    fn note_output(&mut self, written: io::Result<()>) {
        self.note("the output", written);
    }

    fn note_log(&mut self, written: io::Result<()>) {
        self.note("the log of the run", written);
    }

    fn note(&mut self, what: &str, written: io::Result<()>) {
        if let Err(error) = written {
            let message = format!("{what} is not whole: {error}");
            if !self.faults.contains(&message) {
                self.faults.push(message);
            }
        }
    }

    fn note_change(&mut self, event: &Event) {
        match event {
            Event::ChangeIntended { change, title, .. } => {
                self.changes.insert(*change, (title.to_string(), false));
            }
            Event::ChangeEnded(ended) => {
                self.changes.insert(ended.change, (ended.title.to_string(), true));
            }
            _ => {}
        }
    }
}

impl EventSink for Recorder {
    fn emit(&self, event: Event) {
        // An event that is not on the disk is among the faults; nothing was promised for it.
        let _ = self.take(event);
    }

    fn durable(&self, event: Event) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(std::future::ready(self.may_go_on(&event).and_then(|()| self.take(event))))
    }
}
