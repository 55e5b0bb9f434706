//! HTTP against servers that don't behave: each ends in a clear fault, in bounded time and memory.

mod net;

use std::io::Write as _;
use std::time::{Duration, Instant};

use net::server::{authority, raw, refused, reply, request, says, secure, web};
use net::{Outside, fault, field, literal, ms, text};
use runbook::types::{Fault, FaultKind, Value};
use tokio::io::AsyncWriteExt;

async fn get(url: &str, more: &[(&str, Value)]) -> Result<Value, Fault> {
    let given: Vec<_> = [("url", text(url))].into_iter().chain(more.iter().cloned()).collect();
    let outside = Outside::here();
    let api = outside.connect("http", &given).await?;
    outside.call("http.get", &[("connection", api), ("path", literal("/"))]).await
}

async fn answers(outside: &Outside, url: &str, more: &[(&str, Value)]) -> Result<Value, Fault> {
    let given: Vec<_> = [("url", text(url))].into_iter().chain(more.iter().cloned()).collect();
    let api = outside.connect("http", &given).await?;
    outside.call("http.answers", &[("connection", api), ("path", literal("/"))]).await
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let address = refused().await;
    let fault = fault(get(&format!("http://{address}"), &[]).await);
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert_eq!(&*fault.message, format!("no connection to {address}: connection refused"));
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout_that_names_its_phase() {
    let silent = raw(|mut stream, server| async move {
        request(&mut stream, &server).await;
        std::future::pending::<()>().await;
    })
    .await;
    let start = Instant::now();
    let late = fault(get(&silent.url(), &[("within", ms(200))]).await);
    assert_eq!(late.kind, FaultKind::Timeout);
    assert_eq!(&*late.message, format!("no answer from {}/ within 200ms: waiting for the first byte", silent.url()));
    assert!(start.elapsed() < Duration::from_secs(1));
    let tls = fault(get(&silent.url().replace("http:", "https:"), &[("within", ms(200))]).await);
    assert!(tls.message.ends_with(&format!("the TLS handshake with {}", silent.address)), "{tls}");
    let slow = raw(|mut stream, server| async move {
        request(&mut stream, &server).await;
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab").await;
        std::future::pending::<()>().await;
    })
    .await;
    let late = fault(get(&slow.url(), &[("within", ms(200))]).await);
    assert!(late.message.ends_with("within 200ms: reading the body"), "{late}");
}

#[tokio::test]
async fn garbage_is_a_bad_answer() {
    let cases: &[(&[u8], &str)] = &[
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "does not speak HTTP: it begins with \"SSH-2.0-OpenSSH_9.6\\r\\n"),
        (b"\x16\x03\x01\x00\xff\xfe\x00", "does not speak HTTP"),
        (b"HTTP/1.1 two hundred\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: nine\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "in the middle of its headers"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort", "broke off after 5B"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n", "broke off after 5B"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "broke off after 0B"),
    ];
    for (bytes, words) in cases {
        let fault = fault(get(&says(bytes).await.url(), &[]).await);
        assert!(fault.kind == FaultKind::BadAnswer && fault.message.contains(words), "{fault}");
    }
    let mute = fault(get(&says(b"").await.url(), &[]).await);
    assert_eq!((mute.kind, mute.message.contains("without an answer")), (FaultKind::Unreachable, true), "{mute}");
    let packed = says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b").await;
    let packed = field(&get(&packed.url(), &[]).await.expect("an answer"), "text").read().expect_err("a fault");
    assert!(packed.message.contains("is compressed (`gzip, broken`)"), "{packed}");
    let packed = says(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n\x1f\x8b").await;
    let packed = get(&packed.url(), &[]).await.expect("an answer");
    assert!(field(&packed, "status").equals(&Value::Int(200)));
    let packed = field(&packed, "text").read().expect_err("a fault");
    assert!(packed.message.contains("is compressed (`br`), and cannot be unpacked"), "{packed}");
    let binary = says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe").await;
    let binary = field(&get(&binary.url(), &[]).await.expect("an answer"), "text").read().expect_err("a fault");
    assert!(binary.message.contains("not UTF-8, from byte 0 on"), "{binary}");
}

#[tokio::test]
async fn what_comes_compressed_is_unpacked_within_its_limit() {
    let answer = |how: &str, body: Vec<u8>| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {how}\r\nContent-Length: {}\r\n\r\n", body.len());
        &*Vec::leak([head.into_bytes(), body].concat())
    };
    let gzip = |text: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(text).expect("packed");
        packer.finish().expect("packed")
    };
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    deflate.write_all(b"{\"a\": 2}").expect("packed");
    let deflate = deflate.finish().expect("packed");
    for (how, body) in [("gzip", gzip(b"{\"a\": 2}")), ("X-Gzip", gzip(b"{\"a\": 2}")), ("deflate", deflate)] {
        let server = says(answer(how, body)).await;
        let page = get(&server.url(), &[]).await.expect("an answer");
        assert!(field(&page, "text").equals(&Value::string("{\"a\": 2}")), "{how}: {page}");
        assert!(server.last().to_lowercase().contains("accept-encoding: identity"), "{}", server.last());
    }
    // 8 MiB of zeros in 8 KiB.
    let bomb = fault(get(&says(answer("gzip", gzip(&vec![0; 8 << 20]))).await.url(), &[]).await);
    assert_eq!(bomb.kind, FaultKind::TooLarge);
    assert!(bomb.message.contains("larger than 1MiB"), "{bomb}");
}

