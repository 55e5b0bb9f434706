//! What the built-ins on a pod have in common: the pod, and the place that its way leads to.

use std::any::Any;

use super::by_exec::ExecPlace;
use super::exec::reads::Rule;
use super::exec::session::Place;
use super::place::PodPlace;
use super::pod::Pod;
use crate::builtins::dial::way::carrier;
use crate::catalog::{Accepts, Args, Param, Presence};
use crate::types::{Fault, FaultKind, Typed, Value};

pub(super) const POD: Param<Value> =
    Param::new("pod", "The pod, as `cluster.pod(…)` gives it.", Accepts::Type(Pod::ty), Presence::Required);

/// Where commands of the pod run, whichever way leads to it.
///
/// # Errors
/// Where the pod was not read from a cluster.
pub(super) fn place(args: &Args<'static>) -> Result<Place, Fault> {
    let carrier = carrier(&args.get(&POD)?)?;
    let any: &dyn Any = &*carrier;
    if let Some(place) = any.downcast_ref::<PodPlace>() {
        return Ok(Place {
            client: place.cluster.client().clone(),
            namespace: place.namespace.clone(),
            pod: place.pod.clone(),
            container: None,
        });
    }
    let by_exec = any.downcast_ref::<ExecPlace>().map(|way| way.place.clone());
    by_exec.ok_or_else(|| Fault::new(FaultKind::Setup, "this pod was not read from a cluster"))
}

/// Which commands the connection of the pod says only look.
///
/// # Errors
/// As [`place`].
pub(super) fn reads(args: &Args<'static>) -> Result<Vec<Rule>, Fault> {
    let carrier = carrier(&args.get(&POD)?)?;
    let any: &dyn Any = &*carrier;
    let rules = any.downcast_ref::<PodPlace>().map(|place| place.cluster.reads().to_vec());
    Ok(rules.or_else(|| any.downcast_ref::<ExecPlace>().map(|way| way.reads.clone())).unwrap_or_default())
}
