//! Channels over HTTP: what is posted to Slack, `PagerDuty` and a webhook, and what each answer means.

mod net;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use net::server::{Reply, Server, raw, reply, says, web};
use net::told::{channel, failed, message, secret, tell, why};
use net::{Outside, ms, text};
use runbook::catalog::{Again, Channel, Message, Occasion, Told};
use runbook::types::{Record, Value};
use serde_json::Value as Json;
use tokio::io::AsyncWriteExt as _;

const PATH: &str = "/services/T0000/B0000/verysecretpart";

fn body(asked: &str) -> Json {
    serde_json::from_str(asked.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON")
}

async fn slack(outside: &Outside, server: &Server) -> Arc<dyn Channel> {
    let webhook = secret(&format!("{}{PATH}", server.url()));
    channel(outside, "slack", &[("webhook", webhook), ("channel", text("#alerts")), ("within", ms(400))]).await
}

async fn pager(outside: &Outside, server: &Server) -> Arc<dyn Channel> {
    let url = text(&format!("{}/v2/enqueue", server.url()));
    channel(outside, "pagerduty", &[("key", secret("s3cret-routing-key")), ("url", url), ("within", ms(400))]).await
}

async fn hook(outside: &Outside, server: &Server, more: &[(&str, Value)]) -> Arc<dyn Channel> {
    let url = text(&format!("{}/alerts?token=in-the-query", server.url()));
    let all: Vec<(&str, Value)> = [("url", url), ("within", ms(400))].into_iter().chain(more.iter().cloned()).collect();
    channel(outside, "webhook", &all).await
}

fn accepted(_: &str) -> Reply {
    reply("202 Accepted", "", r#"{"status":"success","message":"Event processed","dedup_key":"incident-7"}"#)
}

#[tokio::test]
async fn slack_gets_blocks_and_says_ok() {
    let (outside, server) = (Outside::here(), web(|_| reply("200 OK", "", "ok")).await);
    let slack = slack(&outside, &server).await;
    assert_eq!(slack.target(), "#alerts by Slack");
    let told = tell(&outside, &slack, &message(Occasion::Opened)).await.expect("told");
    assert_eq!(told, Told { said: "ok".to_owned() });
    let asked = server.last();
    assert!(asked.starts_with(&format!("POST {PATH} HTTP/1.1\r\n")), "{asked}");
    let body = body(&asked);
    assert_eq!(body["channel"], "#alerts");
    let fallback = "[critical] Error rate: Daily operations\nerror_rate is 12%, for service=&lt;gateway&gt;";
    assert_eq!(body["text"], fallback);
    let kinds: Vec<&str> =
        body["blocks"].as_array().expect("blocks").iter().filter_map(|block| block["type"].as_str()).collect();
    assert_eq!(kinds, ["header", "section", "section", "section", "section", "context"]);
    let context = body["blocks"][5]["elements"][0]["text"].as_str().expect("a text");
    assert!(context.contains("When: 2026-11-26 09:00:05 CET"), "{context}");
}

#[tokio::test]
async fn what_slack_says_is_said_and_the_webhook_never() {
    type Case = (&'static str, &'static str, &'static str, &'static [&'static str], Again);
    let cases: [Case; 10] = [
        (
            "400 Bad Request",
            "",
            "invalid_payload",
            &["failed: Slack at http://", "400 Bad Request: invalid_payload"],
            Again::Never,
        ),
        (
            "403 Forbidden",
            "",
            "invalid_token",
            &["denied: ", "invalid_token (secret) (the webhook was removed or turned off"],
            Again::Never,
        ),
        (
            "404 Not Found",
            "",
            "no_service",
            &["not_found: ", "no_service (secret) (the webhook was removed"],
            Again::Never,
        ),
        (
            "404 Not Found",
            "",
            "channel_not_found",
            &["channel_not_found (secret) (is it spelt as in Slack"],
            Again::Never,
        ),
        (
            "302 Found",
            "Location: https://elsewhere.example/\r\n",
            "",
            &["302 Found: (secret) (a message is not sent on"],
            Again::Never,
        ),
        (
            "429 Too Many Requests",
            "Retry-After: 30\r\n",
            "rate_limited",
            &["rate_limited (secret) (Slack takes about one"],
            Again::After(Duration::from_secs(30)),
        ),
        ("429 Too Many Requests", "", "rate_limited", &["429"], Again::Later),
        (
            "500 Internal Server Error",
            "",
            "<html>oops</html>",
            &["bad_answer: ", "500 Internal Server Error: (a page)"],
            Again::Later,
        ),
        ("503 Service Unavailable", "Retry-After: 5\r\n", "", &["503"], Again::After(Duration::from_secs(5))),
        (
            "200 OK",
            "",
            "<html>Log in</html>",
            &["bad_answer: what answers at", "which Slack does not say (is that Slack"],
            Again::Later,
        ),
    ];
    for (status, headers, body, wanted, again) in cases {
        let echo = format!("{body} {PATH}");
        let said = if body.starts_with('<') { body.to_owned() } else { echo };
        let (outside, server) = (Outside::here(), web(move |_| reply(status, headers, &said)).await);
        let slack = slack(&outside, &server).await;
        let (message, own) = why(tell(&outside, &slack, &message(Occasion::Opened)).await);
        assert!(wanted.iter().all(|part| message.contains(part)), "{status}: {message}");
        assert_eq!(own, again, "{status}");
        assert!(!message.contains("verysecretpart") && !message.contains("/services/"), "{message}");
        assert_eq!(server.asked().len(), 1, "{status}: it is sent once");
    }
}

/// Servers that are broken in ways of their own, and one that is not there.
#[tokio::test]
async fn an_answer_that_does_not_come_may_come_another_time() {
    let dies = raw(|mut stream, server| async move {
        net::server::request(&mut stream, &server).await;
        drop(stream.shutdown().await);
    });
    let silent = raw(|mut stream, server| async move {
        net::server::request(&mut stream, &server).await;
        tokio::time::sleep(Duration::from_mins(1)).await;
    });
    let gone = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
        listener.local_addr().expect("an address")
    };
    let outside = Outside::here();
    for (server, wanted, sent) in [
        (dies.await, "unreachable: ", true),
        (silent.await, "timeout: no answer from http://", true),
        (says(b"220 mail.example.com ESMTP\r\n").await, "bad_answer: what answers at ", true),
    ] {
        for channel in
            [slack(&outside, &server).await, pager(&outside, &server).await, hook(&outside, &server, &[]).await]
        {
            let failed = failed(tell(&outside, &channel, &message(Occasion::Opened)).await);
            let said = format!("{}: {}", failed.fault.kind.name(), failed.fault.message);
            assert!(said.starts_with(wanted), "{wanted}: {said}");
            assert_eq!(failed.again, Again::Later, "{said}");
            // A time-out does not know what had gone out.
            assert!(failed.fault.sent == sent || failed.fault.kind.name() == "timeout", "{said}");
            assert!(!said.contains("verysecretpart") && !said.contains("in-the-query"), "{said}");
        }
    }
    let webhook = secret(&format!("http://{gone}{PATH}"));
    let nobody = channel(&outside, "slack", &[("webhook", webhook)]).await;
    let failed = failed(tell(&outside, &nobody, &message(Occasion::Opened)).await);
    assert_eq!((failed.fault.kind.name(), failed.again, failed.fault.sent), ("unreachable", Again::Later, false));
}

#[tokio::test]
async fn a_pager_gets_one_incident_from_its_opening_to_its_end() {
    let (outside, server) = (Outside::here(), web(accepted).await);
    let pager = pager(&outside, &server).await;
    assert_eq!(pager.target(), "PagerDuty");
    for (occasion, action) in [
        (Occasion::Opened, "trigger"),
        (Occasion::Again, "trigger"),
        (Occasion::Escalated, "trigger"),
        (Occasion::Note, "trigger"),
        (Occasion::Acknowledged, "acknowledge"),
        (Occasion::Closed, "resolve"),
    ] {
        let told = tell(&outside, &pager, &message(occasion)).await.expect("told");
        assert_eq!(told.said, "202 accepted");
        let event = body(&server.last());
        assert_eq!(event["event_action"], action, "{occasion:?}");
        // Each note is an incident of its own.
        let known_by = if occasion == Occasion::Note { message(occasion).key } else { "incident-7".into() };
        assert_eq!(event["dedup_key"], *known_by);
        assert_eq!(event["routing_key"], "s3cret-routing-key");
        assert_eq!(event["payload"].is_object(), action == "trigger", "{event}");
    }
    let event = body(server.asked().first().expect("the first"));
    let payload = &event["payload"];
    assert_eq!(payload["severity"], "critical");
    assert_eq!(payload["source"], "Daily operations");
    assert!(
        payload["summary"].as_str().is_some_and(|text| text.starts_with("[critical] Error rate: Daily operations: "))
    );
    assert_eq!(payload["custom_details"]["service"], "gateway & co");
    assert_eq!(payload["custom_details"]["What to do"], "Restart the gateway.");
    assert_eq!(event["links"][0]["href"], "https://runbook.example.com/ack/7");
}

#[tokio::test]
async fn a_test_of_a_pager_says_so_and_leaves_nothing_open() {
    let (outside, server) = (Outside::here(), web(accepted).await);
    let told = tell(&outside, &pager(&outside, &server).await, &message(Occasion::Test)).await.expect("told");
    assert_eq!(told.said, "202 accepted, and resolved at once");
    let events: Vec<Json> = server.asked().iter().map(|asked| body(asked)).collect();
    let [first, second] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(first["payload"]["severity"], "info");
    assert!(first["payload"]["summary"].as_str().is_some_and(|text| text.starts_with("[TEST] ")), "{first}");
    assert_eq!((&second["event_action"], &second["dedup_key"]), (&Json::from("resolve"), &first["dedup_key"]));
    let broken =
        web(
            |asked| {
                if asked.contains("\"resolve\"") { reply("500 Internal Server Error", "", "") } else { accepted(asked) }
            },
        );
    let told = tell(&outside, &pager(&outside, &broken.await).await, &message(Occasion::Test)).await.expect("told");
    assert!(told.said.starts_with("202 accepted, but its incident stays open"), "{}", told.said);
}

#[tokio::test]
async fn a_pager_that_refuses_says_why() {
    let invalid = r#"{"status":"invalid event","message":"Event object is invalid","errors":["Invalid routing key s3cret-routing-key"]}"#;
    for (status, headers, said, wanted, again) in [
        ("400 Bad Request", "", invalid, "Invalid routing key (secret)", Again::Never),
        ("429 Too Many Requests", "", "{}", "events a minute", Again::Later),
        ("429 Too Many Requests", "Retry-After: 7\r\n", "{}", "429", Again::After(Duration::from_secs(7))),
        ("502 Bad Gateway", "", "", "502", Again::Later),
        ("200 OK", "", "hello", "which PagerDuty does not say", Again::Later),
    ] {
        let (outside, server) = (Outside::here(), web(move |_| reply(status, headers, said)).await);
        let (message, own) = why(tell(&outside, &pager(&outside, &server).await, &message(Occasion::Opened)).await);
        assert!(message.contains(wanted) && !message.contains("s3cret"), "{status}: {message}");
        assert_eq!(own, again, "{status}");
    }
}

#[tokio::test]
async fn a_webhook_gets_the_message_named_and_signed() {
    let (outside, server) = (Outside::here(), web(|_| reply("202 Accepted", "", "")).await);
    let headers: Record =
        [("X-Team".into(), text("ops")), ("Authorization".into(), secret("Bearer s3cret"))].into_iter().collect();
    let more = [("headers", Value::Record(Arc::new(headers))), ("secret", secret("signing-s3cret"))];
    let hook = hook(&outside, &server, &more).await;
    assert_eq!(hook.target(), format!("{}/alerts", server.url()));
    let told = tell(&outside, &hook, &message(Occasion::Opened)).await.expect("told");
    assert_eq!(told.said, "202 accepted");
    let asked = server.last();
    for line in ["x-team: ops\r\n", "authorization: Bearer s3cret\r\n", "idempotency-key: incident-7-1\r\n"] {
        assert!(asked.contains(line), "{line} in {asked}");
    }
    let signed = asked.split("x-runbook-signature: ").nth(1).and_then(|rest| rest.lines().next()).expect("signed");
    let (time, hex) = signed.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).expect("t=…,v1=…");
    let sent = asked.split("\r\n\r\n").nth(1).expect("a body");
    let own =
        net::aws_signature::hex(&net::aws_signature::hmac(b"signing-s3cret", format!("{time}.{sent}").as_bytes()));
    assert_eq!(hex, own);
    let shape = body(&asked);
    let names: Vec<&str> = shape.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "version",
            "key",
            "about",
            "occasion",
            "severity",
            "subject",
            "title",
            "text",
            "parts",
            "facts",
            "doc",
            "runbook",
            "at",
            "when",
            "timezone",
            "incident",
            "on_call",
            "link",
            "acknowledge"
        ]
    );
    assert_eq!((&shape["at"], &shape["when"]), (&"2026-11-26T08:00:05Z".into(), &"2026-11-26 09:00:05 CET".into()));
    assert_eq!(shape["incident"], serde_json::json!({ "number": 7, "level": 1, "role": "Operations Engineer" }));
}

