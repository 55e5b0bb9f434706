//! A page, end to end: a dead database, whoever is told of it, nobody who answers, somebody who does, and its end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Output;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value as Json;

use crate::harness::{Broken, Lab, Ran, alone, lab};
use crate::program::Folder;

/// The channels of the daily runbook, with times that a test can wait for. `TITLE` tells its messages from others'.
const SOURCE: &str = r##"runbook "TITLE" { edition 1  timezone "UTC" }

secret slack_webhook = env("SLACK_WEBHOOK_URL")
secret pagerduty_key = env("PAGERDUTY_INTEGRATION_KEY")

connect cluster = kubernetes(namespace: "sarvanom-production")
connect db = postgres(through: cluster.pod("postgres-0"), user: "sarvanom", database: "sarvanom_production")

channel email = email(to: ["on-call@example.com"], from: "runbook@example.com", server: "MAIL")
channel slack = slack(webhook: slack_webhook, channel: "#alerts")
channel pagerduty = pagerduty(key: pagerduty_key)

metric database_connection: bool = db.answers()

threshold "Database Connection Failed" critical {
  when not database_connection
  notify email, slack, pagerduty
}

escalation operations {
  level 1 "Operations Engineer" {
    escalate after 3s unless acknowledged
    notify slack
  }
  level 2 "Senior Operations Engineer" {
    escalate after 4s unless acknowledged
    notify slack, pagerduty, email
  }
  level 3 "Engineering Manager" {
    notify pagerduty
  }
}

section "Databases" {
  check db.answers() as "PostgreSQL answers"
  measure database_connection
}
"##;

/// What arrived of one runbook.
struct Sinks<'l> {
    lab: &'l Lab,
    title: String,
}

impl Sinks<'_> {
    fn posted(&self, product: &str) -> Vec<Json> {
        let folder = PathBuf::from(self.lab.facts["parts"]["products"]["records"].as_str().unwrap());
        let text = std::fs::read_to_string(folder.join(format!("{product}.jsonl"))).unwrap_or_default();
        let records = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
        records.map(|record| serde_json::from_str(record["body"].as_str().unwrap()).unwrap()).collect()
    }

    /// The first lines of what Slack was told, in the order of their arrival.
    fn slack(&self) -> Vec<String> {
        let texts = self.posted("slack").into_iter().filter_map(|body| body["text"].as_str().map(str::to_owned));
        let own = texts.filter(|text| text.contains(&self.title));
        own.map(|text| text.lines().next().unwrap().replace(&format!(": {}", self.title), "")).collect()
    }

    /// What the pager was told, by its keys.
    fn pagerduty(&self) -> BTreeMap<String, Vec<String>> {
        let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for event in self.posted("pagerduty") {
            let key = event["dedup_key"].as_str().unwrap().to_owned();
            let what = event["payload"]["class"].as_str().or(event["event_action"].as_str()).unwrap().to_owned();
            keys.entry(key).or_default().push(what);
        }
        keys.retain(|key, _| key.starts_with(&self.title.to_lowercase().replace(' ', "-")));
        keys
    }

    fn mails(&self) -> Vec<String> {
        let folder = self.lab.facts["parts"]["mail"]["folder"].as_str().unwrap();
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<PathBuf> = entries.collect();
        paths.sort();
        let texts = paths.iter().map(|path| std::fs::read_to_string(path).unwrap().replace("\r\n ", " "));
        let subjects =
            texts.filter_map(|text| text.lines().find_map(|line| line.strip_prefix("Subject: ")).map(str::to_owned));
        let own = subjects.filter(|subject| subject.contains(&self.title));
        own.map(|subject| subject.replace(&format!(": {}", self.title), "")).collect()
    }
}

fn say(lab: &Lab, folder: &Folder, args: &[&str]) -> Output {
    let output = lab.command(folder, args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    output
}

fn run(lab: &Lab, folder: &Folder) -> Ran {
    let ran = lab.run_in(folder, &[], &[]);
    assert!(!ran.text.contains("messages wait"), "{}", ran.text);
    ran
}

const OPENED: &str = "[critical] Database Connection Failed";
const SECOND: &str = "[critical, level 2] Database Connection Failed";
const TAKEN: &str = "[acknowledged] Database Connection Failed";

#[test]
fn a_page_goes_out_once_climbs_while_nobody_answers_is_taken_on_and_ends() {
    let Some(lab) = lab("a page from its beginning to its end", &["kubernetes", "postgres", "products", "mail"]) else {
        return;
    };
    let _alone = alone();
    let title = format!("Pages of {}", std::process::id());
    let sinks = Sinks { lab, title: title.clone() };
    let folder = Folder::with(SOURCE.replace("TITLE", &title).replace("MAIL", &lab.env["LAB_MAIL"]));
    let broken = Broken::new("kill-postgres");

    run(lab, &folder).code(4);
    assert_eq!(sinks.slack(), [OPENED]);
    assert_eq!(sinks.mails(), [OPENED]);
    let events = sinks.pagerduty();
    assert_eq!(events.values().collect::<Vec<_>>(), [&["opened"]], "{events:?}");

    // Nobody answers: what is overdue is done by the next run.
    sleep(Duration::from_secs(4));
    run(lab, &folder).code(4);
    assert_eq!(sinks.slack(), [OPENED, SECOND]);
    assert_eq!(sinks.mails(), [OPENED, SECOND]);
    let events = sinks.pagerduty();
    assert_eq!(events.values().collect::<Vec<_>>(), [&["opened", "escalated"]], "{events:?}");

    say(lab, &folder, &["ack", "a.runbook", "1", "--by", "Ada Lovelace"]);
    let listed = say(lab, &folder, &["incidents"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("Ada Lovelace") && !listed.contains("not told"), "{listed}");
    // All who were told hear that somebody has taken it on, and nobody is called over that person's head.
    sleep(Duration::from_secs(5));
    run(lab, &folder).code(4);
    assert_eq!(sinks.mails(), [OPENED, SECOND, TAKEN]);
    let events = sinks.pagerduty();
    assert_eq!(events.values().collect::<Vec<_>>(), [&["opened", "escalated", "acknowledge"]], "{events:?}");

    drop(broken);
    run(lab, &folder).code(0);
    run(lab, &folder).code(0);
    let ends = |told: Vec<String>| told.iter().filter(|subject| subject.starts_with("[over] ")).count();
    assert_eq!((ends(sinks.slack()), ends(sinks.mails())), (1, 1), "{:?}", sinks.slack());
    let events = sinks.pagerduty();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events.values().next().unwrap(), &["opened", "escalated", "acknowledge", "resolve"]);
    let listed = say(lab, &folder, &["incidents", "--all"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("closed") && !listed.contains("not told"), "{listed}");
}
