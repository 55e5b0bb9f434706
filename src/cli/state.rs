//! Where runs are recorded: `--state`, `RUNBOOK_STATE`, or the state folder of the person.

use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Failure;
use crate::store::history::{Lookup, Recorded};
use crate::store::journal::Store;
use crate::store::ledger;
use crate::system;

#[derive(Clone, Debug, Args)]
pub(super) struct State {
    /// The folder in which runs are recorded; also `RUNBOOK_STATE`.
    #[arg(long = "state", value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl State {
    pub(super) fn store(&self) -> Result<Store, Failure> {
        self.folder().map(Store::new)
    }

    /// The file that keeps what outlives a run.
    pub(super) fn ledger(&self) -> Result<PathBuf, Failure> {
        self.folder().map(|folder| folder.join(ledger::FILE))
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
        match store.load(run)? {
            Lookup::Found(recorded) => Ok(*recorded),
            Lookup::None => Err(Failure::new(format!("there is no run `{run}` in `{}`", store.root().display()))
                .help("`runbook history` lists all runs")),
            Lookup::Several(ids) => Err(Failure::new(format!("`{run}` could be any of {} runs", ids.len()))
                .help(format!("write more of it: {}", ids.join(", ")))),
        }
    }
}
