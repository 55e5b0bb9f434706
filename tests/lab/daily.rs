//! The shipped daily runbook, whole: on the lab as it is, and with each of the things broken that it is there to notice.

use crate::harness::{Broken, Lab, Ran, alone, lab};
use crate::program::Folder;

const PARTS: &[&str] = &["kubernetes", "metrics", "postgres", "redis", "s3", "products", "mail"];
const SOURCE: &str = include_str!("../../runbooks/daily.runbook");
const MAIL: &str = include_str!("../../runbooks/alert_email_template.html");
const SLACK: &str = include_str!("../../runbooks/alert_slack_template.json");

/// It and its templates in a folder. The log of the run goes into that folder, mail to the lab.
pub(crate) fn folder(lab: &Lab) -> Folder {
    let source = SOURCE.replace("/var/log/sarvanom/", "log").replace("127.0.0.1:25", &lab.env["LAB_MAIL"]);
    let folder = Folder::with(source);
    folder.write("alert_email_template.html", MAIL);
    folder.write("alert_slack_template.json", SLACK);
    folder
}

/// All of it, with what it tells people.
fn daily(lab: &Lab) -> Ran {
    lab.run_in(&folder(lab), &[], &[])
}

/// The lines in which the program says whom it told of what.
fn told<'r>(ran: &'r Ran, threshold: &str) -> Vec<&'r str> {
    ran.text.lines().filter(|line| line.starts_with("told ") && line.contains(threshold)).collect()
}

#[test]
fn without_its_secrets_it_says_so_and_runs_nothing() {
    let Some(lab) = lab("the daily runbook without secrets", PARTS) else { return };
    let folder = folder(lab);
    let run = |args: &[&str]| {
        let mut command = lab.command(&folder, &["run", "a.runbook", "--only", "Health check"]);
        command.args(args).env_remove("SLACK_WEBHOOK_URL").env_remove("PAGERDUTY_INTEGRATION_KEY").output().unwrap()
    };
    let refused = run(&[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("_URL") || said.contains("_KEY"), "{said}");
    assert!(said.contains("nothing was run") && said.contains("--no-notify"), "{said}");
    let looked = run(&["--no-notify"]);
    assert_eq!(looked.status.code(), Some(0), "{}", String::from_utf8_lossy(&looked.stderr));
}

/// How a change ended: `done`, `failed`; `None` where it was not begun.
fn ended<'r>(ran: &'r Ran, title: &str) -> Option<&'r str> {
    let is = |event: &&serde_json::Value| {
        event["event"] == "change_ended" && event["title"].as_str().is_some_and(|own| own.starts_with(title))
    };
    ran.events.iter().find(is).and_then(|event| event["outcome"].as_str())
}

#[test]
fn it_passes_on_the_lab() {
    let Some(lab) = lab("the daily runbook", PARTS) else { return };
    let _alone = alone();
    let ran = daily(lab);
    ran.code(0);
    for threshold in ["Service Down", "High Response Time", "Database Connection Failed", "Security Breach"] {
        assert!(told(&ran, threshold).is_empty(), "{}", ran.text);
    }
    for change in ["db.execute", "cache.command", "qdrant.patch", "arangodb.put", "meilisearch.patch", "tracker.post"] {
        assert_eq!(ended(&ran, change), Some("done"), "{change}: {}", ran.text);
    }
    // Both pods of the gateway are read: `kubectl logs deployment/gateway` reads one.
    let shown = ran.shown("Errors of gateway").to_string();
    assert!(!shown.contains("\"value\":0,"), "{shown}");
}

#[test]
fn a_dead_database_fails_its_check_and_is_not_changed() {
    let Some(lab) = lab("the daily runbook without PostgreSQL", PARTS) else { return };
    let _alone = alone();
    let _broken = Broken::new("kill-postgres");
    let ran = daily(lab);
    ran.code(4);
    assert_eq!(ran.outcome("PostgreSQL answers"), "failed");
    assert_eq!(ran.outcome("no long-running query holds the tables"), "not_measured");
    assert_eq!(ended(&ran, "db.execute"), None, "{}", ran.text);
    assert_eq!(told(&ran, "Database Connection Failed").len(), 3, "{}", ran.text);
    // What does not need it goes on.
    assert_eq!(ran.outcome("Redis answers"), "passed");
    assert_eq!(ran.outcome("postgres has a fresh backup"), "passed");
}

#[test]
fn a_crash_looping_pod_is_named() {
    let Some(lab) = lab("the daily runbook with a crashing pod", PARTS) else { return };
    let _alone = alone();
    let _broken = Broken::new("crash-pod");
    let ran = daily(lab);
    ran.code(4);
    assert_eq!(ran.outcome("every pod is running or done"), "failed");
    assert!(ran.text.contains("CrashLoopBackOff") && ran.text.contains("OOMKilled"), "{}", ran.text);
    assert_eq!(told(&ran, "Service Down").len(), 3, "{}", ran.text);
    assert_eq!(ran.outcome("PostgreSQL answers"), "passed");
}

#[test]
fn a_cluster_that_knows_nobody_is_not_a_healthy_one() {
    let Some(lab) = lab("the daily runbook with a token that nobody knows", PARTS) else { return };
    let _alone = alone();
    let _broken = Broken::new("api-401");
    let ran = daily(lab);
    ran.code(3);
    for check in ["every pod is running or done", "PostgreSQL answers", "Qdrant answers", "gateway has few errors"] {
        let (kind, message) = ran.fault(check);
        assert_eq!(kind, "denied", "{check}: {message}");
        assert!(message.contains("wrong-token"), "{check}: {message}");
    }
    assert_eq!(ran.outcome("OpenAI is reachable"), "passed");
    assert_eq!(ran.outcome("postgres has a fresh backup"), "passed");
}
