//! What the built-ins on a pod have in common: the pod, and the place that its way leads to.

use std::any::Any;
use std::sync::Arc;

use super::by_exec::ExecPlace;
use super::exec::session::Place;
use super::place::PodPlace;
use crate::builtins::dial::way::carrier;
use crate::catalog::{Accepts, Args, Param, Presence};
use crate::types::{Fault, FaultKind, Value};

pub(super) const POD: Param<Value> =
    Param::new("pod", "The pod, as `cluster.pod(…)` gives it.", Accepts::Way, Presence::Required);

/// Where commands of the pod run, whichever way leads to it.
///
/// # Errors
/// Where the pod was not read from a cluster.
pub(super) fn place(args: &Args<'static>) -> Result<Place, Fault> {
    let carrier = carrier(&args.get(&POD)?)?;
    let any: &dyn Any = &*carrier;
    if let Some(place) = any.downcast_ref::<PodPlace>() {
        return Ok(Place {
            cluster: Arc::clone(&place.cluster),
            namespace: Arc::clone(&place.namespace),
            pod: Arc::clone(&place.name),
            container: None,
        });
    }
    let by_exec = any.downcast_ref::<ExecPlace>().map(|way| way.place.clone());
    by_exec.ok_or_else(|| Fault::new(FaultKind::Setup, "this pod was not read from a cluster"))
}
