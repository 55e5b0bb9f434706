//! A ledger in a folder of its own, and words to fill it with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use runbook::builtins::Database;
use runbook::catalog::{Call, Cx, Opened, Opening, Remark, RunFacts, World};
use runbook::store::ledger::{self, Commit, Committed, Document, FILE, Happening, Ledger, NewMessage, Sample};
use runbook::system;
use runbook::types::{Fault, Value};
use serde_json::json;

use crate::children::not_run;
use crate::postgres;

/// A place for one ledger.
pub(crate) enum Place {
    File(tempfile::TempDir),
    /// The address of a schema in a database.
    Shared(String),
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    /// In a database, where this machine has one.
    pub(crate) fn shared() -> Option<Self> {
        match postgres::server() {
            Ok(server) => Some(Self::Shared(server.address(&postgres::schema()))),
            Err(why) => {
                not_run(&format!("a ledger in PostgreSQL: {why}"));
                None
            }
        }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        let Self::File(folder) = self else { panic!("it is no file") };
        folder.path().join("state")
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder().join(FILE)
    }

    /// As each process has it, with sessions of its own.
    pub(crate) fn place(&self) -> ledger::Place {
        match self {
            Self::File(_) => ledger::Place::File(self.path()),
            Self::Shared(address) => shared(address),
        }
    }

    /// What another process finds it by.
    pub(crate) fn named(&self) -> PathBuf {
        match self {
            Self::File(_) => self.folder(),
            Self::Shared(address) => address.into(),
        }
    }

    pub(crate) fn open(&self) -> Ledger {
        self.place().open().unwrap()
    }

    pub(crate) fn problems(&self) -> Vec<String> {
        self.place().check().unwrap().unwrap().problems
    }
}

/// A place in a database, by its address.
pub(crate) fn shared(address: &str) -> ledger::Place {
    on_a_host(address, SignedDuration::ZERO)
}

/// The same, of a host whose clock is ahead.
pub(crate) fn on_a_host(address: &str, ahead: SignedDuration) -> ledger::Place {
    let facts = RunFacts {
        id: "test".into(),
        started_at: at(0),
        scheduled_at: at(0),
        timezone: jiff::tz::TimeZone::UTC,
        directory: PathBuf::new(),
    };
    let cx = Cx { world: Arc::new(Host { ahead }), run: Arc::new(facts), remark: Remark::default() };
    let (database, asked) = Database::at(address, cx).unwrap();
    ledger::Place::shared(database, asked.get("schema").map(String::as_str)).unwrap()
}

/// This machine, with another clock and nothing in its environment.
struct Host {
    ahead: SignedDuration,
}

impl World for Host {
    fn now(&self) -> Timestamp {
        system::now().checked_add(self.ahead).unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn call(&self, _: Call) -> BoxFuture<'static, Result<Value, Fault>> {
        unreachable!("nothing is called")
    }

    fn open(&self, _: Opening) -> BoxFuture<'static, Result<Opened, Fault>> {
        unreachable!("nothing is opened")
    }

    fn env(&self, _: &str) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    fn file(&self, path: &Path) -> Result<String, Fault> {
        unreachable!("{} is not read", path.display())
    }
}

/// Tests of a file and of a database.
macro_rules! both {
    ($($name:ident),* $(,)?) => {
        mod in_a_file {
            $(#[test]
            fn $name() {
                super::$name(&crate::place::Place::new());
            })*
        }

        mod in_a_database {
            $(#[test]
            fn $name() {
                if let Some(place) = crate::place::Place::shared() {
                    super::$name(&place);
                }
            })*
        }
    };
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
