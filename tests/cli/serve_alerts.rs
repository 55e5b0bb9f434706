//! `runbook serve`: alerts that others post, sections that answer alerts, and reports.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::fmt::Write as _;
use std::net::TcpStream;

use serde_json::Value as Json;

use crate::program::{Folder, finish};
use crate::serving::{Sink, asked, free_port, get, terminate, until};

const TOKEN: &str = "0123456789abcdef-token";

fn runbook(sink: u16) -> String {
    format!(
        r#"runbook "Posted" {{ edition 1 }}

channel bot = webhook("http://127.0.0.1:{sink}/bot")

metric there: bool every 1s = host.file("there").exists

threshold "Down" warning {{
  from alertmanager "InstanceDown", "TargetDown"
  group by job
  notify bot
}}

threshold "Slow" warning {{
  from alertmanager
  notify bot
}}

threshold "Missing" warning {{
  when not there
  notify bot
}}

section "Evidence" on alert "Down", "Missing" {{
  show "found"
}}

report "Second" every 1s {{
  show [{{ disk: "a", used: 5% }}] as "Disks"
  check 1 > 2 as "one is more than two" else warning
  send to bot
}}
"#
    )
}

/// Posts a body, and gives the status and what was answered.
fn post(port: u16, path: &str, token: &str, body: &str) -> (u16, Json) {
    let head = format!("content-type: application/json\r\nauthorization: Bearer {token}\r\nconnection: close");
    let request =
        format!("POST {path} HTTP/1.1\r\nhost: here\r\n{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let answer = asked(port, &request);
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Json::Null))
}

fn group(status: &str, name: &str, labels: &str) -> String {
    format!(
        r#"{{"version":"4","receiver":"x","status":"{status}","alerts":[{{"status":"{status}","labels":{{"alertname":"{name}"{labels}}},
            "annotations":{{"summary":"it is <b>down</b>"}},"startsAt":"2026-11-26T08:00:00Z","endsAt":"0001-01-01T00:00:00Z"}}]}}"#
    )
}

