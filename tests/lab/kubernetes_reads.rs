//! What a cluster is read for, beside what `kubectl` says of it, and what comes where it cannot be read.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::harness::{Broken, Lab, Ran, alone, lab};

const SHOP: &str = "sarvanom-production";

fn run(lab: &Lab, context: &str, body: &str) -> Ran {
    lab.run(&format!(
        "connect cluster = kubernetes(context: \"{context}\", namespace: \"{SHOP}\")\nsection \"s\" {{\n{body}\n}}\n"
    ))
}

/// The lines that were shown, in their own order.
#[track_caller]
fn lines(ran: &Ran, title: &str) -> Vec<String> {
    let shown = &ran.shown(title);
    let lines = shown["lines"].as_array().unwrap_or_else(|| panic!("no lines: {shown}"));
    assert_eq!(shown["total"], lines.len(), "{shown}");
    sorted(lines.iter().map(|line| line.as_str().unwrap().to_owned()))
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

/// Columns of what `kubectl get` prints.
#[track_caller]
fn columns(lab: &Lab, words: &[&str], wanted: &[usize]) -> Vec<String> {
    let printed = lab.kubectl(&[words, &["--no-headers"]].concat());
    let line = |line: &str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        wanted.iter().map(|column| cells[*column]).collect::<Vec<_>>().join(" ")
    };
    assert!(!printed.is_empty(), "kubectl {}", words.join(" "));
    sorted(printed.lines().map(line))
}

const PODS: &str = r#"show cluster.pods() | each(pod => "{pod.name} {pod.ready_count}/{pod.container_count} {pod.status} {pod.restarts} {pod.node ?? "<none>"}") as "pods""#;

fn pods_by_hand(lab: &Lab) -> Vec<String> {
    // `14 (3m ago)` is three words, so the node is counted from the end.
    let printed = lab.kubectl(&["-n", SHOP, "get", "pods", "--no-headers", "-o", "wide"]);
    sorted(printed.lines().map(|line| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        format!("{} {} {} {} {}", cells[0], cells[1], cells[2], cells[3], cells[cells.len() - 3])
    }))
}

#[test]
fn lists_are_those_of_kubectl() {
    let Some(lab) = lab("lists_are_those_of_kubectl", &["kubernetes"]) else { return };
    let _alone = alone();
    let body = PODS.to_owned()
        + r#"
        show cluster.services() | each(one => "{one.name} {one.type} {one.cluster_ip ?? "None"}") as "services"
        show cluster.ingresses() | each(one => "{one.name} {one.class ?? "<none>"} {one.hosts | join(",")} {one.tls}") as "ingresses"
        show cluster.deployments() | each(one => "{one.name} {one.ready}/{one.desired} {one.updated}") as "deployments"
        show cluster.nodes() | each(one => "{one.name} {one.ready} {one.version}") as "nodes"
        show cluster.namespaces() | each(one => "{one.name} {one.status}") as "namespaces"
        check cluster.deployments() | all(.healthy) as "healthy"
        check cluster.pods(selector: "app=gateway") | count == 2 as "selected""#;
    let ran = run(lab, "lab", &body);
    ran.code(0);
    let of = |words: &[&str], wanted: &[usize]| columns(lab, &[&["-n", SHOP, "get"], words].concat(), wanted);
    assert_eq!(lines(&ran, "pods"), pods_by_hand(lab));
    assert_eq!(lines(&ran, "services"), of(&["services"], &[0, 1, 2]));
    let ingresses: Vec<String> = of(&["ingresses"], &[0, 1, 2]).iter().map(|line| format!("{line} yes")).collect();
    assert_eq!(lines(&ran, "ingresses"), ingresses);
    assert_eq!(lines(&ran, "deployments"), of(&["deployments"], &[0, 1, 2]));
    assert_eq!(lines(&ran, "namespaces"), of(&["namespaces"], &[0, 1]));
    let nodes: Vec<String> = of(&["nodes"], &[0, 1, 4]).iter().map(|line| line.replace("Ready", "yes")).collect();
    assert_eq!(lines(&ran, "nodes"), nodes);
}

