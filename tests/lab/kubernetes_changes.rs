//! Changes of a cluster, in a namespace and on a node of the test's own, with their effect looked at by `kubectl`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::harness::{Lab, Ran, lab};
use super::kubectl::Namespace;

fn deployment(namespace: &str, name: &str, replicas: u32, node: Option<&str>) -> Json {
    let labels = json!({ "app": name });
    let mut spec = json!({
        "terminationGracePeriodSeconds": 0,
        "containers": [{ "name": "app", "image": "web:1" }],
    });
    if let Some(node) = node {
        spec["nodeSelector"] = json!({ "kubernetes.io/hostname": node });
        spec["tolerations"] = json!([{ "operator": "Exists" }]);
    }
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": name, "namespace": namespace },
        "spec": { "replicas": replicas, "selector": { "matchLabels": labels }, "template": { "metadata": { "labels": labels }, "spec": spec } },
    })
}

impl Namespace<'_> {
    fn run(&self, body: &str) -> Ran {
        self.lab.run(&format!(
            "connect cluster = kubernetes(context: \"lab\", namespace: \"{}\")\nsection \"s\" {{\n{body}\n}}\n",
            self.name
        ))
    }

    fn get(&self, words: &[&str]) -> Json {
        self.lab.object(&[&["-n", &self.name, "get"], words].concat())
    }

    fn pods(&self, app: &str) -> Vec<String> {
        let list = self.get(&["pods", "-l", &format!("app={app}")]);
        let alive = |pod: &&Json| pod["metadata"]["deletionTimestamp"].is_null();
        let items = list["items"].as_array().unwrap().iter().filter(alive);
        items.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    fn rolled_out(&self, name: &str) {
        self.lab.kubectl(&["-n", &self.name, "rollout", "status", &format!("deployment/{name}"), "--timeout=60s"]);
    }
}

/// The last change of a run: how it ended, its fault, and what it gave.
#[track_caller]
fn ended(ran: &Ran) -> (String, String, Json) {
    let event = ran.events.iter().rfind(|event| event["event"] == "change_ended");
    let event = event.unwrap_or_else(|| panic!("no change in\n{}", ran.text));
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    (text(&event["outcome"]), text(&event["fault"]["message"]), event["result"].clone())
}

fn field(result: &Json, name: &str) -> String {
    let fields = result["body"]["fields"].as_array().unwrap_or_else(|| panic!("{result}"));
    let field = fields.iter().find(|field| field[0] == name).unwrap_or_else(|| panic!("no {name}: {result}"));
    field[1]["text"].as_str().unwrap().to_owned()
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn up(test: &str) -> Option<&'static Lab> {
    lab(test, &["kubernetes"])
}

#[test]
fn a_workload_is_restarted_scaled_and_rolled_back() {
    let Some(lab) = up("a_workload_is_restarted_scaled_and_rolled_back") else { return };
    let own = Namespace::new(lab, "changes");
    lab.make(&deployment(&own.name, "web", 2, None));
    own.rolled_out("web");
    let before = own.pods("web");

    let ran = own.run("change cluster.restart(deployment: \"web\", within: 60s)");
    let (outcome, fault, result) = ended(&ran);
    assert_eq!((outcome.as_str(), field(&result, "ready").as_str()), ("done", "2"), "{fault}");
    let after = own.pods("web");
    assert!(after.len() == 2 && after.iter().all(|pod| !before.contains(pod)), "{before:?} {after:?}");
    let annotations = &own.get(&["deployment", "web"])["spec"]["template"]["metadata"]["annotations"];
    assert!(annotations["kubectl.kubernetes.io/restartedAt"].is_string(), "{annotations}");

    let ran = own.run("change cluster.scale(deployment: \"web\", replicas: 3, within: 60s) undo cluster.scale(deployment: \"web\", replicas: 2)");
    let (outcome, _, result) = ended(&ran);
    assert_eq!(
        (outcome.as_str(), field(&result, "previous").as_str(), field(&result, "replicas").as_str()),
        ("done", "2", "3")
    );
    assert_eq!(own.pods("web").len(), 3);
    // Down: it is over when no pod is left over, and never before the controller has told one to go.
    for (replicas, previous) in [(1, "3"), (3, "1"), (1, "3")] {
        let ran = own.run(&format!("change cluster.scale(deployment: \"web\", replicas: {replicas}, within: 60s)"));
        let (outcome, fault, result) = ended(&ran);
        let seen = (outcome.as_str(), field(&result, "previous"), field(&result, "ready"));
        assert_eq!(seen, ("done", previous.to_owned(), replicas.to_string()), "{fault}");
        assert_eq!(own.pods("web").len(), replicas);
    }

    lab.kubectl(&["-n", &own.name, "set", "image", "deployment/web", "app=web:2"]);
    own.rolled_out("web");
    let image = || own.get(&["deployment", "web"])["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    assert_eq!(image(), "web:2");
    let ran = own.run("change cluster.roll_back(deployment: \"web\", within: 60s)");
    let (outcome, fault, result) = ended(&ran);
    assert_eq!(outcome, "done", "{fault}");
    assert_eq!((field(&result, "from"), field(&result, "to")), ("3".to_owned(), "2".to_owned()));
    assert_eq!(image(), "web:1");

    let ran = own.run("change cluster.roll_back(deployment: \"web\", revision: 77)");
    let (outcome, fault, _) = ended(&ran);
    assert!(outcome == "failed" && fault.contains("no revision 77"), "{fault}");
    let ran = own.run("change cluster.restart(deployment: \"nosuch\")");
    assert_eq!(ended(&ran).0, "failed", "{}", ran.text);
}

#[test]
fn a_number_of_pods_that_something_sets_back_is_not_done() {
    let Some(lab) = up("a_number_of_pods_that_something_sets_back_is_not_done") else { return };
    let own = Namespace::new(lab, "setback");
    lab.make(&deployment(&own.name, "web", 1, None));
    own.rolled_out("web");
    let over = AtomicBool::new(false);
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                lab.kubectl(&["-n", &own.name, "scale", "deployment", "web", "--replicas=1"]);
            }
        });
        let ran = own.run("change cluster.scale(deployment: \"web\", replicas: 6, within: 15s)");
        over.store(true, Ordering::Relaxed);
        ran
    });
    let (outcome, fault, _) = ended(&ran);
    assert!(outcome == "unknown" && fault.contains("something has set that to 1 since"), "{}", ran.text);
}

