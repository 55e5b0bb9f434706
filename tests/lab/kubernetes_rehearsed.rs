//! What kwok's nodes cannot do, rehearsed: exit codes, streams that break off, logs that are not whole, and a large one.

use super::fake_api::{LARGE, rehearsed, run};
use super::program::Folder;

#[test]
fn how_a_command_ended_is_never_guessed() {
    let ran = run(
        r#""exits3", "killed", "nostatus", "drops", "huge", "both", "bytes", "works""#,
        r#"check cluster.exec("web-0", "works").stdout == "well" as "works"
        let pod = cluster.pod("web-0")
        check pod.exec("works").stdout == "well" as "works in a pod that is held"
        check cluster.exec("web-0", "exits3").exit_code == 3 as "exit code"
        check cluster.exec("web-0", "exits3").ok as "ok"
        check cluster.exec("web-0", "exits3").stdout == "" as "stdout of a failure"
        check cluster.exec("web-0", "exits3", exits: [0, 3]).stdout == "half" as "stdout of an expected exit"
        check cluster.exec("web-0", "killed").stdout == "" as "killed"
        check cluster.exec("web-0", "nostatus").ok as "no status"
        check cluster.exec("web-0", "drops").ok as "drops"
        check cluster.exec("web-0", "huge", at_most: 1MiB).ok as "huge"
        check cluster.exec("web-0", "both").ok as "both outputs"
        check cluster.exec("web-0", "bytes").stdout == "" as "bytes"
        change cluster.exec("web-0", "fails") as "a change that fails"
        check cluster.exec("web-0", "works").ok as "after it""#,
    );
    for title in ["works", "works in a pod that is held", "exit code", "stdout of an expected exit", "both outputs"] {
        assert_eq!(ran.outcome(title), "passed", "{title}: {}", ran.text);
    }
    assert_eq!(ran.outcome("ok"), "failed");
    let fault = |title: &str| ran.fault(title);
    let (kind, message) = fault("stdout of a failure");
    assert!(kind == "failed" && message.contains("exit code 3: it broke"), "{message}");
    assert!(fault("killed").1.contains("killed by signal 9"), "{:?}", fault("killed"));
    for title in ["no status", "drops"] {
        let (kind, message) = fault(title);
        assert!(kind == "unreachable" && message.contains("before the cluster said how it ended"), "{message}");
    }
    assert_eq!(fault("huge").0, "too_large");
    assert_eq!(fault("bytes").0, "bad_answer");
    let ended = ran.events.iter().find(|event| event["event"] == "change_ended").unwrap();
    // It was started: nobody knows how much it did.
    assert_eq!(ended["outcome"], "unknown", "{ended}");
}