#[test]
fn an_event_has_a_time_also_where_the_scheduler_leaves_the_old_ones_empty() {
    let test = "an_event_has_a_time_also_where_the_scheduler_leaves_the_old_ones_empty";
    let Some(lab) = lab(test, &["kubernetes"]) else { return };
    let ran = run(
        lab,
        "lab",
        r#"show cluster.events() | where(.source == "default-scheduler") | each(one => "{one.object} {one.reason} {one.count} {one.last_seen}") as "scheduler"
        show cluster.events(fields: "reason=Unhealthy") | each(one => "{one.object} {one.type} {one.count} {one.last_seen}") as "unhealthy""#,
    );
    ran.code(0);
    let by_hand = |name: &str| lab.object(&["-n", SHOP, "get", "event", name]);
    let second = |time: &serde_json::Value| {
        let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
        time.round(jiff::TimestampRound::new().smallest(jiff::Unit::Second).mode(jiff::RoundMode::Trunc)).unwrap()
    };
    let event = by_hand("qdrant-0.failedscheduling");
    assert!(event["lastTimestamp"].is_null(), "{event}");
    let wanted = format!("Pod/qdrant-0 FailedScheduling 4 {}", second(&event["series"]["lastObservedTime"]));
    assert!(lines(&ran, "scheduler").contains(&wanted), "{wanted}: {}", ran.shown("scheduler"));
    let event = by_hand("postgres-0.unhealthy");
    let wanted = format!("Pod/postgres-0 Warning 3 {}", second(&event["lastTimestamp"]));
    assert_eq!(lines(&ran, "unhealthy"), [wanted]);
}

#[test]
fn kinds_are_found_by_their_short_name_and_unknown_ones_are_a_fault() {
    let test = "kinds_are_found_by_their_short_name_and_unknown_ones_are_a_fault";
    let Some(lab) = lab(test, &["kubernetes"]) else { return };
    let ran = run(
        lab,
        "lab",
        r#"show cluster.resources("al") | each(.metadata.name) as "short"
        show cluster.resources("alerts.monitoring.sarvanom.com") | each(.metadata.name) as "whole"
        show cluster.resources("Alert") | each(.metadata.name) as "kind"
        check cluster.resources("alrets") | is_empty as "unknown"
        check cluster.resources("secrets") | is_empty as "secrets""#,
    );
    ran.code(3);
    let by_hand = columns(lab, &["-n", SHOP, "get", "al"], &[0]);
    for title in ["short", "whole", "kind"] {
        assert_eq!(lines(&ran, title), by_hand, "{title}");
    }
    let (kind, message) = ran.fault("unknown");
    assert!(kind == "not_found" && message.contains("`alrets`") && message.contains("`alerts`"), "{kind}: {message}");
    assert_eq!(ran.fault("secrets").0, "denied");
}

#[test]
fn a_namespace_that_is_not_there_is_not_an_empty_one() {
    let Some(lab) = lab("a_namespace_that_is_not_there_is_not_an_empty_one", &["kubernetes"]) else { return };
    let reads = ["pods", "services", "ingresses", "deployments", "events"];
    let body = |namespace: &str| {
        let each = |read: &&str| {
            format!("check cluster.{read}(namespace: \"{namespace}\") | is_empty as \"{read} {namespace}\"\n")
        };
        reads.iter().map(each).collect::<String>()
    };
    let ran = run(lab, "lab", &(body("nosuch") + &body("empty")));
    ran.code(3);
    for read in reads {
        let (kind, message) = ran.fault(&format!("{read} nosuch"));
        assert!(kind == "not_found" && message.contains("no namespace `nosuch`"), "{read}: {kind}: {message}");
        assert_eq!(ran.outcome(&format!("{read} empty")), "passed", "{}", ran.text);
    }
}

