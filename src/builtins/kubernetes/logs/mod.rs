//! Logs of pods: a snapshot of every container, side by side, by the cluster's own times.

mod fetch;
mod instances;
mod merged;
mod of_pod;
mod read;
mod snapshot;
mod whose;

use crate::catalog::Builtin;

pub(super) static ALL: &[&Builtin] = &[&read::BUILTIN, &of_pod::BUILTIN];
