//! Kubernetes: a connection by a context of the kubeconfig, and what is read of a cluster through it.

mod access;
mod ask;
mod by_exec;
mod call;
mod changes;
mod connection;
mod exec;
mod faults;
mod forward;
mod kubeconfig;
mod list;
mod logs;
mod meta;
mod namespace;
mod namespaces;
mod of_pod;
mod place;
mod plugin;
mod pod;
mod request;
mod service;

use crate::catalog::{Builtin, Driver};

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[&namespaces::BUILTIN, &pod::BUILTIN, &pod::SERVICE];

/// What streams from pods and to them.
pub(super) static STREAMS: &[&Builtin] = &[&by_exec::BUILTIN];
pub(super) static LOGS: &[&Builtin] = logs::ALL;
pub(super) static COMMANDS: &[&Builtin] = exec::ALL;

/// What changes a cluster.
pub(super) static CHANGES: &[&Builtin] = changes::ALL;

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];
