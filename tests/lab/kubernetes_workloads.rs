//! Whether workloads are as they are to be, beside what `kubectl rollout status` says of them.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::harness::{Lab, lab};
use super::kubectl::Namespace;

/// A workload whose pods run on the lab's nodes, with more of its specification.
fn workload(kind: &str, name: &str, more: &Json) -> Json {
    let labels = json!({ "app": name });
    let mut spec = json!({
        "selector": { "matchLabels": labels },
        "template": {
            "metadata": { "labels": labels },
            "spec": { "containers": [{ "name": "a", "image": "a:1" }], "terminationGracePeriodSeconds": 0 },
        },
    });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name }, "spec": spec })
}

struct Shop<'l> {
    lab: &'l Lab,
    namespace: Namespace<'l>,
}

impl Shop<'_> {
    fn kubectl(&self, words: &[&str]) -> String {
        self.lab.kubectl(&[&["-n", &self.namespace.name], words].concat())
    }

    fn make(&self, mut manifest: Json) {
        manifest["metadata"]["namespace"] = self.namespace.name.as_str().into();
        self.lab.make(&manifest);
    }

    /// A new form of its pods, that fits on no node if it is said so.
    fn renew(&self, what: &str, nowhere: bool) {
        let node = if nowhere { json!({ "no-node": "has-this" }) } else { Json::Null };
        let spec = json!({ "nodeSelector": node, "containers": [{ "name": "a", "image": "a:2" }] });
        let patch = json!({ "spec": { "template": { "spec": spec } } }).to_string();
        self.kubectl(&["patch", what, "-p", &patch]);
    }

    /// Waits until a field of its status is so.
    #[track_caller]
    fn until(&self, what: &str, field: &str, wanted: &str) {
        let begun = Instant::now();
        loop {
            let found = self.kubectl(&["get", what, "-o", &format!("jsonpath={{{field}}}")]);
            if found == wanted {
                return;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{what}: {field} is {found}, not {wanted}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Whether a rollout is done, as kubectl judges it.
    fn done(&self, what: &str) -> bool {
        let said = self.kubectl(&["rollout", "status", what, "--watch=false"]);
        said.contains("successfully") || said.contains("complete:")
    }
}

#[test]
fn workloads_are_judged_as_kubectl_judges_their_rollout() {
    let Some(lab) = lab("workloads_are_judged_as_kubectl_judges_their_rollout", &["kubernetes"]) else { return };
    let shop = Shop { lab, namespace: Namespace::new(lab, "workloads") };
    let surge = json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } });
    let deployment = |name: &str, replicas: i32| {
        shop.make(workload("Deployment", name, &json!({ "replicas": replicas, "strategy": surge })));
    };
    let set = |name: &str, strategy: Json| {
        let more = json!({ "replicas": 2, "serviceName": name, "podManagementPolicy": "Parallel", "updateStrategy": strategy });
        shop.make(workload("StatefulSet", name, &more));
    };
    deployment("fine", 2);
    deployment("empty", 0);
    deployment("old-left", 1);
    deployment("half-new", 2);
    set("on-delete", json!({ "type": "OnDelete" }));
    set("parted", json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 1 } }));
    set("stuck", json!({ "type": "RollingUpdate" }));
    for (name, suspend) in [("nightly", true), ("hourly", false)] {
        let pod = json!({ "restartPolicy": "Never", "containers": [{ "name": "a", "image": "a:1" }] });
        shop.make(json!({ "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": name },
            "spec": { "schedule": "0 0 1 1 *", "suspend": suspend, "jobTemplate": { "spec": { "template": { "spec": pod } } } } }));
    }
    for (what, count) in [("fine", 2), ("old-left", 1), ("half-new", 2)] {
        shop.until(&format!("deployment/{what}"), ".status.availableReplicas", &count.to_string());
    }
    for what in ["on-delete", "parted", "stuck"] {
        shop.until(&format!("statefulset/{what}"), ".status.readyReplicas", "2");
    }
    shop.renew("deployment/old-left", true);
    shop.renew("deployment/half-new", true);
    shop.renew("statefulset/on-delete", false);
    shop.renew("statefulset/parted", false);
    shop.renew("statefulset/stuck", true);
    shop.until("deployment/old-left", ".status.updatedReplicas", "1");
    shop.until("deployment/half-new", ".status.updatedReplicas", "1");
    shop.until("statefulset/on-delete", ".status.observedGeneration", "2");
    shop.until("statefulset/parted", ".status.updatedReplicas", "1");
    shop.until("statefulset/parted", ".status.readyReplicas", "2");
    shop.until("statefulset/stuck", ".status.readyReplicas", "1");

    let ran = lab.run(&format!(
        "connect cluster = kubernetes(context: \"lab\", namespace: \"{}\")\nsection \"s\" {{\nshow cluster.workloads() | each(one => \"{{one.name}}: {{one.healthy}} {{one.suspended}} {{one.problem ?? \"fine\"}}\") as \"found\"\n}}\n",
        shop.namespace.name
    ));
    let shown = ran.shown("found");
    let mut found: Vec<&str> = shown["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "empty: yes no fine",
            "fine: yes no fine",
            "half-new: no no 1 of 2 pods are of the newest form",
            "hourly: yes no fine",
            "nightly: yes yes fine",
            "old-left: no no a pod of an older form is still there",
            "on-delete: yes no fine",
            "parted: yes no fine",
            "stuck: no no 1 of 2 pods are ready",
        ]
    );
    // kubectl says nothing of one whose pods are replaced by hand.
    for line in found.iter().filter(|line| !line.starts_with("on-delete") && !line.contains("ly: ")) {
        let (name, said) = line.split_once(": ").unwrap();
        let kind = if matches!(name, "parted" | "stuck") { "statefulset" } else { "deployment" };
        assert_eq!(said.starts_with("yes"), shop.done(&format!("{kind}/{name}")), "{line}");
    }
}
