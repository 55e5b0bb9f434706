//! Whether a query only looks. The transaction that it runs in is read-only, but there is much that a read-only transaction does
//! not stop: ending other sessions, sequences, locks, files, other servers.
//!
//! What is asked: is it a statement that gives rows, and is every function in it known to leave things as they are? Names are
//! taken from the text, outside of texts and comments, and looked up in the server's own catalogue in every schema. A volatile
//! function may do anything, so it has to be among those of `PostgreSQL` itself that only look. What cannot be seen from the
//! text is what a view or an operator calls; writes to tables are refused by the transaction there as well.

use std::time::Duration;

use serde_json::Value as Json;

use super::session::Session;
use super::sql::Statement;
use crate::types::{Fault, FaultKind, Value};

/// What gives rows and nothing else.
const LOOKS: &[&str] = &["select", "with", "values", "table"];

/// Volatile functions of `pg_catalog` that only look, by name or by the beginning of it.
const HARMLESS: &[&str] = &[
    "clock_timestamp",
    "timeofday",
    "random",
    "gen_random_uuid",
    "pg_backend_pid",
    "pg_database_size",
    "pg_relation_size",
    "pg_table_size",
    "pg_total_relation_size",
    "pg_indexes_size",
    "pg_tablespace_size",
    "pg_is_in_recovery",
    "pg_is_wal_replay_paused",
    "pg_get_wal_replay_pause_state",
    "pg_last_committed_xact",
    "pg_last_wal_receive_lsn",
    "pg_last_wal_replay_lsn",
    "pg_last_xact_replay_timestamp",
    "pg_current_wal_lsn",
    "pg_current_wal_insert_lsn",
    "pg_current_wal_flush_lsn",
    "pg_lock_status",
    "pg_blocking_pids",
    "pg_safe_snapshot_blocking_pids",
    "pg_cursor",
    "pg_prepared_statement",
    "pg_prepared_xact",
    "pg_show_all_file_settings",
    "pg_hba_file_rules",
    "pg_ident_file_mappings",
    "pg_get_replication_slots",
    "pg_show_replication_origin_status",
    "pg_notification_queue_usage",
    "pg_sleep",
    "pg_get_shmem_allocations",
    "pg_get_backend_memory_contexts",
    "pg_control_checkpoint",
    "pg_control_init",
    "pg_control_recovery",
    "pg_control_system",
    "pg_export_snapshot",
    "pg_relation_filepath",
    "lastval",
    "currval",
];
const HARMLESS_BEGINNINGS: &[&str] = &["pg_stat_get_", "pg_ls_"];

/// Refuses what is no look by its text alone.
///
/// # Errors
/// With what it is.
pub(super) fn looks(statement: &Statement) -> Result<(), Fault> {
    if LOOKS.contains(&statement.verb.as_str()) {
        return Ok(());
    }
    Err(denied(format!("`{}` is no query that gives rows", statement.verb.to_uppercase())).help(
        "a query begins with SELECT, WITH, VALUES or TABLE; what changes something is `change db.execute(\"…\")`",
    ))
}

/// Refuses what calls a function that may change something, before it is sent.
///
/// # Errors
/// With the function.
pub(super) async fn calls_only_what_looks(
    session: &Session,
    statement: &Statement,
    within: Duration,
) -> Result<(), Fault> {
    if statement.calls.is_empty() {
        return Ok(());
    }
    let list = |texts: &[&str]| Value::list(texts.iter().map(|text| Value::string(*text)).collect());
    let calls: Vec<&str> = statement.calls.iter().map(String::as_str).collect();
    let sql = "SELECT n.nspname AS schema, p.proname AS name FROM pg_catalog.pg_proc p \
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
        WHERE p.proname = ANY($1::name[]) AND p.provolatile = 'v' AND NOT (n.nspname = 'pg_catalog' AND \
        (p.proname = ANY($2::name[]) OR EXISTS (SELECT FROM unnest($3::text[]) b WHERE starts_with(p.proname, b)))) \
        ORDER BY 1, 2";
    let values = [list(&calls), list(HARMLESS), list(HARMLESS_BEGINNINGS)];
    let (found, _) = session.rows(sql, &values, 1, within).await?;
    let Some(first) = found.first() else { return Ok(()) };
    let text = |name: &str| first.get(name).and_then(Json::as_str).unwrap_or_default();
    let name = if text("schema") == "pg_catalog" {
        text("name").to_owned()
    } else {
        format!("{}.{}", text("schema"), text("name"))
    };
    Err(denied(format!("`{name}` may change something, and a query only looks"))
        .help("write `change db.execute(\"…\")`, or declare the function STABLE if it only looks"))
}

fn denied(message: String) -> Fault {
    Fault::new(FaultKind::Denied, message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Statement, looks};
    use crate::types::{Piece, Template};

    #[test]
    fn only_what_gives_rows_is_a_query() {
        let of = |text: &str| Statement::of(&Template { pieces: vec![Piece::Text(Arc::from(text))] }).unwrap();
        for text in ["SELECT 1", "with x as (select 1) select * from x", "VALUES (1)", "TABLE t", "/* a */ select 1"] {
            assert!(looks(&of(text)).is_ok(), "{text}");
        }
        for text in [
            "DELETE FROM t",
            "DO $$ $$",
            "CALL p()",
            "COPY t TO PROGRAM 'x'",
            "SET x = 1",
            "EXPLAIN ANALYZE SELECT 1",
            "VACUUM",
        ] {
            assert!(looks(&of(text)).is_err(), "{text}");
        }
    }
}
