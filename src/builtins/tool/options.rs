//! What `argv` and `shell` have in common: limits, environment, input, folder.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::output::FORMS;
use super::process::Start;
use crate::builtins::plain_text::plain_or_secret;
use crate::catalog::{Accepts, Args, Cx, Param, Presence};
use crate::types::{Fault, FaultKind, Record, Size, Value};

pub(super) const OUTPUT: Param<String> = Param::word(
    "output",
    "What it prints: `text` is a string without the newline at its end, `lines` a log, `json` data, `table` a list of records with the header's columns as fields: columns stand apart by tabs, or by blanks, and a cell is a text unless the tool's type says what it is (`-> list<{ used: int, share: percent? }>`). One table alone: where it is not certain which cell belongs to which column, or something else stands below, it is an error. Colours are left out, but for `lines`.",
    FORMS,
    Some(|| Value::string("text")),
);
pub(super) const EXITS: Param<Vec<i64>> =
    Param::or("exits", "The exit codes that mean that it did its work.", || Value::list(vec![Value::Int(0)]));
pub(super) const WITHIN: Param<SignedDuration> = Param::or(
    "within",
    "How long it may run. After that it is stopped with its process group: what a program has put into another one goes on.",
    || Value::Duration(SignedDuration::from_mins(1)),
);
pub(super) const AT_MOST: Param<Size> =
    Param::or("at_most", "How much it may print. A program that prints more is stopped.", || Value::Size(16 << 20));
pub(super) const ENV: Param<Option<Arc<Record>>> =
    Param::fields("env", "Environment variables beside the inherited ones: the place for a secret.", true);
pub(super) const STDIN: Param<Option<Value>> = Param::new(
    "stdin",
    "What it reads from its standard input, which is empty otherwise.",
    Accepts::TextOrSecret,
    Presence::Optional,
);
pub(super) const DIRECTORY: Param<Option<String>> =
    Param::optional("directory", "The folder it starts in, from the runbook's own, which it is otherwise.");

/// A program ready to start.
///
/// # Errors
/// Where an option makes no sense.
pub(super) fn start(
    cx: &Cx,
    args: &Args<'static>,
    program: PathBuf,
    name: String,
    words: Vec<String>,
) -> Result<Start, Fault> {
    let mut secrets = Vec::new();
    let mut env = Vec::new();
    for (variable, value) in args.get(&ENV)?.iter().flat_map(|record| record.iter()) {
        if variable.is_empty() || variable.contains(['=', '\0']) {
            return Err(Fault::new(FaultKind::Setup, format!("`{variable}` is no name of an environment variable")));
        }
        if let Value::Secret(secret) = value {
            secrets.push(secret.clone());
        }
        env.push((variable.to_string(), plain_or_secret(value, "an environment variable")?));
    }
    let stdin = args.get(&STDIN)?;
    if let Some(Value::Secret(secret)) = &stdin {
        secrets.push(secret.clone());
    }
    let directory = args.get(&DIRECTORY)?.map_or_else(|| cx.run.directory.clone(), |path| cx.run.directory.join(path));
    if !directory.is_dir() {
        return Err(Fault::new(FaultKind::Setup, format!("there is no folder `{}` to start in", directory.display())));
    }
    Ok(Start {
        program,
        name,
        words,
        env,
        secrets,
        stdin: stdin.map(|value| plain_or_secret(&value, "a standard input")).transpose()?,
        directory,
        exits: args.get(&EXITS)?,
        within: Duration::try_from(args.get(&WITHIN)?)
            .map_err(|_| Fault::new(FaultKind::Setup, "`within` is a time from now on, so it cannot be negative"))?,
        at_most: u64::try_from(args.get(&AT_MOST)?.0)
            .map_err(|_| Fault::new(FaultKind::Setup, "`at_most` cannot be negative"))?,
        run_began: cx.run.started_at,
    })
}
