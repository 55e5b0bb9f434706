//! HTTP against servers that behave: methods, bodies, redirects, timing, kept connections, proxies.

mod net;

use net::server::{Reply, raw, reply, request, web};
use net::{Outside, fault, field, literal, template, text};
use runbook::types::{FaultKind, Piece, SecretText, Value};
use tokio::io::AsyncWriteExt;

async fn api(url: &str, more: &[(&str, Value)]) -> Value {
    let mut given = vec![("url", text(url))];
    given.extend(more.iter().cloned());
    Outside::here().connect("http", &given).await.expect("a connection")
}

async fn ask(method: &str, api: &Value, path: &str, more: &[(&str, Value)]) -> Result<Value, runbook::types::Fault> {
    let mut given = vec![("connection", api.clone()), ("path", literal(path))];
    given.extend(more.iter().cloned());
    Outside::here().call(&format!("http.{method}"), &given).await
}

fn ints(values: &[i64]) -> Value {
    Value::list(values.iter().copied().map(Value::Int).collect())
}

#[tokio::test]
async fn an_answer_has_status_headers_text_and_data() {
    let server =
        web(|_| reply("200 OK", "Content-Type: application/json\r\nX-One: a\r\nX-One: b\r\n", r#"{"taskUid": 7}"#))
            .await;
    let response = ask("get", &api(&server.url(), &[]).await, "/health", &[]).await.expect("an answer");
    assert_eq!(field(&response, "status").to_json(), 200);
    assert_eq!(field(&response, "ok").to_json(), true);
    assert_eq!(field(&response, "json").to_json()["taskUid"], 7);
    assert_eq!(field(&response, "text").to_json(), r#"{"taskUid": 7}"#);
    assert_eq!(field(&response, "headers").to_json()["x-one"], "a, b");
    assert_eq!(field(&response, "url").to_json(), format!("{}/health", server.url()));
    assert!(server.last().starts_with("GET /health HTTP/1.1\r\n"), "{}", server.last());
    assert!(server.last().contains(&format!("host: {}\r\n", server.address)), "{}", server.last());
}

#[tokio::test]
async fn bodies_queries_and_values_arrive_as_they_were_meant() {
    let server = web(|_| reply("201 Created", "", "")).await;
    let api = api(&server.url(), &[]).await;
    let json = Value::record([("query", text("a \"b\"")), ("n", Value::Int(3)), ("missing", Value::Null)]);
    let response = ask("post", &api, "/issues", &[("json", json)]).await.expect("created");
    assert_eq!(field(&response, "ok").to_json(), true);
    assert!(server.last().contains("content-type: application/json\r\n"));
    assert!(server.last().ends_with(r#"{"query":"a \"b\"","n":3,"missing":null}"#), "{}", server.last());
    let query =
        Value::record([("q", text("a&b=c")), ("tag", Value::list(vec![text("x"), text("y")])), ("none", Value::Null)]);
    let found = Value::Data(std::sync::Arc::new(serde_json::json!({ "tags": ["x", 2], "none": null })));
    let json = |pointer: &str| match &found {
        Value::Data(found) => Value::Data(std::sync::Arc::new(found.pointer(pointer).expect("a value").clone())),
        _ => Value::Null,
    };
    let of_json = Value::record([("tag", json("/tags")), ("none", json("/none")), ("bytes", Value::Float(5.0))]);
    ask("get", &api, "/file", &[("query", of_json)]).await.expect("a read");
    assert!(server.last().starts_with("GET /file?tag=x&tag=2&bytes=5 HTTP/1.1\r\n"), "{}", server.last());
    let headers = Value::record([("Content-Type", text("text/csv"))]);
    ask("put", &api, "/file", &[("query", query), ("headers", headers), ("body", text("1;2"))]).await.expect("put");
    assert!(server.last().starts_with("PUT /file?q=a%26b%3Dc&tag=x&tag=y HTTP/1.1\r\n"), "{}", server.last());
    assert!(server.last().contains("content-type: text/csv\r\n") && server.last().ends_with("\r\n\r\n1;2"));
    let path = template(vec![Piece::Text("/tasks/".into()), Piece::Value(text("../a?b")), Piece::Text("/x".into())]);
    let given = [("connection", api), ("path", path)];
    Outside::here().call("http.delete", &given).await.expect("deleted");
    assert!(server.last().starts_with("DELETE /tasks/..%2Fa%3Fb/x HTTP/1.1\r\n"), "{}", server.last());
}

#[tokio::test]
async fn an_error_page_is_not_what_was_asked_for() {
    let server = web(|asked| match asked.split(' ').nth(1) {
        Some("/secret") => reply("403 Forbidden", "", r#"{"ok": true}"#),
        Some("/none") => reply("404 Not Found", "", r#"{"error": "no index"}"#),
        Some("/wrong") => reply("422 Unprocessable Content", "", "no such plan"),
        Some("/late") => reply("408 Request Timeout", "", ""),
        _ => reply("503 Service Unavailable", "", "unhealthy"),
    })
    .await;
    let api = api(&server.url(), &[("reads", net::words(&["POST /query"]))]).await;
    for (path, kind) in [("/secret", FaultKind::Denied), ("/none", FaultKind::NotFound), ("/x", FaultKind::BadAnswer)] {
        let response = ask("get", &api, path, &[]).await.expect("an answer");
        assert_eq!(field(&response, "ok").to_json(), false);
        assert_eq!(field(&response, "json").read().expect_err("a fault").kind, kind, "{path}");
        assert_eq!(field(&response, "text").read().expect_err("a fault").kind, kind, "{path}");
    }
    let none = field(&ask("get", &api, "/none", &[]).await.expect("an answer"), "json").read().expect_err("a fault");
    assert_eq!(
        &*none.message,
        format!("GET {}/none answered 404 Not Found: {{\"error\": \"no index\"}}", server.url())
    );
    let listed = ask("get", &api, "/x", &[("status", ints(&[200, 503]))]).await.expect("an answer");
    assert_eq!(field(&listed, "ok").to_json(), true);
    assert_eq!(field(&listed, "text").to_json(), "unhealthy");
    // Changes that did not happen, and those of which nobody knows.
    for (path, kind) in [
        ("/none", FaultKind::NotFound),
        ("/wrong", FaultKind::Failed),
        ("/late", FaultKind::BadAnswer),
        ("/x", FaultKind::BadAnswer),
    ] {
        assert_eq!(fault(ask("delete", &api, path, &[]).await).kind, kind, "{path}");
    }
    assert!(ask("delete", &api, "/none", &[("status", ints(&[204, 404]))]).await.is_ok());
    assert_eq!(field(&ask("post", &api, "/query", &[]).await.expect("a read"), "ok").to_json(), false);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_a_fault_only_where_it_is_read_as_such() {
    for body in ["<html>hello</html>", "", "{\"a\": 1", &"[".repeat(100_000)] {
        let page = body.to_owned();
        let server = web(move |_| reply("200 OK", "Content-Type: text/html\r\n", &page)).await;
        let response = ask("get", &api(&server.url(), &[]).await, "/", &[]).await.expect("an answer");
        assert_eq!(field(&response, "text").to_json(), body);
        let fault = field(&response, "json").read().expect_err("no JSON");
        assert_eq!(fault.kind, FaultKind::BadAnswer);
        assert!(field(&response, "json").to_string().starts_with("(the body of "));
    }
}

#[tokio::test]
async fn redirects_are_followed_to_their_end() {
    let server = web(|asked| match asked.split(' ').nth(1) {
        Some("/a") => reply("302 Found", "Location: /b?x=1\r\n", ""),
        Some("/b?x=1") => reply("308 Permanent Redirect", "Location: c\r\n", ""),
        Some("/c") => reply("200 OK", "", asked.split(' ').next().unwrap_or_default()),
        Some("/circle") => reply("307 Temporary Redirect", "Location: /circle\r\n", ""),
        Some(more) => reply("302 Found", &format!("Location: {more}x\r\n"), ""),
        None => reply("400 Bad Request", "", ""),
    })
    .await;
    let connected = api(&server.url(), &[]).await;
    let response = ask("get", &connected, "/a", &[]).await.expect("an answer");
    assert_eq!(field(&response, "redirects").to_json(), 2);
    assert_eq!(field(&response, "url").to_json(), format!("{}/c", server.url()));
    let posted = ask("post", &connected, "/a", &[("body", text("x"))]).await.expect("an answer");
    assert_eq!(field(&posted, "text").to_json(), "GET", "a 302 turns a POST into a GET");
    let circle = fault(ask("get", &connected, "/circle", &[]).await);
    assert_eq!((circle.kind, circle.message.contains("in a circle")), (FaultKind::BadAnswer, true), "{circle}");
    let endless = fault(ask("get", &connected, "/more", &[]).await);
    assert!(endless.message.contains("redirects on after 10 redirects already"), "{endless}");
    let unfollowed = ask("get", &api(&server.url(), &[("redirects", Value::Int(0))]).await, "/a", &[]).await;
    assert_eq!(field(&unfollowed.expect("an answer"), "status").to_json(), 302);
}

#[tokio::test]
async fn where_an_answer_to_a_change_led_is_no_word_about_the_change() {
    let server = web(|asked| match asked.split(' ').nth(1) {
        Some("/made") => reply("303 See Other", "Location: /gone\r\n", ""),
        Some("/away") => reply("302 Found", "Location: http://127.0.0.1:9/\r\n", ""),
        Some("/odd") => reply("302 Found", "Location: ftp://127.0.0.1/\r\n", ""),
        Some("/moved") => reply("307 Temporary Redirect", "Location: /gone\r\n", ""),
        _ => reply("404 Not Found", "", ""),
    })
    .await;
    let connected = api(&server.url(), &[("reads", Value::list(vec![text("POST /made")]))]).await;
    for path in ["/away", "/odd"] {
        let fault = fault(ask("post", &connected, path, &[]).await);
        assert!(fault.sent, "{path}: {fault}");
    }
    let missing = fault(ask("put", &connected, "/made", &[]).await);
    let said = format!("PUT was answered 303 See Other, and {}/gone, where that led, answered 404", server.url());
    assert!(missing.sent && missing.message.contains(&said), "{missing}");
    // Who is sent on with what was to be done has not done it, and nobody else has.
    let moved = fault(ask("post", &connected, "/moved", &[]).await);
    assert!(!moved.sent, "{moved}");
    let read = ask("post", &connected, "/made", &[]).await.expect("an answer");
    assert_eq!(field(&read, "status").to_json(), 404);
}

#[tokio::test]
async fn credentials_stay_where_they_belong() {
    let other = web(|_| reply("200 OK", "", "there")).await;
    let to = other.url().replace("127.0.0.1", "localhost");
    let server = web(move |_| reply("307 Temporary Redirect", &format!("Location: {to}/x\r\n"), "")).await;
    let key = || Value::Secret(SecretText::new("t0psecret".to_owned()));
    let credentials = [("bearer", key()), ("headers", Value::record([("X-Api-Key", key())]))];
    let connected = api(&server.url(), &credentials).await;
    let response = ask("get", &connected, "/", &[]).await.expect("an answer");
    assert_eq!(field(&response, "text").to_json(), "there");
    assert!(server.last().contains("authorization: Bearer t0psecret\r\nx-api-key: t0psecret"), "{}", server.last());
    assert!(!other.last().to_lowercase().contains("t0psecret"), "{}", other.last());
    let change = fault(ask("post", &connected, "/", &[("body", text("data"))]).await);
    assert!(change.message.contains("a change to another place"), "{change}");
    assert_eq!(other.asked().len(), 1);
    let echo = web(|asked| reply("500 Internal Server Error", "", asked)).await;
    let said = field(&ask("get", &api(&echo.url(), &credentials).await, "/", &[]).await.expect("an answer"), "text");
    assert!(said.to_string().contains("(secret)") && !said.to_string().contains("t0psecret"), "{said}");
    let header = [("headers", Value::record([("X-Key", Value::Secret(SecretText::new("c4ll-key".to_owned())))]))];
    let said = fault(ask("post", &api(&echo.url(), &[]).await, "/", &header).await);
    assert!(said.message.contains("(secret)") && !said.message.contains("c4ll-key"), "{said}");
    let login = [("basic", Value::Secret(SecretText::new("user:pass".to_owned())))];
    let said = fault(ask("post", &api(&echo.url(), &login).await, "/", &[]).await);
    assert!(said.message.contains("authorization: Basic (secret)"), "{said}");
    let basic = api(&server.url(), &login).await;
    ask("get", &basic, "/", &[]).await.expect("an answer");
    assert!(server.last().contains("authorization: Basic dXNlcjpwYXNz\r\n"));
}

#[tokio::test]
async fn a_connection_that_is_set_up_wrongly_says_how() {
    let outside = Outside::here();
    for (url, words) in [
        ("https://user:hunter2@host/", "has credentials in it"),
        ("ftp://host", "is no http or https URL"),
        ("host/path", "cannot be read"),
        ("https://host/?q=1", "more than a path"),
    ] {
        let fault = outside.connect("http", &[("url", text(url))]).await.expect_err("a fault");
        assert_eq!(fault.kind, FaultKind::Setup);
        assert!(fault.message.contains(words), "{fault}");
        assert!(!format!("{fault:?}").contains("hunter2"));
    }
    assert!(outside.connect("http", &[]).await.is_err());
    let rule = [("url", text("http://h")), ("reads", net::words(&["/query"]))];
    assert!(outside.connect("http", &rule).await.expect_err("a fault").message.contains("no method with a path"));
}

#[tokio::test]
async fn a_head_has_no_body_whatever_its_length_says() {
    let server = web(|_| Reply {
        bytes: b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec(),
        ..reply("", "", "")
    })
    .await;
    let response = ask("head", &api(&server.url(), &[]).await, "/", &[]).await.expect("an answer");
    assert_eq!(field(&response, "headers").to_json()["content-length"], "99999999999");
    assert_eq!(field(&response, "text").to_json(), "");
}

#[tokio::test]
async fn nothing_is_sent_with_a_fault_in_place_of_a_value() {
    let server = web(|_| reply("200 OK", "", "<html>")).await;
    let connected = api(&server.url(), &[]).await;
    let page = field(&ask("get", &connected, "/", &[]).await.expect("an answer"), "json");
    let body = Value::record([("status", Value::list(vec![page]))]);
    assert_eq!(fault(ask("post", &connected, "/", &[("json", body)]).await).kind, FaultKind::BadAnswer);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_for_a_read() {
    let server = raw(|mut stream, server| async move {
        if request(&mut stream, &server).await.is_some() {
            _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nup").await;
            // Hangs up only when asked again, without a word.
            _ = request(&mut stream, &server).await;
        }
    })
    .await;
    let connected = api(&server.url(), &[]).await;
    for round in 1..4 {
        let response = ask("get", &connected, "/", &[]).await.expect("an answer");
        assert_eq!(field(&response, "text").to_json(), "up");
        assert_eq!(server.connections(), round);
    }
    let before = server.asked().len();
    ask("post", &connected, "/", &[]).await.expect("an answer");
    assert_eq!(server.asked().len(), before + 1, "a change is never sent twice");
}

#[tokio::test]
async fn a_proxy_is_used_where_the_environment_says_so() {
    let proxy =
        web(|asked| reply("200 OK", "", &format!("proxied {}", asked.lines().next().unwrap_or_default()))).await;
    let env =
        [("http_proxy", &*format!("http://me:p%40ss@{}", proxy.address)), ("NO_PROXY", "direct.example,127.0.0.1")];
    let outside = Outside::new(&env, std::path::Path::new("."));
    let through = outside.connect("http", &[("url", text("http://api.example"))]).await.expect("a connection");
    let response = ask("get", &through, "/x?y=1", &[]).await.expect("an answer");
    assert_eq!(field(&response, "text").to_json(), "proxied GET http://api.example/x?y=1 HTTP/1.1");
    assert!(proxy.last().contains("proxy-authorization: Basic bWU6cEBzcw==\r\n"), "{}", proxy.last());
    let server = web(|_| reply("200 OK", "", "direct")).await;
    let direct = outside.connect("http", &[("url", text(&server.url()))]).await.expect("a connection");
    assert_eq!(field(&ask("get", &direct, "/", &[]).await.expect("an answer"), "text").to_json(), "direct");
    let none = [("url", text("http://api.example")), ("proxy", text("none"))];
    let none = outside.connect("http", &none).await.expect("a connection");
    assert!(ask("get", &none, "/", &[]).await.is_err());
    let socks = [("url", text("http://api.example")), ("proxy", text("socks5://me:hunter2@localhost:1"))];
    let socks = outside.connect("http", &socks).await.expect_err("not supported");
    assert!(socks.kind == FaultKind::Unsupported && !format!("{socks:?}").contains("hunter2"), "{socks}");
}

/// Which system a connection leads to, and what one run at a time changes there.
async fn leads(env: &[(&str, &str)], driver: &str, given: &[(&str, Value)]) -> (String, String) {
    let opened = Outside::new(env, std::path::Path::new(".")).open(driver, given).await.expect("a connection");
    (opened.place, opened.server)
}

#[tokio::test]
async fn one_server_has_one_place_however_it_is_written() {
    let http = async |url: &str| leads(&[], "http", &[("url", text(url))]).await;
    let here = ("http://127.0.0.1:8080/v1".to_owned(), "127.0.0.1:8080".to_owned());
    for url in
        ["http://localhost:8080/v1", "http://127.0.0.1:8080/v1/", "http://[::1]:8080/v1", "HTTP://LOCALHOST.:8080/v1"]
    {
        assert_eq!(http(url).await, here, "{url}");
    }
    assert_eq!(http("https://api.example:443/").await, http("https://API.example").await);
    // Another part of it is agreed to anew, and is changed by the same run.
    let other = http("http://localhost:8080/v2").await;
    assert!(other.0 != here.0 && other.1 == here.1, "{other:?}");
    assert_ne!(http("http://localhost:8081/v1").await.1, here.1);
    let postgres = async |host: &str| leads(&[("PGUSER", "ops")], "postgres", &[("host", text(host))]).await.0;
    assert_eq!(postgres("localhost").await, "postgres://127.0.0.1:5432/ops");
    assert_eq!(postgres("127.0.0.1").await, postgres("localhost").await);
    assert_eq!(postgres("DB.Example.").await, postgres("db.example").await);
    let s3 = async |url: &str| {
        let given = [("bucket", text("backups")), ("endpoint", text(url)), ("anonymous", Value::Bool(true))];
        leads(&[], "s3", &given).await.0
    };
    assert_eq!(s3("http://127.0.0.1:9000/").await, s3("http://localhost:9000").await);
}

#[tokio::test]
async fn a_proxy_makes_it_another_way_to_the_same_server() {
    let direct = leads(&[], "http", &[("url", text("https://api.example"))]).await;
    let env = [("HTTPS_PROXY", "http://me:hunter2@Proxy.example:3128"), ("NO_PROXY", "near.example")];
    let through = leads(&env, "http", &[("url", text("https://api.example"))]).await;
    assert_eq!(through.0, "https://api.example through the proxy proxy.example:3128");
    assert_eq!(through.1, direct.1);
    assert_eq!(leads(&env, "http", &[("url", text("https://near.example"))]).await.0, "https://near.example");
    let bucket = [("bucket", text("backups")), ("anonymous", Value::Bool(true))];
    assert_eq!(leads(&env, "s3", &bucket).await.0, "s3://backups through the proxy proxy.example:3128");
    assert_eq!(leads(&[], "s3", &bucket).await.0, "s3://backups");
    // Another scheme or port is another place.
    let server = web(|_| reply("307 Temporary Redirect", "location: https://127.0.0.1:1/x\r\n", "")).await;
    let env = [("HTTPS_PROXY", "http://127.0.0.1:1")];
    let outside = Outside::new(&env, std::path::Path::new("."));
    let connected = outside.connect("http", &[("url", text(&server.url()))]).await.expect("a connection");
    let refused = ask("post", &connected, "/", &[]).await.expect_err("another way");
    assert!(
        refused.message.contains("a change to another place, https://127.0.0.1:1/x: it is not sent there"),
        "{refused}"
    );
}
