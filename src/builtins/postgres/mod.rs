//! `PostgreSQL`: questions that change nothing, changes, and what the server knows of itself.
//!
//! The protocol is tokio-postgres's, over a stream that leads straight to the server or through a cluster.

mod answers;
mod calls;
mod compared;
mod connection;
mod connections;
mod door;
mod execute;
mod functions;
mod lexer;
mod locks;
mod long_running;
mod needs;
mod notices;
mod query;
mod refusal;
mod replication;
mod rows;
mod server;
mod settings;
mod size;
mod statement;
mod tables;
mod tls;
mod undone;
mod vacuum_state;
mod visible;
mod wire;

use std::sync::Arc;

use jiff::SignedDuration;

pub use self::door::Database;
use crate::catalog::{Builtin, Driver, Judge, Landing, Param};
use crate::types::{Connection, Template};

const CONNECTION: Param<Arc<Connection>> = Param::connection("postgres");
const SQL: Param<Arc<Template>> = Param::literal(
    "sql",
    "One statement. What is interpolated is bound: `WHERE id = {id}`, `= ANY({ids})`, `<> ALL({ids})`, without quotes. A list is one value, so `IN ({ids})` is refused; what is missing is NULL: `IS NOT DISTINCT FROM {id}`.",
    Landing::Sql,
)
.judged(Judge::Template(|sql| statement::Statement::of(sql).map(drop)));

/// Seconds, as the server counts them.
fn seconds(seconds: f64) -> SignedDuration {
    SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX)
}

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[
    &answers::BUILTIN,
    &query::BUILTIN,
    &execute::BUILTIN,
    &size::BUILTIN,
    &tables::BUILTIN,
    &vacuum_state::BUILTIN,
    &connections::BUILTIN,
    &long_running::BUILTIN,
    &locks::BUILTIN,
    &replication::BUILTIN,
];

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];