#[tokio::test]
async fn bodies_and_headers_without_end_are_cut_off() {
    let body = raw(|mut stream, server| async move {
        request(&mut stream, &server).await;
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 8_192]).await.is_ok() {}
    })
    .await;
    let large = fault(get(&body.url(), &[]).await);
    assert_eq!(large.kind, FaultKind::TooLarge);
    assert!(large.message.contains("larger than 1MiB"), "{large}");
    let announced = says(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n").await;
    assert_eq!(fault(get(&announced.url(), &[]).await).kind, FaultKind::TooLarge);
    let headers = raw(|mut stream, server| async move {
        request(&mut stream, &server).await;
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
        while stream.write_all(&[b'x'; 8_192]).await.is_ok() {}
    })
    .await;
    let large = fault(get(&headers.url(), &[]).await);
    assert_eq!((large.kind, large.message.contains("headers")), (FaultKind::TooLarge, true), "{large}");
    let many = raw(|mut stream, server| async move {
        request(&mut stream, &server).await;
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(b"X-Header: x\r\n").await.is_ok() {}
    })
    .await;
    let large = fault(get(&many.url(), &[]).await);
    assert_eq!(large.kind, FaultKind::TooLarge, "{large}");
    // `answers` takes a body of any length, but one has to come to its end.
    let given = [("within", ms(300))];
    assert_eq!(answers(&Outside::here(), &body.url(), &given).await.expect("an answer").to_json(), false);
    let long = web(|_| reply("200 OK", "", &"x".repeat(3 << 20))).await;
    assert_eq!(answers(&Outside::here(), &long.url(), &[]).await.expect("an answer").to_json(), true);
}

#[tokio::test]
async fn tls_is_checked_and_what_is_wrong_is_said() {
    let (ours, other) = (authority(), authority());
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ca.pem"), &ours.pem).expect("written");
    let outside = Outside::new(&[], folder.path());
    let ca = [("ca", text("ca.pem"))];
    let hello = |_: &str| reply("200 OK", "", "sealed");
    let url = |server: &net::server::Server| format!("https://localhost:{}", server.address.port());
    let ask = async |server: &net::server::Server, more: &[(&str, Value)]| {
        let given: Vec<_> = [("url", text(&url(server)))].into_iter().chain(more.iter().cloned()).collect();
        let api = outside.connect("http", &given).await?;
        outside.call("http.get", &[("connection", api), ("path", literal("/"))]).await
    };

    let good = secure(ours.sign(&["localhost"], 2099), hello).await;
    let response = ask(&good, &ca).await.expect("an answer");
    assert_eq!(field(&response, "text").to_json(), "sealed");
    assert!(field(&response, "timing.tls").to_json().as_f64().expect("seconds") > 0.0);

    let unknown = fault(ask(&good, &[]).await);
    assert!(unknown.message.contains("signed by no authority that is trusted here"), "{unknown}");
    assert!(unknown.help.as_deref().unwrap_or_default().contains("ca:"), "{unknown:?}");
    assert!(answers(&outside, &url(&good), &[]).await.is_err(), "who is wrong cannot be told from here");
    let stranger = secure(other.sign(&["localhost"], 2099), hello).await;
    assert!(ask(&stranger, &ca).await.is_err());
    assert!(ask(&stranger, &[("insecure", Value::Bool(true))]).await.is_ok());

    let expired = secure(ours.sign(&["localhost"], 2024), hello).await;
    let late = fault(ask(&expired, &ca).await);
    assert!(late.message.contains("the certificate expired ") && late.message.contains("on 2024-01-01"), "{late}");
    assert_eq!(answers(&outside, &url(&expired), &ca).await.expect("no").to_json(), false);

    let elsewhere = secure(ours.sign(&["a.example", "b.example"], 2099), hello).await;
    let wrong = fault(ask(&elsewhere, &ca).await);
    assert!(wrong.message.contains("is for `a.example`, `b.example`, not for `localhost`"), "{wrong}");

    let plain = web(hello).await;
    let chatty = raw(|mut stream, _| async move { _ = stream.write_all(b"220 mail.example ESMTP\r\n").await }).await;
    let mistaken = fault(ask(&chatty, &[]).await);
    assert!(mistaken.message.contains("does not speak TLS"), "{mistaken}");
    let reversed = fault(get(&good.url(), &[]).await);
    assert!(matches!(reversed.kind, FaultKind::BadAnswer | FaultKind::Unreachable), "{reversed}");

    let downwards = format!("Location: {}/\r\n", plain.url());
    let leaving = secure(ours.sign(&["localhost"], 2099), move |_| reply("302 Found", &downwards, "")).await;
    let refused = fault(ask(&leaving, &ca).await);
    assert!(refused.message.contains("redirects from https to http://"), "{refused}");
    let told = [("ca", text("ca.pem")), ("downgrade", Value::Bool(true))];
    assert_eq!(field(&ask(&leaving, &told).await.expect("an answer"), "text").to_json(), "sealed");

    std::fs::write(folder.path().join("ca.pem"), "no certificate").expect("written");
    assert_eq!(fault(ask(&good, &ca).await).kind, FaultKind::Setup);
}

