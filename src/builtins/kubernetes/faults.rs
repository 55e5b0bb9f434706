//! Why a request came to nothing, in one place: what the API server says and what happens on the way to it, as faults
//! that say what to do.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use kube::core::Status;

use super::access::Access;
use super::ask::{Ask, Resource};
use super::wire;
use crate::builtins::dial::tcp;
use crate::builtins::dial::tls::certificate_problem;
use crate::types::{Fault, FaultKind};

/// A fault, and whether asking again may help.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    pub(super) again: Again,
    /// Whether the request had reached the server, which then may have done what it asked for.
    pub(super) sent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    Soon,
    /// The server says when.
    After(Duration),
    /// Once, with fresh credentials.
    LoggedIn,
    /// A list in pages whose snapshot is gone: from its first page.
    FromTheStart,
    /// What it was asked to be written in is not to be had.
    AsJson,
}

/// An error with what is behind it, on one line.
pub(super) fn words(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = source.source();
    }
    text.replace('\n', " ")
}

/// What the server answered, as far as it can be read: beyond the API's own errors there are those of proxies before it.
pub(super) fn status(code: u16, body: &[u8]) -> Status {
    let said = if wire::is(body) { wire::refusal(body) } else { serde_json::from_slice(body).ok() };
    let said = said.filter(|status: &Status| !status.message.is_empty());
    let said = said.unwrap_or_else(|| {
        let text = String::from_utf8_lossy(body);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        Status::failure(&line.chars().take(200).collect::<String>(), "")
    });
    said.with_code(code)
}

/// What is meant by an answer that is an error.
pub(super) fn refused(said: &Status, after: Option<Duration>, ask: &Ask, access: &Access) -> Failure {
    let message = said.message.trim();
    let never = |fault| Failure { fault, again: Again::Never, sent: false };
    match said.code {
        401 => Failure { again: Again::LoggedIn, ..never(unknown_person(access)) },
        403 => never(forbidden(message, ask, access)),
        404 => never(not_found(said, ask, access)),
        406 | 415 => Failure { again: Again::AsJson, ..never(failed(message, ask, said.code)) },
        410 => Failure {
            fault: Fault::new(
                FaultKind::Partial,
                format!("the list changed too much while it was read in pages ({})", ask.doing()),
            ),
            again: Again::FromTheStart,
            sent: false,
        },
        // It did not get the request whole, or says so: less sure than a refusal.
        408 => Failure { again: Again::Soon, sent: true, ..never(failed(message, ask, said.code)) },
        429 => Failure { again: after.map_or(Again::Soon, Again::After), ..never(busy(message, ask, access)) },
        500.. => Failure {
            fault: broken(said, ask, access),
            again: after.map_or(Again::Soon, Again::After),
            sent: said.code != 503,
        },
        code => never(failed(message, ask, code)),
    }
}

fn failed(message: &str, ask: &Ask, code: u16) -> Fault {
    Fault::new(FaultKind::Failed, format!("cannot {}: {code} {message}", ask.doing()))
}

/// It takes no more for now. What was to be changed was not, and is not sent again by itself.
fn busy(message: &str, ask: &Ask, access: &Access) -> Fault {
    let (kind, help) = if ask.changes() {
        (FaultKind::Failed, "nothing was changed: make it again when the server has caught up")
    } else {
        (FaultKind::BadAnswer, "ask for less at once: `at_once` of the connection")
    };
    let said = format!("the API server of `{}` is too busy to {}: {message}", access.context, ask.doing());
    Fault::new(kind, said).help(help)
}

fn unknown_person(access: &Access) -> Fault {
    let why = match access.out_of_date() {
        Some(why) => format!(": {why}"),
        None => ": its credentials are wrong, have expired or were withdrawn".to_owned(),
    };
    Fault::new(FaultKind::Denied, format!("the API server does not take {}{why}", access.named()))
        .help(access.log_in_again())
}

/// The permission that is missing, or what another gate said: a policy, a quota.
fn forbidden(message: &str, ask: &Ask, access: &Access) -> Fault {
    let told = message.split_once("User \"").and_then(|(_, rest)| rest.split_once('"')).map(|(user, _)| user);
    // Of one who may not `create` a stream that he may `get`, the server says that it is forbidden, and no more.
    let bare = ask.sub.is_some() && message.ends_with("is forbidden:");
    if bare || (told.is_some() && message.contains(" cannot ")) {
        // A stream is asked for with `get`, and wants `create` as well.
        let asked = if message.contains(" cannot get ") { Ask { verb: "get", ..ask.clone() } } else { ask.clone() };
        let presumably = access.presumably();
        let who = told.filter(|user| !user.is_empty()).unwrap_or(&presumably);
        return Fault::new(FaultKind::Denied, format!("`{who}` may not {}", asked.doing()))
            .help(format!("`{}` says yes once somebody has granted it", asked.can_i(&access.kubectl)));
    }
    Fault::new(FaultKind::Denied, format!("cannot {}: {message}", ask.doing()))
}

