//! What checks raised that the runbook does not have any more.

use std::path::Path;
use std::sync::Arc;

use runbook::alerting::{Along, Input, Raised};
use runbook::check::program::Program;
use runbook::run;
use runbook::store::event::{Event, Record, Status};

use crate::checked::program;
use crate::{TEXT, desk, evening, facts, outgoing, subject};

/// Raised by something in a section, and looked at by a runbook in which it does not stand any more.
fn raised_by(path: &Path, raiser: &str) {
    let desk = desk(path, &program(TEXT));
    let raised = Raised { subject: subject(), raiser: raiser.into(), text: "it is not so".into(), since: None };
    desk.take(evening(), Input::Raised(raised)).unwrap();
    assert_eq!(outgoing(path, evening()).len(), 1);
}

fn open(path: &Path, program: &Arc<Program>, events: Vec<Event>) -> usize {
    let (desk, mut along) = (desk(path, program), Along::default());
    let started = Event::RunStarted(run::started(program, &facts(path, program)));
    for event in std::iter::once(started).chain(events) {
        desk.read(&mut along, &Record { seq: 0, at: evening(), event }).unwrap();
    }
    desk.take(evening(), Input::Tick).unwrap();
    desk.state().unwrap().alerts.len()
}

fn a_run_of(section: &str, status: Status) -> Vec<Event> {
    let path: runbook::store::event::Path = [0].into_iter().collect();
    let title: Arc<str> = section.into();
    let started = Event::SectionStarted { path: path.clone(), title: Arc::clone(&title), doc: "".into() };
    vec![started, Event::SectionFinished { path, title, status, seconds: 0.0 }]
}

#[test]
fn a_check_that_is_taken_out_raises_nothing_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    raised_by(&path, "Site › site.answers(\"/old\")");
    let program = program(TEXT);
    assert_eq!(open(&path, &program, Vec::new()), 1, "its section was not run yet");
    assert_eq!(open(&path, &program, a_run_of("Site", Status::Passed)), 0);
    assert_eq!(outgoing(&path, evening()).len(), 1, "whoever was told hears that it is over");
}

#[test]
fn what_a_section_raised_that_is_taken_out_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    raised_by(&path, "Old site › site.answers(\"/\")");
    assert_eq!(open(&path, &program(TEXT), Vec::new()), 0);
}

#[test]
fn what_was_posted_from_outside_is_of_no_section() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    raised_by(&path, "alertmanager › InstanceDown");
    assert_eq!(open(&path, &program(TEXT), a_run_of("Site", Status::Passed)), 1);
}
