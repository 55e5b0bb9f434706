//! Redis: the lab's, servers of a test's own, and beside them stand-ins for what no server does on demand.

mod faults;
mod own;
mod stand_in;

use crate::harness::{Ran, lab};

/// The events of a kind, by the source or title of what they are of.
#[track_caller]
fn change<'r>(ran: &'r Ran, title: &str) -> &'r serde_json::Value {
    let found = ran.events.iter().find(|event| event["event"] == "change_ended" && event["title"] == title);
    found.unwrap_or_else(|| panic!("no change `{title}` in\n{}", ran.text))
}

/// What a connection says it leads to.
#[track_caller]
fn target<'r>(ran: &'r Ran, name: &str) -> &'r str {
    let found = ran.events.iter().find(|event| event["event"] == "connection_opened" && event["name"] == name);
    found.unwrap_or_else(|| panic!("`{name}` was not opened in\n{}", ran.text))["target"].as_str().unwrap()
}

/// A runbook with one step.
fn runbook(declarations: &str, statements: &str) -> String {
    format!(
        "runbook \"Redis\" {{ edition 1 }}\n{declarations}\nsection \"Redis\" {{\n  step \"Redis\" {{\n{statements}\n  }}\n}}\n"
    )
}

#[test]
fn the_seeds_lines_and_the_users_of_the_lab() {
    let Some(lab) = lab("the_seeds_lines_and_the_users_of_the_lab", &["redis"]) else { return };
    let address = lab.facts["parts"]["redis"]["address"].as_str().unwrap();
    let (host, port) = address.rsplit_once(':').unwrap();
    let ran = lab.run(&runbook(
        &format!(
            r#"
secret redis_password = env("REDIS_PASSWORD")
connect cache = redis("{address}")
connect ops = redis("{host}", port: {port}, user: "ops", password: redis_password)
connect split = redis("{address}", user: "ops", password: redis_password, change_user: "admin", change_password: redis_password)
"#
        ),
        r#"
    check cache.answers() as "answers"
    show cache.info("memory") as "info"
    show cache.key_count() as "keys"
    change cache.command("MEMORY PURGE")
    check cache.memory().used > 100kB as "used"
    check cache.key_count() >= 500 as "many keys"
    check ops.get("key:1") == "value-1" as "ops reads"
    check ops.slow_log() | is_empty as "ops slow log"
    check ops.setting("maxmemory-policy") == "" as "ops setting"
    check ops.memory_doctor() == "" as "ops doctor"
    check ops.memory().used > 0B as "ops memory"
    change ops.command("SET runbook:test 1")
"#,
    ));
    assert_eq!(ran.outcome("answers"), "passed", "{}", ran.text);
    assert_eq!(ran.outcome("used"), "passed");
    assert_eq!(ran.outcome("many keys"), "passed");
    assert_eq!(ran.outcome("ops reads"), "passed");
    assert_eq!(ran.outcome("ops memory"), "passed");
    assert!(ran.shown("info").to_string().contains("maxmemory_policy"), "{}", ran.text);
    assert_eq!(change(&ran, "cache.command(\"MEMORY PURGE\")")["outcome"], "done", "{}", ran.text);
    for (title, rule) in
        [("ops slow log", "slowlog|get"), ("ops setting", "config|get"), ("ops doctor", "memory|doctor")]
    {
        let (kind, message) = ran.fault(title);
        assert_eq!(kind, "denied", "{message}");
        assert!(message.contains(&format!("`ACL SETUSER ops +{rule}`")), "{message}");
    }
    let refused = change(&ran, "ops.command(\"SET runbook:test 1\")");
    assert_eq!((&refused["outcome"], &refused["fault"]["kind"]), (&"failed".into(), &"denied".into()), "{}", ran.text);
    assert!(target(&ran, "cache").starts_with(&format!("redis://{address}/0 (7.")), "{}", target(&ran, "cache"));
    assert!(target(&ran, "ops").starts_with(&format!("redis://ops@{address}/0 (")), "{}", target(&ran, "ops"));

    let split = lab.run(&runbook(
        &format!(
            r#"
secret redis_password = env("REDIS_PASSWORD")
connect split = redis("{address}", user: "ops", password: redis_password, change_user: "admin", change_password: redis_password)
"#
        ),
        r#"
    check split.read("ACL WHOAMI") == "ops" as "whoami is no plain read"
    change who = split.command("ACL WHOAMI")
    check who == "admin" as "admin changes"
    check split.get("key:2") == "value-2" as "ops reads"
"#,
    ));
    assert_eq!(split.outcome("admin changes"), "passed", "{}", split.text);
    assert_eq!(split.outcome("ops reads"), "passed");
    assert!(target(&split, "split").ends_with(", changes as admin"), "{}", target(&split, "split"));
}

