//! `runbook store`
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::fs;

use jiff::{SignedDuration, Timestamp};
use runbook::store::ledger::{Commit, Committed, Document, FILE, Happening, Ledger, NewMessage, Sample};
use serde_json::{Value, json};

use crate::program::Folder;

const AT: &str = "2026-11-26T02:36:42.123456789Z";

fn at() -> Timestamp {
    AT.parse().unwrap()
}

fn sample(minute: i64, value: Option<f64>) -> Sample {
    let why = value.is_none().then(|| "nobody answered".to_owned());
    let labels = [("disk".into(), "a".into())].into();
    Sample { metric: "used".into(), labels, at: at() + SignedDuration::from_mins(minute), value, why }
}

/// One of each kind of thing.
fn filled(folder: &Folder) -> Ledger {
    let mut ledger = Ledger::open(&folder.path("state").join(FILE)).unwrap();
    let (kind, id) = ("alert".to_owned(), "12".to_owned());
    let commit = Commit {
        put: vec![Document { kind, id, body: json!({ "b": 1, "a": [] }), opened_at: at(), closed_at: None }],
        happened: vec![Happening { at: at(), about: "alert/12".to_owned(), body: "fired".into() }],
        tell: vec![NewMessage { channel: "ops".into(), key: "k".into(), body: json!([1.5]), not_before: at() }],
        ..Commit::at(at())
    };
    assert_eq!(ledger.commit("shop", 0, &commit).unwrap(), Committed::Done { version: 1 });
    ledger.record("shop", &[sample(0, Some(0.25)), sample(1, None), sample(2, Some(f64::INFINITY))]).unwrap();
    assert!(ledger.note_due("shop", "Morning", at(), "run", Some("7f3a12")).unwrap());
    let until = at() + SignedDuration::from_secs(1);
    assert!(matches!(ledger.lease("leader", "me", at(), until), Ok(runbook::store::ledger::Lease::Held { fence: 1 })));
    ledger
}

#[test]
fn without_a_ledger_nothing_is_wrong_and_nothing_is_made() {
    let folder = Folder::new();
    for action in ["check", "compact", "export"] {
        folder.run(&["store", action]).code(0).no_out().err("nothing was kept so far");
    }
    assert!(!folder.path("state").exists());
}

#[test]
fn everything_is_exported_in_a_form_that_stays() {
    let folder = Folder::new();
    let ledger = filled(&folder);
    let lines = folder.run(&["store", "export"]).code(0).lines();
    let labels = json!([["disk", "a"]]);
    let expected: Vec<Value> = vec![
        json!({"record": "ledger", "version": 1}),
        json!({"record": "runbook", "name": "shop", "version": 1}),
        json!({"record": "document", "runbook": "shop", "kind": "alert", "id": "12", "opened_at": AT, "closed_at": null,
               "body": {"b": 1, "a": []}}),
        json!({"record": "happening", "runbook": "shop", "at": AT, "about": "alert/12", "body": "fired"}),
        json!({"record": "message", "id": 1, "runbook": "shop", "channel": "ops", "key": "k", "created_at": AT,
               "not_before": AT, "tries": 0, "state": "waiting", "holder": null, "last": null, "ended_at": null,
               "body": [1.5]}),
        json!({"record": "sample", "runbook": "shop", "metric": "used", "labels": labels, "at": AT, "value": 0.25,
               "why": null}),
        json!({"record": "sample", "runbook": "shop", "metric": "used", "labels": labels,
               "at": "2026-11-26T02:37:42.123456789Z", "value": null, "why": "nobody answered"}),
        json!({"record": "sample", "runbook": "shop", "metric": "used", "labels": labels,
               "at": "2026-11-26T02:38:42.123456789Z", "value": "Infinity", "why": null}),
        json!({"record": "lease", "name": "leader", "holder": "me", "until": "2026-11-26T02:36:43.123456789Z",
               "fence": 1}),
        json!({"record": "due", "runbook": "shop", "section": "Morning", "at": AT, "outcome": "run", "run": "7f3a12"}),
    ];
    assert_eq!(lines, expected);
    drop(ledger);
    let mut ledger = Ledger::open(&folder.path("state").join(FILE)).unwrap();
    let keep = runbook::store::ledger::Retention::default();
    ledger.tidy(at() + SignedDuration::from_hours(24 * 20), &keep).unwrap();
    let lines = folder.run(&["store", "export"]).code(0).lines();
    let hour = json!({"record": "hour", "runbook": "shop", "metric": "used", "labels": labels,
                      "at": "2026-11-26T02:00:00Z", "measured": 2, "missed": 1, "least": 0.25, "most": "Infinity",
                      "sum": "Infinity"});
    assert_eq!(lines[5], hour);
}

#[test]
fn compact_says_what_it_did_and_check_what_there_is() {
    let folder = Folder::new();
    drop(filled(&folder));
    folder
        .run(&["store", "check"])
        .code(0)
        .out("ledger.sqlite: whole, ")
        .out("open documents        1")
        .out("samples               3");
    folder.run(&["store", "compact"]).code(0).out(" before, ").out(" after");
    folder.run(&["store", "check", "--state", "elsewhere"]).code(0).err("no ledger elsewhere/ledger.sqlite");
}

#[test]
fn a_damaged_ledger_is_said_with_what_to_do() {
    let folder = Folder::new();
    drop(filled(&folder));
    let path = folder.path("state").join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&path, &bytes).unwrap();
    folder.run(&["store", "check"]).code(1).out("malformed").err("is not as it should be: 1 problem").err(".recover");
    for action in ["compact", "export"] {
        folder.run(&["store", action]).code(1).no_out().err("is damaged").err("runbook store check");
    }
    assert!(fs::read(&path).unwrap() == bytes, "it is left as it is");
    fs::write(&path, "").unwrap();
    folder.run(&["store", "check"]).code(1).out("cut to 0 bytes");
}