#[test]
fn alerts_are_posted_answered_and_closed_and_reports_go_out() {
    let sink = Sink::new();
    let folder = Folder::with(runbook(sink.port));
    folder.write("there", "");
    folder.write("token", TOKEN);
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let args = ["serve", "a.runbook", "--listen", &listen, "--webhook-token-file", "token"];
    let server = folder.command(&args).spawn().unwrap();
    until("it answers", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    until("it leads", || get(port, "/metrics").contains("runbook_leading{runbook=\"Posted\"} 1"));

    let hook = "/hooks/alertmanager";
    let firing = group("firing", "InstanceDown", r#","job":"api","instance":"a:1""#);
    assert_eq!(post(port, hook, "wrong-token-wrong-token", &firing).0, 401);
    assert_eq!(post(port, hook, TOKEN, "hello").0, 400);
    assert_eq!(post(port, hook, TOKEN, &format!("[{}]", " ".repeat(9 << 20))).0, 413);
    let (status, answer) = post(port, hook, TOKEN, &group("firing", "Unheard", ""));
    assert_eq!((status, &answer["unknown"][0]), (422, &Json::from("Unheard")), "{answer}");

    assert_eq!(post(port, hook, TOKEN, &firing), (200, serde_json::json!({ "taken": 1 })));
    // It says so again and again, under either name of the threshold, and it is one alert.
    assert_eq!(post(port, hook, TOKEN, &firing).0, 200);
    let list = r#"[{"labels":{"alertname":"Slow","path":"/"},"annotations":{"description":"p99 is 3s"}}]"#;
    assert_eq!(post(port, "/api/v2/alerts", TOKEN, list).0, 200);
    until("both are told", || !sink.occasions("Down").is_empty() && !sink.occasions("Slow").is_empty());
    let told = sink.heard.lock().unwrap().iter().find(|body| body.contains("\"Down\"")).cloned().unwrap();
    assert!(told.contains("it is <b>down</b>") && told.contains("a:1"), "{told}");
    let runs = || folder.run(&["history"]).stdout.matches("Evidence").count();
    until("the alert is answered", || runs() == 1);

    let over = r#"[{"labels":{"alertname":"Slow","path":"/"},"endsAt":"2026-01-01T00:00:00Z"}]"#;
    assert_eq!(post(port, "/api/v2/alerts", TOKEN, over).0, 200);
    assert_eq!(post(port, hook, TOKEN, &group("resolved", "InstanceDown", r#","job":"api","instance":"a:1""#)).0, 200);
    until("both are over", || {
        let over = |title| sink.occasions(title).last().is_some_and(|occasion| occasion == "closed");
        over("Down") && over("Slow")
    });
    assert_eq!(sink.occasions("Down"), ["opened", "closed"]);
    // Another alert is answered by another run.
    std::fs::remove_file(folder.path("there")).unwrap();
    until("the second alert is answered", || runs() == 2);

    until("reports are sent", || sink.occasions("Second").len() > 2);
    let report = sink.heard.lock().unwrap().iter().find(|body| body.contains("\"Second\"")).cloned().unwrap();
    let report: Json = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["occasion"], &report["severity"]), (&"report".into(), &"warning".into()), "{report}");
    let text = "1 failed:\none is more than two: FAILED (warning)\n\nDisks\ndisk  used\na       5%\n\none is more than two  FAILED (warning)";
    assert!(report["text"].as_str().unwrap().starts_with(text), "{report}");
    assert_eq!(report["parts"][0]["body"]["rows"][0][1]["value"], 0.05);

    terminate(&server);
    let ended = finish(server);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("an alert was posted that nobody is told of"), "{}", ended.stderr);
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains(TOKEN));
    assert_eq!(runs(), 2, "each alert is answered once");

    // The second alert is still open; whoever serves next does not answer it again.
    let server = folder.command(&args).spawn().unwrap();
    let reports = sink.occasions("Second").len();
    until("the next server does what is due", || sink.occasions("Second").len() > reports + 2);
    terminate(&server);
    assert_eq!(finish(server).code, 0);
    assert_eq!(runs(), 2);
    folder.run(&["history", "-n", "0"]).code(0).lacks("unfinished");
}

#[test]
fn without_a_token_nobody_posts_alerts_and_it_is_said() {
    let sink = Sink::new();
    let folder = Folder::with(runbook(sink.port));
    folder.write("there", "");
    folder.write("short", "secret");
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    folder.run(&["serve", "a.runbook", "--listen", &listen, "--webhook-token-file", "short"]).code(1).err("16 or more");
    folder.run(&["serve", "a.runbook", "--listen", &listen, "--webhook-token-file", "none"]).code(1).err("none");
    let server = folder.command(&["serve", "a.runbook", "--listen", &listen]).spawn().unwrap();
    until("it answers", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    let (status, answer) = post(port, "/hooks/alertmanager", "", &group("firing", "InstanceDown", ""));
    assert_eq!(status, 403, "{answer}");
    assert!(answer["error"].as_str().unwrap().contains("--webhook-token-file"), "{answer}");
    terminate(&server);
    let ended = finish(server);
    assert!(ended.stderr.contains("nobody can post alerts of \"Down\" to this server"), "{}", ended.stderr);
    assert!(sink.occasions("Down").is_empty());
}

#[test]
fn what_a_statement_raises_is_over_where_its_section_does_not_reach_it_any_more() {
    let sink = Sink::new();
    let folder = Folder::with(format!(
        "runbook \"Raised\" {{ edition 1 }}\n\
         channel bot = webhook(\"http://127.0.0.1:{}/bot\")\n\
         threshold \"Missing\" warning {{\n  notify bot\n}}\n\
         section \"Look\" every 1s {{\n  if not host.file(\"there\").exists {{\n    raise \"Missing\"\n  }}\n}}\n",
        sink.port
    ));
    let server = folder.command(&["serve", "a.runbook", "--no-listen"]).spawn().unwrap();
    until("it is told", || sink.occasions("Missing") == ["opened"]);
    folder.write("there", "");
    until("its end is told", || sink.occasions("Missing") == ["opened", "closed"]);
    terminate(&server);
    finish(server).code(0);
}

#[test]
fn what_somebody_else_begins_climbs_in_its_time_also_where_the_server_has_nothing_else_to_do() {
    let sink = Sink::new();
    let folder = Folder::with(format!(
        "runbook \"Quiet\" {{ edition 1 }}\n\
         channel bot = webhook(\"http://127.0.0.1:{}/bot\")\n\
         threshold \"Down\" warning {{\n  notify bot\n}}\n\
         section \"Night\" daily at 03:00 {{\n  check 1 < 2 as \"numbers hold\" else raise \"Down\"\n}}\n\
         escalation ops {{\n  level 1 \"Engineer\" {{\n    escalate after 2s unless acknowledged\n    notify bot\n  }}\n  \
         level 2 \"Chief\" {{\n    notify bot\n  }}\n  by hand \"Impact\" to level 1\n}}\n",
        sink.port
    ));
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let server = folder.command(&["serve", "a.runbook", "--listen", &listen]).spawn().unwrap();
    until("it serves", || TcpStream::connect(("127.0.0.1", port)).is_ok() && get(port, "/readyz").contains(" 200 "));
    folder.run(&["escalate", "a.runbook", "Impact", "--by", "ann"]).code(0);
    until("the next level is told", || sink.occasions("Impact") == ["opened", "escalated"]);
    terminate(&server);
    finish(server).code(0);
}

#[test]
fn sections_that_run_at_the_same_time_are_each_heard() {
    let sink = Sink::new();
    let mut text = format!(
        "runbook \"Beside\" {{ edition 1 }}\n\
         channel bot = webhook(\"http://127.0.0.1:{}/bot\")\n\
         tool after(time: string) -> string = argv(\"sleep\", time)\n",
        sink.port
    );
    for (title, time) in [("Quick", "0"), ("Slow", "0.6"), ("Slower", "1.2")] {
        let _ = write!(
            text,
            "threshold \"{title}\" warning {{\n  notify bot\n}}\n\
             section \"Look {title}\" every 1s {{\n  show after(\"{time}\") as \"time\"\n  \
             check host.file(\"there\").exists as \"there\" else raise \"{title}\"\n}}\n"
        );
    }
    let folder = Folder::with(text);
    let server = folder.command(&["serve", "a.runbook", "--no-listen"]).spawn().unwrap();
    let titles = ["Quick", "Slow", "Slower"];
    until("all are told", || titles.iter().all(|title| sink.occasions(title) == ["opened"]));
    folder.write("there", "");
    until("all are over", || titles.iter().all(|title| sink.occasions(title) == ["opened", "closed"]));
    terminate(&server);
    finish(server).code(0);
}
