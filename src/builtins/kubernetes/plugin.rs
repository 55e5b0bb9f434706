//! Credentials that a program gives: the `exec` of a kubeconfig (`aws eks get-token`, `gke-gcloud-auth-plugin`, …).
//!
//! kube runs it three times for one client, waits for it as long as it likes, and lets it ask questions on the terminal. Here
//! it is run once, within a limit, with nothing to read, and its answer is kept until it is about to expire.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::kubectl::Kubectl;
use crate::types::{Fault, FaultKind};

/// A cloud's login server may be slow; a program that waits for a person is not waited for.
const WITHIN: Duration = Duration::from_secs(30);
/// Certificates and tokens are small.
const AT_MOST: u64 = 1 << 20;

#[derive(Deserialize)]
struct Credential {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<Timestamp>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Runs the plugin and puts what it gives into the credentials. Gives until when they are good, where it says so.
pub(super) async fn log_in(
    exec: &ExecConfig,
    context: &str,
    kubectl: &Kubectl,
    auth: &mut AuthInfo,
) -> Result<Option<Timestamp>, Fault> {
    let name = exec.command.as_deref().unwrap_or_default();
    let fault =
        |why: String| Fault::new(FaultKind::Denied, format!("no credentials for the context `{context}`: {why}"));
    if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
        return Err(fault(format!("its login program `{name}` wants to ask a person"))
            .help(format!("log in first: `{}`", kubectl.line("get --raw /version"))));
    }
    let output = run(exec, name, context).await?;
    let unreadable =
        |why: &str| fault(format!("what `{name}` printed {why}")).help(format!("run it by hand: `{}`", line(exec)));
    let credential: Credential =
        serde_json::from_slice(&output).map_err(|_| unreadable("is no ExecCredential in JSON"))?;
    let status = credential.status.ok_or_else(|| unreadable("has no `status`"))?;
    if status.token.is_none() && (status.client_certificate_data.is_none() || status.client_key_data.is_none()) {
        return Err(unreadable("has neither a token nor a certificate with its key"));
    }
    auth.token = status.token.map(SecretString::from);
    auth.token_file = None;
    if let (Some(certificate), Some(key)) = (status.client_certificate_data, status.client_key_data) {
        auth.client_certificate_data = Some(BASE64_STANDARD.encode(certificate));
        auth.client_key_data = Some(SecretString::from(BASE64_STANDARD.encode(key)));
    }
    Ok(status.expiration_timestamp)
}

async fn run(exec: &ExecConfig, name: &str, context: &str) -> Result<Vec<u8>, Fault> {
    let fault = |kind, why: String| Fault::new(kind, format!("no credentials for the context `{context}`: {why}"));
    let mut command = Command::new(name);
    command.args(exec.args.iter().flatten()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).env("KUBERNETES_EXEC_INFO", info(exec)?);
    for variable in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    let mut child = command.spawn().map_err(|error| {
        let hint = exec.install_hint.clone().filter(|hint| !hint.trim().is_empty());
        let hint = hint.unwrap_or_else(|| format!("install `{name}`, or say in the kubeconfig where it is"));
        fault(FaultKind::Setup, format!("its login program `{name}` cannot be started: {error}")).help(hint.trim())
    })?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = timeout(WITHIN, async { tokio::try_join!(take(stdout), take(stderr), child.wait()) }).await;
    let (output, errors, status) = match ended {
        Ok(ended) => ended.map_err(|error| fault(FaultKind::Failed, format!("its login program `{name}`: {error}")))?,
        Err(_) => {
            return Err(fault(FaultKind::Timeout, format!("its login program `{name}` does not end within 30s"))
                .help(format!("it may be waiting for a person: run `{}` by hand", line(exec))));
        }
    };
    if status.success() {
        return Ok(output);
    }
    // The last line says why it failed. Credentials go to the other output.
    let said = String::from_utf8_lossy(&errors);
    let said = said.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(|line| format!(": {line}"));
    Err(fault(FaultKind::Denied, format!("its login program `{name}` ended with {status}{}", said.unwrap_or_default()))
        .help(format!("log in again; by hand: `{}`", line(exec))))
}

async fn take(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(AT_MOST).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// What the program is told, as the protocol has it.
fn info(exec: &ExecConfig) -> Result<String, Fault> {
    let mut spec = serde_json::Map::from_iter([("interactive".to_owned(), false.into())]);
    if exec.provide_cluster_info
        && let Some(cluster) = &exec.cluster
    {
        let cluster = serde_json::to_value(cluster).map_err(|error| {
            Fault::new(FaultKind::Setup, format!("the cluster cannot be described to the login program: {error}"))
        })?;
        spec.insert("cluster".to_owned(), cluster);
    }
    let info = serde_json::json!({ "kind": "ExecCredential", "apiVersion": exec.api_version, "spec": spec });
    Ok(info.to_string())
}

fn line(exec: &ExecConfig) -> String {
    let words = exec.command.iter().chain(exec.args.iter().flatten());
    words.map(String::as_str).collect::<Vec<_>>().join(" ")
}
