//! An issue that a runbook opens where there is none, and brings up to date where there is one: `http` is all it takes.

mod net;
#[path = "support/program.rs"]
mod program;

use std::sync::Mutex;

use net::server::{reply, web};
use program::{Folder, Output, finish};

const SOURCE: &str = r#"
secret tracker_token = env("TRACKER_TOKEN")

connect tracker = http("URL", bearer: tracker_token)

section "End of day" {
  let open = tracker.get("/issues", query: { label: "disk" }).json | where(.state == "open")
  if open | is_empty {
    change made = tracker.post("/issues", json: { title: "disk is nearly full", label: "disk", used: 91.5% })
    show made.json.id as "opened"
  }
  for issue in open at most 1 {
    change tracker.patch("/issues/{issue.id}", json: { used: 91.5% })
      verify tracker.get("/issues/{issue.id}").json.used == 0.915
  }
}
"#;

/// Runs the runbook with consent to what it changes.
fn run(url: &str) -> Output {
    let folder = Folder::with(SOURCE.replace("URL", url));
    let mut command = folder.command(&["run", "a.runbook", "--format", "json", "--approve", &folder.hash()]);
    finish(command.env("TRACKER_TOKEN", "s3cret-token").spawn().expect("it starts"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_is_opened_once_and_then_brought_up_to_date() {
    let issues: Mutex<Vec<serde_json::Value>> = Mutex::default();
    let server = web(move |asked| {
        let mut issues = issues.lock().expect("the issues");
        let sent = asked.split("\r\n\r\n").nth(1).and_then(|body| serde_json::from_str(body).ok());
        match (asked.split(' ').next(), sent) {
            (Some("POST"), Some(serde_json::Value::Object(mut issue))) => {
                issue.insert("id".into(), 7.into());
                issue.insert("state".into(), "open".into());
                issues.push(issue.into());
                reply("201 Created", "Location: /issues/7\r\n", &issues[0].to_string())
            }
            (Some("PATCH"), Some(change)) if asked.starts_with("PATCH /issues/7 ") => {
                issues[0]["used"] = change["used"].clone();
                reply("200 OK", "", &issues[0].to_string())
            }
            _ if asked.starts_with("GET /issues/7 ") => reply("200 OK", "", &issues[0].to_string()),
            _ => reply("200 OK", "", &serde_json::Value::Array(issues.clone()).to_string()),
        }
    })
    .await;
    for wanted in [["GET", "POST"].as_slice(), &["GET", "PATCH", "GET"]] {
        let (url, before) = (server.url(), server.asked().len());
        let ran = tokio::task::spawn_blocking(move || run(&url)).await.expect("it ran");
        ran.code(0).lacks("s3cret");
        let said = &ran.stdout;
        let asked = server.asked();
        let methods: Vec<&str> = asked[before..].iter().filter_map(|one| one.split(' ').next()).collect();
        assert_eq!(methods, wanted, "{said}");
        assert!(asked[before..].iter().all(|one| one.contains("authorization: Bearer s3cret-token\r\n")));
    }
    let opened = server.asked().into_iter().find(|asked| asked.starts_with("POST /issues ")).expect("opened");
    assert!(opened.ends_with(r#"{"title":"disk is nearly full","label":"disk","used":0.915}"#), "{opened}");
}
