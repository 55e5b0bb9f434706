//! `kubernetes.services`

use std::sync::Arc;

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value as Json;

use super::ask::Resource;
use super::call::{CLUSTER, NAMESPACE, SELECTOR, WITHIN, cluster, deadline, listed};
use super::connection::Kubernetes;
use super::meta;
use super::place::{ServicePlace, via};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Connection, EnumType, Fault, Type, Typed, Value, Way, Word, Words, records};

/// How a service is reached.
#[derive(Clone, Debug)]
pub struct ServiceType;

impl Words for ServiceType {
    const ENUM: &'static EnumType = &EnumType {
        name: "service_type",
        values: &["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"],
        open: false,
    };
}

records! {
    /// A port of a service.
    struct ServicePort "service_port" {
        /// What it is called, where it has a name.
        name: Option<Arc<str>>,
        /// Where the service listens.
        port: i64,
        /// Where its pods listen: a number or a name.
        target: Arc<str>,
        /// `TCP`, `UDP` or `SCTP`.
        protocol: Arc<str>,
    }
    /// A service.
    struct Service "service" {
        /// Its name.
        name: Arc<str>,
        /// The namespace it is in.
        namespace: Arc<str>,
        /// How it is reached.
        r#type: Word<ServiceType>,
        /// Its address in the cluster; missing where it has none.
        cluster_ip: Option<Arc<str>>,
        /// Where it is reached from outside.
        external: Vec<Arc<str>>,
        /// Its ports.
        ports: Vec<ServicePort>,
        /// The labels of its pods.
        selector: Arc<Json>,
        /// How old it was when the run began.
        age: SignedDuration,
        /// The way to it.
        via: Way,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.services",
    summary: "The services of a namespace.",
    params: &[CLUSTER.info(), NAMESPACE.info(), SELECTOR.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Service::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(services(cx, args))),
    needs: &[Need::verbs(&["list"], "services")],
    by_hand: "kubectl {connection} get services [-n {namespace}] [-l {selector}]",
    examples: &[Example::call(
        r#"cluster.services() | where(.type == "LoadBalancer") | each({ name: .name, external: .external })"#,
    )],
};

/// What is kept of a service as the API says it.
pub(super) type Object = meta::Object<Spec, Status>;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    r#type: Arc<str>,
    #[serde(rename = "clusterIP")]
    cluster_ip: Option<Arc<str>>,
    #[serde(rename = "externalIPs")]
    external_ips: Vec<Arc<str>>,
    external_name: Option<Arc<str>>,
    ports: Vec<OwnPort>,
    selector: Option<Json>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OwnPort {
    name: Option<Arc<str>>,
    port: i64,
    target_port: Option<Json>,
    protocol: Option<Arc<str>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    load_balancer: Balancer,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Balancer {
    ingress: Vec<Entry>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    ip: Option<Arc<str>>,
    hostname: Option<Arc<str>>,
}

impl Balancer {
    /// Where it is reached from outside.
    pub(super) fn addresses(self) -> impl Iterator<Item = Arc<str>> {
        self.ingress.into_iter().filter_map(|entry| entry.hostname.or(entry.ip))
    }
}

impl Object {
    /// The service as a runbook sees it.
    ///
    /// # Errors
    /// Where the API does not say what it always says.
    pub(super) fn shown(self, cx: &Cx, cluster: &Arc<Kubernetes>, connection: &Connection) -> Result<Service, Fault> {
        let (name, namespace) = self.metadata.place();
        let place =
            ServicePlace { cluster: Arc::clone(cluster), namespace: Arc::clone(&namespace), name: Arc::clone(&name) };
        let ports = self.spec.ports.into_iter().map(|port| ServicePort {
            name: port.name,
            port: port.port,
            target: match port.target_port {
                Some(Json::String(name)) => name.into(),
                Some(number) => number.to_string().into(),
                None => port.port.to_string().into(),
            },
            protocol: port.protocol.unwrap_or_else(|| "TCP".into()),
        });
        Ok(Service {
            age: self.metadata.age(cx)?,
            r#type: Word::new(self.spec.r#type),
            cluster_ip: self.spec.cluster_ip.filter(|ip| !ip.is_empty() && &**ip != "None"),
            external: self
                .spec
                .external_ips
                .into_iter()
                .chain(self.spec.external_name)
                .chain(self.status.load_balancer.addresses())
                .collect(),
            ports: ports.collect(),
            selector: Arc::new(self.spec.selector.unwrap_or_else(|| Json::Object(serde_json::Map::new()))),
            name,
            namespace,
            via: via(connection, Arc::new(place)),
        })
    }
}

async fn services(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CLUSTER)?;
    let cluster = cluster(&args)?;
    let ask = listed(&cluster, &Resource::SERVICES, &args)?;
    let keep = |object: Object| object.shown(&cx, &cluster, &connection);
    Ok(cluster.list(&ask, deadline(&cluster, &args)?, keep).await?.into())
}
