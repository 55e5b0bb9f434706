//! What a server says instead of an answer: whose fault it is, and what to do about it.

use redis::{ErrorKind, RedisError};

use super::session::Login;
use crate::builtins::dial::{Place, Trouble};
use crate::types::FaultKind;

/// An error of the server: `NOPERM this user has no permissions …`.
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) text: String,
}

impl Refusal {
    pub(super) fn is_unknown_command(&self) -> bool {
        self.code == "ERR" && self.text.to_lowercase().starts_with("unknown command")
    }

    /// As the server says it, in one line.
    fn said(&self) -> String {
        let text: String = format!("{} {}", self.code, self.text).split_whitespace().collect::<Vec<_>>().join(" ");
        text.chars().filter(|c| !c.is_control()).take(300).collect()
    }

    /// What is in the first pair of quotes: the command that a user may not run.
    fn quoted(&self) -> Option<&str> {
        self.text.split('\'').nth(1).filter(|word| !word.is_empty())
    }
}

/// The server's own words in an error, where it is the server's.
pub(super) fn of(error: &RedisError) -> Option<Refusal> {
    let is_one = matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension);
    let code = error.code().filter(|_| is_one)?;
    Some(Refusal { code: code.to_owned(), text: error.detail().unwrap_or_default().to_owned() })
}

/// What a refused log-in is. Its words are not repeated: some servers put what they were sent into them.
pub(super) fn log_in(refusal: &Refusal, place: &Place, login: &Login) -> Trouble {
    match refusal.code.as_str() {
        "NOAUTH" => wants_password(place),
        "WRONGPASS" => wrong_password(place, login.name()),
        "ERR" if refusal.text.contains("max number of clients") => full(place),
        "ERR" if refusal.text.contains("wrong number of arguments") && login.user.is_some() => {
            Trouble::ours(FaultKind::Setup, format!("{place} knows passwords, but no users"))
                .help("it is older than Redis 6: leave out `user`")
        }
        "ERR" if login.password.is_some() => wrong_password(place, login.name()),
        _ => trouble(refusal, place, login.name(), "HELLO"),
    }
}

/// What a refused command is.
pub(super) fn trouble(refusal: &Refusal, place: &Place, user: &str, command: &str) -> Trouble {
    let said = || format!("{place} answered `{}`", refusal.said());
    match refusal.code.as_str() {
        "NOAUTH" => wants_password(place),
        "WRONGPASS" => wrong_password(place, user),
        "NOPERM" => no_permission(refusal, place, user, command),
        // Protected mode: without a password, from this machine only.
        "DENIED" => Trouble::ours(FaultKind::Denied, said()),
        "MOVED" | "ASK" => {
            let node = refusal.text.rsplit(' ').next().unwrap_or_default();
            Trouble::ours(FaultKind::Setup, format!("the key is on another node of the cluster than {place}: {node}"))
                .help("declare a connection to that node: a connection leads to one server")
        }
        "ERR" if refusal.is_unknown_command() => {
            Trouble::ours(FaultKind::Unsupported, format!("{place} knows no command `{command}`"))
        }
        "ERR" if refusal.text.contains("max number of clients") => full(place),
        // A script that fails in the middle has done what comes before.
        _ if command.starts_with("EVAL") || command.starts_with("FCALL") => {
            let trouble = Trouble::theirs(FaultKind::BadAnswer, said());
            Trouble { fault: trouble.fault.sent(), ours: trouble.ours }
        }
        _ => Trouble::theirs(FaultKind::Failed, said()),
    }
}

fn wants_password(place: &Place) -> Trouble {
    Trouble::ours(FaultKind::Denied, format!("{place} wants a password")).help(
        "declare `secret redis_password = env(\"REDIS_PASSWORD\")` and give the connection `password: redis_password`",
    )
}

fn wrong_password(place: &Place, user: &str) -> Trouble {
    let message = format!("{place} does not let `{user}` in: no such user, another password, or the user is off");
    Trouble::ours(FaultKind::Denied, message)
}

fn full(place: &Place) -> Trouble {
    Trouble::theirs(FaultKind::Unreachable, format!("{place} takes no more clients: `maxclients` is reached"))
}

fn no_permission(refusal: &Refusal, place: &Place, user: &str, command: &str) -> Trouble {
    let text = refusal.text.to_lowercase();
    if text.contains("key") && !text.contains("command") {
        let message = format!("{place} does not let `{user}` at that key with `{command}`");
        return Trouble::ours(FaultKind::Denied, message)
            .help(format!("an administrator allows it: `ACL SETUSER {user} ~PATTERN` (or `%R~PATTERN` to read only)"));
    }
    let missing = refusal.quoted().map_or_else(|| command.to_lowercase(), str::to_lowercase);
    let message = format!("{place} does not let `{user}` run `{}`", missing.replace('|', " ").to_uppercase());
    Trouble::ours(FaultKind::Denied, message)
        .help(format!("an administrator allows it: `ACL SETUSER {user} +{missing}`"))
}
