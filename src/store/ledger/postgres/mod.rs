//! The ledger in `PostgreSQL`, for several hosts.
//!
//! Whoever writes has the whole ledger for the time of a transaction, by an advisory lock: so everything that is true of
//! the file, where SQLite lets one write at a time, is true here as well. A reader sees one state of it.
//!
//! A connection can be lost at any moment. What had not been asked to be committed was not, and is done again; where the
//! answer to a commit is missing, the server is asked by the transaction's number what became of it, and it is done again
//! only if it was taken back.
//!
//! All sessions of a process on a ledger are a few that are lent out. They live in a runtime of their own, so that whoever
//! calls may be in another one, or in none.

mod check;
mod faults;
mod schema;
mod session;

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage};

use self::session::Lent;
use super::transaction::{Cell, Error, Tx, cells};
use super::waiting;
use crate::builtins::Database;
use crate::types::{Fault, FaultKind};

/// Sessions that are kept for whoever comes next.
const KEPT: usize = 8;
/// How often a transaction is begun whose connection is lost.
const TRIES: u32 = 3;
/// How long beginning one may take, with waiting for others, and ending one.
const BEGINNING: Duration = Duration::from_secs(15);
/// How long a server may take to come back and say what became of a commit.
const OUTCOME_WITHIN: Duration = Duration::from_secs(20);
/// Clocks that are so near to each other are as good as the same: a measured difference is not more exact.
const SAME_CLOCK: SignedDuration = SignedDuration::from_secs(1);

/// A ledger's place in a database, and the sessions with it.
pub(in crate::store::ledger) struct Store {
    database: Database,
    schema: String,
    /// Who writes has this lock.
    lock: i64,
    /// There until the store goes.
    runtime: Option<Runtime>,
    idle: Mutex<Vec<Arc<Client>>>,
}

/// What a transaction may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Write,
    Read,
    /// Slowly: whoever takes what is read may take his time.
    Export,
}

/// Why a try of a transaction came to nothing.
enum Failed {
    /// The connection was lost, and nothing of it was done.
    Again(Fault),
    Told(Fault),
}

impl Store {
    pub(in crate::store::ledger) fn new(database: Database, schema: &str) -> Result<Self, Fault> {
        let plain = schema.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && schema.len() < 64
            && schema.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !plain || schema.starts_with("pg_") {
            return Err(Fault::new(FaultKind::Setup, format!("`schema={schema}` is no name for a schema"))
                .help("a name has small letters, digits and `_`"));
        }
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("ledger").enable_all().build();
        let runtime = runtime.map_err(|error| Fault::new(FaultKind::Setup, format!("no thread for it: {error}")))?;
        // Of this database alone: locks of another database are others.
        let digest = Sha256::digest(format!("runbook ledger {schema}"));
        let lock = digest.iter().take(8).fold(0_i64, |lock, byte| lock << 8 | i64::from(*byte));
        Ok(Self { database, schema: schema.to_owned(), lock, runtime: Some(runtime), idle: Mutex::default() })
    }

    pub(in crate::store::ledger) fn shown(&self) -> String {
        match self.schema.as_str() {
            "runbook" => self.database.shown(),
            schema => format!("{}?schema={schema}", self.database.shown()),
        }
    }