#[test]
fn a_rollout_that_does_not_end_is_unknown_and_says_how_far_it_is() {
    let Some(lab) = up("a_rollout_that_does_not_end_is_unknown_and_says_how_far_it_is") else { return };
    let own = Namespace::new(lab, "stuck");
    lab.make(&deployment(&own.name, "web", 1, None));
    own.rolled_out("web");
    // No node has room for it, so that its new pods wait for ever.
    let patch = json!({ "spec": { "template": { "spec": { "nodeSelector": { "nowhere": "at-all" } } } } }).to_string();
    lab.kubectl(&["-n", &own.name, "patch", "deployment", "web", "-p", &patch]);
    let ran = own.run("change cluster.restart(deployment: \"web\", within: 3s)");
    let (outcome, fault, _) = ended(&ran);
    assert_eq!(outcome, "unknown", "{}", ran.text);
    assert!(fault.contains("its rollout is not complete after ") && fault.contains("of 1 pods are new"), "{fault}");

    lab.kubectl(&["-n", &own.name, "rollout", "pause", "deployment/web"]);
    let ran = own.run("change cluster.restart(deployment: \"web\")");
    let (outcome, fault, _) = ended(&ran);
    let resumed = format!("`kubectl --context lab rollout resume deployment/web -n {}`", own.name);
    assert!(outcome == "failed" && fault.contains("is paused") && ran.text.contains(&resumed), "{}", ran.text);
}

#[test]
fn a_pod_is_deleted_and_another_one_takes_its_place() {
    let Some(lab) = up("a_pod_is_deleted_and_another_one_takes_its_place") else { return };
    let own = Namespace::new(lab, "delete");
    lab.make(&deployment(&own.name, "web", 1, None));
    own.rolled_out("web");
    let pod = own.pods("web").remove(0);
    let (outcome, fault, result) = ended(&own.run(&format!("change cluster.delete_pod(\"{pod}\")")));
    assert_eq!(outcome, "done", "{fault}");
    assert!(field(&result, "owner").starts_with("ReplicaSet/web-"));
    until("another pod", || own.pods("web").first().is_some_and(|now| *now != pod));

    let alone = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "alone", "namespace": own.name },
        "spec": { "terminationGracePeriodSeconds": 0, "containers": [{ "name": "app", "image": "web:1" }] },
    });
    lab.make(&alone);
    let (outcome, fault, _) = ended(&own.run("change cluster.delete_pod(\"alone\")"));
    assert!(outcome == "failed" && fault.contains("nothing makes pod alone again"), "{fault}");
    assert_eq!(own.get(&["pod", "alone"])["metadata"]["name"], "alone");
    let (outcome, fault, _) = ended(&own.run("change cluster.delete_pod(\"alone\", unmanaged: true)"));
    assert_eq!(outcome, "done", "{fault}");
}

