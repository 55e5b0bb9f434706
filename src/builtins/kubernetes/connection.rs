//! `connect cluster = kubernetes(context: "prod", namespace: "shop")`

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use tokio::sync::OnceCell;

use super::access::Access;
use super::ask::{ALL, Ask, Resource};
use super::exec::reads::Rule;
use super::kubeconfig::Source;
use super::kubectl::Kubectl;
use super::request::Deadline;
use crate::builtins::http::client::by_proxy;
use crate::builtins::settings::{at_once, limit, setup};
use crate::catalog::need::Endpoint;
use crate::catalog::{Args, ByHand, Cx, Driver, DriverKind, Example, Open, Opened, Param};
use crate::types::{Connection, Fault, FaultKind, Value};

const CONTEXT: Param<Option<String>> =
    Param::optional("context", "The context of the kubeconfig; its current one where none is named.");
const NAMESPACE: Param<Option<String>> = Param::optional(
    "namespace",
    "The namespace that calls mean where they name none; the context's own where this is left out. `*` is all.",
);
const KUBECONFIG: Param<Option<String>> = Param::optional(
    "kubeconfig",
    "The file with the contexts, from the runbook's own folder; otherwise those of KUBECONFIG, `~/.kube/config`, or the service account of the pod that this runs in.",
);
const CHANGE: Param<Option<String>> = Param::optional(
    "change",
    "The context whose credentials changes are made with, and nothing else. It leads to the same server, and is first read when something is changed.",
);
const READS: Param<Vec<String>> =
    Param::or("reads", "Which commands in containers only look, by their first words: `redis-cli info`.", || {
        Value::list(Vec::new())
    });
const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long one call may take, all pages and tries included.", || {
        Value::Duration(SignedDuration::from_secs(10))
    });
const AT_ONCE: Param<i64> = Param::or("at_once", "How many calls go out side by side.", || Value::Int(8));

