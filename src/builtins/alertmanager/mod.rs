//! Alertmanager: what it was told, who is told of it, and silences.

mod alerts;
mod answers;
mod api;
mod connection;
mod expire_silence;
mod silence;
mod silences;

use crate::catalog::{Builtin, Driver};

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] =
    &[&alerts::BUILTIN, &silences::BUILTIN, &silence::BUILTIN, &expire_silence::BUILTIN, &answers::BUILTIN];

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];
