//! Where a ledger is: in a file of this machine, or in a database that several hosts share.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::postgres::Store;
use super::{Checked, Kept, Ledger};
use crate::builtins::Database;
use crate::types::Fault;

/// A place for a ledger. Copies of it share their sessions.
#[derive(Clone)]
pub enum Place {
    File(PathBuf),
    Shared(Shared),
}

/// A place in a database.
#[derive(Clone)]
pub struct Shared(Arc<Store>);

impl Place {
    /// In a schema of a database; `runbook` where none is named. Nobody is asked yet.
    ///
    /// # Errors
    /// Where the name is none.
    pub fn shared(database: Database, schema: Option<&str>) -> Result<Self, Fault> {
        Store::new(database, schema.unwrap_or("runbook")).map(|store| Self::Shared(Shared(Arc::new(store))))
    }

    /// Opens the ledger, and makes it where there is none.
    ///
    /// # Errors
    /// As for [`Ledger::open`], and where the database cannot be reached.
    pub fn open(&self) -> Result<Ledger, Fault> {
        match self {
            Self::File(path) => Ledger::open(path),
            Self::Shared(Shared(store)) => {
                store.prepare()?;
                Ok(Ledger { kept: Kept::Shared(Arc::clone(store)), fence: None })
            }
        }
    }

    /// Like [`Self::open`], but `None` where there is no ledger.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn open_existing(&self) -> Result<Option<Ledger>, Fault> {
        match self {
            Self::File(path) => Ledger::open_existing(path),
            Self::Shared(Shared(store)) => {
                let there = store.is_there()?;
                Ok(there.then(|| Ledger { kept: Kept::Shared(Arc::clone(store)), fence: None }))
            }
        }
    }

    /// Looks at all of it and changes nothing. `None` where there is no ledger.
    ///
    /// # Errors
    /// Where nothing can be said of it. That it is damaged is no error but what was found.
    pub fn check(&self) -> Result<Option<Checked>, Fault> {
        match self {
            Self::File(path) => Ledger::check(path),
            Self::Shared(Shared(store)) => store.check(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Shared(Shared(store)) => f.write_str(&store.shown()),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}