pub(super) static DRIVER: Driver = Driver {
    name: "kubernetes",
    kind: DriverKind::Connection,
    summary: "A Kubernetes cluster, as kubectl reaches it: by a context of the kubeconfig with its certificate, token or login program.",
    params: &[
        CONTEXT.info(),
        NAMESPACE.info(),
        KUBECONFIG.info(),
        CHANGE.info(),
        READS.info(),
        WITHIN.info(),
        AT_ONCE.info(),
    ],
    open: Open::Now(|cx, args| Box::pin(async move { open(cx, args).await })),
    needs: &[],
    reaches: |_| vec![Endpoint { host: "the server of the kubeconfig".to_owned(), port: None }],
    by_hand: ByHand { connection: "[--kubeconfig {kubeconfig}] [--context {context}]", ..ByHand::NONE },
    examples: &[
        Example::call(r#"connect cluster = kubernetes(namespace: "shop")"#),
        Example::call(
            r#"connect cluster = kubernetes(context: "prod-reader", change: "prod-operator", namespace: "shop", at_once: 8)"#,
        ),
    ],
};

/// How long the server may take to say who we are. It is for the output: without it the kubeconfig's word stands.
const INTRODUCTION: Duration = Duration::from_secs(2);

/// An opened connection.
pub(super) struct Kubernetes {
    /// What calls mean that name none; `*` for all.
    pub(super) namespace: Arc<str>,
    pub(super) within: Duration,
    /// Which commands in containers only look.
    pub(super) rules: Vec<Rule>,
    reads: Access,
    changes: Option<Separate>,
    /// Namespaces that were seen to be there.
    seen: Mutex<HashSet<Arc<str>>>,
}

/// Credentials for changes alone.
struct Separate {
    context: String,
    kubeconfig: Option<String>,
    cx: Cx,
    access: OnceCell<Access>,
}

impl Kubernetes {
    /// What a connection value of this driver holds.
    pub(super) fn of(connection: &Arc<Connection>) -> Result<Arc<Self>, Fault> {
        Arc::clone(&connection.handle).downcast().map_err(|_| {
            let message =
                format!("`{}` is a connection of `{}`, not of `kubernetes`", connection.name, connection.driver);
            Fault::new(FaultKind::Setup, message)
        })
    }

    /// With what reads are made.
    pub(super) const fn reads(&self) -> &Access {
        &self.reads
    }

    /// With what changes are made. Read when the first one is: a run that only looks never has it.
    pub(super) async fn changes(&self) -> Result<&Access, Fault> {
        let Some(separate) = &self.changes else { return Ok(&self.reads) };
        let load = || async {
            let cx = &separate.cx;
            let chosen = Source::read(cx, separate.kubeconfig.as_deref())?.choose(cx, Some(&separate.context))?;
            // One that goes another way is not what was looked at, either.
            if chosen.server != self.reads.server || chosen.proxy() != self.reads.proxy {
                let message = format!(
                    "the context `{}` for changes leads to {}, and `{}` to {}: they are two clusters",
                    separate.context,
                    by_proxy(&chosen.server, chosen.proxy().as_ref()),
                    self.reads.context,
                    by_proxy(&self.reads.server, self.reads.proxy.as_ref())
                );
                return Err(Fault::new(FaultKind::Setup, message));
            }
            Ok(Access::new(chosen, self.within, Arc::clone(&cx.world)))
        };
        separate.access.get_or_try_init(load).await
    }

    /// The context that reads are made with.
    pub(super) fn context(&self) -> &str {
        &self.reads.context
    }

    /// The line of a person who makes a change by hand: with the credentials for changes, where these are others.
    pub(super) fn kubectl_to_change(&self) -> Kubectl {
        let own = &self.reads.kubectl;
        self.changes.as_ref().map_or_else(|| own.clone(), |separate| own.by(&separate.context))
    }

    /// The namespace that a call means.
    pub(super) fn namespace(&self, named: Option<String>) -> Arc<str> {
        named.map_or_else(|| Arc::clone(&self.namespace), Arc::from)
    }

    pub(super) fn known_namespace(&self, namespace: &str) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).contains(namespace)
    }

    pub(super) fn know_namespace(&self, namespace: &str) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(namespace.into());
    }

    /// As whom we are known there; as whom by the kubeconfig, where the server does not say.
    async fn who(&self) -> String {
        let presumably = format!("{} (by the kubeconfig)", self.reads.presumably());
        let Ok(ask) = Ask::new("create", &Resource::SELF_SUBJECT_REVIEWS, "", None) else { return presumably };
        let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
        match self.review(&ask, &review, Deadline::after(INTRODUCTION.min(self.within))).await {
            Ok(answer) => {
                let name = answer.pointer("/status/userInfo/username").and_then(Json::as_str);
                name.map_or(presumably, str::to_owned)
            }
            Err(fault) => {
                tracing::debug!(%fault, "the server does not say who we are");
                presumably
            }
        }
    }
}

async fn open(cx: Cx, args: Args<'static>) -> Result<Opened, Fault> {
    let within = limit(args.get(&WITHIN)?)?;
    let at_once = at_once(args.get(&AT_ONCE)?)?;
    let kubeconfig = args.get(&KUBECONFIG)?;
    let chosen = Source::read(&cx, kubeconfig.as_deref())?.choose(&cx, args.get(&CONTEXT)?.as_deref())?;
    let namespace: Arc<str> = args.get(&NAMESPACE)?.map_or_else(|| Arc::clone(&chosen.namespace), Arc::from);
    if namespace.is_empty() {
        return Err(
            setup("an empty text is no namespace").help("leave it out for the context's own, or write `\"*\"` for all")
        );
    }
    let rules = args.get(&READS)?.iter().map(|rule| Rule::parse(rule)).collect::<Result<_, _>>()?;
    let world = Arc::clone(&cx.world);
    let changes = args.get(&CHANGE)?.map(|context| Separate { context, kubeconfig, cx, access: OnceCell::new() });
    let cluster = Kubernetes {
        namespace,
        within,
        rules,
        reads: Access::new(chosen, within, world),
        changes,
        seen: Mutex::default(),
    };
    let place = if &*cluster.namespace == ALL { "all namespaces" } else { &*cluster.namespace };
    let mut target = format!("{}/{place} as {}", cluster.context(), cluster.who().await);
    if let Some(separate) = &cluster.changes {
        target = format!("{target}, changes by {}", separate.context);
    }
    let server = format!("{}/{place}", cluster.reads.cluster());
    let proxy = cluster.reads.proxy.as_ref();
    Ok(Opened {
        target: by_proxy(&target, proxy),
        place: by_proxy(&server, proxy),
        server,
        handle: Arc::new(cluster),
        at_once,
    })
}
