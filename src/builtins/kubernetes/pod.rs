//! `kubernetes.pod` and `kubernetes.service`: what streams lead to.

use std::sync::Arc;

use serde_json::Value as Json;

use super::ask::{Ask, Resource};
use super::call::{CLUSTER, NAMESPACE, cluster, namespace};
use super::place::{PodPlace, ServicePlace, via};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Typed, Value, Way, records};

const NAME: Param<String> = Param::required("name", "Its name.");

records! {
    /// A pod.
    struct Pod "pod" {
        /// Its name.
        name: Arc<str>,
        /// The namespace it is in.
        namespace: Arc<str>,
        /// The way to it.
        via: Way,
    }
    /// A service.
    struct Service "service" {
        /// Its name.
        name: Arc<str>,
        /// The namespace it is in.
        namespace: Arc<str>,
        /// The way to it.
        via: Way,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.pod",
    summary: "A pod, by its name.",
    params: &[CLUSTER.info(), NAME.info(), NAMESPACE.info()],
    returns: Returns::Type(Pod::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(pod(args))),
    needs: &["get pods"],
    by_hand: "kubectl get pod {name}",
    examples: &[Example::call(r#"cluster.pod("postgres-0")"#)],
};

pub(super) static SERVICE: Builtin = Builtin {
    name: "kubernetes.service",
    summary: "A service, by its name.",
    params: &[CLUSTER.info(), NAME.info(), NAMESPACE.info()],
    returns: Returns::Type(Service::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(service(args))),
    needs: &["get services"],
    by_hand: "kubectl get service {name}",
    examples: &[Example::call(r#"cluster.service("gateway")"#)],
};

async fn pod(args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let (name, namespace) = (args.get(&NAME)?, namespace(&cluster, &args)?);
    cluster.read::<Json>(&Ask::get(&Resource::PODS, &namespace, &name)?).await?;
    let name: Arc<str> = name.into();
    let place = PodPlace { cluster, namespace: Arc::clone(&namespace), name: Arc::clone(&name) };
    Ok(Pod { name, namespace, via: via(args.get(&CLUSTER)?.as_ref(), Arc::new(place)) }.into())
}

async fn service(args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let (name, namespace) = (args.get(&NAME)?, namespace(&cluster, &args)?);
    cluster.read::<Json>(&Ask::get(&Resource::SERVICES, &namespace, &name)?).await?;
    let name: Arc<str> = name.into();
    let place = ServicePlace { cluster, namespace: Arc::clone(&namespace), name: Arc::clone(&name) };
    Ok(Service { name, namespace, via: via(args.get(&CLUSTER)?.as_ref(), Arc::new(place)) }.into())
}
