//! Whether a role may see what others do: where it may not, the server leaves it out without a word.

use std::sync::Arc;

use serde::Deserialize;

use super::refusal::ident;
use super::server::Server;
use super::statement::Statement;
use crate::types::{Fault, FaultKind};

#[derive(Deserialize)]
struct Row {
    may: bool,
    hidden: i64,
}

const SQL: &str = "SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS may, (SELECT count(*) FROM \
    pg_catalog.pg_stat_activity WHERE datname = current_database() AND backend_type IS NULL) AS hidden";

/// Whether all sessions of the database can be seen.
///
/// # Errors
/// Where there are some that cannot: no list of them is whole.
pub(super) async fn activity(server: &Arc<Server>) -> Result<(), Fault> {
    let row = look(server).await?;
    if row.may || row.hidden == 0 { Ok(()) } else { Err(denied(server)) }
}

/// Whether all sessions of the server can be seen.
///
/// # Errors
/// Where they cannot.
pub(super) async fn everywhere(server: &Arc<Server>) -> Result<(), Fault> {
    if look(server).await?.may { Ok(()) } else { Err(denied(server)) }
}

async fn look(server: &Arc<Server>) -> Result<Row, Fault> {
    Ok(server.own_row(Statement::own(SQL, Vec::new())).await?)
}

fn denied(server: &Server) -> Fault {
    let user = &server.reading.user;
    Fault::new(FaultKind::Denied, format!("`{user}` may not see what the sessions of others do"))
        .help(format!("whoever may can type: GRANT pg_read_all_stats TO {}", ident(user)))
}
