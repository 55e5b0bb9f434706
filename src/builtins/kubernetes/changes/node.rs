//! Nodes: whether new pods may come onto one.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::workload::MANAGER;
use crate::builtins::kubernetes::ask::{Ask, Resource};
use crate::builtins::kubernetes::call::cluster;
use crate::builtins::kubernetes::connection::Kubernetes;
use crate::builtins::kubernetes::request::Sent;
use crate::catalog::{Args, Param};
use crate::types::{Fault, Value, records};

pub(super) const NODE: Param<String> = Param::required("node", "The node, by its name.");

records! {
    /// Whether a node takes new pods.
    struct Marked "cordoned" {
        /// The node.
        node: Arc<str>,
        /// Whether it was closed to new pods before.
        was_cordoned: bool,
        /// Whether it is now.
        cordoned: bool,
    }
}

/// Closes a node to new pods, or opens it.
pub(super) async fn mark(args: Args<'static>, cordoned: bool) -> Result<Value, Fault> {
    set(&*cluster(&args)?, &args.get(&NODE)?, cordoned).await.map(Into::into)
}

/// The same, for one that goes on.
pub(super) async fn set(cluster: &Kubernetes, name: &str, cordoned: bool) -> Result<Marked, Fault> {
    let is = |node: &Json| node.pointer("/spec/unschedulable").and_then(Json::as_bool).unwrap_or_default();
    let before: Json = cluster.read(&Ask::get(&Resource::NODES, "", name)?).await?;
    let was_cordoned = is(&before);
    let node = if was_cordoned == cordoned {
        before
    } else {
        let ask = Ask::new("patch", &Resource::NODES, "", Some(name))?.query("fieldManager", MANAGER);
        let patch = json!({ "spec": { "unschedulable": cordoned } });
        cluster.change(&ask, Sent::MergePatch, &patch, cluster.within).await?
    };
    Ok(Marked { node: name.into(), was_cordoned, cordoned: is(&node) })
}
