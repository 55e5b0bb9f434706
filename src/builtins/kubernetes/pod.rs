//! stand-in
use super::connection::Kubernetes;
use super::place::*;
use crate::builtins::dial::way::{Carried, Carrier};
use crate::catalog::*;
use crate::types::*;
use std::sync::Arc;
records! {
    /// A pod.
    struct Pod "pod" {
        /// Its name.
        name: Arc<str>,
        /// The way.
        via: Way,
    }
    /// A service.
    struct Service "service" {
        /// Its name.
        name: Arc<str>,
        /// The way.
        via: Way,
    }
}
const CONNECTION: Param<Arc<Connection>> = Param::connection("kubernetes");
const NAME: Param<String> = Param::required("name", "x");
pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.pod",
    summary: "x.",
    params: &[CONNECTION.info(), NAME.info()],
    returns: Returns::Type(Pod::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| {
        Box::pin(async move {
            let (name, via) = made(&args, |c, n, p| Arc::new(PodPlace { cluster: c, namespace: n, pod: p }))?;
            Ok(Pod { name, via }.into())
        })
    }),
    needs: &[],
    by_hand: "kubectl get pod {name}",
    examples: &[Example::call("cluster.pod(\"x\")")],
};
pub(super) static SERVICE: Builtin = Builtin {
    name: "kubernetes.service",
    summary: "x.",
    params: &[CONNECTION.info(), NAME.info()],
    returns: Returns::Type(Service::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| {
        Box::pin(async move {
            let (name, via) = made(&args, |c, n, p| Arc::new(ServicePlace { cluster: c, namespace: n, service: p }))?;
            Ok(Service { name, via }.into())
        })
    }),
    needs: &[],
    by_hand: "kubectl get service {name}",
    examples: &[Example::call("cluster.service(\"x\")")],
};
fn made(
    args: &Args<'static>,
    make: fn(Arc<Kubernetes>, Arc<str>, Arc<str>) -> Arc<dyn Carrier>,
) -> Result<(Arc<str>, Way), Fault> {
    let c = args.get(&CONNECTION)?;
    let cluster = Kubernetes::of(&c)?;
    let name: Arc<str> = args.get(&NAME)?.into();
    let ns = cluster.namespace(None);
    let carrier = make(cluster, ns, name.clone());
    let via = Way(Arc::new(Connection {
        name: c.name.clone(),
        driver: c.driver.clone(),
        target: c.target.clone(),
        handle: Arc::new(Carried(carrier)),
    }));
    Ok((name, via))
}
