//! What a server says where it does not do as asked: whose fault it is, and what to do about it.

use std::error::Error as _;

use rustls::pki_types::ServerName;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use super::lexer::{Token, tokens};
use super::server::{Login, Server};
use crate::builtins::dial::tcp::words;
use crate::builtins::dial::way::Way;
use crate::builtins::dial::{Trouble, tls};
use crate::types::{Fault, FaultKind};

/// What was asked of whom.
pub(super) struct Asked<'a> {
    pub(super) server: &'a Server,
    pub(super) login: &'a Login,
    pub(super) sql: &'a str,
    /// How many characters stand in front of it where it is sent.
    pub(super) before: usize,
    /// How long it may take, in words.
    pub(super) limit: String,
}

/// What went wrong with connecting and logging in.
pub(super) fn of_login(server: &Server, login: &Login, error: &Error) -> Trouble {
    let shown = server.shown(login);
    if let Some(error) = error.as_db_error() {
        return login_refused(server, login, error);
    }
    let place = &server.reach.place;
    if let Some(io) = io_of(error) {
        if io.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) {
            return tls::failed(place, io);
        }
        let message = format!("no session with {shown}: {}", ended(io));
        // What was said is no whole message of this protocol.
        if io.to_string().contains("bytes remaining on stream") {
            return Trouble::theirs(FaultKind::BadAnswer, format!("{message}; does it speak PostgreSQL?"));
        }
        return Trouble::theirs(FaultKind::Unreachable, message);
    }
    let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    if why.contains("does not support TLS") {
        return Trouble::ours(FaultKind::Unreachable, format!("{place} does not use TLS"))
            .help("let it (`ssl = on`), or, where nobody else can listen, write `tls: \"disable\"`");
    }
    if why.contains("password missing") {
        return Trouble::ours(
            FaultKind::Denied,
            format!("{place} wants a password of `{}`, and there is none", login.user),
        )
        .help("write `secret key = env(\"DB_PASSWORD\")` and `password: key`, or set PGPASSWORD");
    }
    if ServerName::try_from(place.host.as_str()).is_err() {
        return Trouble::ours(FaultKind::Setup, format!("`{}` is no name that a certificate could be for", place.host));
    }
    let message = format!("no session with {shown}: {why}");
    if error.is_closed() {
        return Trouble::theirs(FaultKind::Unreachable, message);
    }
    Trouble::theirs(FaultKind::BadAnswer, format!("{message}; does it speak PostgreSQL?"))
}

fn login_refused(server: &Server, login: &Login, error: &DbError) -> Trouble {
    let shown = server.shown(login);
    let message = format!("{shown}: {}", error.message());
    let code = error.code();
    if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        return Trouble::ours(FaultKind::Denied, message)
            .help(format!("is the password that of `{}`, and does pg_hba.conf let it in from here?", login.user));
    }
    if *code == SqlState::INVALID_CATALOG_NAME {
        // Through a pod there is no address here that could be typed.
        let place = match &server.reach.way {
            Way::Direct(_) if server.reach.socket.is_none() => {
                format!(" -h {} -p {} -U {}", server.reach.place.host, server.reach.place.port, login.user)
            }
            _ => String::new(),
        };
        return Trouble::ours(FaultKind::NotFound, message).help(format!("`psql{place} -l` lists the databases"));
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        let grant = format!("GRANT CONNECT ON DATABASE {} TO {}", ident(&server.database), ident(&login.user));
        return Trouble::ours(FaultKind::Denied, message).help(format!("whoever owns it can type: {grant}"));
    }
    match code.code().get(..2) {
        // Starting up, shutting down, no session left, or a pooler without a server behind it: it cannot be used now.
        Some("08" | "57" | "53" | "58" | "XX") => Trouble::theirs(FaultKind::Unreachable, message),
        _ => Trouble::theirs(FaultKind::Failed, message),
    }
}

/// What went wrong with a statement.
pub(super) fn of_statement(asked: &Asked<'_>, error: &Error) -> Trouble {
    let shown = asked.server.shown(asked.login);
    let Some(error) = error.as_db_error() else {
        let why = io_of(error).map_or_else(|| plain(error), ended);
        return Trouble::theirs(FaultKind::Unreachable, format!("{shown}: the session was lost: {why}"));
    };
    let message = describe(error);
    let ours = |kind: FaultKind, help: &str| Trouble::ours(kind, message.clone()).help(help);
    let code = error.code();
    if *code == SqlState::QUERY_CANCELED {
        let timed_out = error.message().contains("statement timeout");
        let message = if timed_out {
            format!("{shown}: the statement took longer than {}, and the server cancelled it", asked.limit)
        } else {
            format!("{shown}: {message}")
        };
        return Trouble::theirs(FaultKind::Timeout, message);
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return Trouble::ours(FaultKind::Setup, format!("`query` only looks, and the server says: {message}"))
            .help("a change is written `change db.execute(\"…\")`");
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        let grant = match error.routine() {
            Some("pg_terminate_backend" | "pg_cancel_backend") => signal(&message, &asked.login.user),
            _ => grant(error.message(), &asked.login.user, asked.sql),
        };
        return Trouble::ours(FaultKind::Denied, format!("{shown}: {message}")).help(grant);
    }
    if [
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_COLUMN,
        SqlState::UNDEFINED_FUNCTION,
        SqlState::INVALID_SCHEMA_NAME,
    ]
    .contains(code)
    {
        let near = near(asked, error.position());
        return Trouble::ours(FaultKind::NotFound, format!("{shown}: {message}{near}"));
    }
    if *code == SqlState::ACTIVE_SQL_TRANSACTION {
        return ours(FaultKind::Setup, "it cannot run in a transaction: write `change db.execute(\"…\")`");
    }
    match code.code().get(..2) {
        Some("57" | "08") => Trouble::theirs(FaultKind::Unreachable, format!("{shown}: {message}")),
        Some("42" | "0A") => {
            Trouble::ours(FaultKind::Setup, format!("{shown}: {message}{}", near(asked, error.position())))
        }
        _ => Trouble::theirs(FaultKind::Failed, format!("{shown}: {message}")),
    }
}

