//! What a command does, as the server itself says it: `COMMAND INFO`.

use redis::Value;

use super::reply;
use crate::types::{Fault, FaultKind};

/// Whether a command may be sent as a read.
pub(super) enum Verdict {
    Reads,
    Refused(Fault),
}

/// Flags and categories of what is more than a look, also where the server says that it writes nothing: it holds up
/// others, waits, runs a script, is for administrators, or is passed on to replicas.
const MORE: &[&str] = &[
    "write",
    "admin",
    "blocking",
    "pubsub",
    "noscript",
    "may_replicate",
    "@write",
    "@admin",
    "@blocking",
    "@pubsub",
    "@scripting",
    "@dangerous",
];

/// Which place of an entry holds what; servers before Redis 7 have no subcommands.
const ARITY: usize = 1;
const FLAGS: usize = 2;
const FIRST_KEY: usize = 3;
const CATEGORIES: usize = 6;
const SUBCOMMANDS: usize = 9;

/// The verdict on a command, from the answer to `COMMAND INFO` with its first word.
pub(super) fn verdict(info: Value, words: &[String]) -> Result<Verdict, Fault> {
    let entry = reply::items(info)?.into_iter().next();
    let shown = words.first().map(|word| word.to_uppercase()).unwrap_or_default();
    let entry = match entry {
        Some(Value::Nil) | None => return Ok(Verdict::Refused(unknown(&shown))),
        Some(entry) => reply::items(entry)?,
    };
    let Some(subcommands) = entry.get(SUBCOMMANDS) else { return of_older(&entry, &shown) };
    let subcommands = reply::items(subcommands.clone())?;
    if subcommands.is_empty() {
        return judged(&entry, &shown);
    }
    let Some(second) = words.get(1) else {
        let message = format!("`{shown}` alone is no command: it needs another word");
        return Ok(Verdict::Refused(Fault::new(FaultKind::Setup, message)));
    };
    let (wanted, shown) = (format!("{shown}|{second}"), format!("{shown} {}", second.to_uppercase()));
    for subcommand in subcommands {
        let entry = reply::items(subcommand)?;
        let name = entry.first().cloned().map(reply::text).transpose()?.unwrap_or_default();
        if name.eq_ignore_ascii_case(&wanted) {
            return judged(&entry, &shown);
        }
    }
    Ok(Verdict::Refused(unknown(&shown)))
}

/// Before Redis 7 all that begins with one word has one entry (`MEMORY USAGE` reads, `MEMORY PURGE` does not, and both are
/// said to read). What takes a key as its first word, or no word at all, has no others behind it.
fn of_older(entry: &[Value], shown: &str) -> Result<Verdict, Fault> {
    let place = |at: usize| entry.get(at).map_or_else(|| Err(reply::unexpected("COMMAND INFO")), reply::int);
    if place(FIRST_KEY)? == 1 || place(ARITY)? == 1 {
        return judged(entry, shown);
    }
    let message = format!("whether `{shown}` with what is behind it only reads, this server is too old to say");
    Ok(Verdict::Refused(Fault::new(FaultKind::Unsupported, message)))
}

fn judged(entry: &[Value], shown: &str) -> Result<Verdict, Fault> {
    let mut said = Vec::new();
    let flags = entry.get(FLAGS).cloned().ok_or_else(|| reply::unexpected("COMMAND INFO"))?;
    let categories = entry.get(CATEGORIES).cloned().map(reply::items).transpose()?.unwrap_or_default();
    for word in reply::items(flags)?.into_iter().chain(categories) {
        said.push(reply::text(word)?);
    }
    let more: Vec<&str> = said.iter().map(String::as_str).filter(|word| MORE.contains(word)).collect();
    let why = match (said.iter().any(|word| word == "readonly"), more.as_slice()) {
        (true, []) => return Ok(Verdict::Reads),
        (_, [..]) if !more.is_empty() => format!("the server calls it `{}`", more.join("`, `")),
        _ => "the server does not call it `readonly`".to_owned(),
    };
    Ok(Verdict::Refused(Fault::new(
        FaultKind::Setup,
        format!("`{shown}` was not sent, for it is no plain read: {why}"),
    )))
}

fn unknown(shown: &str) -> Fault {
    Fault::new(FaultKind::Unsupported, format!("this server knows no command `{shown}`"))
}
