//! What an error of the server means for a person.

use tokio_postgres::error::SqlState;

use crate::store::ledger::transaction::Error;
use crate::types::{Fault, FaultKind};

/// Whether the session is over, and with it what went on in it.
pub(super) fn is_lost(error: &Error) -> bool {
    match error {
        Error::Server(error) => error.as_db_error().is_none() || ends_the_session(error),
        Error::File(_) | Error::Stored(_) | Error::Given(_) | Error::Told(_) => false,
    }
}

/// Whether the server ends the session with it: it shuts down, somebody ended it, it had waited for too long.
pub(super) fn ends_the_session(error: &tokio_postgres::Error) -> bool {
    let code = error.code().map_or("", SqlState::code);
    code.starts_with("08") || ["57P01", "57P02", "57P03", "57P05", "25P03", "25P04"].contains(&code)
}

pub(super) fn of(shown: &str, error: Error) -> Fault {
    let told = |kind: FaultKind, why: &dyn std::fmt::Display| Fault::new(kind, format!("the ledger `{shown}`: {why}"));
    match error {
        Error::Told(fault) => fault,
        Error::File(error) => told(FaultKind::Failed, &error),
        Error::Given(why) => told(FaultKind::Failed, &why),
        Error::Stored(why) => told(FaultKind::Setup, &format!("it is damaged: {why}"))
            .help("`runbook store check` says what of it is damaged; put a backup in its place"),
        Error::Server(error) => of_server(&told, &error),
    }
}

fn of_server(told: &dyn Fn(FaultKind, &dyn std::fmt::Display) -> Fault, error: &tokio_postgres::Error) -> Fault {
    let Some(refused) = error.as_db_error() else {
        let why = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        return told(FaultKind::Unreachable, &format!("the connection was lost: {why}"))
            .help("it is connected to again at the next occasion; is PostgreSQL up there?");
    };
    let message = refused.message();
    if ends_the_session(error) {
        return told(FaultKind::Unreachable, &message).help("it is connected to again at the next occasion");
    }
    match refused.code().code() {
        "55P03" => told(FaultKind::Timeout, &message)
            .help("another process has kept it for 10 s; try again, or end that process"),
        "57014" => told(FaultKind::Timeout, &message).help("the server is too slow: what keeps it busy?"),
        "42501" if message.contains("temporary") => told(FaultKind::Denied, &message).help(
            "whoever owns the database can type: GRANT TEMPORARY ON DATABASE <its name> TO <the role of the address>",
        ),
        "42501" => told(FaultKind::Denied, &message)
            .help("whoever owns the database can type: CREATE SCHEMA runbook AUTHORIZATION <the role of the address>"),
        "0A000" if message.contains("recovery") => {
            told(FaultKind::Setup, &message).help("that server is a standby: name its primary")
        }
        "25006" => told(FaultKind::Setup, &message).help("that server only reads: name its primary"),
        "53100" => told(FaultKind::Setup, &message).help("make room on the server's disk; nothing was written"),
        "42P01" | "42703" | "3F000" => {
            told(FaultKind::Setup, &format!("its tables are not what they should be: {message}"))
                .help("`runbook store check` says more; put a backup in its place")
        }
        code if code.starts_with("53") => told(FaultKind::Unreachable, &message),
        _ => told(FaultKind::Failed, &message),
    }
}
