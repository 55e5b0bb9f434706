//! Logs, commands and streams of the lab's pods, beside what `kubectl` says of them.

use super::harness::{Lab, Ran, alone, lab};

const SHOP: &str = "sarvanom-production";

fn run(lab: &Lab, reads: &str, body: &str) -> Ran {
    lab.run(&format!(
        "connect cluster = kubernetes(context: \"lab\", namespace: \"{SHOP}\", reads: [{reads}])\nsection \"s\" {{\n{body}\n}}\n"
    ))
}

fn number(shown: &serde_json::Value) -> usize {
    shown["cell"]["text"].as_str().unwrap_or_else(|| panic!("{shown}")).parse().unwrap()
}

fn gateways(lab: &Lab) -> Vec<String> {
    let names = lab.kubectl(&["-n", SHOP, "get", "pods", "-l", "app=gateway", "-o", "name"]);
    names.lines().map(|name| name.trim_start_matches("pod/").to_owned()).collect()
}

#[test]
fn logs_of_a_deployment_are_those_of_every_pod() {
    let Some(lab) = lab("logs_of_a_deployment_are_those_of_every_pod", &["kubernetes"]) else { return };
    let _alone = alone();
    let pods = gateways(lab);
    assert_eq!(pods.len(), 2);
    let shows = pods.iter().map(|pod| {
        format!(
            "show cluster.logs(deployment: \"gateway\") | where(.source == \"{pod}\") | count as \"{pod}\"\n\
             show cluster.pod(\"{pod}\").logs(tail: 1) | each(.text) as \"last of {pod}\"\n"
        )
    });
    let body = shows.collect::<String>()
        + "show cluster.logs(selector: \"app=gateway\", since: 2h) | count as \"since\"\nshow run.started_at as \"at\"\ncheck cluster.logs(deployment: \"gateway\") | all(.time != null) as \"times\"\n";
    let ran = run(lab, "", &body);
    ran.code(0);
    for pod in &pods {
        let by_hand = lab.kubectl(&["-n", SHOP, "logs", pod]);
        assert_eq!(number(ran.shown(pod)), by_hand.lines().count(), "{pod}");
        let last = ran.shown(&format!("last of {pod}")).to_string();
        assert!(last.contains(by_hand.lines().last().unwrap()), "{last}");
    }
    let at: jiff::Timestamp = ran.shown("at")["cell"]["text"].as_str().unwrap().parse().unwrap();
    // Shown to the second: a line of that very second may stand on either side.
    let count = |from: jiff::Timestamp| {
        let lines = |pod: &String| {
            let stamped = lab.kubectl(&["-n", SHOP, "logs", pod, "--timestamps"]);
            stamped
                .lines()
                .filter(|line| line.split(' ').next().unwrap().parse::<jiff::Timestamp>().unwrap() >= from)
                .count()
        };
        pods.iter().map(lines).sum::<usize>()
    };
    let from = at - jiff::SignedDuration::from_hours(2);
    let since = number(ran.shown("since"));
    assert!(since <= count(from) && since >= count(from + jiff::SignedDuration::from_secs(1)) && since > 0, "{since}");
}

#[test]
fn what_a_container_logged_before_its_restart_is_read_where_it_is_asked_for() {
    let test = "what_a_container_logged_before_its_restart_is_read_where_it_is_asked_for";
    let Some(lab) = lab(test, &["kubernetes"]) else { return };
    let _alone = alone();
    let pod = gateways(lab).remove(0);
    let object = lab.object(&["-n", SHOP, "get", "pod", &pod]);
    let before = object["status"]["containerStatuses"].clone();
    let status = |statuses: &serde_json::Value| {
        let patch = serde_json::json!({ "status": { "containerStatuses": statuses } }).to_string();
        lab.kubectl(&["-n", SHOP, "patch", "pod", &pod, "--subresource=status", "--type=merge", "-p", &patch]);
    };
    let body = format!(
        "show cluster.logs(\"{pod}\", previous: true) | count as \"previous\"\n\
         show cluster.logs(\"{pod}\", since: 100d) | count as \"both\"\n\
         show cluster.logs(\"redis-0\", previous: true) | count as \"never\"\n"
    );
    let mut crashed = before.clone();
    crashed[0]["restartCount"] = 1.into();
    crashed[0]["lastState"] = serde_json::json!({ "terminated": {
        "exitCode": 1, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-02T00:00:00Z", "containerID": "kwok://before",
    }});
    status(&crashed);
    let ran = run(lab, "", &body);
    status(&before);
    let count = |words: &[&str]| lab.kubectl(&[&["-n", SHOP, "logs", &pod], words].concat()).lines().count();
    let previous = count(&["--previous"]);
    assert!(previous > 0);
    assert_eq!(number(ran.shown("previous")), previous, "{}", ran.text);
    assert_eq!(number(ran.shown("both")), previous + count(&[]), "{}", ran.text);
    let fault = ran.not_shown("never");
    assert!(fault.contains("never restarted"), "{fault}");
}

#[test]
fn whose_logs_there_are_not_is_a_fault_and_never_an_empty_log() {
    let test = "whose_logs_there_are_not_is_a_fault_and_never_an_empty_log";
    let Some(lab) = lab(test, &["kubernetes"]) else { return };
    let ran = run(
        lab,
        "",
        "check cluster.logs(deployment: \"nosuch\") | is_empty as \"deployment\"\n\
         check cluster.logs(\"nosuch\") | is_empty as \"pod\"\n\
         check cluster.logs(selector: \"app=nosuch\") | is_empty as \"label\"\n\
         check cluster.logs(\"redis-0\", container: \"nosuch\") | is_empty as \"container\"\n",
    );
    ran.code(3);
    for (title, kind) in
        [("deployment", "not_found"), ("pod", "not_found"), ("label", "no_value"), ("container", "not_found")]
    {
        assert_eq!(ran.fault(title).0, kind, "{title}: {}", ran.text);
    }
}

