//! Pods in every state that a node may report, as `kubectl` shows them, and the same in both languages of the API.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};

use super::harness::{Lab, Ran, lab};
use super::kubectl::Namespace;

const BEGAN: &str = "2026-01-02T03:04:05Z";
const ENDED: &str = "2026-01-02T04:05:06Z";

/// A pod that no scheduler looks at, so that its status stays as the test writes it.
struct Made {
    name: &'static str,
    spec: Json,
    status: Json,
}

fn running() -> Json {
    json!({ "running": { "startedAt": BEGAN } })
}

fn waiting(reason: &str) -> Json {
    json!({ "waiting": { "reason": reason, "message": "…" } })
}

fn ended(reason: &str, code: i32) -> Json {
    json!({ "terminated": { "reason": reason, "exitCode": code, "startedAt": BEGAN, "finishedAt": ENDED } })
}

/// How a container is: its name, what it does, whether it is ready, how often it was started again.
fn is(name: &str, state: &Json, ready: bool, restarts: i32) -> Json {
    json!({
        "name": name, "image": format!("registry.example.com/{name}:1"), "imageID": "sha256:0", "ready": ready,
        "restartCount": restarts, "state": state, "started": state.get("running").is_some(),
    })
}

/// The same, after it ended before.
fn after(mut container: Json, last: &Json) -> Json {
    container["lastState"] = last.clone();
    container
}

fn conditions(of: &[(&str, bool)]) -> Json {
    of.iter().map(|(name, is)| json!({ "type": name, "status": if *is { "True" } else { "False" } })).collect()
}

/// Containers `a`, `b`, …, of which the first asks for something.
fn containers(count: usize) -> Json {
    let names = ["a", "b", "c"].iter().take(count);
    let mut all: Vec<Json> = names.map(|name| json!({ "name": name, "image": format!("{name}:1") })).collect();
    all[0]["resources"] =
        json!({ "requests": { "cpu": "250m", "memory": "64Mi" }, "limits": { "cpu": "1500m", "memory": "1G" } });
    all.into()
}

fn plain(name: &'static str, count: usize, status: Json) -> Made {
    Made { name, spec: json!({ "containers": containers(count) }), status }
}

/// With init containers, each of which may be a sidecar.
fn prepared(name: &'static str, init: &[(&str, bool)], status: Json) -> Made {
    let init: Vec<Json> = init
        .iter()
        .map(|(name, sidecar)| {
            let mut own = json!({ "name": name, "image": format!("{name}:1") });
            if *sidecar {
                own["restartPolicy"] = "Always".into();
            }
            own
        })
        .collect();
    Made { name, spec: json!({ "containers": containers(1), "initContainers": init }), status }
}

