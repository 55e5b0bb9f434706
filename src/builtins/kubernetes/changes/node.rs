//! Nodes: whether new pods may come onto one.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use kube::Client;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::sent;
use super::workload::MANAGER;
use crate::builtins::kubernetes::connection::Cluster;
use crate::builtins::kubernetes::faults;
use crate::catalog::{Args, Param};
use crate::types::{Connection, Fault, Value, records};

pub(super) const CONNECTION: Param<Arc<Connection>> = Param::connection("kubernetes");
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
    let connection = args.get(&CONNECTION)?;
    let cluster = Cluster::of(&connection)?;
    set(cluster.client(), &args.get(&NODE)?, cordoned).await.map(Into::into)
}

/// The same, for one that goes on.
pub(super) async fn set(client: &Client, name: &str, cordoned: bool) -> Result<Marked, Fault> {
    let api: Api<Node> = Api::all(client.clone());
    let what = format!("node {name}");
    let is = |node: &Node| node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or_default();
    let before = api.get(name).await.map_err(|error| faults::fault(&error, &what))?;
    let was_cordoned = is(&before);
    let node = if was_cordoned == cordoned {
        before
    } else {
        let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(json!({ "spec": { "unschedulable": cordoned } }));
        api.patch(name, &params, &patch).await.map_err(|error| sent::fault(&error, &what))?
    };
    Ok(Marked { node: name.into(), was_cordoned, cordoned: is(&node) })
}