fn not_found(said: &Status, ask: &Ask, access: &Access) -> Fault {
    let named = said.details.as_ref().is_some_and(|details| !details.name.is_empty());
    if let (Some(name), true) = (&ask.name, named) {
        let what = format!("there is no {} `{name}`{}", ask.resource.one, ask.where_());
        let asks = format!("get {}", ask.resource.qualified());
        let line = match &ask.namespace {
            Some(namespace) => access.kubectl.line_in(namespace, &asks),
            None => access.kubectl.line(&asks),
        };
        return Fault::new(FaultKind::NotFound, what).help(format!("`{line}` lists those that are there"));
    }
    if ask.resource.group == Resource::POD_METRICS.group {
        return no_metrics(access);
    }
    let what = format!("the API server of `{}` knows no {}", access.context, ask.resource.qualified());
    Fault::new(FaultKind::NotFound, what).help(kinds_by_hand(access))
}

/// Where the kinds of a cluster are seen.
pub(super) fn kinds_by_hand(access: &Access) -> String {
    let line = access.kubectl.line("api-resources");
    format!("`{line}` lists the kinds that it knows; a custom one is there once its definition is installed")
}

const METRICS: &str = "get apiservice v1beta1.metrics.k8s.io";

/// Where nothing measures.
fn no_metrics(access: &Access) -> Fault {
    Fault::new(
        FaultKind::Unsupported,
        format!("the cluster of `{}` does not measure usage: it has no metrics API", access.context),
    )
    .help(format!("install metrics-server; `{}` shows whether it is there", access.kubectl.line(METRICS)))
}

fn broken(said: &Status, ask: &Ask, access: &Access) -> Fault {
    let (code, message) = (said.code, said.message.trim());
    if ask.resource.group == Resource::POD_METRICS.group {
        let what = format!("the metrics API of `{}` does not answer: {code} {message}", access.context);
        return Fault::new(FaultKind::BadAnswer, what).help(format!(
            "see why: `{}`, `{}`",
            access.kubectl.line(METRICS),
            access.kubectl.line_in("kube-system", "logs deployment/metrics-server")
        ));
    }
    let kind = if code == 504 { FaultKind::Timeout } else { FaultKind::BadAnswer };
    Fault::new(kind, format!("the API server of `{}` answered {code} to {}: {message}", access.context, ask.doing()))
}

/// What is meant by a request that had no answer, or not all of one.
pub(super) fn lost(error: &kube::Error, ask: &Ask, access: &Access) -> Failure {
    if let kube::Error::Api(status) = error {
        return refused(status, None, ask, access);
    }
    if let kube::Error::Auth(problem) = error {
        let message = format!("no credentials for the context `{}`: {}", access.context, words(problem));
        let fault = Fault::new(FaultKind::Setup, message).help(access.log_in_again());
        return Failure { fault, again: Again::Never, sent: false };
    }
    let connecting = chain(error).any(|part| {
        part.downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
    });
    if connecting {
        return Failure { fault: unreachable(error, access), again: Again::Never, sent: false };
    }
    let message =
        format!("the connection to {} broke off while it was to {}: {}", access.server, ask.doing(), deepest(error));
    Failure { fault: Fault::new(FaultKind::Unreachable, message), again: Again::Soon, sent: true }
}

/// A body that ended before its end.
pub(super) fn cut_off(error: &kube::Error, ask: &Ask, access: &Access) -> Failure {
    let message = format!("the answer of {} broke off ({}): {}", access.server, ask.doing(), deepest(error));
    Failure { fault: Fault::new(FaultKind::Unreachable, message), again: Again::Soon, sent: true }
}

fn unreachable(error: &kube::Error, access: &Access) -> Fault {
    let server = &access.server;
    for part in chain(error) {
        if let Some(rustls::Error::InvalidCertificate(problem)) = tls(part) {
            let fault =
                Fault::new(FaultKind::Unreachable, format!("no TLS with {server}: {}", certificate_problem(problem)));
            return match problem {
                rustls::CertificateError::UnknownIssuer => fault.help(format!(
                    "the kubeconfig's `certificate-authority` for the context `{}` did not sign it: is it another cluster, or something in between?",
                    access.context
                )),
                _ => fault,
            };
        }
        if let Some(error) = tls(part) {
            return Fault::new(FaultKind::Unreachable, format!("no TLS with {server}: {error}"));
        }
    }
    let why = deepest(error);
    if why.contains("deadline has elapsed") {
        return Fault::new(FaultKind::Timeout, format!("no connection to {server} within the time that the call has"));
    }
    let fault = Fault::new(FaultKind::Unreachable, format!("no connection to {server}: {why}"));
    fault.help(format!("is that still its address? `{}`", access.kubectl.line("cluster-info")))
}

/// An I/O error leaves what it wraps out of the chain of sources.
fn tls<'a>(part: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    part.downcast_ref::<rustls::Error>().or_else(|| tls(part.downcast_ref::<io::Error>()?.get_ref()?))
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// The innermost reason, which is what a person can do something about.
fn deepest(error: &(dyn StdError + 'static)) -> String {
    let inner = chain(error).filter_map(|part| part.downcast_ref::<io::Error>()).last().map(tcp::words);
    let text = inner.unwrap_or_else(|| chain(error).last().map_or_else(String::new, ToString::to_string));
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_lowercase()
}
