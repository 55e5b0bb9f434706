//! Grafana: its health, its dashboards, and notes on their time axes.

mod annotate;
mod answers;
mod api;
mod connection;
mod dashboards;
mod health;
mod remove_annotation;

use crate::catalog::{Builtin, Driver};

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] =
    &[&health::BUILTIN, &dashboards::BUILTIN, &annotate::BUILTIN, &remove_annotation::BUILTIN, &answers::BUILTIN];

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];
