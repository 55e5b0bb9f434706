//! Kubernetes: a connection by a context of the kubeconfig, and what is read of a cluster through it.

mod access;
mod alike;
mod ask;
mod by_exec;
mod call;
mod changes;
mod connection;
mod containers;
mod detail;
mod events;
mod exec;
mod faults;
mod forward;
mod health;
mod ingresses;
mod kinds;
mod known_kinds;
mod kubeconfig;
mod kubectl;
mod list;
mod logs;
mod meta;
mod namespace;
mod namespaces;
mod nodes;
mod of_pod;
mod pieces;
mod place;
mod plugin;
mod pod;
mod pods;
mod quantity;
mod request;
mod resources;
mod route;
mod service;
mod services;
mod status;
mod usage;
mod wire;
mod workloads;

use crate::catalog::{Builtin, Driver};

/// What is logged.
pub(super) static LOGS: &[&Builtin] = logs::ALL;

/// Commands in containers, and what they tell.
pub(super) static COMMANDS: &[&Builtin] = exec::ALL;

/// What changes a cluster.
pub(super) static CHANGES: &[&Builtin] = changes::ALL;

/// What is read of the objects of a cluster.
pub(super) static OBJECTS: &[&Builtin] = &[
    &pods::BUILTIN,
    &pod::BUILTIN,
    &by_exec::BUILTIN,
    &workloads::BUILTIN,
    &workloads::DEPLOYMENTS,
    &services::BUILTIN,
    &service::BUILTIN,
    &ingresses::BUILTIN,
    &nodes::BUILTIN,
    &namespaces::BUILTIN,
    &events::BUILTIN,
    &resources::BUILTIN,
    &detail::BUILTIN,
    &usage::PODS,
    &usage::NODES,
];

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];
