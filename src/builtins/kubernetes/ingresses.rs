//! `kubernetes.ingresses`

use std::sync::Arc;

use jiff::SignedDuration;
use serde::Deserialize;

use super::ask::Resource;
use super::call::{CLUSTER, NAMESPACE, SELECTOR, WITHIN, cluster, deadline, listed};
use super::meta;
use super::services::Balancer;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Type, Typed, Value, records};

records! {
    /// An ingress: which names from outside lead to which services.
    struct Ingress "ingress" {
        /// Its name.
        name: Arc<str>,
        /// The namespace it is in.
        namespace: Arc<str>,
        /// The class of the controller that looks after it.
        class: Option<Arc<str>>,
        /// The names that it answers to.
        hosts: Vec<Arc<str>>,
        /// Where it is reached; empty as long as no controller took it up.
        addresses: Vec<Arc<str>>,
        /// The services that it leads to.
        services: Vec<Arc<str>>,
        /// Whether it has certificates.
        tls: bool,
        /// How old it was when the run began.
        age: SignedDuration,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.ingresses",
    summary: "The ingresses of a namespace.",
    params: &[CLUSTER.info(), NAMESPACE.info(), SELECTOR.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Ingress::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(ingresses(cx, args))),
    needs: &[Need::verbs(&["list"], "ingresses.networking.k8s.io")],
    by_hand: "kubectl {connection} get ingress [-n {namespace}] [-l {selector}]",
    examples: &[Example::call("cluster.ingresses() | none(.addresses | is_empty)")],
};

type Object = meta::Object<Spec, Status>;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    ingress_class_name: Option<Arc<str>>,
    default_backend: Option<Backend>,
    rules: Vec<Rule>,
    tls: Vec<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rule {
    host: Option<Arc<str>>,
    http: Http,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Http {
    paths: Vec<Path>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Path {
    backend: Backend,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Backend {
    service: Option<Named>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    name: Arc<str>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    load_balancer: Balancer,
}

async fn ingresses(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let ask = listed(&cluster, &Resource::INGRESSES, &args)?;
    let found = cluster.list(&ask, deadline(&cluster, &args)?, |object: Object| {
        let Spec { ingress_class_name, default_backend, rules, tls } = object.spec;
        let mut services: Vec<Arc<str>> = Vec::new();
        let backends = rules.iter().flat_map(|rule| rule.http.paths.iter().map(|path| &path.backend));
        for named in default_backend.iter().chain(backends).filter_map(|backend| backend.service.as_ref()) {
            if !services.contains(&named.name) {
                services.push(named.name.clone());
            }
        }
        Ok(Ingress {
            age: object.metadata.age(&cx)?,
            name: object.metadata.name.into(),
            namespace: object.metadata.namespace.into(),
            class: ingress_class_name,
            hosts: rules.into_iter().map(|rule| rule.host.unwrap_or_else(|| "*".into())).collect(),
            addresses: object.status.load_balancer.addresses().collect(),
            services,
            tls: !tls.is_empty(),
        })
    });
    Ok(found.await?.into())
}
