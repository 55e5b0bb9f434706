//! Channels, told by the program: the message is found where it should arrive.

use std::path::PathBuf;
use std::process::Output;

use serde_json::Value as Json;

use crate::harness::{Lab, lab};
use crate::program::Folder;

const SOURCE: &str = r##"runbook "Care of channels" { edition 1  timezone "Europe/Berlin" }

secret slack_webhook = env("SLACK_WEBHOOK")
secret pagerduty_key = env("PAGERDUTY_KEY")
secret bot_secret = env("BOT_SECRET")
param to: string = "ops@example.com"

channel slack = slack(webhook: slack_webhook, channel: "#alerts")
channel shaped = slack(webhook: slack_webhook, template: "slack.json")
channel pager = pagerduty(key: pagerduty_key)
channel bot = webhook("SINK/alerts", secret: bot_secret)
channel mail = email(to: [to, "Wächter <on-call@example.com>"], from: "Runbook <runbook@example.com>", server: "MAIL", template: "mail.html")
channel nobody = email(to: [to], from: "runbook@example.com", server: "127.0.0.1:1")

section "Tell" {
  notify slack "a"
  notify shaped "b"
  notify pager "c"
  notify bot "d"
  notify mail "e"
  notify nobody "f"
}
"##;

const ENV: &[(&str, &str)] = &[
    ("SLACK_WEBHOOK", "https://hooks.slack.com/services/T0/B0/lab-s3cret-webhook"),
    ("PAGERDUTY_KEY", "lab-s3cret-routing-key"),
    ("BOT_SECRET", "lab-s3cret-signing"),
];

fn notify(lab: &Lab, folder: &Folder, args: &[&str]) -> Output {
    let output = lab.command(folder, &["notify"]).args(args).envs(ENV.iter().copied()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains("s3cret"), "{said}");
    output
}

/// The folder of the runbook and its templates.
fn folder(lab: &Lab) -> Folder {
    let mail = lab.facts["parts"]["mail"]["address"].as_str().unwrap();
    let folder = Folder::with(SOURCE.replace("MAIL", mail).replace("SINK", &sink(lab)));
    folder.write("slack.json", r#"{ "text": "shaped: {{ subject }}" }"#);
    folder.write(
        "mail.html",
        "<h1>{{ subject }}</h1><ul>{% for fact in facts %}<li>{{ fact.name }}: {{ fact.value }}</li>{% endfor %}</ul>",
    );
    folder
}

/// What takes whatever is posted.
fn sink(lab: &Lab) -> String {
    let mut servers = lab.env["LAB_SERVERS"].split(' ');
    servers.find_map(|one| one.strip_prefix("slack=")).unwrap().to_owned()
}

/// What a stand-in was asked, from the last to the first.
fn asked(lab: &Lab, name: &str) -> Vec<Json> {
    let folder = PathBuf::from(lab.facts["parts"]["products"]["records"].as_str().unwrap());
    let text = std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).unwrap();
    text.lines().rev().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn told(lab: &Lab, folder: &Folder, args: &[&str], wanted: &str) {
    let output = notify(lab, folder, args);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    // The lab's names lead to it through its proxy, which is a part of where somebody is told.
    let (before, behind) = said.split_once(" through the proxy 127.0.0.1:").unwrap_or((&said, ""));
    let behind = behind.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let said = format!("{before}{behind}");
    assert!(said.starts_with(wanted) && said.ends_with(" s)\n"), "{said}");
}

#[test]
fn a_test_through_each_channel_arrives() {
    let Some(lab) = lab("the channels", &["mail", "products"]) else { return };
    let folder = folder(lab);
    told(lab, &folder, &["a.runbook", "--test", "slack"], "told #alerts by Slack: ok (");
    told(lab, &folder, &["--test", "shaped", "a.runbook"], "told the channel of the webhook by Slack: ok (");
    let posted = asked(lab, "slack");
    let body = |index: usize| serde_json::from_str::<Json>(posted[index]["body"].as_str().unwrap()).unwrap();
    let subject = "[TEST] the channel `shaped` is tried: Care of channels";
    assert_eq!(body(0)["text"], format!("shaped: {subject}"));
    assert_eq!(
        (&body(1)["channel"], &posted[1]["path"]),
        (&"#alerts".into(), &"/services/T0/B0/lab-s3cret-webhook".into())
    );
    assert!(body(1)["blocks"].to_string().contains("This is a test: nothing is wrong"));

    told(lab, &folder, &["a.runbook", "--test", "pager"], "told PagerDuty: 202 accepted, and resolved at once (");
    let events = asked(lab, "pagerduty");
    let event = |index: usize| serde_json::from_str::<Json>(events[index]["body"].as_str().unwrap()).unwrap();
    let (resolved, triggered) = (event(0), event(1));
    assert_eq!((&resolved["event_action"], &triggered["event_action"]), (&"resolve".into(), &"trigger".into()));
    assert_eq!(resolved["dedup_key"], triggered["dedup_key"]);
    assert_eq!(triggered["routing_key"], "lab-s3cret-routing-key");

    let told_bot = format!("told {}/alerts: 200 ok (", sink(lab));
    told(lab, &folder, &["a.runbook", "--test", "bot"], &told_bot);
    let posted = asked(lab, "slack").remove(0);
    assert_eq!(posted["path"], "/alerts");
    assert!(posted["headers"].to_string().to_lowercase().contains("x-runbook-signature"), "{posted}");
}

#[test]
fn a_mail_arrives_once_for_all_who_get_it() {
    let Some(lab) = lab("the mail channel", &["mail"]) else { return };
    let folder = folder(lab);
    let to = "to=x@example.com";
    told(lab, &folder, &["a.runbook", "--test", "mail", "--set", to], "told 2 addresses by 127.0.0.1: 250 kept (");
    let mails = PathBuf::from(lab.facts["parts"]["mail"]["folder"].as_str().unwrap());
    let mut mails: Vec<PathBuf> = std::fs::read_dir(mails).unwrap().map(|entry| entry.unwrap().path()).collect();
    mails.sort();
    let mail = std::fs::read_to_string(mails.last().unwrap()).unwrap();
    for part in [
        "X-Envelope-From: runbook@example.com\r\n",
        "X-Envelope-To: x@example.com, on-call@example.com\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Subject: [TEST] the channel `mail` is tried: Care of channels",
        "Content-Type: multipart/alternative",
    ] {
        assert!(mail.contains(part), "{part} in {mail}");
    }
    assert!(mail.contains("<li>Channel: mail</li>"), "{mail}");
}

#[test]
fn who_is_not_told_is_named_with_what_to_do() {
    let Some(lab) = lab("channels that do not tell", &["mail"]) else { return };
    let folder = folder(lab);
    let output = notify(lab, &folder, &["a.runbook", "--test", "nobody"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    for part in ["not told ops@example.com by 127.0.0.1; it may work when it is tried again: ", "connection refused"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let output = notify(lab, &folder, &["a.runbook"]);
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(listed.contains("slack   slack(webhook: slack_webhook, channel: \"#alerts\")\n"), "{listed}");
}