/// What `kubectl top` prints, by name: thousandths of a processor, and mebibytes.
fn top(lab: &Lab, words: &[&str], columns: [usize; 2]) -> BTreeMap<String, [f64; 2]> {
    let printed = lab.kubectl(&[&["top"], words, &["--no-headers"]].concat());
    let line = |line: &str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let number = |cell: &str| cell.trim_end_matches(char::is_alphabetic).parse().unwrap();
        (cells[0].to_owned(), columns.map(|column| number(cells[column])))
    };
    printed.lines().map(line).collect()
}

/// What was shown of the same.
#[track_caller]
fn usage(ran: &Ran, title: &str) -> BTreeMap<String, [f64; 2]> {
    let shown = ran.shown(title);
    let at = |name: &str| shown["columns"].as_array().unwrap().iter().position(|column| column == name).unwrap();
    let (cpu, memory) = (at("cpu"), at("memory"));
    let row = |row: &serde_json::Value| {
        let number = |column: usize| row[column]["value"].as_f64().unwrap();
        (row[0]["text"].as_str().unwrap().to_owned(), [number(cpu) * 1000.0, number(memory) / f64::from(1 << 20)])
    };
    shown["rows"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn usage_is_that_of_kubectl_top() {
    let Some(lab) = lab("usage_is_that_of_kubectl_top", &["kubernetes", "metrics"]) else { return };
    let _alone = alone();
    let ran = run(lab, "lab", "show cluster.pod_usage() as \"pods\"\nshow cluster.node_usage() as \"nodes\"");
    ran.code(0);
    for (title, by_hand) in [("pods", top(lab, &["pods", "-n", SHOP], [1, 2])), ("nodes", top(lab, &["nodes"], [1, 3]))]
    {
        let shown = usage(&ran, title);
        assert!(shown.keys().eq(by_hand.keys()), "{title}: {shown:?} {by_hand:?}");
        for (name, [cpu, memory]) in shown {
            // It is measured anew every ten seconds, and kwok makes the processors' part up a little differently each time.
            let [cpu_by_hand, memory_by_hand] = by_hand[&name];
            assert!((cpu - cpu_by_hand).abs() <= 0.35 * cpu_by_hand + 10.0, "{name}: {cpu} {cpu_by_hand}");
            assert!(
                (memory - memory_by_hand).abs() <= 0.02 * memory_by_hand + 1.0,
                "{name}: {memory} {memory_by_hand}"
            );
        }
    }
}

#[test]
fn without_metrics_nobody_says_that_nothing_is_used() {
    let test = "without_metrics_nobody_says_that_nothing_is_used";
    let Some(lab) = lab(test, &["kubernetes", "metrics"]) else { return };
    let _alone = alone();
    let ran = {
        let _broken = Broken::new("no-metrics");
        run(
            lab,
            "lab",
            "check cluster.pod_usage() | all(.cpu < 1000cores) as \"pods\"\n\
             check cluster.node_usage() | is_empty as \"nodes\"\n\
             check cluster.nodes() | all(.cpu_share < 900%) as \"shares\"\n\
             check cluster.nodes() | all(.ready) as \"ready\"",
        )
    };
    ran.code(3);
    for title in ["pods", "nodes", "shares"] {
        let (kind, message) = ran.fault(title);
        assert!(kind == "unsupported" && message.contains("install metrics-server"), "{title}: {kind}: {message}");
    }
    assert_eq!(ran.outcome("ready"), "passed");
}

#[test]
fn whoever_is_not_let_in_reads_why_and_never_a_pass() {
    let test = "whoever_is_not_let_in_reads_why_and_never_a_pass";
    let Some(lab) = lab(test, &["kubernetes"]) else { return };
    let _alone = alone();
    for (context, kind, words) in [
        ("forbidden", "denied", "`kubectl --context forbidden auth can-i list pods -n sarvanom-production`"),
        ("expired", "denied", "its certificate expired "),
        ("wrong-token", "denied", "does not take the user `wrong-token`"),
        ("no-such-server", "unreachable", "connection refused"),
        ("untrusted", "unreachable", "signed by no authority that is trusted"),
    ] {
        let ran = run(
            lab,
            context,
            "check cluster.pods() | all(.ready) as \"pods\"\n\
             check cluster.pods() | is_empty as \"empty\"\n\
             check cluster.logs(\"redis-0\") | is_empty as \"logs\"\n\
             check cluster.resources(\"al\") | is_empty as \"kinds\"\n\
             show cluster.pods() | count as \"count\"",
        );
        ran.code(3);
        for title in ["pods", "empty"] {
            let fault = ran.fault(title);
            assert!(fault.0 == kind && fault.1.contains(words), "{context}: {fault:?}");
        }
        for title in ["logs", "kinds"] {
            assert_eq!(ran.fault(title).0, kind, "{context} {title}: {}", ran.text);
        }
        ran.not_shown("count");
    }
    for context in ["reader", "token", "exec-plugin"] {
        let ran = run(
            lab,
            context,
            "check cluster.pods() | all(.ready) as \"pods\"\ncheck cluster.nodes() | all(.ready) as \"nodes\"",
        );
        assert_eq!(ran.outcome("pods"), "passed", "{context}: {}", ran.text);
        let (kind, message) = ran.fault("nodes");
        assert!(
            kind == "denied" && message.contains(&format!("`kubectl --context {context} auth can-i list nodes`")),
            "{context}: {kind}: {message}"
        );
    }
}

#[test]
fn a_pod_that_crashes_and_one_that_waits_are_told_from_those_that_run() {
    let test = "a_pod_that_crashes_and_one_that_waits_are_told_from_those_that_run";
    let Some(lab) = lab(test, &["kubernetes"]) else { return };
    let _alone = alone();
    let (ran, by_hand) = {
        let _pending = Broken::new("pending-pod");
        let _crashed = Broken::new("crash-pod");
        let body = PODS.to_owned()
            + r#"
            show cluster.pods(selector: "app=retrieval") | each(pod => "{pod.status} {pod.restarts} {pod.last_exit?.reason ?? "?"} {pod.last_exit?.code ?? 0}") as "crashed"
            show cluster.pods() | where(.status == "Pending") | each(.name) as "pending"
            check cluster.pods() | all(.status in ["Running", "Completed"]) as "all run"
            check cluster.deployments() | all(.healthy) as "healthy""#;
        (run(lab, "lab", &body), pods_by_hand(lab))
    };
    assert_eq!(lines(&ran, "crashed"), ["CrashLoopBackOff 14 OOMKilled 137"]);
    assert_eq!(lines(&ran, "pending"), ["too-large"]);
    assert_eq!(lines(&ran, "pods"), by_hand);
    assert_eq!(ran.outcome("all run"), "failed");
    assert_eq!(ran.outcome("healthy"), "failed", "{}", ran.text);
}

#[test]
fn a_server_that_is_down_slow_or_cut_off_is_never_a_shorter_list() {
    let test = "a_server_that_is_down_slow_or_cut_off_is_never_a_shorter_list";
    let Some(lab) = lab(test, &["kubernetes", "ways"]) else { return };
    let _alone = alone();
    let body = "check cluster.pods() | all(.ready) as \"pods\"\nshow cluster.pods() | take(1) | count as \"count\"";
    let slow = {
        let _broken = Broken::new("slow-api");
        let begun = Instant::now();
        let source = format!(
            "connect cluster = kubernetes(context: \"slow\", namespace: \"{SHOP}\", within: 1s)\nsection \"s\" {{\n{body}\n}}\n"
        );
        let ran = lab.run(&source);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        ran
    };
    let cut = {
        let _broken = Broken::new("cut-api");
        run(lab, "slow", body)
    };
    let down = {
        let _broken = Broken::new("stop-api");
        run(lab, "lab", body)
    };
    for (ran, kind, words) in
        [(slow, "timeout", "within"), (cut, "unreachable", "broke off"), (down, "unreachable", "connection refused")]
    {
        ran.code(3);
        let fault = ran.fault("pods");
        assert!(fault.0 == kind && fault.1.contains(words) && !fault.1.contains("docs.rs"), "{fault:?}");
        ran.not_shown("count");
    }
    assert_eq!(run(lab, "slow", "check cluster.pods() | all(.ready) as \"pods\"").outcome("pods"), "passed");
}
