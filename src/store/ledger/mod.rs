//! The ledger: what outlives a run, in one SQLite file, `ledger.sqlite` in the state folder, or in a `PostgreSQL`
//! that several hosts share.
//!
//! It keeps the documents of the alerting engine, what happened to them, what has to be told, samples, leases by name,
//! the due times of sections and standing approvals. It does not know what a document says, and it has no clock: every time is an
//! argument.
//!
//! Several processes may have the same one open. What one has committed is on the disk when the call returns. Where
//! two would do the same thing, the ledger decides: a commit names the version that it is based on ([`Ledger::commit`]),
//! a message is handed to one holder at a time ([`Ledger::claim`]), a lease comes with a number that only grows
//! ([`Ledger::lease`]), a due time is noted once ([`Ledger::note_due`]).
//!
//! The file is on a disk of this machine: the way several processes share it does not work on a network's file system.

mod approvals;
mod check;
mod column;
mod embedded;
mod exclusive;
mod export;
mod fence;
mod file;
mod leases;
mod outbox;
mod place;
mod postgres;
mod process;
mod samples;
mod schedule;
mod schema;
mod state;
mod tidy;
mod transaction;
mod waiting;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

pub use self::check::Checked;
pub use self::exclusive::{Asked, Exclusive, Hold, PROLONG_EVERY};
pub use self::fence::Fence;
pub use self::leases::{Lease, lead};
pub use self::outbox::{Due, NewMessage, Outgoing, OutgoingState};
pub use self::place::Place;
use self::postgres::Store;
pub use self::process::{holder, shown};
pub use self::samples::Sample;
pub use self::state::{Commit, Committed, Document, Happening, Snapshot};
pub use self::tidy::{Compacted, Retention, Tidied};
use self::transaction::{Error, Tx};
pub use self::waiting::locked;
use crate::types::{Fault, FaultKind};

/// The file's name in the state folder.
pub const FILE: &str = "ledger.sqlite";

/// The ledger as one user of it has it. It is `Send` and not `Sync`: whoever shares it puts it behind a lock.
pub struct Ledger {
    kept: Kept,
    /// Under which lease is written; `None`: in nobody's name but one's own.
    fence: Option<Fence>,
}

