//! Kubernetes: a connection by a context of the kubeconfig, and what is read of a cluster through it.

mod access;
mod ask;
mod call;
mod connection;
mod faults;
mod kubeconfig;
mod list;
mod meta;
mod namespace;
mod namespaces;
mod place;
mod plugin;
mod request;

use crate::catalog::{Builtin, Driver};

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[&namespaces::BUILTIN];

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];
