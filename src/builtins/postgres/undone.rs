//! Whether a statement that the server calls done was done: what it left out it says in a warning, or by a `false`.
//!
//! Servers speak the language of the house. So this goes by codes and by the routine that speaks, and by words only where
//! nothing else tells two answers apart.

use indexmap::IndexSet;
use tokio_postgres::error::{DbError, SqlState};

use super::lexer::{Token, calls};
use super::refusal::describe;
use super::statement::Statement;
use crate::types::{Fault, FaultKind};

/// Functions of the server that change something, and say by `false` that they did not.
const ANSWER: &[&str] = &[
    "pg_cancel_backend",
    "pg_log_backend_memory_contexts",
    "pg_promote",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_terminate_backend",
];

/// Routines of the server whose `false` means that what they did has not come about yet.
const STILL_WAIT: &[&str] = &["pg_promote", "pg_wait_until_termination"];

/// Routines of the server that leave out a table.
const LEAVE_OUT: &[&str] = &[
    "analyze_rel",
    "cluster_is_permitted_for_relation",
    "vacuum_is_permitted_for_relation",
    "vacuum_is_relation_owner",
    "vacuum_open_relation",
    "vacuum_rel",
];

/// What stands between the keyword and the names.
const OPTIONS: &[&str] = &["analyse", "analyze", "concurrently", "freeze", "full", "index", "only", "table", "verbose"];

/// How much of a statement was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    Part,
    All,
    /// Something was, and nobody can say how much.
    Unsure,
}

/// What a statement that asks functions of the server to do something came to, row by row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answered {
    pub(super) yes: u64,
    pub(super) no: u64,
}

/// Whether the answer says whether it was done.
pub(super) fn answers(statement: &Statement) -> bool {
    statement.keyword() == "select" && calls(&statement.tokens).any(|(_, name)| is_asked(name))
}

pub(super) fn is_asked(name: &str) -> bool {
    ANSWER.contains(&name)
}

/// The fault of what was not done although the statement ended well. `shown` is the server.
pub(super) fn left(shown: &str, statement: &Statement, answered: Answered, warnings: &[DbError]) -> Option<Fault> {
    if answered.no > 0 {
        return Some(refused(shown, answered, warnings));
    }
    let left = match statement.keyword() {
        "vacuum" | "analyze" | "analyse" | "cluster" | "reindex" => of_tables(&statement.tokens, warnings),
        "grant" | "revoke" => of_rights(&statement.tokens, warnings),
        _ => Left::Nothing,
    };
    let known: fn(Fault) -> Fault = match left {
        Left::Nothing => return None,
        Left::All => |fault| fault,
        Left::Part => Fault::partly,
        Left::Unsure => Fault::sent,
    };
    let said: IndexSet<String> = warnings.iter().map(describe).collect();
    let more = said.len().saturating_sub(2);
    let mut message = format!("{shown}: {}", said.iter().take(2).cloned().collect::<Vec<_>>().join("; "));
    if more > 0 {
        message = format!("{message}; and {more} more");
    }
    let help = match statement.keyword() {
        "grant" | "revoke" => {
            "log in as the owner, or as a role that has the privilege WITH GRANT OPTION (of a role: WITH ADMIN OPTION)"
        }
        _ => "log in as the owner of the tables; from PostgreSQL 17 on, a member of pg_maintain may do it, too",
    };
    Some(known(Fault::new(FaultKind::Failed, message).help(help)))
}

fn refused(shown: &str, answered: Answered, warnings: &[DbError]) -> Fault {
    let Answered { yes, no } = answered;
    let of = if yes + no == 1 { "`false`".to_owned() } else { format!("`false` for {no} of {}", yes + no) };
    let why = warnings.first().map(|warning| format!(": {}", describe(warning))).unwrap_or_default();
    let fault = Fault::new(FaultKind::Failed, format!("{shown}: the server answers {of}{why}"));
    let waits = warnings.iter().any(|warning| warning.routine().is_some_and(|name| STILL_WAIT.contains(&name)));
    match yes {
        _ if waits => fault.sent(),
        0 => fault,
        _ => fault.partly(),
    }
}

fn of_tables(tokens: &[Token], warnings: &[DbError]) -> Left {
    let left: Vec<&str> = warnings.iter().filter(|warning| leaves_out(warning)).map(DbError::message).collect();
    if left.is_empty() {
        return Left::Nothing;
    }
    let tables = tables(tokens);
    if tables.is_empty() {
        // All of the database: the catalogues that are everybody's are left out for all but a superuser.
        let own = left.iter().any(|message| !message.contains("pg_"));
        return if own { Left::Part } else { Left::Nothing };
    }
    let is_left = |table: &String| left.iter().any(|message| names(message, table));
    if tables.iter().all(is_left) { Left::All } else { Left::Part }
}

fn leaves_out(warning: &DbError) -> bool {
    warning.routine().is_some_and(|name| LEAVE_OUT.contains(&name))
        || ["skipping", "has no effect"].iter().any(|word| warning.message().contains(word))
}

/// Whether a message is about a table, whichever quotes it has around the name.
fn names(message: &str, table: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    message.contains(&format!("\"{table}\"")) || message.split(|c| !in_name(c)).any(|word| word == table)
}