    /// Reads from one state of it. What is lost on the way is asked again.
    pub(in crate::store::ledger) fn read<T>(
        &self,
        mut work: impl FnMut(Tx<'_>) -> Result<T, Error>,
    ) -> Result<T, Fault> {
        tried(|| self.reading(How::Read, &mut work))
    }

    pub(in crate::store::ledger) fn read_once<T>(
        &self,
        work: impl FnOnce(Tx<'_>) -> Result<T, Error>,
    ) -> Result<T, Fault> {
        // A session that was lost long ago is found out here, not by what is handed on.
        self.read(|tx| tx.value::<i64>("SELECT 1", &[]))?;
        self.reading(How::Export, work).map_err(Failed::told)
    }

    /// Writes all of it or nothing.
    pub(in crate::store::ledger) fn write<T>(
        &self,
        mut work: impl FnMut(Tx<'_>) -> Result<T, Error>,
    ) -> Result<T, Fault> {
        tried(|| self.writing(&mut work))
    }

    fn reading<T>(&self, how: How, work: impl FnOnce(Tx<'_>) -> Result<T, Error>) -> Result<T, Failed> {
        let lent = self.begin(how)?;
        match work(Tx(&lent)) {
            Ok(read) => {
                // Nothing was written: how it ends changes nothing of what was read.
                lent.end();
                Ok(read)
            }
            Err(error) => Err(self.failed(lent, error)),
        }
    }

    fn writing<T>(&self, work: &mut impl FnMut(Tx<'_>) -> Result<T, Error>) -> Result<T, Failed> {
        let lent = self.begin(How::Write)?;
        let written = match work(Tx(&lent)) {
            Ok(written) => written,
            Err(error) => return Err(self.failed(lent, error)),
        };
        let transaction = lent.transaction;
        match lent.commit() {
            Ok(()) => Ok(written),
            // It was refused, and all of it taken back.
            Err(Error::Server(error)) if error.as_db_error().is_some() && !faults::ends_the_session(&error) => {
                Err(Failed::Told(self.fault(Error::Server(error))))
            }
            Err(error) => {
                let why = self.fault(error);
                match self.outcome(transaction, &why)? {
                    Outcome::Committed => Ok(written),
                    Outcome::TakenBack => Err(Failed::Again(why)),
                }
            }
        }
    }

    /// A session in a transaction.
    fn begin(&self, how: How) -> Result<Lent<'_>, Failed> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let was_idle = idle.is_some();
        let client = match idle.filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.connect().map_err(Failed::Told)?,
        };
        let (sql, using) = (self.beginning(how), Arc::clone(&client));
        let begun = self.wait(async move {
            let begun = timeout(BEGINNING, using.simple_query(&sql)).await;
            begun.map_err(|_| session::silent(BEGINNING)).and_then(|begun| begun.map_err(Error::Server))
        });
        let begun = begun.map_err(|error| {
            // A session that says nothing may be one of which the other side knows no more.
            let silent = matches!(&error, Error::Told(fault) if fault.kind == FaultKind::Timeout);
            let lost = client.is_closed() || silent || faults::is_lost(&error);
            let fault = self.fault(error);
            if lost && was_idle {
                // The server was started anew, or forgot us: so it is with the others.
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
                return Failed::Again(fault);
            }
            Failed::Told(fault)
        })?;
        let rows = begun.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let row = rows.last().filter(|row| row.len() == 2);
        let number = |column: usize| row.and_then(|row| row.get(column)).and_then(|text| text.parse::<i64>().ok());
        let (Some(transaction), Some(clock)) = (number(0), number(1)) else {
            let message = format!("the ledger `{}` does not say its time", self.shown());
            return Err(Failed::Told(Fault::new(FaultKind::BadAnswer, message)));
        };
        let clock = Timestamp::from_microsecond(clock).map_err(|error| {
            Failed::Told(Fault::new(FaultKind::BadAnswer, format!("the clock of `{}`: {error}", self.shown())))
        })?;
        let ahead = clock.duration_since(self.database.now());
        let ahead = if ahead.abs() <= SAME_CLOCK { SignedDuration::ZERO } else { ahead };
        Ok(Lent { store: self, client, transaction, ahead })
    }

    fn beginning(&self, how: How) -> String {
        // Whoever is suspended in the middle of a write must not hold up all others: the server ends it.
        let (access, idle) = match how {
            How::Write => ("READ COMMITTED READ WRITE", "5s"),
            How::Read => ("REPEATABLE READ READ ONLY", "60s"),
            How::Export => ("REPEATABLE READ READ ONLY", "1d"),
        };
        // What is committed is on the disk, also where the server is set up to take its time.
        let durable = match how {
            How::Write => {
                "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
                 WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)"
            }
            How::Read | How::Export => "",
        };
        // The lock is waited for before anything is looked at, and the clock is read when it is there.
        let (lock, transaction) = match how {
            How::Write => (format!("SELECT pg_advisory_xact_lock({})", self.lock), "txid_current()"),
            How::Read | How::Export => (String::new(), "0"),
        };
        format!(
            "BEGIN ISOLATION LEVEL {access}; SET LOCAL search_path = {schema}; SET LOCAL lock_timeout = '10s'; \
             SET LOCAL statement_timeout = '55s'; SET LOCAL idle_in_transaction_session_timeout = '{idle}'; \
             {durable}; {lock}; \
             SELECT {transaction} AS transaction, (extract(epoch FROM clock_timestamp()) * 1000000)::int8 AS clock",
            schema = self.schema
        )
    }

    /// A new session, outside of any transaction.
    fn connect(&self) -> Result<Arc<Client>, Fault> {
        let database = self.database.clone();
        let connected = self.wait(async move { database.connect().await.map_err(Error::Told) });
        connected.map(Arc::new).map_err(|error| {
            let fault = self.fault(error);
            Fault { message: format!("the ledger cannot be reached: {}", fault.message).into(), ..fault }
        })
    }

    /// What became of a transaction whose commit was not answered.
    fn outcome(&self, transaction: i64, why: &Fault) -> Result<Outcome, Failed> {
        let database = self.database.clone();
        let found = self.wait(async move {
            let begun = Instant::now();
            loop {
                let status = async {
                    let client = database.connect().await.map_err(Error::Told)?;
                    let number = [(&transaction as &(dyn tokio_postgres::types::ToSql + Sync), Type::INT8)];
                    let asked = client.query_typed("SELECT txid_status($1)", &number);
                    let rows = timeout(BEGINNING, asked).await.map_err(|_| session::silent(BEGINNING))?;
                    let rows = rows.map_err(Error::Server)?;
                    let status = rows.first().map(|row| row.try_get::<_, Option<String>>(0)).transpose();
                    Ok(status.map_err(Error::Server)?.flatten())
                };
                let last = match status.await {
                    Ok(Some(status)) if status == "committed" => return Ok(Outcome::Committed),
                    Ok(Some(status)) if status == "aborted" => return Ok(Outcome::TakenBack),
                    Ok(None) => return Err(Error::Given("the server does not know it any more".to_owned())),
                    // Its session has not noticed yet that nobody is there.
                    Ok(Some(_)) => Error::Given("it is not over".to_owned()),
                    Err(error) => error,
                };
                if begun.elapsed() > OUTCOME_WITHIN {
                    return Err(last);
                }
                sleep(Duration::from_millis(100)).await;
            }
        });
        found.map_err(|error| {
            let last = self.fault(error);
            let message = format!(
                "{}; whether it was written then is not known, for the server could not be asked: {}",
                why.message, last.message
            );
            Failed::Told(Fault::new(FaultKind::Unreachable, message).sent())
        })
    }

    /// Ends a transaction in which something has failed.
    fn failed(&self, lent: Lent<'_>, error: Error) -> Failed {
        let lost = lent.client.is_closed() || faults::is_lost(&error);
        let fault = self.fault(error);
        if lost {
            return Failed::Again(fault);
        }
        // Who has not answered is not waited for once more: the session is closed, and so the server takes it back.
        if fault.kind != FaultKind::Timeout {
            lent.end();
        }
        Failed::Told(fault)
    }

    fn fault(&self, error: Error) -> Fault {
        faults::of(&self.shown(), error)
    }

    /// Waits for something that goes on in the runtime of the sessions.
    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let Some(runtime) = &self.runtime else { return Err(Error::Given("it is closed".to_owned())) };
        let (say, hear) = mpsc::sync_channel(1);
        runtime.spawn(async move {
            // Nobody hears it any more only where the caller has ended.
            let _ = say.send(work.await);
        });
        let heard = || hear.recv().unwrap_or_else(|_| Err(Error::Given("it ended without a word".to_owned())));
        waiting::wait(heard)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Tries again where nothing was done.
fn tried<T>(mut once: impl FnMut() -> Result<T, Failed>) -> Result<T, Fault> {
    let mut tries = 1;
    loop {
        match once() {
            Err(Failed::Again(_)) if tries < TRIES => tries += 1,
            other => return other.map_err(Failed::told),
        }
    }
}

/// What became of a commit.
enum Outcome {
    Committed,
    TakenBack,
}

impl Failed {
    fn told(self) -> Fault {
        match self {
            Self::Again(fault) | Self::Told(fault) => fault,
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Told(fault)
    }
}

/// What is secret, by its name: what is kept, or else `fresh`, which is kept from now on.
pub(in crate::store::ledger) fn secret(tx: Tx<'_>, name: &str, fresh: &str) -> Result<String, Error> {
    let kept: Option<String> = tx.value("SELECT value FROM secret WHERE name = ?1", &cells![name])?;
    if let Some(kept) = kept {
        return Ok(kept);
    }
    let new: &[Cell] = &cells![name, fresh];
    tx.execute("INSERT INTO secret (name, value) VALUES (?1, ?2)", new)?;
    Ok(fresh.to_owned())
}