#[tokio::test]
async fn answers_says_no_for_a_server_that_is_down_and_a_fault_where_it_could_not_look() {
    let outside = Outside::here();
    let up =
        web(|asked| if asked.contains("/ ") { reply("401 Unauthorized", "", "") } else { reply("200 OK", "", "") })
            .await;
    let api = outside.connect("http", &[("url", text(&up.url()))]).await.expect("a connection");
    let says = async |path: &str, more: &[(&str, Value)]| {
        let mut given = vec![("connection", api.clone()), ("path", literal(path))];
        given.extend(more.iter().cloned());
        outside.call("http.answers", &given).await.expect("an answer").to_json()
    };
    assert_eq!(says("/health", &[]).await, true);
    assert_eq!(says("/", &[]).await, false);
    assert_eq!(says("/", &[("status", Value::list(vec![Value::Int(200), Value::Int(401)]))]).await, true);

    let down = format!("http://{}", refused().await);
    assert_eq!(answers(&outside, &down, &[]).await.expect("no").to_json(), false);
    let silent = raw(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    assert_eq!(answers(&outside, &silent.url(), &[("within", ms(100))]).await.expect("no").to_json(), false);
    assert_eq!(
        answers(&outside, &net::server::says(b"junk\r\n\r\n").await.url(), &[]).await.expect("no").to_json(),
        false
    );

    // Half an answer is none, and neither is one that does not come to its end in time.
    let half = net::server::says(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of a page").await;
    assert_eq!(answers(&outside, &half.url(), &[]).await.expect("no").to_json(), false);
    let slow = raw(|mut stream, server| async move {
        request(&mut stream, &server).await;
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    assert_eq!(answers(&outside, &slow.url(), &[("within", ms(300))]).await.expect("no").to_json(), false);

    let proxy = [("proxy", text(&down))];
    let fault = fault(answers(&outside, "http://api.example", &proxy).await);
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(fault.message.starts_with("through a proxy: no connection to "), "{fault}");
}

#[tokio::test]
async fn a_proxy_opens_a_tunnel_for_https_and_its_refusals_are_ours() {
    let ours = authority();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ca.pem"), &ours.pem).expect("written");
    let outside = Outside::new(&[], folder.path());
    let server = secure(ours.sign(&["api.example"], 2099), |_| reply("200 OK", "", "through")).await;
    let to = server.address;
    let tunnel = raw(move |mut stream, own| async move {
        let asked = request(&mut stream, &own).await.unwrap_or_default();
        if asked.starts_with("CONNECT down.example") {
            _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").await;
        } else if asked.starts_with("CONNECT no.example") {
            _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
        } else {
            #[expect(clippy::disallowed_methods, reason = "a test has no policy")]
            let mut onward = tokio::net::TcpStream::connect(to).await.expect("the server");
            _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await;
            _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
        }
    })
    .await;
    let given = |host: &str| {
        vec![("url", text(&format!("https://{host}"))), ("ca", text("ca.pem")), ("proxy", text(&tunnel.url()))]
    };
    let api = outside.connect("http", &given("api.example")).await.expect("a connection");
    let response = outside.call("http.get", &[("connection", api), ("path", literal("/"))]).await.expect("an answer");
    assert_eq!(field(&response, "text").to_json(), "through");
    assert!(tunnel.asked().iter().any(|asked| asked.starts_with("CONNECT api.example:443 HTTP/1.1\r\n")));
    let ask = async |host: &str| {
        let api = outside.connect("http", &given(host)).await.expect("a connection");
        outside.call("http.answers", &[("connection", api), ("path", literal("/"))]).await
    };
    assert_eq!(ask("down.example").await.expect("no").to_json(), false);
    assert_eq!(fault(ask("no.example").await).kind, FaultKind::Denied);
}
