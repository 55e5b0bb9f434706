//! `kubernetes.namespaces`

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value as Json;

use super::ask::Resource;
use super::call::{CLUSTER, SELECTOR, WITHIN, cluster, deadline, listed};
use super::meta::Meta;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{EnumType, Fault, Type, Typed, Value, Word, Words, records};

/// Whether a namespace is in use or being taken away.
#[derive(Clone, Debug)]
pub struct NamespaceStatus;

impl Words for NamespaceStatus {
    const ENUM: &'static EnumType =
        &EnumType { name: "namespace_status", values: &["Active", "Terminating"], open: false };
}

records! {
    /// A namespace of a cluster.
    struct Namespace "namespace" {
        /// Its name.
        name: Arc<str>,
        /// Whether it is in use or being taken away.
        status: Word<NamespaceStatus>,
        /// Its labels: `.labels.team`.
        labels: Arc<Json>,
        /// When it was made.
        created: Timestamp,
        /// How long ago that was when the run began.
        age: SignedDuration,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.namespaces",
    summary: "The namespaces of a cluster.",
    params: &[CLUSTER.info(), SELECTOR.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Namespace::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(namespaces(cx, args))),
    needs: &[Need::of_cluster(&["list"], "namespaces")],
    by_hand: "kubectl {connection} get namespaces [-l {selector}]",
    examples: &[Example::call(r#"cluster.namespaces() | none(.status == "Terminating")"#)],
};

#[derive(Deserialize)]
struct Object {
    metadata: Meta,
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    phase: Arc<str>,
}

async fn namespaces(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let ask = listed(&cluster, &Resource::NAMESPACES, &args)?;
    let found = cluster.list(&ask, deadline(&cluster, &args)?, |mut object: Object| {
        Ok(Namespace {
            name: object.metadata.name.as_str().into(),
            status: Word::new(object.status.phase),
            created: object.metadata.created()?,
            age: object.metadata.age(&cx)?,
            labels: object.metadata.labels(),
        })
    });
    Ok(found.await?.into())
}
