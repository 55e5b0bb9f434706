//! Where runs are recorded: `--state`, `RUNBOOK_STATE`, or the state folder of the person. Where what outlives a run is kept:
//! there as well, or in a database that hosts share.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use clap::Args;

use super::console::Failure;
use crate::builtins::Database;
use crate::catalog::{Cx, Remark, RunFacts};
use crate::shown::again::Again;
use crate::store::history::{Lookup, Recorded};
use crate::store::journal::Store;
use crate::store::ledger::{self, Place};
use crate::system::{self, System};
use crate::types::Fault;

#[derive(Clone, Debug, Args)]
pub(super) struct State {
    /// The folder in which runs, alerts and messages are kept from one run to the next; where it is left out
    /// `RUNBOOK_STATE`, or else `~/.local/state/runbook` (`$XDG_STATE_HOME/runbook` where that is set).
    #[arg(long = "state", value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl State {
    pub(super) fn store(&self) -> Result<Store, Failure> {
        self.folder().map(Store::new)
    }

    /// What is typed again in commands that are printed.
    pub(super) fn again(&self) -> Again {
        Again::new(self.dir.as_deref(), None)
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        if let Some(dir) = &self.dir {
            return Ok(dir.clone());
        }
        if let Some(dir) = system::env("RUNBOOK_STATE") {
            return Ok(dir.into());
        }
        // A relative path is not valid there, says the specification of these folders.
        if let Some(dir) = system::env("XDG_STATE_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute()) {
            return Ok(dir.join("runbook"));
        }
        match system::env("HOME") {
            Some(home) => Ok(Path::new(&home).join(".local/state/runbook")),
            None => Err(Failure::new("there is no folder to record runs in: `HOME` is not set")
                .help("name one with `--state DIR` or `RUNBOOK_STATE`")),
        }
    }

    /// The run that a person named by the beginning of its id.
    pub(super) fn load(&self, run: &str) -> Result<Recorded, Failure> {
        let store = self.store()?;
        found(&store, run, store.load(run)?).map(|recorded| *recorded)
    }
}

/// What was found, or what is to be said of a name that says no run.
pub(super) fn found<T>(store: &Store, run: &str, lookup: Lookup<T>) -> Result<T, Failure> {
    match lookup {
        Lookup::Found(found) => Ok(found),
        Lookup::None => Err(Failure::new(format!("there is no run `{run}` in `{}`", store.root().display()))
            .help("`runbook history` lists all runs of that folder; `--state DIR` names another one")),
        Lookup::Several(ids) => Err(Failure::new(format!("`{run}` could be any of {} runs", ids.len()))
            .help(format!("write more of it: {}", ids.join(", ")))),
    }
}

/// The same, with what outlives a run.
#[derive(Clone, Debug, Args)]
pub(super) struct Kept {
    #[command(flatten)]
    state: State,
    /// Keep alerts, messages, samples and due times in PostgreSQL, for several hosts, not in the state folder:
    /// `postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full`. Also `RUNBOOK_STORE`. The password comes from PGPASSWORD or
    /// the file of passwords (PGPASSFILE, `~/.pgpass`); `&schema=NAME` names another schema than `runbook`.
    #[arg(long = "store", value_name = "ADDRESS")]
    address: Option<String>,
    /// One place for all who ask, so that they share its sessions.
    #[arg(skip)]
    place: Arc<OnceLock<Place>>,
}

impl Kept {
    /// The journals of runs, which stay on this host.
    pub(super) fn store(&self) -> Result<Store, Failure> {
        self.state.store()
    }

    /// What is typed again in commands that are printed.
    pub(super) fn again(&self) -> Again {
        // An address that is not taken, such as one with a password in it, is not repeated.
        let address = self.address.as_deref().filter(|_| self.ledger().is_ok());
        Again::new(self.state.dir.as_deref(), address)
    }

    /// What outlives a run.
    pub(super) fn ledger(&self) -> Result<&Place, Failure> {
        if let Some(place) = self.place.get() {
            return Ok(place);
        }
        let address = self.address.clone().or_else(|| system::env("RUNBOOK_STORE"));
        let place = match address {
            Some(address) => shared(&address)?,
            None => Place::File(self.state.folder()?.join(ledger::FILE)),
        };
        Ok(self.place.get_or_init(|| place))
    }
}

/// A place in a database.
fn shared(address: &str) -> Result<Place, Fault> {
    let now = system::now();
    let facts = RunFacts {
        id: "store".into(),
        started_at: now,
        scheduled_at: now,
        timezone: system::zone(),
        directory: PathBuf::new(),
    };
    let cx = Cx { world: Arc::new(System::new(".")), run: Arc::new(facts), remark: Remark::default() };
    let (database, mut asked) = Database::at(address, cx)?;
    let schema = asked.remove("schema");
    if let Some(other) = asked.keys().next() {
        return Err(Fault::new(
            crate::types::FaultKind::Setup,
            format!("`{other}=` in the address of the store means nothing"),
        )
        .help("known are `sslmode`, `sslrootcert`, `schema`, and `host`, `port`, `user`, `dbname`"));
    }
    Place::shared(database, schema.as_deref())
}
