//! Changes of a cluster: of workloads, of pods, of nodes, of any object.

mod apply;
mod cordon;
mod delete_pod;
mod drain;
mod node;
mod object;
mod patch;
mod restart;
mod roll_back;
mod scale;
mod uncordon;
mod workload;

use crate::catalog::Builtin;

pub(super) static ALL: &[&Builtin] = &[
    &restart::BUILTIN,
    &scale::BUILTIN,
    &roll_back::BUILTIN,
    &delete_pod::BUILTIN,
    &cordon::BUILTIN,
    &uncordon::BUILTIN,
    &drain::BUILTIN,
    &apply::BUILTIN,
    &patch::BUILTIN,
];
