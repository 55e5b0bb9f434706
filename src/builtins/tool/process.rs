//! A program from its start to its end: both outputs drained, bounded in time and memory, nothing left behind.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::output::Form;
use crate::builtins::plain_text::redacted;
use crate::builtins::spool::Spool;
use crate::shown::look::clean;
use crate::types::{Fault, FaultKind, SecretText, Value};
use crate::units;

/// How much of the end of the standard error is kept for a message.
const TAIL: usize = 4 << 10;
/// How long a program that was asked to stop may take to do so.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long outputs are read on after the program has ended, where something it started in the background holds them.
const AFTERMATH: Duration = Duration::from_secs(1);

/// A program about to start.
pub(super) struct Start {
    pub(super) program: PathBuf,
    /// For messages.
    pub(super) name: String,
    pub(super) words: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    /// What must not be repeated in a message.
    pub(super) secrets: Vec<SecretText>,
    pub(super) stdin: Option<String>,
    pub(super) directory: PathBuf,
    pub(super) exits: Vec<i64>,
    pub(super) within: Duration,
    pub(super) at_most: u64,
    /// When the run began: a time without a year is the last such time before it.
    pub(super) run_began: Timestamp,
}

/// What it has printed so far.
#[derive(Default)]
struct Printed {
    stdout: Mutex<Spool>,
    stderr: Mutex<Vec<u8>>,
}

/// Runs it to its end. Once it has been started, nobody knows how much of its work a program that fails has done.
pub(super) async fn run(start: Start, form: Form) -> Result<Value, Fault> {
    let mut child = spawn(&start)?;
    // Dropped before the child: whoever drops this future (Ctrl-C, a limit further out) ends the whole group.
    let mut group = Group(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw));
    let printed = Printed::default();
    let ended = timeout(start.within, to_its_end(&start, &mut child, &printed)).await;
    match ended {
        Ok(Ok(status)) => {
            group.0 = None;
            judge(&start, status, &printed).map_err(Fault::sent)?;
        }
        Ok(Err(fault)) => {
            group.stop(&mut child).await;
            return Err(fault.sent());
        }
        Err(_) => {
            group.stop(&mut child).await;
            return Err(too_slow(&start, &printed).sent());
        }
    }
    let spool = printed.stdout.into_inner().unwrap_or_else(PoisonError::into_inner);
    form.read(&start.name, spool, start.run_began).map_err(Fault::sent)
}

fn spawn(start: &Start) -> Result<Child, Fault> {
    Command::new(&start.program)
        .args(&start.words)
        .envs(start.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&start.directory)
        .stdin(if start.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            let fault = Fault::new(FaultKind::Setup, format!("`{}` cannot be started: {error}", start.name));
            match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
                Some(rustix::io::Errno::NOEXEC) => fault.help("begin a script with the line `#!/bin/sh`"),
                Some(rustix::io::Errno::NOENT) => fault.help("the program behind its `#!` is not there"),
                _ => fault,
            }
        })
}

async fn to_its_end(start: &Start, child: &mut Child, printed: &Printed) -> Result<ExitStatus, Fault> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let fed = feed(child.stdin.take(), start.stdin.as_deref());
    let read = async { tokio::try_join!(drain_output(start, stdout, printed), drain_errors(start, stderr, printed)) };
    let (mut fed, mut read) = (pin!(fed), pin!(read));
    let (mut is_fed, mut is_read) = (false, false);
    let status = loop {
        tokio::select! {
            result = &mut read, if !is_read => { result?; is_read = true; }
            () = &mut fed, if !is_fed => is_fed = true,
            status = child.wait() => break status,
        }
    };
    let status = status.map_err(|error| broken(start, &error))?;
    if !is_read && let Ok(result) = timeout(AFTERMATH, read).await {
        result?;
    }
    Ok(status)
}

/// A program that does not read its input to the end is none of our business: it says by its exit code how it went.
async fn feed(stdin: Option<ChildStdin>, text: Option<&str>) {
    if let (Some(mut stdin), Some(text)) = (stdin, text)
        && let Err(error) = stdin.write_all(text.as_bytes()).await
    {
        tracing::debug!(%error, "the program did not read its whole input");
    }
}

