//! What an evaluation may know without looking outside: the program, what was set, what has been opened.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use tokio::sync::Semaphore;

use crate::catalog::RunFacts;
use crate::check::program::{ConnectionId, ParamId, Program, SecretId};
use crate::types::{Connection, SecretText, Value};

pub(crate) struct Facts {
    pub(crate) program: Arc<Program>,
    /// What `--set` gave.
    pub(crate) set: HashMap<ParamId, Value>,
    pub(crate) run: Arc<RunFacts>,
    connections: Vec<OnceLock<Ready>>,
    secrets: Vec<OnceLock<SecretText>>,
}

/// A connection that was opened, and how many calls go to it side by side.
pub(crate) struct Ready {
    pub(crate) connection: Arc<Connection>,
    /// Which system it leads to.
    pub(crate) place: Arc<str>,
    /// What one run at a time changes.
    pub(crate) server: Arc<str>,
    pub(crate) permits: Arc<Semaphore>,
}

impl Facts {
    pub(crate) fn new(program: Arc<Program>, set: HashMap<ParamId, Value>, run: Arc<RunFacts>) -> Self {
        let connections = program.connections.iter().map(|_| OnceLock::new()).collect();
        let secrets = program.secrets.iter().map(|_| OnceLock::new()).collect();
        Self { program, set, run, connections, secrets }
    }

    pub(crate) fn connection(&self, id: ConnectionId) -> Option<&Ready> {
        self.connections.get(id.index())?.get()
    }

    /// The connection that is declared by a name.
    pub(crate) fn connection_id(&self, name: &str) -> Option<ConnectionId> {
        let index = self.program.connections.iter().position(|connection| *connection.name == *name)?;
        u32::try_from(index).ok().map(ConnectionId)
    }

    /// The opened connection that a value stands for.
    pub(crate) fn connection_named(&self, name: &str) -> Option<&Ready> {
        self.connections.iter().filter_map(OnceLock::get).find(|ready| &*ready.connection.name == name)
    }

    pub(crate) fn secret(&self, id: SecretId) -> Option<&SecretText> {
        self.secrets.get(id.index())?.get()
    }

    /// Keeps what was opened. Where two were quicker than one another, the first is kept.
    pub(crate) fn keep_connection(&self, id: ConnectionId, ready: Ready) {
        if let Some(place) = self.connections.get(id.index()) {
            let _ = place.set(ready);
        }
    }

    pub(crate) fn keep_secret(&self, id: SecretId, secret: SecretText) {
        if let Some(place) = self.secrets.get(id.index()) {
            let _ = place.set(secret);
        }
    }
}
