//! From a service and its port to pods that serve it: what its endpoint slices say is ready.

use std::borrow::Cow;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;

use super::ask::{Ask, Resource};
use super::connection::Kubernetes;
use super::forward;
use super::request::Deadline;
use crate::builtins::dial::way::Stream;
use crate::builtins::dial::{Progress, Trouble};
use crate::types::{Fault, FaultKind};

/// A pod that serves a port of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Serving {
    pub(super) pod: String,
    pub(super) port: u16,
}

/// How many pods of a service are tried.
const MOST_TRIED: usize = 3;

/// A stream to a port of a service: to the first pod that is ready and takes it.
///
/// # Errors
/// Where no pod serves the port, or none of those that should takes a stream.
pub(super) async fn forward(
    cluster: &Kubernetes,
    namespace: &str,
    name: &str,
    port: u16,
    progress: &Progress,
) -> Result<Box<dyn Stream>, Trouble> {
    progress.now(format!("looking for a pod of service {name}"));
    let mut last = None;
    for Serving { pod, port } in serving(cluster, namespace, name, port).await?.into_iter().take(MOST_TRIED) {
        match forward::forward(cluster, namespace, &pod, port, progress).await {
            Ok(stream) => return Ok(stream),
            // Only what is wrong with this pod is another pod's chance.
            Err(trouble) if trouble.ours => return Err(trouble),
            Err(trouble) => last = Some(trouble),
        }
    }
    Err(last.unwrap_or_else(|| Trouble::theirs(FaultKind::Unreachable, format!("service {name} has no pod"))))
}

/// The pods that are ready to serve a port of a service, of which there is at least one.
async fn serving(cluster: &Kubernetes, namespace: &str, name: &str, port: u16) -> Result<Vec<Serving>, Trouble> {
    let ours = |fault: Fault| Trouble { fault, ours: true };
    let ask = Ask::get(&Resource::SERVICES, namespace, name).map_err(ours)?;
    let service: Service = cluster.read(&ask).await.map_err(ours)?;
    let port_name = port_name(&service, name, port)?;
    let ask = Ask::list(&ENDPOINT_SLICES, namespace).map_err(ours)?;
    let ask = ask.query("labelSelector", format!("kubernetes.io/service-name={name}"));
    let slices = cluster.list(&ask, Deadline::after(cluster.within), Ok).await.map_err(ours)?;
    ready(&slices, &port_name, name)
}

const ENDPOINT_SLICES: Resource = Resource {
    group: Cow::Borrowed("discovery.k8s.io"),
    version: Cow::Borrowed("v1"),
    plural: Cow::Borrowed("endpointslices"),
    one: Cow::Borrowed("endpoint slice"),
    namespaced: true,
};

/// What the service calls its port. The slices know the ports of the pods by it, also where those are named.
fn port_name(service: &Service, name: &str, port: u16) -> Result<String, Trouble> {
    let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
    let found = ports.iter().find(|own| own.port == i32::from(port));
    found.map(|own| own.name.clone().unwrap_or_default()).ok_or_else(|| {
        let known: Vec<String> = ports.iter().map(|own| own.port.to_string()).collect();
        let message = format!("service {name} has no port {port}");
        Trouble::ours(FaultKind::NotFound, message).help(format!("it has {}", known.join(", ")))
    })
}

fn ready(slices: &[EndpointSlice], port_name: &str, name: &str) -> Result<Vec<Serving>, Trouble> {
    let (mut serving, mut elsewhere, mut waiting) = (Vec::new(), 0, 0);
    for slice in slices {
        let ports = slice.ports.as_deref().unwrap_or_default();
        let port = ports.iter().find(|own| own.name.as_deref().unwrap_or_default() == port_name);
        let Some(port) = port.and_then(|port| port.port).and_then(|port| u16::try_from(port).ok()) else { continue };
        for endpoint in &slice.endpoints {
            // Nothing said means ready.
            if endpoint.conditions.as_ref().and_then(|conditions| conditions.ready) == Some(false) {
                waiting += 1;
                continue;
            }
            let pod = endpoint.target_ref.as_ref().filter(|target| target.kind.as_deref() == Some("Pod"));
            match pod.and_then(|pod| pod.name.clone()) {
                Some(pod) => serving.push(Serving { pod, port }),
                None => elsewhere += 1,
            }
        }
    }
    serving.sort_by(|a, b| a.pod.cmp(&b.pod));
    serving.dedup();
    if !serving.is_empty() {
        return Ok(serving);
    }
    Err(if elsewhere > 0 {
        let message = format!("service {name} leads to addresses outside the cluster, to which no port-forward goes");
        Trouble::ours(FaultKind::Unsupported, message)
    } else if waiting > 0 {
        let message = format!("service {name} has no pod that is ready, and {waiting} that are not");
        Trouble::theirs(FaultKind::Unreachable, message)
    } else {
        Trouble::theirs(FaultKind::Unreachable, format!("service {name} has no pod"))
    })
}

#[cfg(test)]
mod tests {
    use super::{Serving, port_name, ready};

    #[expect(clippy::needless_pass_by_value, reason = "a test reads better with its values in place")]
    fn slices(ready: serde_json::Value, kind: &str) -> Vec<k8s_openapi::api::discovery::v1::EndpointSlice> {
        let slice = serde_json::json!({
            "addressType": "IPv4", "metadata": { "name": "web-1" },
            "ports": [{ "name": "metrics", "port": 9100 }, { "name": "http", "port": 8080 }],
            "endpoints": [{ "addresses": ["10.0.0.1"], "conditions": { "ready": ready }, "targetRef": { "kind": kind, "name": "web-0" } }],
        });
        vec![serde_json::from_value(slice).unwrap()]
    }

    #[test]
    fn a_named_port_leads_to_the_port_of_a_ready_pod() {
        let found = ready(&slices(serde_json::json!(true), "Pod"), "http", "web").unwrap();
        assert_eq!(found, [Serving { pod: "web-0".into(), port: 8080 }]);
        assert!(ready(&slices(serde_json::Value::Null, "Pod"), "http", "web").is_ok());
        let none = ready(&slices(serde_json::json!(false), "Pod"), "http", "web").unwrap_err();
        assert!(none.fault.message.contains("1 that are not") && !none.ours, "{none:?}");
        assert!(ready(&slices(serde_json::json!(true), "Node"), "http", "web").unwrap_err().ours);
        assert!(ready(&[], "http", "web").unwrap_err().fault.message.contains("has no pod"));
    }

    #[test]
    fn a_port_that_the_service_does_not_have_is_ours() {
        let service = serde_json::json!({ "spec": { "ports": [{ "port": 80, "name": "http", "targetPort": "web" }] } });
        let service = serde_json::from_value(service).unwrap();
        assert_eq!(port_name(&service, "web", 80).unwrap(), "http");
        let trouble = port_name(&service, "web", 8080).unwrap_err();
        assert_eq!(trouble.fault.help.as_deref(), Some("it has 80"));
    }
}
