//! Jaeger: services, their traces, the slowest, and how many fail.

mod answers;
mod api;
mod connection;
mod error_share;
mod services;
mod slowest;
mod traces;

use crate::catalog::{Builtin, Driver};

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] =
    &[&services::BUILTIN, &traces::BUILTIN, &slowest::BUILTIN, &error_share::BUILTIN, &answers::BUILTIN];

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];
