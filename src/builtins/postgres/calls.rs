//! What a statement may call that only looks: a transaction that is read-only stops what writes to tables, and nothing
//! else. A function may end sessions, reload the configuration or call another server all the same.
//!
//! The server knows of each function whether it may do more than compute (`VOLATILE`). What is so, and is not known here
//! to look only, is not called.

use serde::Deserialize;
use tokio_postgres::types::Type;

use super::lexer::{Token, calls};
use super::statement::{Bound, Statement, array};
use crate::builtins::settings::setup;
use crate::types::{Fault, Value};

/// What a question may begin with.
const QUESTIONS: [&str; 6] = ["select", "with", "values", "table", "show", "explain"];

/// Functions that the server calls volatile and that only look. They count where they are the server's own or an
/// extension's.
const LOOK: &[&str] = &[
    "clock_timestamp",
    "currval",
    "gen_random_uuid",
    "lastval",
    "pg_blocking_pids",
    "pg_collation_actual_version",
    "pg_control_checkpoint",
    "pg_control_init",
    "pg_control_recovery",
    "pg_control_system",
    "pg_current_logfile",
    "pg_current_wal_flush_lsn",
    "pg_current_wal_insert_lsn",
    "pg_current_wal_lsn",
    "pg_database_collation_actual_version",
    "pg_database_size",
    "pg_get_backend_memory_contexts",
    "pg_get_multixact_members",
    "pg_get_shmem_allocations",
    "pg_get_wal_replay_pause_state",
    "pg_hba_file_rules",
    "pg_ident_file_mappings",
    "pg_indexes_size",
    "pg_is_in_recovery",
    "pg_is_wal_replay_paused",
    "pg_jit_available",
    "pg_last_committed_xact",
    "pg_last_wal_receive_lsn",
    "pg_last_wal_replay_lsn",
    "pg_last_xact_replay_timestamp",
    "pg_lock_status",
    "pg_logical_slot_peek_binary_changes",
    "pg_logical_slot_peek_changes",
    "pg_ls_archive_statusdir",
    "pg_ls_dir",
    "pg_ls_logdir",
    "pg_ls_tmpdir",
    "pg_ls_waldir",
    "pg_notification_queue_usage",
    "pg_partition_ancestors",
    "pg_partition_tree",
    "pg_prepared_xact",
    "pg_read_binary_file",
    "pg_read_file",
    "pg_relation_size",
    "pg_safe_snapshot_blocking_pids",
    "pg_sequence_last_value",
    "pg_show_all_file_settings",
    "pg_show_replication_origin_status",
    "pg_sleep",
    "pg_sleep_for",
    "pg_sleep_until",
    "pg_stat_file",
    "pg_stat_get_recovery_prefetch",
    "pg_stat_have_stats",
    "pg_stat_statements",
    "pg_stat_statements_info",
    "pg_table_size",
    "pg_tablespace_size",
    "pg_total_relation_size",
    "pg_xact_commit_timestamp",
    "pg_xact_status",
    "pgstatginindex",
    "pgstathashindex",
    "pgstatindex",
    "pgstattuple",
    "pgstattuple_approx",
    "random",
    "timeofday",
    "txid_status",
];

/// The names that are called in a question.
///
/// # Errors
/// Where the statement is no question.
pub(super) fn of(statement: &Statement) -> Result<Vec<String>, Fault> {
    let keyword = statement.keyword();
    if !QUESTIONS.contains(&keyword) {
        let begins = match keyword {
            "" => "no word".to_owned(),
            word => format!("`{}`", word.to_uppercase()),
        };
        return Err(setup(format!("`query` only looks, and the statement begins with {begins}"))
            .help("a change is written `change db.execute(\"…\")`"));
    }
    let mut before = &Token::Sign('(');
    for (token, next) in statement.tokens.iter().zip(statement.tokens.iter().skip(1)) {
        match token {
            Token::Word(word) => {
                let begins =
                    matches!(before, Token::Sign('(' | ')')) && matches!(next, Token::Word(_) | Token::Quoted(_));
                if begins && ["insert", "update", "delete", "merge"].contains(&word.as_str()) {
                    return Err(setup(format!("`query` only looks, and there is an `{}` in it", word.to_uppercase()))
                        .help("a change is written `change db.execute(\"…\")`"));
                }
            }
            Token::Quoted(name) if *next == Token::Sign('(') && name.starts_with("U&\"") => {
                return Err(setup(format!("a function called `{name}` cannot be looked up"))
                    .help("write its name without escapes"));
            }
            _ => {}
        }
        before = token;
    }
    let mut names: Vec<String> = calls(&statement.tokens).map(|(_, name)| name.to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// A volatile function that has one of the names.
#[derive(Debug, Deserialize)]
pub(super) struct Called {
    schema: String,
    name: String,
    /// Whether it came with the server or an extension.
    known: bool,
}

/// The question which of some names are of volatile functions.
pub(super) fn lookup(names: &[String]) -> Result<Statement, Fault> {
    let names: Vec<Value> = names.iter().map(|name| Value::string(name.as_str())).collect();
    let sql = "SELECT DISTINCT n.nspname AS schema, p.proname AS name, n.nspname = 'pg_catalog' OR EXISTS (SELECT FROM \
               pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND \
               d.deptype = 'e') AS known FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
               WHERE p.proname = ANY ($1::pg_catalog.text[]::pg_catalog.name[]) AND p.provolatile = 'v'";
    Ok(Statement::own(sql, vec![(Bound(Some(array(&names)?)), Type::UNKNOWN)]))
}

/// Why the question is not asked, where one of the functions may do more than look.
pub(super) fn refused(found: &[Called]) -> Option<Fault> {
    let one = found.iter().find(|called| !(called.known && LOOK.contains(&called.name.as_str())))?;
    let Called { schema, name, known } = one;
    let message = format!("`query` only looks, and the function `{schema}.{name}` may change something");
    let help = if *known {
        "what is meant as a change is written `change db.execute(\"SELECT …\")`".to_owned()
    } else {
        format!(
            "a change is written `change db.execute(\"…\")`; if it only looks, its owner can say so: ALTER FUNCTION {schema}.{name} STABLE"
        )
    };
    Some(setup(message).help(help))
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::builtins::postgres::statement::Statement;
    use crate::types::{Fault, Piece, Template};

    fn names(sql: &str) -> Result<Vec<String>, Fault> {
        of(&Statement::of(&Template { pieces: vec![Piece::Text(sql.into())] })?)
    }

    #[test]
    fn what_is_called_is_seen_and_nothing_else() {
        let called = |sql| names(sql).expect("a question").join(" ");
        assert_eq!(called("SELECT Pg_Terminate_Backend (1)"), "pg_terminate_backend");
        assert_eq!(called("SELECT pg_catalog . \"pg_cancel_backend\" /* x */ (1)"), "pg_cancel_backend");
        assert_eq!(called("SELECT 'f(1)', \"a b\", $$g(1)$$ -- h(1)"), "");
        assert_eq!(called("SELECT a, (b) FROM t FOR UPDATE"), "");
        assert_eq!(called("TABLE t"), "");
        assert_eq!(called("(VALUES (1), (f(2)))"), "f values");
    }

    #[test]
    fn what_begins_otherwise_is_no_question() {
        for bad in [
            "DELETE FROM t",
            "COPY t TO PROGRAM 'rm'",
            "DO $$ BEGIN END $$",
            "CALL p()",
            "SET x = 1",
            "VACUUM",
            "WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x",
            "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
            "SELECT U&\"\\0070g_reload_conf\"()",
        ] {
            assert!(names(bad).is_err(), "{bad}");
        }
    }
}
