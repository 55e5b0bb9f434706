//! What all objects say of themselves, as far as it is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use prost::Message;
use serde::Deserialize;
use serde_json::Value as Json;

use super::wire::{Time, or_empty};
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
#[derive(Deserialize, Message)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Meta {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) namespace: String,
    /// Which of its forms this is; 0 where its kind has none.
    #[prost(int64, tag = "7")]
    pub(super) generation: i64,
    #[prost(message, optional, tag = "8")]
    pub(super) creation_timestamp: Option<Time>,
    #[prost(message, optional, tag = "9")]
    pub(super) deletion_timestamp: Option<Time>,
    // Sorted, as the server writes them in JSON.
    #[serde(deserialize_with = "or_empty")]
    #[prost(btree_map = "string, string", tag = "11")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_empty")]
    #[prost(message, repeated, tag = "13")]
    owner_references: Vec<Owner>,
}

#[derive(Deserialize, Message)]
#[serde(default)]
pub(super) struct Owner {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(bool, tag = "6")]
    controller: bool,
}

impl Meta {
    /// Its name and its namespace, to be kept.
    pub(super) fn place(&self) -> (Arc<str>, Arc<str>) {
        (self.name.as_str().into(), self.namespace.as_str().into())
    }

    /// When it was made.
    ///
    /// # Errors
    /// Where the server does not say: every stored object has it.
    pub(super) fn created(&self) -> Result<Timestamp, Fault> {
        self.creation_timestamp.and_then(Time::timestamp).ok_or_else(|| {
            Fault::new(FaultKind::BadAnswer, format!("`{}` does not say when it was created", self.name))
        })
    }

    /// How old it was when the run began; nothing where it is younger than the run.
    pub(super) fn age(&self, cx: &Cx) -> Result<SignedDuration, Fault> {
        Ok(cx.run.age(self.created()?))
    }

    /// Its labels; an empty object where it has none.
    pub(super) fn labels(&mut self) -> Arc<Json> {
        let labels = std::mem::take(&mut self.labels);
        Arc::new(labels.into_iter().map(|(name, value)| (name, Json::String(value))).collect())
    }

    /// What made it and looks after it: `ReplicaSet/web-5d4f`.
    pub(super) fn owner(&self) -> Option<Arc<str>> {
        let owners = &self.owner_references;
        let owner = owners.iter().find(|owner| owner.controller).or_else(|| owners.first())?;
        Some(format!("{}/{}", owner.kind, owner.name).into())
    }
}
