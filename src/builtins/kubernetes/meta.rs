//! What all objects say of themselves, as far as it is shown.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::catalog::Cx;
use crate::types::{Fault, FaultKind};

/// An object as the API says it, with what is kept of its specification and its status.
#[derive(Deserialize)]
pub(super) struct Object<S, T> {
    pub(super) metadata: Meta,
    #[serde(default)]
    pub(super) spec: S,
    #[serde(default)]
    pub(super) status: T,
}

/// The metadata of an object. What is not named here is skipped, not kept.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Meta {
    pub(super) name: Arc<str>,
    pub(super) namespace: Arc<str>,
    pub(super) creation_timestamp: Option<Timestamp>,
    pub(super) deletion_timestamp: Option<Timestamp>,
    pub(super) labels: Option<Json>,
    /// Which of its forms this is; 0 where its kind has none.
    pub(super) generation: i64,
    pub(super) owner_references: Option<Vec<Owner>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Owner {
    kind: String,
    name: String,
    controller: bool,
}

impl Meta {
    /// When it was made.
    ///
    /// # Errors
    /// Where the server does not say: every stored object has it.
    pub(super) fn created(&self) -> Result<Timestamp, Fault> {
        self.creation_timestamp.ok_or_else(|| {
            Fault::new(FaultKind::BadAnswer, format!("`{}` does not say when it was created", self.name))
        })
    }

    /// How old it was when the run began; nothing where it is younger than the run.
    pub(super) fn age(&self, cx: &Cx) -> Result<SignedDuration, Fault> {
        Ok(cx.run.age(self.created()?))
    }

    /// Its labels; an empty object where it has none.
    pub(super) fn labels(&mut self) -> Arc<Json> {
        Arc::new(self.labels.take().unwrap_or_else(|| Json::Object(serde_json::Map::new())))
    }

    /// What made it and looks after it: `ReplicaSet/web-5d4f`.
    pub(super) fn owner(&self) -> Option<Arc<str>> {
        let owners = self.owner_references.as_deref().unwrap_or_default();
        let owner = owners.iter().find(|owner| owner.controller).or_else(|| owners.first())?;
        Some(format!("{}/{}", owner.kind, owner.name).into())
    }
}
