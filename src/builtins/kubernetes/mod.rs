//! Kubernetes: clusters, what runs in them, and the way to it.

mod by_exec;
mod changes;
mod connection;
mod exec;
mod faults;
mod forward;
mod logs;
mod of_pod;
mod place;
mod pod;
mod service;

use crate::catalog::{Builtin, Driver};

pub(super) static ALL: &[&Builtin] = &[&pod::BUILTIN, &pod::SERVICE, &by_exec::BUILTIN];
pub(super) static STREAMS: &[&[&Builtin]] = &[logs::ALL, exec::ALL, changes::ALL];
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];