#[expect(clippy::too_many_lines, reason = "a list of states")]
fn states() -> Vec<Made> {
    let ready = conditions(&[("Initialized", true), ("Ready", true)]);
    let unready = conditions(&[("Initialized", true), ("Ready", false)]);
    let initializing = conditions(&[("Initialized", false), ("Ready", false)]);
    let later = is("a", &waiting("PodInitializing"), false, 0);
    vec![
        plain("untouched", 1, json!({})),
        plain(
            "runs",
            2,
            json!({ "phase": "Running", "conditions": ready, "startTime": BEGAN, "podIP": "10.1.2.3", "podIPs": [{ "ip": "10.1.2.3" }],
            "containerStatuses": [is("a", &running(), true, 0), after(is("b", &running(), true, 2), &ended("Error", 1))] }),
        ),
        plain(
            "starts",
            1,
            json!({ "phase": "Pending", "conditions": unready, "containerStatuses": [is("a", &waiting("ContainerCreating"), false, 0)] }),
        ),
        plain(
            "crashes",
            1,
            json!({ "phase": "Running", "conditions": unready,
            "containerStatuses": [after(is("a", &waiting("CrashLoopBackOff"), false, 14), &ended("OOMKilled", 137))] }),
        ),
        plain(
            "exit-code",
            1,
            json!({ "phase": "Failed", "conditions": unready, "containerStatuses": [is("a", &ended("", 3), false, 0)] }),
        ),
        plain(
            "signal",
            1,
            json!({ "phase": "Failed", "conditions": unready,
            "containerStatuses": [is("a", &json!({ "terminated": { "exitCode": 0, "signal": 9 } }), false, 0)] }),
        ),
        plain(
            "done",
            1,
            json!({ "phase": "Succeeded", "conditions": unready, "containerStatuses": [is("a", &ended("Completed", 0), false, 0)] }),
        ),
        plain("evicted", 1, json!({ "phase": "Failed", "reason": "Evicted", "message": "no room" })),
        // One has ended well, and another …
        plain(
            "done-and-ready",
            2,
            json!({ "phase": "Running", "conditions": ready,
            "containerStatuses": [is("a", &ended("Completed", 0), false, 0), is("b", &running(), true, 0)] }),
        ),
        plain(
            "done-and-unready",
            2,
            json!({ "phase": "Running", "conditions": unready,
            "containerStatuses": [is("a", &ended("Completed", 0), false, 0), is("b", &running(), true, 0)] }),
        ),
        plain(
            "done-and-failed",
            2,
            json!({ "phase": "Failed", "conditions": unready,
            "containerStatuses": [is("a", &ended("Completed", 0), false, 0), is("b", &ended("OOMKilled", 137), false, 0)] }),
        ),
        plain(
            "failed-and-done",
            2,
            json!({ "phase": "Failed", "conditions": unready,
            "containerStatuses": [is("a", &ended("Error", 1), false, 0), is("b", &ended("Completed", 0), false, 0)] }),
        ),
        plain(
            "done-failed-and-running",
            3,
            json!({ "phase": "Running", "conditions": unready, "containerStatuses": [
            is("a", &ended("Completed", 0), false, 0), is("b", &ended("Error", 2), false, 0), is("c", &running(), true, 0)] }),
        ),
        plain(
            "done-failed-and-ready",
            3,
            json!({ "phase": "Running", "conditions": ready, "containerStatuses": [
            is("a", &ended("Completed", 0), false, 0), is("b", &ended("Error", 2), false, 0), is("c", &running(), true, 0)] }),
        ),
        // The init containers are not done, and have been started again.
        prepared(
            "init-runs",
            &[("x", false), ("y", false)],
            json!({ "phase": "Pending", "conditions": initializing,
            "initContainerStatuses": [is("x", &ended("Completed", 0), true, 0), is("y", &running(), false, 0)], "containerStatuses": [later] }),
        ),
        prepared(
            "init-crashes",
            &[("x", false), ("y", false)],
            json!({ "phase": "Pending", "conditions": initializing,
            "initContainerStatuses": [after(is("x", &waiting("CrashLoopBackOff"), false, 7), &ended("Error", 1)), is("y", &waiting("PodInitializing"), false, 0)],
            "containerStatuses": [later] }),
        ),
        prepared(
            "init-fails",
            &[("x", false)],
            json!({ "phase": "Failed", "conditions": initializing,
            "initContainerStatuses": [is("x", &ended("", 4), false, 3)], "containerStatuses": [later] }),
        ),
        prepared(
            "init-done-and-restarted",
            &[("x", false)],
            json!({ "phase": "Running", "conditions": ready,
            "initContainerStatuses": [is("x", &ended("Completed", 0), true, 5)], "containerStatuses": [is("a", &running(), true, 1)] }),
        ),
        // One that runs as long as its pod counts as one of its containers.
        prepared(
            "sidecar",
            &[("x", true)],
            json!({ "phase": "Running", "conditions": ready,
            "initContainerStatuses": [is("x", &running(), true, 2)], "containerStatuses": [is("a", &running(), true, 1)] }),
        ),
        prepared(
            "sidecar-unready",
            &[("x", true)],
            json!({ "phase": "Running", "conditions": unready,
            "initContainerStatuses": [is("x", &running(), false, 0)], "containerStatuses": [is("a", &running(), true, 0)] }),
        ),
        prepared(
            "sidecar-then-init",
            &[("x", true), ("y", false)],
            json!({ "phase": "Pending", "conditions": initializing,
            "initContainerStatuses": [after(is("x", &running(), true, 3), &ended("Error", 1)), is("y", &running(), false, 1)], "containerStatuses": [later] }),
        ),
        prepared(
            "sidecar-crashes",
            &[("x", true)],
            json!({ "phase": "Running", "conditions": ready,
            "initContainerStatuses": [after(is("x", &waiting("CrashLoopBackOff"), false, 9), &ended("Error", 1))], "containerStatuses": [is("a", &running(), true, 0)] }),
        ),
        prepared(
            "sidecar-crashes-first",
            &[("x", true)],
            json!({ "phase": "Pending", "conditions": initializing,
            "initContainerStatuses": [after(is("x", &waiting("CrashLoopBackOff"), false, 9), &ended("Error", 1))], "containerStatuses": [later] }),
        ),
        prepared(
            "sidecar-done",
            &[("x", true)],
            json!({ "phase": "Succeeded", "conditions": unready,
            "initContainerStatuses": [is("x", &ended("Completed", 0), false, 0)], "containerStatuses": [is("a", &ended("Completed", 0), false, 0)] }),
        ),
        Made {
            name: "gated",
            spec: json!({ "containers": containers(1), "schedulingGates": [{ "name": "example.com/wait" }] }),
            status: json!({ "phase": "Pending", "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "SchedulingGated" }] }),
        },
        // Two that are deleted, and kept by somebody.
        plain(
            "deleted",
            1,
            json!({ "phase": "Running", "conditions": ready, "containerStatuses": [is("a", &running(), true, 0)] }),
        ),
        plain(
            "deleted-done",
            1,
            json!({ "phase": "Succeeded", "conditions": unready, "containerStatuses": [is("a", &ended("Completed", 0), false, 0)] }),
        ),
        plain(
            "deleted-lost",
            1,
            json!({ "phase": "Running", "reason": "NodeLost", "containerStatuses": [is("a", &running(), true, 0)] }),
        ),
    ]
}

/// The pods in a namespace of their own.
fn make<'l>(lab: &'l Lab, name: &str) -> Namespace<'l> {
    let namespace = Namespace::new(lab, name);
    let states = states();
    let pods: Vec<Json> = states
        .iter()
        .map(|made| {
            let mut spec = made.spec.clone();
            spec["schedulerName"] = "nobody".into();
            let mut metadata = json!({ "name": made.name, "namespace": namespace.name, "labels": { "z": "1", "app": made.name, "empty": "" } });
            if made.name.starts_with("deleted") {
                metadata["finalizers"] = json!(["example.com/kept"]);
            }
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec })
        })
        .collect();
    lab.make(&json!({ "apiVersion": "v1", "kind": "List", "items": pods }));
    for made in &states {
        let patch = json!({ "status": made.status }).to_string();
        lab.kubectl(&[
            "-n",
            &namespace.name,
            "patch",
            "pod",
            made.name,
            "--subresource=status",
            "--type=merge",
            "-p",
            &patch,
        ]);
    }
    lab.kubectl(&["-n", &namespace.name, "delete", "pod", "deleted", "deleted-done", "deleted-lost", "--wait=false"]);
    namespace
}