async fn drain_output<R: AsyncRead + Unpin>(start: &Start, from: Option<R>, to: &Printed) -> Result<(), Fault> {
    let mut buffer = vec![0; 64 << 10];
    let Some(mut from) = from else { return Ok(()) };
    loop {
        let read = from.read(&mut buffer).await.map_err(|error| broken(start, &error))?;
        if read == 0 {
            return Ok(());
        }
        let mut spool = to.stdout.lock().unwrap_or_else(PoisonError::into_inner);
        if spool.length + read as u64 > start.at_most {
            let most = units::size(i64::try_from(start.at_most).unwrap_or(i64::MAX));
            return Err(Fault::new(
                FaultKind::TooLarge,
                format!("`{}` printed more than {most} and was stopped", start.name),
            )
            .help("let it print less, or say `at_most:`"));
        }
        spool.push(buffer.get(..read).unwrap_or_default()).map_err(|error| broken(start, &error))?;
    }
}

async fn drain_errors<R: AsyncRead + Unpin>(start: &Start, from: Option<R>, to: &Printed) -> Result<(), Fault> {
    let mut buffer = vec![0; 16 << 10];
    let Some(mut from) = from else { return Ok(()) };
    loop {
        let read = from.read(&mut buffer).await.map_err(|error| broken(start, &error))?;
        if read == 0 {
            return Ok(());
        }
        let mut tail = to.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let excess = tail.len().saturating_sub(TAIL);
        tail.drain(..excess);
    }
}

fn broken(start: &Start, error: &io::Error) -> Fault {
    Fault::new(FaultKind::Failed, format!("`{}` could not be followed: {error}", start.name)).sent()
}

fn judge(start: &Start, status: ExitStatus, printed: &Printed) -> Result<(), Fault> {
    let said = last_words(start, printed);
    let Some(code) = status.code() else {
        let signal = status.signal().unwrap_or_default();
        let name = Signal::from_named_raw(signal).map_or_else(|| signal.to_string(), named);
        return Err(Fault::new(FaultKind::Failed, format!("`{}` was killed by signal {name}{said}", start.name)).sent());
    };
    if start.exits.contains(&i64::from(code)) {
        return Ok(());
    }
    // It says that it failed, and not what it had done by then.
    Err(Fault::new(FaultKind::Failed, format!("`{}` ended with exit code {code}{said}", start.name)).sent())
}

/// A signal as a shell writes it: `SIGKILL`.
fn named(signal: Signal) -> String {
    let text = format!("{signal:?}");
    let own = text.trim_matches('"');
    format!("SIG{}", own.rsplit("::").next().unwrap_or(own).trim_start_matches("SIG"))
}

fn too_slow(start: &Start, printed: &Printed) -> Fault {
    let within = units::duration(i64::try_from(start.within.as_nanos()).unwrap_or(i64::MAX));
    let said = last_words(start, printed);
    Fault::new(
        FaultKind::Timeout,
        format!("`{}` had not ended within {within} and was stopped with its process group{said}", start.name),
    )
    .help("give it longer with `within:`")
}

/// The last lines of its standard error, on one line, without secrets and control characters.
fn last_words(start: &Start, printed: &Printed) -> String {
    let tail = printed.stderr.lock().unwrap_or_else(PoisonError::into_inner);
    let text = redacted(&String::from_utf8_lossy(&tail), &start.secrets);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join(" | ");
    let short: String = clean(&last).chars().take(500).collect();
    if short.is_empty() { String::new() } else { format!(": {short}") }
}

/// The process group of a program: killed when this is dropped, unless the program has ended by itself.
struct Group(Option<Pid>);

impl Group {
    /// Asks it to stop, and makes it.
    async fn stop(&mut self, child: &mut Child) {
        self.signal(Signal::TERM);
        if timeout(FAREWELL, child.wait()).await.is_err() {
            self.signal(Signal::KILL);
            if let Err(error) = child.wait().await {
                tracing::warn!(%error, "a stopped program could not be waited for");
            }
        }
        // Its children may have outlived it, and the group lives as long as one of them does.
        self.signal(Signal::KILL);
        self.0 = None;
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0
            && let Err(error) = kill_process_group(group, signal)
        {
            tracing::debug!(%error, "the group of a program is gone");
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
