//! Products behind HTTP: what is asked of them, what their answers mean, and what an answer that is none is called.
//!
//! Prometheus and Alertmanager are asked for real in `tests/lab/observe.rs`; here are the answers that no healthy one
//! gives. The shapes of Elasticsearch, Jaeger and Grafana are those of their documentation.

mod net;

use std::sync::atomic::{AtomicUsize, Ordering};

use net::server::{Server, raw, refused, reply, request, web};
use net::{Outside, fault, field, literal, ms, template, text};
use runbook::types::{Fault, FaultKind, Piece, SecretText, Value};
use tokio::io::AsyncWriteExt;

async fn connect(driver: &str, url: &str, more: &[(&str, Value)]) -> Value {
    let mut given = vec![("url", text(url)), ("within", ms(3000))];
    given.extend(more.iter().cloned());
    Outside::here().connect(driver, &given).await.expect("a connection")
}

async fn call(name: &str, connection: &Value, more: &[(&str, Value)]) -> Result<Value, Fault> {
    let mut given = vec![("connection", connection.clone())];
    given.extend(more.iter().cloned());
    Outside::here().call(name, &given).await
}

/// A server that gives its answers one after the other, and the last one from then on.
async fn turns(answers: &'static [(&'static str, &'static str, &'static str)]) -> Server {
    let turn = AtomicUsize::new(0);
    web(move |_| {
        let turn = turn.fetch_add(1, Ordering::SeqCst);
        let (status, headers, body) = answers.get(turn).or(answers.last()).expect("an answer");
        reply(status, headers, body)
    })
    .await
}

async fn answering(body: &'static str) -> Server {
    web(move |_| reply("200 OK", "Content-Type: application/json\r\n", body)).await
}

fn secret(text: &str) -> Value {
    Value::Secret(SecretText::new(text.to_owned()))
}

/// What was asked, without its `%` and `+`.
fn asked(server: &Server) -> String {
    let last = server.last();
    let decoded = last.replace('+', " ");
    percent_encoding::percent_decode_str(&decoded).decode_utf8_lossy().into_owned()
}

const ONE: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1700000000.25,"1"]}]}}"#;

async fn query(server: &Server, promql: &str, more: &[(&str, Value)]) -> Result<Value, Fault> {
    let prom = connect("prometheus", &server.url(), more).await;
    call("prometheus.query", &prom, &[("promql", literal(promql))]).await
}