#[test]
fn tls_is_spoken_and_what_answers_is_checked() {
    let Some(lab) = lab("tls_is_spoken_and_what_answers_is_checked", &["redis"]) else { return };
    let (plain, tls) = (
        lab.facts["parts"]["redis"]["address"].as_str().unwrap(),
        lab.facts["redis_tls"].as_str().or_else(|| lab.facts["parts"]["redis"]["redis_tls"].as_str()),
    );
    let tls = tls.map_or_else(
        || {
            let (host, port) = plain.rsplit_once(':').unwrap();
            format!("{host}:{}", port.parse::<u16>().unwrap() + 1)
        },
        str::to_owned,
    );
    let ca = &lab.env["SSL_CERT_FILE"];
    let (_, tls_port) = tls.rsplit_once(':').unwrap();
    let ran = lab.run_with(
        &runbook(
            &format!(
                r#"
secret redis_password = env("REDIS_PASSWORD")
connect sealed = redis("rediss://{tls}", ca: "{ca}", user: "ops", password: redis_password)
connect unknown = redis("rediss://{tls}")
connect anybody = redis("{tls}", tls: true, insecure: true)
connect other_name = redis("rediss://127.0.0.2:{tls_port}", ca: "{ca}")
connect without = redis("{tls}", within: 3s)
connect too_much = redis("rediss://{plain}", ca: "{ca}", within: 3s)
"#
            ),
            r#"
    check sealed.answers() as "sealed"
    check sealed.get("key:1") == "value-1" as "reads"
    check unknown.answers() as "unknown authority"
    check anybody.answers() as "insecure"
    check without.answers() as "without TLS"
    check without.key_count() > 0 as "counted without TLS"
    check too_much.answers() as "too much TLS"
    check too_much.key_count() > 0 as "counted with too much TLS"
"#,
        ),
        &[],
        &[("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")],
    );
    for title in ["sealed", "reads", "insecure"] {
        assert_eq!(ran.outcome(title), "passed", "{title}: {}", ran.text);
    }
    assert!(target(&ran, "sealed").starts_with(&format!("rediss://ops@{tls}/0 (")), "{}", ran.text);
    // Nobody knows who answers: that is no word about the server.
    assert_eq!(ran.outcome("unknown authority"), "not_measured", "{}", ran.text);
    assert!(ran.fault("unknown authority").1.contains("no authority that is trusted here"), "{}", ran.text);
    for title in ["without TLS", "too much TLS"] {
        assert_eq!(ran.outcome(title), "failed", "{title}: {}", ran.text);
    }
    let (kind, message) = ran.fault("counted without TLS");
    assert!(kind == "unreachable" && message.contains("tls: true"), "{message}");
    // A server without TLS waits for the end of a line.
    let (kind, message) = ran.fault("counted with too much TLS");
    assert!(kind == "timeout" && message.contains("the TLS handshake"), "{message}");
}

#[test]
fn a_pod_and_a_service_lead_to_it() {
    let Some(lab) = lab("a_pod_and_a_service_lead_to_it", &["kubernetes", "redis"]) else { return };
    let ran = lab.run(&runbook(
        r#"
secret redis_password = env("REDIS_PASSWORD")
connect cluster = kubernetes(context: "lab", namespace: "sarvanom-production")
connect cache = redis(through: cluster.pod("redis-0"))
connect ops = redis(through: cluster.service("redis"), user: "ops", password: redis_password)
connect refused = redis(through: cluster.pod("redis-0"), port: 9998, within: 5s)
connect silent = redis(through: cluster.pod("redis-0"), port: 9999, within: 2s)
"#,
        r#"
    check cache.key_count() >= 500 as "keys"
    check ops.get("key:1") == "value-1" as "reads"
    change cache.command("MEMORY PURGE") as "purge"
    check refused.answers() as "refused"
    check refused.key_count() > 0 as "counted"
    check silent.answers() as "silent"
"#,
    ));
    for title in ["keys", "reads"] {
        assert_eq!(ran.outcome(title), "passed", "{title}: {}", ran.text);
    }
    assert_eq!(change(&ran, "purge")["outcome"], "done", "{}", ran.text);
    for title in ["refused", "silent"] {
        assert_eq!(ran.outcome(title), "failed", "{title}: {}", ran.text);
    }
    assert_eq!(ran.fault("counted").0, "unreachable", "{}", ran.text);
    let led = target(&ran, "cache");
    assert!(led.starts_with("redis://redis-0:6379/0 through pod redis-0 of lab/sarvanom-production (7."), "{led}");
}
