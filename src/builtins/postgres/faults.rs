//! What the server refuses and what happens on the way to it, as faults that say what to do.

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::builtins::dial::{Trouble, tcp};
use crate::types::{Fault, FaultKind};

/// Why a session could not be had, and whose fault that is.
pub(super) fn not_let_in(error: &Error, place: &str, user: &str, database: &str) -> Trouble {
    let Some(refusal) = error.as_db_error() else {
        let why = deepest(error);
        let trouble = Trouble::theirs(FaultKind::Unreachable, format!("no session with {place}: {why}"));
        return if why.contains("password missing") {
            Trouble::ours(FaultKind::Setup, format!("{place} wants a password of `{user}`, and none was given"))
                .help("`secret db_password = env(\"DB_PASSWORD\")` and `password: db_password`, or PGPASSWORD")
        } else {
            trouble
        };
    };
    let code = refusal.code();
    let said = refusal.message();
    if *code == SqlState::CANNOT_CONNECT_NOW || *code == SqlState::ADMIN_SHUTDOWN || *code == SqlState::CRASH_SHUTDOWN {
        return Trouble::theirs(FaultKind::Unreachable, format!("{place} takes no sessions now: {said}"));
    }
    if *code == SqlState::TOO_MANY_CONNECTIONS {
        return Trouble::theirs(FaultKind::Unreachable, format!("{place} has no session left: {said}"))
            .help("`at_once` of the connection says how many this run takes");
    }
    if *code == SqlState::INVALID_CATALOG_NAME {
        return Trouble::ours(FaultKind::NotFound, format!("{place} has no database `{database}`"));
    }
    if code.code().starts_with("28") {
        return Trouble::ours(FaultKind::Denied, format!("{place} does not let `{user}` in: {said}"))
            .help("is it the right user and password, and does pg_hba.conf let it in from here?");
    }
    Trouble::ours(FaultKind::Failed, format!("no session with {place}: {said} ({})", code.code()))
}

/// What the server says to a statement.
pub(super) fn refused(error: &Error, place: &str, sql: &str) -> Fault {
    let Some(refusal) = error.as_db_error() else {
        return Fault::new(FaultKind::Unreachable, format!("the session with {place} broke off: {}", deepest(error)));
    };
    let (code, said) = (refusal.code(), refusal.message());
    let shown = excerpt(sql);
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return Fault::new(FaultKind::Denied, format!("this changes something, and a query only looks: {said}"))
            .help("write `change db.execute(\"…\")`");
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return Fault::new(FaultKind::Denied, format!("{place}: {said}: {shown}")).help(grant(said));
    }
    if *code == SqlState::QUERY_CANCELED {
        return Fault::new(FaultKind::Timeout, format!("{place} ended it: {said}: {shown}"));
    }
    if *code == SqlState::UNDEFINED_TABLE
        || *code == SqlState::UNDEFINED_COLUMN
        || *code == SqlState::UNDEFINED_FUNCTION
    {
        return hint(Fault::new(FaultKind::NotFound, format!("{place}: {said}: {shown}")), refusal);
    }
    if *code == SqlState::ADMIN_SHUTDOWN || *code == SqlState::CRASH_SHUTDOWN {
        return Fault::new(FaultKind::Unreachable, format!("{place} went down: {said}"));
    }
    hint(Fault::new(FaultKind::Failed, format!("{place}: {said} ({}): {shown}", code.code())), refusal)
}

fn hint(fault: Fault, refusal: &DbError) -> Fault {
    match refusal.hint() {
        Some(hint) => fault.help(hint.to_owned()),
        None => fault,
    }
}

/// The right that is missing, as far as the refusal says of what.
fn grant(said: &str) -> String {
    let named = |word: &str| said.split_once(word).map(|(_, name)| name.trim().to_owned());
    if let Some(table) = named("permission denied for table ").or_else(|| named("permission denied for view ")) {
        return format!("whoever owns it writes `GRANT SELECT ON {table} TO …`");
    }
    if let Some(schema) = named("permission denied for schema ") {
        return format!("whoever owns it writes `GRANT USAGE ON SCHEMA {schema} TO …`");
    }
    if let Some(function) = named("permission denied for function ") {
        return format!("whoever owns it writes `GRANT EXECUTE ON FUNCTION {function} TO …`");
    }
    "the role needs more rights: `GRANT pg_monitor TO …` lets it see what the server does".to_owned()
}

/// A statement on one line, the beginning of a long one.
pub(super) fn excerpt(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(120) {
        Some((end, _)) => format!("`{}…`", line.get(..end).unwrap_or_default()),
        None => format!("`{line}`"),
    }
}

/// The innermost reason.
fn deepest(error: &Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.downcast_ref().map_or_else(|| inner.to_string(), tcp::words)
}