#[tokio::test]
async fn a_secret_address_shows_its_host_only() {
    let (outside, server) = (Outside::here(), web(|_| reply("410 Gone", "", "no longer at /hooks/very-s3cret")).await);
    let url = secret(&format!("{}/hooks/very-s3cret", server.url()));
    let hook = channel(&outside, "webhook", &[("url", url)]).await;
    assert_eq!(hook.target(), server.url());
    let (message, again) = why(tell(&outside, &hook, &message(Occasion::Opened)).await);
    assert!(message.contains("410 Gone: no longer at (secret)") && !message.contains("s3cret"), "{message}");
    assert_eq!(again, Again::Never);
    for (driver, given) in [
        ("slack", ("webhook", secret("not a s3cret URL"))),
        ("slack", ("webhook", secret("ftp://s3cret.example/x"))),
        ("webhook", ("url", secret("https://user:s3cret@bot.example.com/"))),
    ] {
        let fault = outside.open(driver, &[given]).await.err().expect("no channel");
        assert_eq!(fault.kind.name(), "setup");
        assert!(!format!("{fault:?}").contains("s3cret"), "{fault:?}");
    }
}

#[tokio::test]
async fn a_template_says_what_a_message_looks_like_or_the_built_in_wording_goes_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("good.json", r#"{ "blocks": [], "text": "*{{ title }}* {{ text }}" }"#);
    write("broken.json", r#"{ "text": "{{ nobody }}" }"#);
    write("refused.json", r#"{ "blocks": "none", "text": "x" }"#);
    let outside = Outside::new(&[], Path::new(folder.path()));
    let server = web(|asked| {
        if asked.contains("\"none\"") {
            reply("400 Bad Request", "", "invalid_blocks")
        } else {
            reply("200 OK", "", "ok")
        }
    })
    .await;
    let open = async |template: &str| {
        let webhook = secret(&format!("{}{PATH}", server.url()));
        channel(&outside, "slack", &[("webhook", webhook), ("template", text(template))]).await
    };
    let told = tell(&outside, &open("good.json").await, &message(Occasion::Opened)).await.expect("told");
    assert_eq!(told.said, "ok");
    assert_eq!(body(&server.last())["text"], "*Error rate* error_rate is 12%, for service=&lt;gateway&gt;");
    for (template, why) in [
        ("broken.json", "a value that is not there in line 1"),
        ("refused.json", "Slack does not take what it makes: invalid_blocks"),
        ("missing.json", "missing.json: No such file"),
        ("../above.json", "leads out of the runbook's folder"),
    ] {
        let told = tell(&outside, &open(template).await, &message(Occasion::Opened)).await.expect("told");
        assert!(told.said.starts_with("ok. The template") && told.said.contains(why), "{template}: {}", told.said);
        let sent = body(&server.last()).to_string();
        assert!(sent.contains("The template `") && sent.contains("gateway"), "{template}: {sent}");
    }
    let hook = hook(&outside, &server, &[("template", text("broken.json"))]).await;
    let _ = tell(&outside, &hook, &Message { text: "x".to_owned(), ..message(Occasion::Note) }).await.expect("told");
    let sent = body(&server.last());
    assert!(sent["remark"].as_str().is_some_and(|remark| remark.contains("broken.json")), "{sent}");
}
