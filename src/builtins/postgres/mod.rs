//! `PostgreSQL`: a connection, queries that only look, statements that change, and what the server says of itself.

mod answers;
mod bind;
mod call;
mod connection;
mod connections;
mod execute;
mod faults;
mod guard;
mod locks;
mod long_running;
mod query;
mod replication;
mod session;
mod size;
mod sql;
mod stream;
mod tables;

use crate::catalog::{Builtin, Driver};

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[
    &answers::BUILTIN,
    &query::BUILTIN,
    &execute::BUILTIN,
    &size::BUILTIN,
    &tables::BUILTIN,
    &long_running::BUILTIN,
    &locks::BUILTIN,
    &connections::BUILTIN,
    &replication::BUILTIN,
];

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];
