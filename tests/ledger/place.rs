//! A ledger in a folder of its own, and words to fill it with.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use runbook::store::ledger::{Commit, Committed, Document, FILE, Happening, Ledger, NewMessage, Sample};
use serde_json::json;

pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.0.path().join("state")
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder().join(FILE)
    }

    pub(crate) fn open(&self) -> Ledger {
        Ledger::open(&self.path()).unwrap()
    }
}

/// Seconds after a day at midnight.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_651_200 + second).unwrap()
}

pub(crate) fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

pub(crate) fn document(kind: &str, id: &str, opened: i64, closed: Option<i64>) -> Document {
    Document {
        kind: kind.to_owned(),
        id: id.to_owned(),
        body: json!({ "name": id, "of": kind }),
        opened_at: at(opened),
        closed_at: closed.map(at),
    }
}

pub(crate) fn happening(second: i64, about: &str, what: &str) -> Happening {
    Happening { at: at(second), about: about.to_owned(), body: json!({ "what": what }) }
}

pub(crate) fn message(key: &str, not_before: i64) -> NewMessage {
    NewMessage { channel: "ops".to_owned(), key: key.to_owned(), body: json!([key]), not_before: at(not_before) }
}

pub(crate) fn sample(metric: &str, labels: &[(&str, &str)], second: i64, value: Option<f64>) -> Sample {
    Sample {
        metric: metric.into(),
        labels: labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        at: at(second),
        value,
        why: value.is_none().then(|| "nobody answered".to_owned()),
    }
}

/// Commits messages to tell on top of whatever is there.
pub(crate) fn tell(ledger: &mut Ledger, runbook: &str, messages: Vec<NewMessage>) {
    let version = ledger.version(runbook).unwrap();
    let done = ledger.commit(runbook, version, &Commit { tell: messages, ..Commit::at(at(0)) }).unwrap();
    assert_eq!(done, Committed::Done { version: version + 1 });
}
