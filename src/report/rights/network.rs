//! What a pod that runs the runbook has to get through to, as a network policy.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::slug;
use crate::catalog::need::Endpoint;
use crate::shown::look::clean;

/// A policy knows ports and addresses, and no names: the hosts stand beside their ports as comments.
pub(super) fn policy(runbook: &str, endpoints: &BTreeSet<Endpoint>) -> Option<String> {
    if endpoints.is_empty() {
        return None;
    }
    let mut ports: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    let mut unknown = BTreeSet::new();
    for Endpoint { host, port } in endpoints {
        match port {
            Some(port) => _ = ports.entry(*port).or_default().insert(host),
            None => _ = unknown.insert(host.as_str()),
        }
    }
    let mut text = String::from(
        "# a network policy knows addresses and no names: `to:` below a port narrows it to what its hosts resolve to\n",
    );
    for host in unknown {
        _ = writeln!(text, "# also, at a port that is not written in the runbook: {}", clean(host));
    }
    _ = write!(
        text,
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: runbook-{name}\nspec:\n  podSelector:\n    matchLabels:\n      app.kubernetes.io/name: runbook-{name}\n  policyTypes: [Egress]\n  egress:\n    - ports: # names\n        - {{ protocol: UDP, port: 53 }}\n        - {{ protocol: TCP, port: 53 }}\n",
        name = slug(runbook)
    );
    for (port, hosts) in ports {
        let hosts: Vec<String> = hosts.into_iter().map(clean).collect();
        _ = writeln!(text, "    - ports: # {}\n        - {{ protocol: TCP, port: {port} }}", hosts.join(", "));
    }
    Some(text)
}
