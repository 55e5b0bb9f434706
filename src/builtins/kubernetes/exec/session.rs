//! A command in a container, from its start to its end: both outputs drained side by side, bounded in time and memory,
//! and never an end that nobody told.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select, try_join};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{Api, AttachParams, AttachedProcess};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout, timeout_at};

use crate::builtins::kubernetes::ask::{Ask, Resource};
use crate::builtins::kubernetes::connection::Kubernetes;
use crate::builtins::kubernetes::faults::lost;
use crate::types::{Fault, FaultKind};
use crate::units;

/// How much kube keeps of each direction before it waits for us: its own kilobyte makes many turns.
const BUFFER: usize = 256 << 10;
/// How much of the standard error is kept.
const ERRORS: usize = 64 << 10;
/// How long outputs are read on after the command has ended.
const AFTERMATH: Duration = Duration::from_secs(2);

/// Where a command runs.
#[derive(Clone)]
pub(in crate::builtins::kubernetes) struct Place {
    pub(in crate::builtins::kubernetes) cluster: Arc<Kubernetes>,
    pub(in crate::builtins::kubernetes) namespace: Arc<str>,
    pub(in crate::builtins::kubernetes) pod: Arc<str>,
    pub(in crate::builtins::kubernetes) container: Option<String>,
}

/// With whose credentials a command is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::builtins::kubernetes) enum Purpose {
    Look,
    Change,
}

/// How much of it is waited for and taken.
#[derive(Clone, Copy)]
pub(in crate::builtins::kubernetes) struct Limits {
    pub(in crate::builtins::kubernetes) within: Duration,
    pub(in crate::builtins::kubernetes) at_most: usize,
}

/// What came of it.
#[derive(Debug)]
pub(in crate::builtins::kubernetes) struct Output {
    pub(in crate::builtins::kubernetes) stdout: Vec<u8>,
    /// Its end, where it is long.
    pub(in crate::builtins::kubernetes) stderr: Vec<u8>,
    pub(in crate::builtins::kubernetes) exit_code: i64,
}

