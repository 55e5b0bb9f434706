//! What the library that gets credentials works with: files, programs and HTTP as this house has them.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqsign::{CommandExecute, CommandOutput, Context, Error, FileRead, HttpSend};
use tokio::process::Command;
use url::{Host, Url};

use super::environment::Environment;
use crate::builtins::dial::gate::Gate;
use crate::builtins::dial::tls::Trust;
use crate::builtins::dial::way::Way;
use crate::builtins::files;
use crate::builtins::http::client::{Bytes, Limits, Pool, Proxies, Request, Target, send};
use crate::types::{Fault, FaultKind};

/// How long one answer of the token services may take.
const WITHIN: Duration = Duration::from_secs(5);

/// How long a machine's own services may take: they are next door or not there at all.
const NEXT_DOOR: Duration = Duration::from_secs(1);

/// How long a program that gives credentials may take: it may ask a service in its turn.
const PROGRAM: Duration = Duration::from_secs(20);

/// How long an answer may be.
const LARGEST: usize = 1 << 20;

/// The context of the library.
pub(super) fn context(
    gate: &Gate,
    environment: &Environment,
    trust: &Trust,
    proxies: &Proxies,
) -> Result<Context, Fault> {
    let target = |proxies: Proxies| {
        Arc::new(Target {
            trust: trust.clone(),
            way: Way::Direct(gate.clone()),
            proxies,
            pool: Pool::new(1),
            redirects: 0,
            downgrade: false,
            config: OnceLock::new(),
        })
    };
    let sts = environment.first(&["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"]);
    let sts = sts.map(|text| crate::builtins::s3::place::endpoint(text, "AWS_ENDPOINT_URL_STS")).transpose()?;
    let http = Http { ordinary: target(proxies.clone()), near: target(Proxies::default()), sts };
    Ok(Context::new()
        .with_env(environment.for_library())
        .with_file_read(Files)
        .with_command_execute(Programs)
        .with_http_send(http))
}

/// An error of the library that keeps the fault behind it.
fn failed(fault: Fault) -> Error {
    Error::unexpected(fault.message.to_string()).with_source(fault)
}

#[derive(Debug)]
struct Files;

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> reqsign::Result<Vec<u8>> {
        tokio::fs::read(path).await.map_err(|error| failed(files::fault("read", Path::new(path), &error)))
    }
}

#[derive(Debug)]
struct Programs;

impl CommandExecute for Programs {
    async fn command_execute(&self, program: &str, args: &[&str]) -> reqsign::Result<CommandOutput> {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).kill_on_drop(true);
        let fault = |why: String| failed(Fault::new(FaultKind::Failed, format!("`{program}` {why}")));
        let output = tokio::time::timeout(PROGRAM, command.output()).await;
        let output = output.map_err(|_| fault(format!("gives no credentials within {}s", PROGRAM.as_secs())))?;
        let output = output.map_err(|error| fault(format!("cannot be started: {error}")))?;
        // What it says may be a secret; that it failed is enough to go on.
        Ok(CommandOutput { status: output.status.code().unwrap_or(-1), stdout: output.stdout, stderr: Vec::new() })
    }
}

/// The HTTP client of the house.
struct Http {
    ordinary: Arc<Target>,
    /// For services of this machine, which no proxy knows.
    near: Arc<Target>,
    /// Where the token service is, where it is not AWS's.
    sts: Option<Url>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Http")
    }
}

impl HttpSend for Http {
    async fn http_send(&self, request: http::Request<Bytes>) -> reqsign::Result<http::Response<Bytes>> {
        let (parts, body) = request.into_parts();
        let mut url: Url = parts.uri.to_string().parse().map_err(|error| {
            failed(Fault::new(FaultKind::Setup, format!("`{}` is no URL: {error}", parts.uri.path())))
        })?;
        if let Some(sts) = &self.sts
            && url.host_str().is_some_and(|host| host.starts_with("sts.") && host.contains(".amazonaws."))
        {
            // The signature is of the name that it was asked by, which stays in the header.
            let query = url.query().map(str::to_owned);
            url = sts.clone();
            url.set_query(query.as_deref());
        }
        let near = is_near(&url);
        let (target, within) = if near { (&self.near, NEXT_DOOR) } else { (&self.ordinary, WITHIN) };
        let request = Request { method: parts.method, url, headers: parts.headers, body: Some(body), reads: false };
        let limits = Limits { within, at_most: Some(LARGEST) };
        let answer = send(target, request, limits).await.map_err(|trouble| failed(trouble.fault))?;
        let mut response = http::Response::new(Bytes::from(answer.body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

/// Whether it is a service of this machine or of its own network segment.
fn is_near(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_link_local() || address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_unique_local() || address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
