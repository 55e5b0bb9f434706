//! Alerting that several processes keep in one ledger: what one of them decided, the others know.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;

use jiff::{SignedDuration, Timestamp};
use runbook::alerting::{Input, Raised, Subject};
use runbook::catalog::RunFacts;
use runbook::check::program::Program;
use runbook::check::{self, Modules};
use runbook::desk::Desk;
use runbook::source::Sources;
use runbook::store::ledger::{Ledger, Outgoing};

const TEXT: &str = "runbook \"Night\" { edition 1 }\n\
    channel mail = email(to: [\"ops@example.com\"])\n\
    connect site = http(\"https://example.com\")\n\
    threshold \"Site down\" critical {\n  notify mail\n}\n\
    escalation night {\n  level 1 \"Engineer\" {\n    respond within 15m\n    notify mail\n  }\n}\n\
    section \"Site\" {\n  check site.answers(\"/\") as \"it answers\" else raise \"Site down\"\n}\n";

fn program() -> Arc<Program> {
    let mut sources = Sources::new();
    let id = sources.add("a.runbook", TEXT);
    let parsed = runbook::syntax::parse(id, TEXT);
    let checked = check::check(&sources, &Modules::of(parsed.file), &runbook::builtins::catalog());
    let found: Vec<_> = parsed.diagnostics.into_iter().chain(checked.diagnostics).collect();
    assert!(!runbook::diagnostics::has_errors(&found), "{found:#?}");
    Arc::new(checked.program)
}

fn evening() -> Timestamp {
    "2026-03-05T22:00:00Z".parse().unwrap()
}

fn desk(path: &Path, program: &Arc<Program>) -> Desk {
    let facts = RunFacts {
        id: "7f3a".into(),
        started_at: evening(),
        scheduled_at: evening(),
        timezone: program.header.timezone.clone(),
        directory: path.parent().unwrap().to_owned(),
    };
    Desk::open(Ledger::open(path).unwrap(), Arc::clone(program), HashMap::new(), Arc::new(facts)).unwrap()
}

fn subject() -> Subject {
    Subject { threshold: "Site down".into(), labels: Vec::new() }
}

/// What has to be told, each once.
fn outgoing(path: &Path, now: Timestamp) -> Vec<String> {
    let mut ledger = Ledger::open(path).unwrap();
    let lease = SignedDuration::from_hours(1000);
    let claimed: Vec<Outgoing> = ledger.claim("Night", "a courier", now, lease, 1000).unwrap();
    claimed.into_iter().map(|message| message.key).collect()
}

#[test]
fn two_that_find_the_same_at_once_tell_it_once() {
    const ROUNDS: i64 = 25;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let program = program();
    let desks: Vec<Arc<Desk>> = (0..4).map(|_| Arc::new(desk(&path, &program))).collect();
    let mut keys = Vec::new();
    for round in 0..ROUNDS {
        let now = evening().checked_add(SignedDuration::from_hours(round)).unwrap();
        for wrong in [true, false] {
            at_once(&desks, now, wrong);
            let state = desks.first().unwrap().state().unwrap();
            let (alerts, incidents) = (state.alerts.len(), state.incidents.len());
            assert_eq!((alerts, incidents), if wrong { (1, 1) } else { (0, 0) }, "round {round}");
            let told = outgoing(&path, now);
            assert_eq!(told.len(), 1, "round {round}: {told:?}");
            keys.extend(told);
        }
        assert_eq!(desks.last().unwrap().state().unwrap().numbers.alert, round + 1, "one alert a round");
    }
    let told = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), told, "no message has the name of another");
}

/// All find the same at the same time: the fault, or that it is over.
fn at_once(desks: &[Arc<Desk>], now: Timestamp, wrong: bool) {
    let barrier = Arc::new(Barrier::new(desks.len()));
    let threads: Vec<_> = desks
        .iter()
        .map(|desk| {
            let (desk, barrier) = (Arc::clone(desk), Arc::clone(&barrier));
            thread::spawn(move || {
                let raiser: Arc<str> = "Site › it answers".into();
                let input = if wrong {
                    Input::Raised(Raised { subject: subject(), raiser, text: "it is not so".into() })
                } else {
                    Input::Passed { subject: subject(), raiser }
                };
                barrier.wait();
                desk.take(now, input).unwrap();
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
