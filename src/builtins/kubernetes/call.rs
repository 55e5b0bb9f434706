//! What the reads of a cluster have in common: which objects are meant, within which time.

use std::sync::Arc;

use jiff::SignedDuration;

use super::ask::{Ask, Resource};
use super::connection::Kubernetes;
use super::request::Deadline;
use crate::builtins::settings::limit;
use crate::catalog::{Args, Param};
use crate::types::{Connection, Fault};
pub(super) const CLUSTER: Param<Arc<Connection>> = Param::connection("kubernetes");
pub(super) const NAMESPACE: Param<Option<String>> =
    Param::optional("namespace", "In which namespace; the connection's own where it is left out, `*` for all of them.");
/// The same of one object, which is in one namespace.
pub(super) const OWN_NAMESPACE: Param<Option<String>> =
    Param::optional("namespace", "In which namespace; the connection's own where it is left out.");
pub(super) const SELECTOR: Param<Option<String>> =
    Param::optional("selector", "Only those with these labels: `app=web,tier!=cache`.");
pub(super) const FIELDS: Param<Option<String>> =
    Param::optional("fields", "Only those with these fields, as the API server knows them: `spec.nodeName=node-1`.");
pub(super) const WITHIN: Param<Option<SignedDuration>> =
    Param::optional("within", "How long it may take; the connection's own limit where it is left out.");

/// The cluster that a call goes to.
pub(super) fn cluster(args: &Args<'static>) -> Result<Arc<Kubernetes>, Fault> {
    Kubernetes::of(&args.get(&CLUSTER)?)
}

/// The namespace that a call means.
pub(super) fn namespace(cluster: &Kubernetes, args: &Args<'static>) -> Result<Arc<str>, Fault> {
    Ok(cluster.namespace(args.get(&NAMESPACE)?))
}

/// The list that a call means, with its selectors, where it has such parameters.
pub(super) fn listed(cluster: &Kubernetes, resource: &Resource, args: &Args<'static>) -> Result<Ask, Fault> {
    let mut ask = Ask::list(resource, &namespace(cluster, args)?)?;
    if let Some(labels) = args.get(&SELECTOR)? {
        ask = ask.query("labelSelector", labels);
    }
    if let Some(fields) = args.get(&FIELDS)? {
        ask = ask.query("fieldSelector", fields);
    }
    Ok(ask)
}

/// When a call has to be over.
pub(super) fn deadline(cluster: &Kubernetes, args: &Args<'static>) -> Result<Deadline, Fault> {
    Ok(Deadline::after(args.get(&WITHIN)?.map_or(Ok(cluster.within), limit)?))
}