impl Place {
    /// Starts a command.
    pub(in crate::builtins::kubernetes) async fn start(
        &self,
        words: &[String],
        stdin: bool,
        purpose: Purpose,
    ) -> Result<AttachedProcess, Fault> {
        let params = AttachParams {
            container: self.container.clone(),
            stdin,
            stdout: true,
            stderr: true,
            tty: false,
            max_stdin_buf_size: Some(BUFFER),
            max_stdout_buf_size: Some(BUFFER),
            max_stderr_buf_size: Some(BUFFER),
        };
        let ask = Ask::new("create", &Resource::PODS, &self.namespace, Some(&self.pod))?.sub("exec");
        let access = match purpose {
            Purpose::Look => self.cluster.reads(),
            Purpose::Change => self.cluster.changes().await?,
        };
        let api: Api<Pod> = Api::namespaced(access.client().await?, &self.namespace);
        let started = api.exec(&self.pod, words, &params).await;
        let failed = |error| {
            let failure = lost(&error, &ask, access);
            let fault = self.not_started(&error, failure.fault);
            // Whoever took the request may have started it before the connection broke.
            if failure.sent { fault.sent() } else { fault }
        };
        started.map_err(failed)
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// Where it did not start, printed too much, had not ended in time, or nobody can say how it ended.
    pub(in crate::builtins::kubernetes) async fn run(
        &self,
        words: &[String],
        purpose: Purpose,
        limits: Limits,
    ) -> Result<Output, Fault> {
        let deadline = Instant::now() + limits.within;
        let name = self.shown(words);
        let started = timeout_at(deadline, self.start(words, false, purpose)).await;
        let mut process = started.map_err(|_| too_slow(&name, limits.within))??;
        // The status first: it comes once, and joining the process would lose it.
        let status = process.take_status();
        let (Some(status), Some(stdout), Some(stderr)) = (status, process.stdout(), process.stderr()) else {
            return Err(Fault::new(FaultKind::Failed, format!("{name}: its outputs were not attached")));
        };
        let ended = timeout_at(deadline, ended(status, stdout, stderr, limits.at_most)).await;
        let (status, printed) = match ended {
            Err(_) => return Err(too_slow(&name, limits.within).sent()),
            Ok(Err(broken)) => return Err(broken.fault(&name, limits.at_most)),
            Ok(Ok(ended)) => ended,
        };
        let exit_code = exit_code(&status).ok_or_else(|| self.did_not_start(words, &status))?;
        Ok(Output { stdout: printed.0, stderr: printed.1, exit_code })
    }

    /// `df -P in postgres-0`
    pub(super) fn shown(&self, words: &[String]) -> String {
        const LONGEST: usize = 60;
        let line = words.join(" ");
        let short: String = line.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        let dots = if short.len() < line.len() { "…" } else { "" };
        format!("`{short}{dots}` in {}", self.pod)
    }

    fn not_started(&self, error: &kube::Error, fault: Fault) -> Fault {
        if let kube::Error::Api(status) = error {
            let of_containers = |text: &str| status.message.contains(text);
            if of_containers("a container name must be specified") {
                return Fault::new(FaultKind::Setup, format!("pod {}: {}", self.pod, status.message))
                    .help("name one: `container: \"…\"`");
            }
            if of_containers("container not found") || of_containers("is not valid for pod") {
                return Fault::new(FaultKind::NotFound, format!("pod {}: {}", self.pod, status.message));
            }
        }
        fault
    }

    /// The status of a command that has no exit code: it was never one.
    fn did_not_start(&self, words: &[String], status: &Status) -> Fault {
        let message = status.message.clone().unwrap_or_default();
        let program = words.first().map(String::as_str).unwrap_or_default();
        let missing = ["executable file not found", "no such file or directory", "not found in $PATH"];
        if missing.iter().any(|text| message.contains(text)) {
            return Fault::new(FaultKind::NotFound, format!("the container of pod {} has no `{program}`", self.pod))
                .help("name another `container:`, or a program that is in it");
        }
        if message.contains("permission denied") {
            let message = format!("`{program}` may not be started in pod {}", self.pod);
            return Fault::new(FaultKind::Denied, message);
        }
        Fault::new(FaultKind::Failed, format!("{} did not run to an end: {}", self.shown(words), message.trim())).sent()
    }
}

/// Why nobody knows how it ended.
#[derive(Debug)]
pub(super) enum Broken {
    TooLarge,
    NoStatus,
    Io(std::io::Error),
}

impl Broken {
    fn fault(&self, name: &str, at_most: usize) -> Fault {
        match self {
            Self::TooLarge => {
                let most = units::size(i64::try_from(at_most).unwrap_or(i64::MAX));
                let message = format!("{name} printed more than {most}, and was let go: it may still run");
                Fault::new(FaultKind::TooLarge, message).help("let it print less, or say `at_most:`").sent()
            }
            Self::NoStatus => Fault::new(
                FaultKind::Unreachable,
                format!("{name}: the stream broke off before the cluster said how it ended"),
            )
            .sent(),
            Self::Io(error) => {
                Fault::new(FaultKind::Unreachable, format!("{name}: its output cannot be read: {error}")).sent()
            }
        }
    }
}

/// Reads both outputs to their ends and waits for the word on how it ended.
async fn ended(
    status: impl Future<Output = Option<Status>>,
    stdout: impl AsyncRead + Unpin,
    stderr: impl AsyncRead + Unpin,
    at_most: usize,
) -> Result<(Status, (Vec<u8>, Vec<u8>)), Broken> {
    let outputs = try_join(all(stdout, at_most), tail(stderr));
    let (status, outputs) = (std::pin::pin!(status), std::pin::pin!(outputs));
    match select(outputs, status).await {
        // An output that is too large ends it; else both have ended, and the word comes at once or never.
        Either::Left((outputs, status)) => {
            let outputs = outputs?;
            let status = timeout(AFTERMATH, status).await.ok().flatten();
            Ok((status.ok_or(Broken::NoStatus)?, outputs))
        }
        // Where there is no word the outputs do not end either: nobody closes them.
        Either::Right((None, _)) => Err(Broken::NoStatus),
        Either::Right((Some(status), outputs)) => {
            let outputs = timeout(AFTERMATH, outputs).await.map_err(|_| Broken::NoStatus)?;
            Ok((status, outputs?))
        }
    }
}

async fn all(mut from: impl AsyncRead + Unpin, at_most: usize) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut buffer).await.map_err(Broken::Io)?;
        if read == 0 {
            return Ok(bytes);
        }
        if bytes.len() + read > at_most {
            return Err(Broken::TooLarge);
        }
        bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
}

async fn tail(mut from: impl AsyncRead + Unpin) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut buffer).await.map_err(Broken::Io)?;
        if read == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let excess = bytes.len().saturating_sub(ERRORS);
        bytes.drain(..excess);
    }
}

/// The exit code that a status tells. `None` where it tells none, which is never 0.
pub(in crate::builtins::kubernetes) fn exit_code(status: &Status) -> Option<i64> {
    if status.status.as_deref() == Some("Success") {
        return Some(0);
    }
    let causes = status.details.as_ref()?.causes.as_ref()?;
    let code = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"))?;
    code.message.as_ref()?.parse().ok()
}

fn too_slow(name: &str, within: Duration) -> Fault {
    let within = units::duration(i64::try_from(within.as_nanos()).unwrap_or(i64::MAX));
    let message = format!("{name} had not ended within {within}, and was let go: it may still run");
    Fault::new(FaultKind::Timeout, message).help("give it longer with `within:`")
}

#[cfg(test)]
mod tests {
    use super::exit_code;

    #[test]
    fn no_exit_code_is_not_zero() {
        let code = |status: serde_json::Value| exit_code(&serde_json::from_value(status).unwrap());
        assert_eq!(code(serde_json::json!({ "status": "Success" })), Some(0));
        assert_eq!(code(serde_json::json!({ "status": "Failure", "message": "x" })), None);
        assert_eq!(code(serde_json::json!({})), None);
        let with = |reason: &str, message: &str| {
            code(serde_json::json!({ "status": "Failure", "reason": "NonZeroExitCode",
                "details": { "causes": [{ "reason": reason, "message": message }] } }))
        };
        assert_eq!(with("ExitCode", "3"), Some(3));
        assert_eq!(with("ExitCode", "x"), None);
        assert_eq!(with("Other", "3"), None);
    }
}