/// The message with what belongs to it.
pub(super) fn describe(error: &DbError) -> String {
    let more = [error.detail(), error.hint()];
    more.into_iter().flatten().fold(error.message().to_owned(), |text, more| {
        format!("{text}; {}", more.trim_end_matches('.').replace('\n', " "))
    })
}

/// ``, near `FORM documents` ``
fn near(asked: &Asked<'_>, position: Option<&ErrorPosition>) -> String {
    let Some(ErrorPosition::Original(position)) = position else { return String::new() };
    let Some(at) = (*position as usize).checked_sub(asked.before + 1) else { return String::new() };
    let text: String = asked.sql.chars().skip(at).take(30).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.is_empty() { String::new() } else { format!(", near `{}`", text.trim()) }
}

/// What the owner can type so that it is allowed.
fn grant(message: &str, user: &str, sql: &str) -> String {
    let user = ident(user);
    let found = message.strip_prefix("permission denied for ").and_then(|rest| rest.split_once(' '));
    let typed = match found {
        Some(("table" | "view" | "relation" | "materialized", name)) => {
            let name = in_schema(name.trim_start_matches("view "), sql);
            format!("GRANT SELECT ON {name} TO {user}, or for a change what it does: INSERT, UPDATE, DELETE")
        }
        Some(("sequence", name)) => format!("GRANT USAGE ON SEQUENCE {} TO {user}", in_schema(name, sql)),
        Some(("schema", name)) => format!("GRANT USAGE ON SCHEMA {name} TO {user}"),
        Some(("database", name)) => format!("GRANT CONNECT ON DATABASE {name} TO {user}"),
        Some(("function" | "procedure", name)) => {
            format!("GRANT EXECUTE ON FUNCTION {} TO {user}", in_schema(name, sql))
        }
        _ if message.starts_with("must be owner of ") => {
            format!("log in as the owner, or make this role one of the owner's: GRANT OWNER TO {user}")
        }
        _ => format!("GRANT pg_monitor TO {user} for what the server knows of itself, or the role that may"),
    };
    format!("whoever may can type: {typed}")
}

/// A name with its schema, which the server leaves out: as the statement has it, and of a sequence that numbers the rows of
/// a table that of the table.
fn in_schema(name: &str, sql: &str) -> String {
    let tokens = tokens(sql).unwrap_or_default();
    let word = |token: &Token| match token {
        Token::Word(word) | Token::Quoted(word) => Some(word.clone()),
        _ => None,
    };
    let named = tokens.windows(3).filter(|three| three.get(1) == Some(&Token::Sign('.'))).filter_map(|three| {
        let schema = three.first().and_then(word)?;
        Some((schema, three.get(2).and_then(word)?))
    });
    let named: Vec<(String, String)> = named.collect();
    let own = named.iter().find(|(_, own)| own == name);
    let numbered = || {
        let is_of = |table: &str| name.strip_prefix(table).is_some_and(|rest| rest.starts_with('_'));
        named.iter().find(|(_, table)| is_of(table))
    };
    match own.or_else(numbered) {
        Some((schema, _)) => format!("{}.{}", ident(schema), ident(name)),
        None => ident(name),
    }
}

/// What lets a role end what others do.
fn signal(message: &str, user: &str) -> String {
    if message.contains("pg_signal_backend") {
        return format!("whoever may can type: GRANT pg_signal_backend TO {}", ident(user));
    }
    "what a superuser does is ended by a superuser alone: log in as one".to_owned()
}

/// A name as it is written in SQL.
pub(super) fn ident(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn io_of(error: &Error) -> Option<&std::io::Error> {
    error.source().and_then(|source| source.downcast_ref())
}

fn ended(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        _ => words(error),
    }
}

fn plain(error: &Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// More rows, or more of them, than are taken.
pub(super) fn too_large(message: String, help: &str) -> Trouble {
    Trouble { fault: Fault::new(FaultKind::TooLarge, message).help(help), ours: true }
}

#[cfg(test)]
mod tests {
    use super::grant;

    #[test]
    fn what_is_to_be_granted_is_named_with_its_schema() {
        let of = |message: &str, sql: &str| {
            let said = grant(message, "ops", sql);
            said.trim_start_matches("whoever may can type: ").to_owned()
        };
        let insert = "INSERT INTO shop.log (a) VALUES (1)";
        assert_eq!(
            of("permission denied for sequence log_id_seq", insert),
            "GRANT USAGE ON SEQUENCE shop.log_id_seq TO ops"
        );
        assert_eq!(
            of("permission denied for function tidy", "SELECT \"My\".tidy(1)"),
            "GRANT EXECUTE ON FUNCTION \"My\".tidy TO ops"
        );
        assert!(
            of("permission denied for table Log", "SELECT * FROM \"Log\"").starts_with("GRANT SELECT ON \"Log\" TO")
        );
        assert!(of("permission denied for table log", "TABLE shop.log").starts_with("GRANT SELECT ON shop.log TO"));
    }
}