#[test]
fn objects_are_applied_and_patched() {
    let Some(lab) = up("objects_are_applied_and_patched") else { return };
    let own = Namespace::new(lab, "apply");
    let flags = r#"apiVersion: "v1", kind: "ConfigMap", metadata: { name: "flags" }"#;
    let apply = format!("change cluster.apply({{ {flags}, data: {{ search: \"off\" }} }})");
    for expected in ["created", "unchanged"] {
        let (outcome, fault, result) = ended(&own.run(&apply));
        assert_eq!((outcome.as_str(), field(&result, "outcome").as_str()), ("done", expected), "{fault}");
    }
    lab.kubectl(&[
        "-n",
        &own.name,
        "patch",
        "configmap",
        "flags",
        "-p",
        r#"{"data":{"search":"on"}}"#,
        "--field-manager=somebody",
    ]);
    let (outcome, fault, _) = ended(&own.run(&apply));
    assert!(outcome == "failed" && fault.contains("somebody") && fault.contains("search"), "{fault}");
    let (outcome, _, _) = ended(&own.run(&apply.replace("} })", "} }, force: true)")));
    assert_eq!(outcome, "done");
    assert_eq!(own.get(&["configmap", "flags"])["data"], json!({ "search": "off" }));

    let patch = format!("change cluster.patch({{ {flags}, data: {{ search: null, other: \"x\" }} }})");
    let (outcome, fault, result) = ended(&own.run(&patch));
    assert_eq!((outcome.as_str(), field(&result, "outcome").as_str()), ("done", "changed"), "{fault}");
    assert_eq!(own.get(&["configmap", "flags"])["data"], json!({ "other": "x" }));

    let missing = patch.replace("\"flags\"", "\"nosuch\"");
    let (outcome, fault, _) = ended(&own.run(&missing));
    assert!(outcome == "failed" && fault.contains("nosuch"), "{fault}");
    let (outcome, fault, _) =
        ended(&own.run(
            "change cluster.apply({ apiVersion: \"shop.example/v1\", kind: \"Till\", metadata: { name: \"a\" } })",
        ));
    assert!(outcome == "failed" && fault.contains("no kind `Till`"), "{fault}");
    let (outcome, fault, _) =
        ended(&own.run("change cluster.apply({ kind: \"ConfigMap\", metadata: { name: \"a\" } })"));
    assert!(outcome == "failed" && fault.contains("`apiVersion`"), "{fault}");
}

/// A node that is gone with the test.
struct Node<'l>(&'l Lab, String);

impl Drop for Node<'_> {
    fn drop(&mut self) {
        self.0.kubectl(&["delete", "node", &self.1, "--wait=false"]);
    }
}

fn node<'l>(lab: &'l Lab, name: &str) -> Node<'l> {
    let name = format!("{name}-{}", std::process::id());
    lab.make(&json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name,
            "labels": { "kubernetes.io/hostname": name, "type": "kwok" },
            "annotations": { "kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0" },
        },
        "spec": { "taints": [{ "key": "test", "value": "own", "effect": "NoSchedule" }] },
    }));
    Node(lab, name)
}

#[test]
fn a_node_is_cordoned_and_drained_as_its_budgets_allow() {
    let Some(lab) = up("a_node_is_cordoned_and_drained_as_its_budgets_allow") else { return };
    let node = node(lab, "drained");
    let own = Namespace::new(lab, "drain");
    let cordoned = || lab.object(&["get", "node", &node.1])["spec"]["unschedulable"] == true;
    let change = |call: &str| own.run(&format!("change cluster.{call}(\"{}\")", node.1));

    for (call, was, is) in [("cordon", "no", "yes"), ("cordon", "yes", "yes"), ("uncordon", "yes", "no")] {
        let (outcome, fault, result) = ended(&change(call));
        assert_eq!(
            (outcome.as_str(), field(&result, "was_cordoned").as_str(), field(&result, "cordoned").as_str()),
            ("done", was, is),
            "{fault}"
        );
        assert_eq!(cordoned(), is == "yes");
    }

    lab.make(&deployment(&own.name, "free", 2, Some(&node.1)));
    lab.make(&deployment(&own.name, "held", 1, Some(&node.1)));
    own.rolled_out("free");
    own.rolled_out("held");
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": "hold", "namespace": own.name },
        "spec": { "minAvailable": 1, "selector": { "matchLabels": { "app": "held" } } },
    });
    lab.make(&budget);
    until("the budget counts its pod", || own.get(&["pdb", "hold"])["status"]["currentHealthy"] == 1);
    let held = own.pods("held").remove(0);
    let free = own.pods("free");
    let drain = format!("change cluster.drain(\"{}\", within: 5s) undo cluster.uncordon(\"{}\")", node.1, node.1);
    let (outcome, fault, _) = ended(&own.run(&drain));
    // A part of it was done.
    assert_eq!(outcome, "partly");
    assert!(fault.contains("2 of 3 pods have left") && fault.contains(&held) && fault.contains("hold"), "{fault}");
    assert!(cordoned());
    until("the others have left", || own.pods("free").iter().all(|pod| !free.contains(pod)));

    lab.kubectl(&["-n", &own.name, "delete", "pdb", "hold"]);
    let (outcome, fault, result) = ended(&own.run(&drain.replace("5s", "30s")));
    assert_eq!(outcome, "done", "{fault}");
    assert!(field(&result, "evicted").contains(&held), "{result}");

    let (outcome, fault, _) = ended(&own.run("change cluster.drain(\"nosuch\")"));
    assert!(outcome == "failed" && fault.contains("nosuch"), "{fault}");
}