/// Where it is.
enum Kept {
    File { conn: Connection, path: PathBuf },
    Shared(Arc<Store>),
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("at", &self.shown()).field("fence", &self.fence).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens the ledger of a file. The file and its folder are created where they are not there, and a file of an older
    /// version is brought up to this one.
    ///
    /// # Errors
    /// Where the file cannot be read or written, is of a newer version, is damaged, or is something else. Such a file
    /// is left as it is; a new one never takes its place.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        file::create_if_missing(path)?;
        file::connect(path, file::Access::Write).map(|conn| Self::of_file(conn, path))
    }

    /// Like [`Ledger::open`], but `None` where there is no file.
    ///
    /// # Errors
    /// As for [`Ledger::open`].
    pub fn open_existing(path: &Path) -> Result<Option<Self>, Fault> {
        if !file::is_there(path)? {
            return Ok(None);
        }
        file::connect(path, file::Access::Write).map(|conn| Some(Self::of_file(conn, path)))
    }

    fn of_file(conn: Connection, path: &Path) -> Self {
        Self { kept: Kept::File { conn, path: path.to_owned() }, fence: None }
    }

    /// Where it is: a path, or an address without a password.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.kept {
            Kept::File { path, .. } => path.display().to_string(),
            Kept::Shared(store) => store.shown(),
        }
    }

    /// From here on it is written only while this lease is held as it was; `None`: in any case. Where the lease is lost,
    /// nothing is written, the fence says so ([`Fence::is_lost`]), and the fault is of the kind `Cancelled`.
    pub fn guard(&mut self, fence: Option<&Fence>) {
        self.fence = fence.cloned();
    }

    /// From here on what is written to a file may be forgotten when the power fails, so that nothing waits for the disk:
    /// for what means nothing any more once this machine is down. In a database others go on, and nothing is forgotten.
    fn forget_at_power_cut(&mut self) -> Result<(), Fault> {
        match &self.kept {
            Kept::File { conn, path } => {
                conn.pragma_update(None, "synchronous", "NORMAL").map_err(|error| fault(path, &error))
            }
            Kept::Shared(_) => Ok(()),
        }
    }

    /// Whether the lease that it is written under is still held.
    ///
    /// # Errors
    /// Where it is lost, or cannot be looked up.
    pub fn holds(&self) -> Result<(), Fault> {
        let Some(fence) = &self.fence else { return Ok(()) };
        if self.read(|tx| leases::is_held(tx, fence))? {
            return Ok(());
        }
        fence.lose();
        Err(fence.fault())
    }

    /// What tells it from other ledgers: made once, with the ledger, and the same for all who share it.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn id(&self) -> Result<String, Fault> {
        let id = self.read(|tx| tx.value("SELECT id FROM identity", &[]))?;
        id.ok_or_else(|| {
            let message = format!("the ledger `{}` has no name of its own any more", self.shown());
            Fault::new(FaultKind::Setup, message)
                .help("put a backup in its place: `runbook store check` says what is wrong")
        })
    }

    /// What all who share the ledger have in common and others must not know, by its name: `fresh` where there was none.
    /// `None` where it is a file: what is secret has a file of its own beside it.
    ///
    /// # Errors
    /// Where it cannot be read or written.
    pub fn secret(&mut self, name: &str, fresh: &str) -> Result<Option<String>, Fault> {
        match &self.kept {
            Kept::File { .. } => Ok(None),
            Kept::Shared(_) => self.write_anyway(|tx| postgres::secret(tx, name, fresh)).map(Some),
        }
    }

    /// Reads from one state of the ledger, whatever others commit meanwhile. What is read may be read twice, where the
    /// connection was lost.
    fn read<T>(&self, work: impl FnMut(Tx<'_>) -> Result<T, Error>) -> Result<T, Fault> {
        match &self.kept {
            Kept::File { conn, path } => read_file(conn, path, work),
            Kept::Shared(store) => store.read(work),
        }
    }

    /// The same, of what is handed on while it is read.
    fn read_once<T>(&self, work: impl FnOnce(Tx<'_>) -> Result<T, Error>) -> Result<T, Fault> {
        match &self.kept {
            Kept::File { conn, path } => read_file(conn, path, work),
            Kept::Shared(store) => store.read_once(work),
        }
    }

    /// Writes all of it or nothing, under the fence. Nobody else writes meanwhile.
    fn write<T>(&mut self, mut work: impl FnMut(Tx<'_>) -> Result<T, Error>) -> Result<T, Fault> {
        let Some(fence) = self.fence.clone() else { return self.write_anyway(work) };
        let written =
            self.write_anyway(|tx| if leases::is_held(tx, &fence)? { work(tx).map(Some) } else { Ok(None) })?;
        written.ok_or_else(|| {
            fence.lose();
            fence.fault()
        })
    }

    /// The same for what is so whoever leads: what was told, and leases themselves.
    fn write_anyway<T>(&mut self, mut work: impl FnMut(Tx<'_>) -> Result<T, Error>) -> Result<T, Fault> {
        match &mut self.kept {
            Kept::File { conn, path } => {
                let mut write = || {
                    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
                    let written = work(Tx(&*transaction))?;
                    transaction.commit()?;
                    Ok(written)
                };
                write().map_err(|error| fault_of_file(path, error))
            }
            Kept::Shared(store) => store.write(work),
        }
    }
}

fn read_file<T>(conn: &Connection, path: &Path, work: impl FnOnce(Tx<'_>) -> Result<T, Error>) -> Result<T, Fault> {
    let read = || {
        let transaction = conn.unchecked_transaction()?;
        let read = work(Tx(&*transaction))?;
        transaction.commit()?;
        Ok(read)
    };
    read().map_err(|error| fault_of_file(path, error))
}

fn fault_of_file(path: &Path, error: Error) -> Fault {
    match error {
        Error::File(error) => fault(path, &error),
        Error::Stored(why) => damaged(path, why),
        Error::Given(why) => Fault::new(FaultKind::Failed, format!("the ledger `{}`: {why}", path.display())),
        Error::Server(error) => Fault::new(FaultKind::Failed, error.to_string()),
        Error::Told(fault) => fault,
    }
}

/// What an error of the database means for a person.
fn fault(path: &Path, error: &rusqlite::Error) -> Fault {
    let told = |kind, help: String| Fault::new(kind, format!("the ledger `{}`: {error}", path.display())).help(help);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(path, error),
        // What is stored is not what a column can hold.
        None if matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::Utf8Error(..)
        ) =>
        {
            damaged(path, error)
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => told(
            FaultKind::Timeout,
            format!("another process has kept it for {} s; try again, or end that process", file::PATIENCE.as_secs()),
        ),
        Some(ErrorCode::DiskFull) => told(FaultKind::Setup, "make room on that disk; nothing was written".to_owned()),
        Some(ErrorCode::SystemIoFailure) => told(
            FaultKind::Setup,
            "the disk is full, at its limit or broken; `runbook store check` says whether the file is whole".to_owned(),
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => read_only(path, error),
        _ => Fault::new(FaultKind::Failed, format!("the ledger `{}`: {error}", path.display())),
    }
}

/// The fault of a file that may not be written, or stands where nothing may be.
fn read_only(path: &Path, why: impl std::fmt::Display) -> Fault {
    let message = format!("the ledger `{}` cannot be opened for writing: {why}", path.display());
    let folder = path.parent().unwrap_or(path).display();
    Fault::new(FaultKind::Setup, message)
        .help(format!("make it and its folder `{folder}` writable, or name another folder with `--state DIR`"))
}

/// The fault of a file that cannot be what it should be.
fn damaged(path: &Path, why: impl std::fmt::Display) -> Fault {
    let message = format!("the ledger `{}` is damaged: {why}", path.display());
    Fault::new(FaultKind::Setup, message).help(
        "`runbook store check` says what of it is damaged; put a backup in its place, or move it and its \
         `-wal` and `-shm` away to begin anew",
    )
}