/// The tables that maintenance is for, without their schemas; none where it is for all.
fn tables(tokens: &[Token]) -> Vec<String> {
    let whole = ["schema", "database", "system"];
    if matches!(tokens.get(1), Some(Token::Word(word)) if whole.contains(&word.as_str())) {
        return Vec::new();
    }
    let (mut tables, mut depth, mut begins, mut behind_dot) = (Vec::<String>::new(), 0_usize, true, false);
    for token in tokens.iter().skip(1) {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            Token::Sign('.') => behind_dot = true,
            Token::Sign(',') => begins = true,
            Token::Word(word) if word == "using" => break,
            Token::Word(word) if tables.is_empty() && OPTIONS.contains(&word.as_str()) => {}
            Token::Word(name) | Token::Quoted(name) => {
                if std::mem::take(&mut behind_dot) {
                    tables.pop();
                    tables.push(name.clone());
                } else if std::mem::take(&mut begins) {
                    tables.push(name.clone());
                }
            }
            _ => {}
        }
    }
    tables
}

/// A `GRANT` or a `REVOKE` warns of nothing else than what it did not do.
fn of_rights(tokens: &[Token], warnings: &[DbError]) -> Left {
    if warnings.is_empty() {
        return Left::Nothing;
    }
    let of_privileges = |code: &SqlState| {
        *code == SqlState::WARNING_PRIVILEGE_NOT_GRANTED || *code == SqlState::WARNING_PRIVILEGE_NOT_REVOKED
    };
    // What is said of a membership is said of the whole of it.
    let nothing = |warning: &&DbError| !of_privileges(warning.code()) || warning.message().starts_with("no privileges");
    let nothing = warnings.iter().filter(nothing).count();
    let some = warnings.iter().any(|warning| warning.message().starts_with("not all privileges"));
    match objects(tokens) {
        Some(objects) if nothing >= objects => Left::All,
        Some(_) if nothing > 0 || some => Left::Part,
        _ => Left::Unsure,
    }
}

/// How many objects, or roles, rights are given of; `None` where only the server knows.
fn objects(tokens: &[Token]) -> Option<usize> {
    let is = |token: &Token, word: &str| matches!(token, Token::Word(own) if own == word);
    let on = tokens.iter().position(|token| is(token, "on"));
    let behind = tokens.get(on.map_or(1, |on| on + 1)..)?;
    let end = behind.iter().position(|token| is(token, "to") || is(token, "from"))?;
    let listed = behind.get(..end)?;
    // `ALL TABLES IN SCHEMA`, columns, the types of a function's arguments
    let brackets = tokens.contains(&Token::Sign('('));
    let all = on.is_some() && listed.first().is_some_and(|token| is(token, "all"));
    (!brackets && !all).then(|| 1 + listed.iter().filter(|token| **token == Token::Sign(',')).count())
}

#[cfg(test)]
mod tests {
    use super::{answers, objects, tables};
    use crate::builtins::postgres::lexer::tokens;
    use crate::builtins::postgres::statement::Statement;

    #[test]
    fn the_tables_of_maintenance_are_those_that_are_named() {
        let of = |sql| tables(&tokens(sql).unwrap()).join(" ");
        assert_eq!(of("VACUUM ANALYZE shop.sessions"), "sessions");
        assert_eq!(of("VACUUM (FULL, VERBOSE) a, b.\"C d\" (x, y), c"), "a C d c");
        assert_eq!(of("VACUUM FULL FREEZE VERBOSE ANALYZE a"), "a");
        assert_eq!(of("REINDEX (VERBOSE) TABLE CONCURRENTLY shop.a"), "a");
        assert_eq!(of("CLUSTER a USING a_key"), "a");
        for all in ["VACUUM", "ANALYZE", "VACUUM (ANALYZE)", "REINDEX DATABASE shop", "REINDEX SCHEMA shop", "CLUSTER"]
        {
            assert_eq!(of(all), "", "{all}");
        }
    }

    #[test]
    fn the_objects_of_rights_are_counted_where_that_can_be() {
        let of = |sql| objects(&tokens(sql).unwrap());
        assert_eq!(of("GRANT SELECT, INSERT ON shop.a TO b, c"), Some(1));
        assert_eq!(of("REVOKE ALL ON a, b FROM c"), Some(2));
        assert_eq!(of("REVOKE a, b FROM c"), Some(2));
        assert_eq!(of("GRANT SELECT ON ALL TABLES IN SCHEMA shop TO b"), None);
        assert_eq!(of("GRANT SELECT (x) ON a TO b"), None);
    }

    #[test]
    fn functions_that_answer_whether_they_did_it_are_known() {
        let of = |sql: &str| {
            let pieces = vec![crate::types::Piece::Text(sql.into())];
            answers(&Statement::of(&crate::types::Template { pieces }).unwrap())
        };
        assert!(of("SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_stat_activity"));
        assert!(of("SELECT pg_reload_conf ()"));
        assert!(!of("SELECT own()"));
        assert!(!of("DELETE FROM t WHERE pg_terminate_backend(pid)"));
    }
}