#[tokio::test]
async fn a_read_is_asked_again_where_that_helps() {
    for answers in [
        &[("503 Service Unavailable", "", "busy"), ("502 Bad Gateway", "", ""), ("200 OK", "", ONE)][..],
        &[("429 Too Many Requests", "Retry-After: 0\r\n", ""), ("200 OK", "", ONE)],
        &[("504 Gateway Timeout", "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", ""), ("200 OK", "", ONE)],
    ] {
        let server = turns(answers).await;
        let samples = query(&server, "up", &[]).await.expect("in the end");
        assert_eq!(samples.to_json()[0]["value"], 1.0);
        assert_eq!(server.asked().len(), answers.len());
    }
    let server = turns(&[("503 Service Unavailable", "", "still busy")]).await;
    let found = fault(query(&server, "up", &[]).await);
    assert_eq!(found.kind, FaultKind::BadAnswer);
    assert!(found.message.ends_with("answered 503 Service Unavailable, 3 times: still busy"), "{found}");
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn it_is_not_asked_again_where_that_does_not() {
    // The wait is longer than the limit; the product says what is wrong; it is not a status that passes.
    let timeout = r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#;
    for (answer, kind, words) in [
        (
            ("429 Too Many Requests", "Retry-After: 60\r\n", "slowly"),
            FaultKind::Failed,
            "asked too often (429): slowly",
        ),
        (("503 Service Unavailable", "", timeout), FaultKind::Timeout, "query timed out in expression evaluation"),
        (("500 Internal Server Error", "", "panic"), FaultKind::BadAnswer, "500 Internal Server Error: panic"),
        (
            ("400 Bad Request", "", r#"{"status":"error","errorType":"bad_data","error":"1:4: parse error"}"#),
            FaultKind::Failed,
            "`up(`: Prometheus at",
        ),
    ] {
        let server = web(move |_| reply(answer.0, answer.1, answer.2)).await;
        let found = fault(query(&server, "up(", &[]).await);
        assert_eq!(found.kind, kind, "{found}");
        assert!(found.message.contains(words), "{found}");
        assert_eq!(server.asked().len(), 1, "{found}");
    }
}

#[tokio::test]
async fn a_connection_that_drops_is_made_again() {
    let turn = AtomicUsize::new(0);
    let turn = std::sync::Arc::new(turn);
    let server = raw(move |mut stream, server| {
        let turn = std::sync::Arc::clone(&turn);
        async move {
            request(&mut stream, &server).await;
            let text = match turn.fetch_add(1, Ordering::SeqCst) {
                // Nothing; then the half of an answer.
                0 => String::new(),
                1 => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", ONE.len(), &ONE[..40]),
                _ => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{ONE}", ONE.len()),
            };
            _ = stream.write_all(text.as_bytes()).await;
        }
    })
    .await;
    assert_eq!(query(&server, "up", &[]).await.expect("in the end").to_json()[0]["labels"]["job"], "a");
    assert_eq!(server.asked().len(), 3);
    let refused = format!("http://{}", refused().await);
    let prom = connect("prometheus", &refused, &[]).await;
    let found = fault(call("prometheus.query", &prom, &[("promql", literal("up"))]).await);
    assert_eq!((found.kind, found.sent), (FaultKind::Unreachable, false));
    assert_eq!(call("prometheus.answers", &prom, &[]).await.expect("an answer").to_json(), false);
}

#[tokio::test]
async fn a_change_is_made_once() {
    let silence =
        [("labels", Value::record([("alertname", text("Down"))])), ("for", ms(3_600_000)), ("comment", text("a test"))];
    let server = turns(&[("503 Service Unavailable", "", "busy")]).await;
    let pager = connect("alertmanager", &server.url(), &[]).await;
    let found = fault(call("alertmanager.silence", &pager, &silence).await);
    // Nobody knows: see `outcome_of` in the runner.
    assert_eq!(found.kind, FaultKind::BadAnswer);
    assert_eq!(server.asked().len(), 1);
    let server = turns(&[("400 Bad Request", "", r#""bad matcher""#)]).await;
    let pager = connect("alertmanager", &server.url(), &[]).await;
    let found = fault(call("alertmanager.silence", &pager, &silence).await);
    assert_eq!((found.kind, found.sent), (FaultKind::Failed, false));
    assert!(found.message.contains("refuses (400): bad matcher"), "{found}");
    // It went through, and what came back says nothing.
    for body in ["<html><title>Login</title>", "{}", ""] {
        let server = web(move |_| reply("200 OK", "", body)).await;
        let pager = connect("alertmanager", &server.url(), &[]).await;
        let found = fault(call("alertmanager.silence", &pager, &silence).await);
        assert_eq!((found.kind, found.sent), (FaultKind::BadAnswer, true), "{found}");
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_told_what_to_do() {
    let server = web(|_| reply("401 Unauthorized", "", "who are you")).await;
    let found = fault(query(&server, "up", &[]).await);
    assert_eq!(found.kind, FaultKind::Denied);
    assert!(found.help.as_deref().unwrap_or_default().contains("`bearer: token` or `basic: login`"), "{found:?}");
    let found = fault(query(&server, "up", &[("bearer", secret("s3cret-token"))]).await);
    assert!(found.help.as_deref().unwrap_or_default().contains("is it still valid"), "{found:?}");
    assert!(server.last().contains("authorization: Bearer s3cret-token\r\n"), "{}", server.last());
    let server = web(|_| reply("403 Forbidden", "", r#"{"message":"no"}"#)).await;
    let charts = connect("grafana", &server.url(), &[]).await;
    let found = fault(call("grafana.dashboards", &charts, &[]).await);
    assert_eq!(found.kind, FaultKind::Denied);
    assert_eq!(found.help.as_deref(), Some("the login of the connection needs the permission `dashboards:read`"));
    // For a probe, too: nothing is known of the server.
    assert_eq!(fault(call("grafana.answers", &charts, &[]).await).kind, FaultKind::Denied);
}

#[tokio::test]
async fn a_secret_is_in_no_message() {
    for (driver, name, value, spelled) in [
        ("prometheus", "bearer", "s3cret-token", "s3cret-token"),
        ("prometheus", "basic", "joe:s3cret-token", "am9lOnMzY3JldC10b2tlbg=="),
        ("elasticsearch", "api_key", "id:s3cret-token", "aWQ6czNjcmV0LXRva2Vu"),
        ("elasticsearch", "api_key", "aWQ6czNjcmV0LXRva2Vu", "aWQ6czNjcmV0LXRva2Vu"),
    ] {
        for (status, body) in [
            ("400 Bad Request", r#"{"status":"error","errorType":"bad_data","error":"AUTH","message":"AUTH"}"#),
            ("400 Bad Request", r#"{"error":{"type":"x","reason":"AUTH"}}"#),
            ("401 Unauthorized", "AUTH"),
            ("500 Internal Server Error", "AUTH"),
            ("404 Not Found", "AUTH"),
            ("200 OK", "AUTH"),
            ("200 OK", r#"{"status":"AUTH","count":"AUTH"}"#),
            ("200 OK", "<html><title>AUTH</title>"),
        ] {
            let server = web(move |asked| {
                let sent = asked.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or("nothing");
                reply(status, "", &body.replace("AUTH", sent))
            })
            .await;
            let connection = connect(driver, &server.url(), &[(name, secret(value))]).await;
            let found = match driver {
                "prometheus" => fault(call("prometheus.query", &connection, &[("promql", literal("up"))]).await),
                _ => fault(call("elasticsearch.count", &connection, &[("index", text("logs"))]).await),
            };
            assert!(server.last().contains(spelled), "{}", server.last());
            let said = format!("{found:?}");
            assert!(!said.contains("s3cret") && !said.contains(spelled), "{status} {body}: {said}");
        }
    }
}

#[tokio::test]
async fn something_else_at_the_url_is_named() {
    for (body, words) in [
        (
            "<!DOCTYPE html>\n<html><head><title>Sign in | Example</title>",
            "answers with a page for people with the title \"Sign in | Example\"",
        ),
        ("{\"tagline\":\"You Know, for Search\"}", "is not what Prometheus says: missing field `status`"),
        ("{\"status\":\"ok\",\"data\":1}", "is not what Prometheus says: unknown variant `ok`"),
        ("OK", "is no JSON"),
        ("", "is empty"),
    ] {
        let server = web(move |_| reply("200 OK", "", body)).await;
        let found = fault(query(&server, "up", &[]).await);
        assert_eq!(found.kind, FaultKind::BadAnswer);
        assert!(found.message.contains(words) && found.message.contains(&server.url()), "{found}");
        assert!(found.help.as_deref().unwrap_or_default().contains("http://prometheus:9090"), "{found:?}");
        let prom = connect("prometheus", &server.url(), &[]).await;
        assert_eq!(fault(call("prometheus.answers", &prom, &[]).await).kind, FaultKind::BadAnswer, "{body}");
    }
    let server = web(|asked| match asked.split(' ').nth(1) {
        Some("/login") => reply("200 OK", "", "<html><title>Grafana</title>"),
        _ => reply("302 Found", "Location: /login\r\n", ""),
    })
    .await;
    let charts = connect("grafana", &server.url(), &[]).await;
    let found = fault(call("grafana.dashboards", &charts, &[]).await);
    assert!(found.message.contains("/login, where a redirect led, answers with a page for people"), "{found}");
    assert!(found.help.as_deref().unwrap_or_default().contains("page of a login"), "{found:?}");
}

#[tokio::test]
async fn an_answer_has_its_size_and_its_time() {
    let server = web(|_| reply("200 OK", "", &"x".repeat(5000))).await;
    let found = fault(query(&server, "up", &[("at_most", Value::Size(4096))]).await);
    assert_eq!(found.kind, FaultKind::TooLarge);
    let server = web(|_| {
        let mut slow = reply("200 OK", "", ONE);
        slow.delay = std::time::Duration::from_secs(20);
        slow
    })
    .await;
    let prom = connect("prometheus", &server.url(), &[]).await;
    let began = std::time::Instant::now();
    let given = [("promql", literal("up")), ("within", ms(200))];
    assert_eq!(fault(call("prometheus.query", &prom, &given).await).kind, FaultKind::Timeout);
    assert!(began.elapsed() < std::time::Duration::from_secs(2));
}

#[tokio::test]
async fn what_is_not_whole_is_not_taken_for_it() {
    for body in [
        r#"{"status":"success","warnings":["store-2 is gone"],"data":{"resultType":"vector","result":[]}}"#,
        r#"{"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]}}"#,
    ] {
        let found = fault(query(&answering(body).await, "up == 0", &[]).await);
        assert_eq!(found.kind, FaultKind::Partial, "{found}");
    }
    let server = answering(
        r#"{"status":"success","infos":["metric might not be a counter"],"data":{"resultType":"vector","result":[]}}"#,
    )
    .await;
    assert_eq!(query(&server, "up", &[]).await.expect("only a note").to_json(), serde_json::json!([]));
}

#[tokio::test]
async fn a_sample_is_a_number_or_says_why_not() {
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"job":"a"},"value":[1700000000,"NaN"]},{"metric":{"job":"b"},"value":[1700000000,"+Inf"]},
        {"metric":{"job":"c"},"value":[1700000000,"1e3"]}]}}"#;
    let samples = query(&answering(body).await, "up", &[]).await.expect("samples");
    let Value::List(samples) = samples else { panic!("{samples:?}") };
    let value = |index: usize| field(&samples[index], "value").read();
    assert_eq!(value(0).expect_err("no number").kind, FaultKind::NoValue);
    assert!(value(1).expect_err("no number").message.contains("+Inf"));
    assert_eq!(value(2).expect("a number").to_json(), 1000.0);
    let histogram =
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}"#;
    assert_eq!(fault(query(&answering(histogram).await, "x", &[]).await).kind, FaultKind::Conversion);
    let odd = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"many"]}]}}"#;
    let samples = query(&answering(odd).await, "x", &[]).await.expect("samples");
    let Value::List(samples) = samples else { panic!("{samples:?}") };
    assert_eq!(field(&samples[0], "value").read().expect_err("no number").kind, FaultKind::BadAnswer);
}

#[tokio::test]
async fn a_value_in_a_query_cannot_leave_its_quotes() {
    let server = answering(ONE).await;
    let prom = connect("prometheus", &server.url(), &[]).await;
    let promql = template(vec![
        Piece::Text("up{job=\"".into()),
        Piece::Value(text("a\"} or up{x=\"")),
        Piece::Text("\"}".into()),
    ]);
    call("prometheus.query", &prom, &[("promql", promql)]).await.expect("samples");
    assert!(asked(&server).contains(r#"query=up{job="a\"} or up{x=\""} HTTP/1.1"#), "{}", asked(&server));
}

#[tokio::test]
async fn a_silence_says_what_it_is_of() {
    let server = answering(r#"{"silenceID":"7d8e"}"#).await;
    let pager = connect("alertmanager", &server.url(), &[]).await;
    let given = [
        ("labels", Value::record([("alertname", text("Down")), ("shard", Value::Int(3))])),
        ("matching", Value::record([("instance", text("web-.*"))])),
        ("for", ms(3_600_000)),
        ("comment", text("a \"test\"")),
    ];
    assert_eq!(call("alertmanager.silence", &pager, &given).await.expect("made").to_json(), "7d8e");
    let sent: serde_json::Value =
        serde_json::from_str(server.last().split("\r\n\r\n").nth(1).expect("a body")).expect("JSON");
    assert_eq!(
        sent["matchers"],
        serde_json::json!([
            { "name": "alertname", "value": "Down", "isRegex": false, "isEqual": true },
            { "name": "shard", "value": "3", "isRegex": false, "isEqual": true },
            { "name": "instance", "value": "web-.*", "isRegex": true, "isEqual": true },
        ])
    );
    assert_eq!((&sent["comment"], &sent["createdBy"]), (&"a \"test\"".into(), &"runbook (run test)".into()));
    let time = |name: &str| sent[name].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
    assert_eq!(time("endsAt").duration_since(time("startsAt")).as_hours(), 1);
    for labels in [Value::record::<&str>([]), Value::record([("alertname", text(""))])] {
        let mut given = given.to_vec();
        given[0].1 = labels;
        given.remove(1);
        assert_eq!(fault(call("alertmanager.silence", &pager, &given).await).kind, FaultKind::Setup);
    }
    // How 0.25 says that there is none.
    let server = web(|_| reply("500 Internal Server Error", "", "\"silence not found\"\n")).await;
    let pager = connect("alertmanager", &server.url(), &[]).await;
    let found = fault(call("alertmanager.expire_silence", &pager, &[("id", text("7d8e"))]).await);
    assert_eq!(found.kind, FaultKind::NotFound, "{found}");
}
