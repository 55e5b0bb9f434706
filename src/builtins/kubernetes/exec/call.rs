//! What `kubernetes.exec` and `pod.exec` have in common: a command in a container, and what came of it as a record.

use std::sync::Arc;

use jiff::SignedDuration;

use super::reads::allowed;
use super::session::{Limits, Output, Place, Purpose};
use crate::builtins::settings::{limit, setup};
use crate::builtins::words;
use crate::catalog::{Args, Landing, Param};
use crate::types::{Fault, FaultKind, Size, Template, Value, records};

pub(super) const COMMAND: Param<Arc<Template>> = Param::literal(
    "command",
    "The program and its arguments, with no shell between. Quotes hold a word together; a value is a word or a part of one.",
    Landing::Words,
);
pub(super) const CONTAINER: Param<Option<String>> =
    Param::optional("container", "The container, where the pod has several.");
pub(super) const EXITS: Param<Vec<i64>> =
    Param::or("exits", "The exit codes that mean that it did its work.", || Value::list(vec![Value::Int(0)]));
pub(super) const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long it may run. After that it is let go of: nobody can stop it from outside.", || {
        Value::Duration(SignedDuration::from_secs(30))
    });
pub(super) const AT_MOST: Param<Size> = Param::or("at_most", "How much it may print.", || Value::Size(16 << 20));

records! {
    /// What came of a command in a container.
    struct Execution "execution" {
        /// Whether its exit code is one of `exits`.
        ok: bool,
        /// Its exit code; 128 and more where a signal ended it.
        exit_code: i64,
        /// What it printed, without the newline at its end. Not to be had where it failed or printed no UTF-8.
        stdout: Result<Arc<str>, Fault>,
        /// What it printed of its troubles, at most the last 64 KiB.
        stderr: Arc<str>,
    }
}

/// Runs the command of a call. One that changes something and fails is a fault; of one that only looks the record says it.
pub(super) async fn call(place: &Place, args: &Args<'static>) -> Result<Value, Fault> {
    let command = args.get(&COMMAND)?;
    let words = words::of_template(&command)?;
    let exits = args.get(&EXITS)?;
    let looks = allowed(&place.cluster.rules, &command);
    let purpose = if looks { Purpose::Look } else { Purpose::Change };
    let output = place.run(&words, purpose, limits(args.get(&WITHIN)?, args.get(&AT_MOST)?)?).await?;
    let ok = exits.contains(&output.exit_code);
    let name = place.shown(&words);
    if !ok && !looks {
        // It was started, and nobody knows how much of its work it has done.
        return Err(failed(&name, &output).sent());
    }
    let execution = Execution {
        ok,
        exit_code: output.exit_code,
        stdout: if ok { text(&name, &output.stdout) } else { Err(failed(&name, &output)) },
        stderr: String::from_utf8_lossy(&output.stderr).trim_end_matches('\n').into(),
    };
    Ok(execution.into())
}

pub(super) fn limits(within: SignedDuration, at_most: Size) -> Result<Limits, Fault> {
    Ok(Limits {
        within: limit(within)?,
        at_most: usize::try_from(at_most.0).map_err(|_| setup("`at_most` cannot be negative"))?,
    })
}

/// What was printed, as text.
pub(super) fn text(name: &str, bytes: &[u8]) -> Result<Arc<str>, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("what {name} printed is not UTF-8, from byte {} on", error.valid_up_to());
        Fault::new(FaultKind::BadAnswer, message)
    })?;
    Ok(text.strip_suffix('\n').unwrap_or(text).into())
}

/// The fault of a command that ended with another exit code than it should.
pub(super) fn failed(name: &str, output: &Output) -> Fault {
    const SIGNALLED: i64 = 128;
    let how = match output.exit_code {
        code @ 129..=192 => format!("was killed by signal {} (exit code {code})", code - SIGNALLED),
        code => format!("ended with exit code {code}"),
    };
    let said = last_words(&output.stderr);
    Fault::new(FaultKind::Failed, format!("{name} {how}{said}")).sent()
}

/// The last lines of its standard error, on one line.
fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join(" | ");
    let short: String = last.chars().filter(|c| !c.is_control()).take(500).collect();
    if short.is_empty() { String::new() } else { format!(": {short}") }
}