#[test]
fn what_this_tool_has_written_is_its_own_and_what_has_gone_is_no_more() {
    let Some(lab) = up("what_this_tool_has_written_is_its_own_and_what_has_gone_is_no_more") else { return };
    let own = Namespace::new(lab, "owned");
    lab.make(&deployment(&own.name, "web", 1, None));
    own.rolled_out("web");
    let (outcome, fault, _) = ended(&own.run("change cluster.scale(deployment: \"web\", replicas: 2)"));
    assert_eq!(outcome, "done", "{fault}");
    let apply = |replicas: u32| {
        format!(
            "change cluster.apply({{ apiVersion: \"apps/v1\", kind: \"Deployment\", metadata: {{ name: \"web\" }}, \
             spec: {{ replicas: {replicas} }} }})"
        )
    };
    let (outcome, fault, result) = ended(&own.run(&apply(1)));
    assert_eq!((outcome.as_str(), field(&result, "outcome").as_str()), ("done", "changed"), "{fault}");
    // What somebody else has written stays theirs.
    lab.kubectl(&["-n", &own.name, "scale", "deployment/web", "--replicas=3"]);
    let (outcome, fault, _) = ended(&own.run(&apply(1)));
    assert!(outcome == "failed" && fault.contains("conflict with"), "{fault}");

    lab.make(&json!({ "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "held", "namespace": own.name, "finalizers": ["x.io/hold"] } }));
    lab.kubectl(&["-n", &own.name, "delete", "configmap", "held", "--wait=false"]);
    let free = "change cluster.patch({ apiVersion: \"v1\", kind: \"ConfigMap\", metadata: { name: \"held\", finalizers: null } })";
    let (outcome, fault, result) = ended(&own.run(free));
    assert_eq!((outcome.as_str(), field(&result, "outcome").as_str()), ("done", "deleted"), "{fault}");
}

#[test]
fn a_node_with_pods_that_would_be_lost_is_not_drained() {
    let Some(lab) = up("a_node_with_pods_that_would_be_lost_is_not_drained") else { return };
    let node = node(lab, "lossy");
    let own = Namespace::new(lab, "lossy");
    lab.make(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "alone", "namespace": own.name },
        "spec": { "nodeName": node.1, "terminationGracePeriodSeconds": 0, "containers": [{ "name": "app", "image": "web:1" }],
            "tolerations": [{ "operator": "Exists" }] },
    }));
    let (outcome, fault, _) = ended(&own.run(&format!("change cluster.drain(\"{}\")", node.1)));
    assert!(outcome == "failed" && fault.contains("alone") && fault.contains("nothing was done"), "{fault}");
    assert!(lab.object(&["get", "node", &node.1])["spec"]["unschedulable"].is_null());
    let (outcome, fault, _) =
        ended(&own.run(&format!("change cluster.drain(\"{}\", unmanaged: true, within: 30s)", node.1)));
    assert_eq!(outcome, "done", "{fault}");
}

#[test]
fn what_one_may_not_change_is_refused_by_its_permission() {
    let Some(lab) = up("what_one_may_not_change_is_refused_by_its_permission") else { return };
    let ran = lab.run(
        "connect cluster = kubernetes(context: \"reader\", namespace: \"sarvanom-production\")\n\
         section \"s\" { change cluster.scale(deployment: \"retrieval\", replicas: 1) }\n",
    );
    let event = ran.events.iter().find(|event| event["event"] == "change_ended").unwrap();
    assert_eq!(event["outcome"], "failed", "{event}");
    assert_eq!(event["fault"]["kind"], "denied");
    assert!(
        event["fault"]["help"].as_str().unwrap().contains("kubectl --context reader auth can-i patch deployments"),
        "{event}"
    );
}
