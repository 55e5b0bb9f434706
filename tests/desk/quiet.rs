//! What a section keeps quiet, as long as it is heard of.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use runbook::alerting::{Along, Input, Raised};
use runbook::run;
use runbook::store::event::{Event, Record};
use runbook::system::{self, System};

use crate::checked::program;
use crate::{TEXT, desk, facts, outgoing, subject};

/// The clock of the runtime stands still, and moves to the next moment that is waited for when nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_section_that_is_not_heard_of_any_more_keeps_nothing_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let text = TEXT.replace("section \"Site\"", "section \"Work\" quiet \"Site down\" { show 1 }\nsection \"Site\"");
    let program = program(&text);
    let (desk, other) = (desk(&path, &program), desk(&path, &program));
    let now = system::now();
    let later = |seconds: i64| now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    let mut along = Along::default();
    let started = run::started(&program, &facts(&path, &program));
    let section = Event::SectionStarted { path: [0].into_iter().collect(), title: "Work".into(), doc: "".into() };
    for event in [Event::RunStarted(started), section] {
        desk.read(&mut along, &Record { seq: 0, at: now, event }).unwrap();
    }
    let ends = || -> Vec<Timestamp> { other.state().unwrap().quiet.values().map(|quiet| quiet.until).collect() };
    assert_eq!(ends(), [later(30)]);
    // Another process has a clock that goes ahead: as long as the section runs, it is heard of again.
    other.take(later(31), Input::Tick).unwrap();
    assert_eq!(ends(), []);
    let world = System::new(folder.path());
    desk.beside(&world, tokio::time::sleep(Duration::from_secs(11))).await;
    assert!(matches!(ends()[..], [until] if until >= later(30) && until < later(60)), "{:?}", ends());
    desk.take(
        now,
        Input::Raised(Raised { subject: subject(), raiser: "a check".into(), text: "no".into(), since: None }),
    )
    .unwrap();
    other.take(later(20), Input::Tick).unwrap();
    assert_eq!(outgoing(&path, later(20)), [""; 0]);
    // The process is killed.
    drop(desk);
    other.take(later(100), Input::Tick).unwrap();
    assert_eq!(ends(), []);
    assert_eq!(outgoing(&path, later(100)).len(), 1);
}