/// Lets go of what keeps the deleted pods.
fn let_go(namespace: &Namespace<'_>) {
    for name in ["deleted", "deleted-done", "deleted-lost"] {
        let patch = r#"{"metadata":{"finalizers":null}}"#;
        namespace.lab.kubectl(&["-n", &namespace.name, "patch", "pod", name, "--type=merge", "-p", patch]);
    }
}

#[track_caller]
fn lines(ran: &Ran, title: &str) -> Vec<String> {
    let shown = ran.shown(title);
    let lines = shown["lines"].as_array().unwrap_or_else(|| panic!("no lines: {shown}"));
    assert_eq!(shown["total"], lines.len(), "{shown}");
    lines.iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_columns_of_a_pod_are_those_of_kubectl() {
    let Some(lab) = lab("the_columns_of_a_pod_are_those_of_kubectl", &["kubernetes"]) else { return };
    let namespace = make(lab, "columns");
    let by_hand = lab.kubectl(&["-n", &namespace.name, "get", "pods", "--no-headers"]);
    let ran = lab.run(&format!(
        "connect cluster = kubernetes(context: \"lab\", namespace: \"{}\")\nsection \"s\" {{\nshow cluster.pods() | each(pod => \"{{pod.name}} {{pod.ready_count}}/{{pod.container_count}} {{pod.status}} {{pod.restarts}}\") as \"pods\"\n}}\n",
        namespace.name
    ));
    let_go(&namespace);
    let by_hand: Vec<String> =
        by_hand.lines().map(|line| line.split_whitespace().take(4).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(by_hand.len(), states().len());
    assert_eq!(lines(&ran, "pods"), by_hand);
}

/// Every field of a pod but the way to it.
const WHOLE: &str = r#"each(pod => "{pod.name} {pod.namespace} {pod.status} {pod.ready} {pod.ready_count}/{pod.container_count} {pod.restarts} {pod.last_exit} {pod.age} {pod.started} {pod.node} {pod.owner} {pod.ip} {pod.labels} {pod.containers}")"#;

#[test]
fn a_pod_is_the_same_in_protobuf_and_in_json() {
    let Some(lab) = lab("a_pod_is_the_same_in_protobuf_and_in_json", &["kubernetes"]) else { return };
    let namespace = make(lab, "languages");
    let relay = Relay::new(lab);
    let both = relay.beside(lab);
    let body: String = [("own", &namespace.name), ("shop", &"sarvanom-production".to_owned())]
        .map(|(title, place)| {
            ["direct", "relayed"]
                .map(|way| format!("show {way}.pods(namespace: \"{place}\") | {WHOLE} as \"{title} {way}\"\n"))
                .concat()
        })
        .concat();
    let ran = both.run(&format!(
        "connect direct = kubernetes(context: \"lab\")\nconnect relayed = kubernetes(context: \"relayed\")\nsection \"s\" {{\n{body}}}\n"
    ));
    let_go(&namespace);
    assert!(relay.changed.load(Ordering::Relaxed) > 0, "protobuf was never asked for: {}", ran.text);
    for title in ["own", "shop"] {
        let [direct, relayed] = ["direct", "relayed"].map(|way| lines(&ran, &format!("{title} {way}")));
        assert_eq!(direct, relayed);
        assert!(direct.len() > 5, "{direct:?}");
    }
}

/// A way to the API server on which nobody gets protobuf: every request asks for JSON alone.
struct Relay {
    proxy: Child,
    port: u16,
    changed: Arc<AtomicUsize>,
}

impl Relay {
    fn new(lab: &Lab) -> Self {
        let mut proxy = lab.tool(&["proxy", "--port=0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(proxy.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let target = said.trim().rsplit(' ').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let changed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&changed);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = TcpStream::connect(&target).unwrap();
                let (from, to) = (stream.try_clone().unwrap(), server.try_clone().unwrap());
                let count = Arc::clone(&count);
                std::thread::spawn(move || carry(from, to, Some(&count)));
                std::thread::spawn(move || carry(server, stream, None));
            }
        });
        Self { proxy, port, changed }
    }

    /// The lab, with a context `relayed` beside its own.
    fn beside(&self, lab: &Lab) -> Lab {
        let mut config: Json = serde_json::from_str(&lab.kubectl(&["config", "view", "--raw", "-o", "json"])).unwrap();
        let add = |list: &mut Json, item: Json| list.as_array_mut().unwrap().push(item);
        let server = format!("http://127.0.0.1:{}", self.port);
        add(&mut config["clusters"], json!({ "name": "relayed", "cluster": { "server": server } }));
        add(&mut config["contexts"], json!({ "name": "relayed", "context": { "cluster": "relayed", "user": "" } }));
        let path = tempfile::tempdir().unwrap().keep().join("kubeconfig");
        std::fs::write(&path, config.to_string()).unwrap();
        let env = BTreeMap::from([("KUBECONFIG".to_owned(), path.to_str().unwrap().to_owned())]);
        Lab { facts: json!({}), env }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        _ = self.proxy.kill();
        _ = self.proxy.wait();
    }
}

/// Carries bytes until one side ends. A request's head comes in one piece from a client on this machine.
fn carry(mut from: TcpStream, mut to: TcpStream, changed: Option<&AtomicUsize>) {
    const WANTED: &[u8] = b"application/vnd.kubernetes.protobuf";
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let piece = &mut buffer[..length];
        if let Some(changed) = changed
            && let Some(place) = piece.windows(WANTED.len()).position(|window| window == WANTED)
        {
            let other = format!("{:<1$}", "application/json", WANTED.len());
            piece[place..place + WANTED.len()].copy_from_slice(other.as_bytes());
            changed.fetch_add(1, Ordering::Relaxed);
        }
        if to.write_all(piece).is_err() {
            break;
        }
    }
    _ = to.shutdown(std::net::Shutdown::Both);
}