#[test]
fn commands_in_a_container() {
    let Some(lab) = lab("commands_in_a_container", &["kubernetes"]) else { return };
    let ran = run(
        lab,
        r#""sh -c", "nosuchprogram", "df", "printf""#,
        r#"show cluster.exec("redis-0", "sh -c 'echo out; echo err >&2'") as "both"
        show cluster.pod("redis-0").exec("printf {"a b"}").stdout as "one word"
        check cluster.exec("redis-0", "nosuchprogram").ok as "missing"
        check cluster.exec("redis-0", "sh -c 'exit 3'").ok as "fails"
        check cluster.exec("nosuch", "df").ok as "no pod"
        check cluster.exec("redis-0", "sh -c 'sleep 20'", within: 1s).ok as "hangs"
        check cluster.exec("redis-0", "sh -c 'yes'", at_most: 1MiB).ok as "prints without end"
        change cluster.exec("redis-0", "touch /nowhere/x") as "a change that fails""#,
    );
    let both = ran.shown("both").to_string();
    assert!(both.contains("out") && both.contains("err"), "{both}");
    assert_eq!(ran.shown("one word")["cell"]["text"], "a b", "{}", ran.text);
    let fault = ran.fault("missing");
    assert!(fault.0 == "not_found" && fault.1.contains("has no `nosuchprogram`"), "{fault:?}");
    // kwok tells no exit code: then nobody knows how it ended.
    assert_eq!(ran.fault("fails").0, "failed");
    assert_eq!(ran.fault("no pod").0, "not_found");
    assert_eq!(ran.fault("hangs").0, "timeout");
    assert_eq!(ran.fault("prints without end").0, "too_large");
    let ended = ran.events.iter().find(|event| event["event"] == "change_ended").unwrap();
    assert_eq!(ended["outcome"], "unknown", "{ended}");
}

#[test]
fn disks_are_those_of_df() {
    let Some(lab) = lab("disks_are_those_of_df", &["kubernetes"]) else { return };
    let ran = run(
        lab,
        "",
        "show cluster.pod(\"postgres-0\").disk(\"/\") as \"root\"\n\
         show cluster.pod(\"postgres-0\").disks() as \"all\"\n\
         check cluster.pod(\"postgres-0\").disk(\"/nowhere\").used > 0B as \"nowhere\"\n\
         check cluster.pod(\"postgres-0\").disk(\"relative\").used > 0B as \"relative\"\n",
    );
    let by_hand = lab.kubectl(&["-n", SHOP, "exec", "postgres-0", "--", "df", "-P", "-k", "/"]);
    let device = by_hand.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    let root = ran.shown("root").to_string();
    assert!(root.contains(device) && root.contains("postgres-0"), "{root}");
    assert!(ran.shown("all").to_string().contains(device));
    // kwok tells no exit code, so nobody can say that it was the path.
    assert!(["not_found", "failed"].contains(&ran.fault("nowhere").0.as_str()), "{:?}", ran.fault("nowhere"));
    assert_eq!(ran.fault("relative").0, "setup");
}

#[test]
fn streams_to_ports() {
    let Some(lab) = lab("streams_to_ports", &["kubernetes"]) else { return };
    let ran = lab.run(&format!(
        r#"connect cluster = kubernetes(context: "lab", namespace: "{SHOP}")
        connect refused = http(through: cluster.pod("qdrant-0"), port: 9998)
        connect hung = http(through: cluster.pod("qdrant-0"), port: 9999)
        connect gone = http(through: cluster.pod("nosuch"), port: 80)
        connect wrong = http(through: cluster.service("qdrant"), port: 81)
        section "s" {{
          check refused.get("/").ok as "refused"
          check refused.answers("/") as "refused answers"
          check hung.get("/", within: 2s).ok as "hung"
          check hung.answers("/", within: 2s) as "hung answers"
          check gone.answers("/") as "gone"
          check wrong.answers("/") as "wrong port"
        }}"#
    ));
    let (kind, message) = ran.fault("refused");
    assert!(kind == "unreachable" && message.contains("connection refused"), "{kind}: {message}");
    assert_eq!(ran.outcome("refused answers"), "failed");
    assert_eq!(ran.fault("hung").0, "timeout");
    assert_eq!(ran.outcome("hung answers"), "failed");
    assert_eq!(ran.outcome("gone"), "not_measured");
    let (_, message) = ran.fault("wrong port");
    assert!(message.contains("no port 81") && message.contains("6333"), "{message}");
}

#[test]
fn a_server_behind_a_port_forward_is_asked_like_any_other() {
    let test = "a_server_behind_a_port_forward_is_asked_like_any_other";
    let Some(lab) = lab(test, &["kubernetes", "products"]) else { return };
    let ran = lab.run(&format!(
        r#"connect cluster = kubernetes(context: "lab", namespace: "{SHOP}")
        connect pod = http(through: cluster.pod("qdrant-0"), port: 6333)
        connect by_exec = http(through: cluster.pod("qdrant-0").by_exec(), port: 6333)
        connect service = http(through: cluster.service("qdrant"), port: 6333)
        section "s" {{
          check pod.get("/collections").ok as "pod"
          check service.get("/collections").ok as "service"
          check by_exec.get("/collections").ok as "by exec"
        }}"#
    ));
    ran.code(0);
}