#[test]
fn a_server_without_protobuf_is_read_in_json() {
    let ran = run("", r#"check cluster.pods() | all(.status == "Running" and .node == "n-1") as "pods""#);
    assert_eq!(ran.outcome("pods"), "passed", "{}", ran.text);
}

#[test]
fn what_stands_in_front_of_a_server_and_answers_well_is_not_taken_for_it() {
    let ran = run(
        "",
        r#"check cluster.pods(namespace: "gateway") | is_empty as "pods"
        check cluster.events(namespace: "gateway") | is_empty as "events"
        check cluster.resources("pods", namespace: "gateway") | is_empty as "resources"
        check cluster.pod("web-0", namespace: "gateway").restarts == 0 as "pod"
        check cluster.nodes() | where(not .ready) | is_empty as "nodes"
        change cluster.cordon("n-1") as "cordon""#,
    );
    for title in ["pods", "events", "pod", "nodes"] {
        let (kind, message) = ran.fault(title);
        assert_eq!(kind, "bad_answer", "{title}: {message}");
    }
    let message = |title: &str| ran.fault(title).1;
    assert!(message("pods").contains("something in front of it may have answered"), "{}", message("pods"));
    assert!(message("nodes").contains("it is a `Status`, not a list: etcd is away"), "{}", message("nodes"));
    assert_ne!(ran.outcome("resources"), "passed", "{}", ran.text);
    let ended = ran.events.iter().find(|event| event["event"] == "change_ended").unwrap();
    assert_eq!(ended["outcome"], "unknown", "{ended}");
}

#[test]
fn a_change_by_a_command_of_which_nobody_knows_the_end_is_unknown() {
    let ran = run("", r#"change cluster.exec("web-0", "nostatus") as "change""#);
    let ended = ran.events.iter().find(|event| event["event"] == "change_ended").unwrap();
    assert_eq!(ended["outcome"], "unknown", "{ended}");
}

#[test]
fn a_path_that_is_not_there_has_no_disk() {
    let ran = run("", "check cluster.pod(\"web-0\").disk(\"/nowhere\").used > 0B as \"disk\"\n");
    let (kind, message) = ran.fault("disk");
    assert!(kind == "not_found" && message.contains("has no `/nowhere`"), "{message}");
}

#[test]
fn a_log_that_is_not_whole_says_so() {
    let cases = [
        ("breaks", "broke off"),
        ("foreign", "unable to retrieve container logs"),
        ("rotated", "later than asked for"),
        ("restarts", "was restarted while its log was read"),
        ("gone", "went away while its log was read"),
        ("hangs", "not read to its end within 2s"),
    ];
    for (pod, why) in cases {
        let ran = run("", &format!("check cluster.logs(\"{pod}\", since: 1h, within: 2s) | count > 0 as \"log\"\n"));
        let (kind, message) = ran.fault("log");
        assert!(kind == "partial" && message.contains(why), "{pod}: {kind}: {message}");
    }
    for (pod, count) in [("breaks-once", 3), ("quiet", 1), ("plain", 2), ("bytes", 2)] {
        let ran = run("", &format!("check cluster.logs(\"{pod}\", since: 1h) | count == {count} as \"log\"\n"));
        assert_eq!(ran.outcome("log"), "passed", "{pod}: {}", ran.text);
    }
}

#[test]
fn a_log_past_its_cap_is_partial_and_takes_no_more_of_the_disk() {
    let ran = run("", "check cluster.logs(\"large\", at_most: 20MiB) | count > 0 as \"log\"\n");
    let (kind, message) = ran.fault("log");
    assert!(kind == "partial" && message.contains("more than 20MiB"), "{message}");
}

/// Memory is measured where the kernel tells it.
#[cfg(target_os = "linux")]
#[test]
fn a_large_log_takes_no_more_memory_than_a_small_one() {
    let lab = rehearsed();
    let source = "connect cluster = kubernetes(namespace: \"shop\")\n\
        section \"s\" { show cluster.logs(\"large\", within: 10m) | count as \"lines\" }\n";
    let folder = Folder::with(source);
    let mut child = lab.command(&folder, &["run", "a.runbook", "--format", "json"]).spawn().unwrap();
    let (mut most, begun) = (0, std::time::Instant::now());
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<usize>().ok());
        most = most.max(peak.unwrap_or_default());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let took = begun.elapsed();
    assert!(most > 0 && most < 96 << 10, "{most} KiB for a log of {LARGE} MiB in {took:.1?}");
}

#[test]
fn streams_that_break_off() {
    let source = r#"connect cluster = kubernetes(namespace: "shop")
        connect answers = http(through: cluster.pod("answers"), port: 80)
        connect late = http(through: cluster.pod("refuses-late"), port: 80)
        connect cut = http(through: cluster.pod("cut"), port: 80)
        connect hung = http(through: cluster.pod("hung"), port: 80)
        connect by_exec = http(through: cluster.pod("web-0").by_exec(), port: 80)
        section "s" {
          check answers.get("/").json.here as "answers"
          check late.get("/").ok as "late"
          check cut.get("/").text != "" as "cut"
          check hung.get("/", within: 1s).ok as "hung"
          check by_exec.get("/").json.here as "by exec"
        }"#;
    let ran = rehearsed().run(source);
    assert_eq!(ran.outcome("answers"), "passed", "{}", ran.text);
    assert_eq!(ran.outcome("by exec"), "passed", "{}", ran.text);
    let (_, message) = ran.fault("late");
    assert!(message.contains("connection refused in the pod"), "{message}");
    assert_eq!(ran.outcome("cut"), "not_measured", "{}", ran.text);
    assert_eq!(ran.fault("hung").0, "timeout");
}

#[test]
fn a_change_is_unknown_where_the_request_was_taken_and_failed_where_it_was_refused() {
    let source = r#"connect cluster = kubernetes(namespace: "shop")
        section "taken" { change cluster.exec("drops", "touch x", within: 5s) }
        section "refused" { change cluster.restart(deployment: "web") }"#;
    let ran = rehearsed().run(source);
    let ended: Vec<&serde_json::Value> = ran.events.iter().filter(|event| event["event"] == "change_ended").collect();
    assert_eq!(
        (ended.len(), &ended[0]["outcome"], &ended[1]["outcome"]),
        (2, &"unknown".into(), &"failed".into()),
        "{}",
        ran.text
    );
    assert!(ended[1]["fault"]["help"].as_str().unwrap().contains("nothing was changed"), "{}", ran.text);
}
