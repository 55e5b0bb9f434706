//! Servers that do not answer, answer nonsense, or do not end.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::net::server::{authority, reply, secure};
use crate::program::Folder;

/// A server of threads, for as long as the test runs; its address.
fn serve(answer: impl Fn(&mut TcpStream) -> std::io::Result<()> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // Whoever hangs up ends it.
            thread::spawn(move || asked(stream).and_then(|mut stream| answer(&mut stream)));
        }
    });
    format!("http://{address}")
}

fn asked(mut stream: TcpStream) -> std::io::Result<TcpStream> {
    let mut buffer = [0; 8192];
    // What is asked does not matter here, and it comes in one piece.
    let _asked = stream.read(&mut buffer)?;
    Ok(stream)
}

/// Sends a beginning and then the same again and again.
fn endless(beginning: &'static [u8], piece: Vec<u8>, pause: Duration) -> String {
    serve(move |stream| {
        stream.write_all(beginning)?;
        loop {
            stream.write_all(&piece)?;
            thread::sleep(pause);
        }
    })
}

fn says(bytes: Vec<u8>) -> String {
    serve(move |stream| stream.write_all(&bytes))
}

fn body(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// The check of an answer is not measured, for this reason, and so is what needs its body.
#[track_caller]
fn not_measured(url: &str, reason: &str) {
    let folder = Folder::with(format!(
        "connect site = http(\"{url}\")\nsection \"s\" {{ step \"t\" within 2s {{\n  let answer = site.get(\"/\")\n  \
         check answer.json.b == 1 as \"body\"\n}} }}\n"
    ));
    let output = folder.run(&["run", "a.runbook"]);
    output.code(3).says("0 passed · 1 unknown").says(reason).says("a.runbook:");
    assert!(!output.stdout.contains('\u{1b}'), "{}", output.stdout);
}

#[test]
fn a_server_that_never_answers() {
    not_measured(&endless(b"", Vec::new(), Duration::from_secs(1000)), "step \"t\" is limited to 2s");
    let drips =
        endless(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x".to_vec(), Duration::from_millis(100));
    not_measured(&drips, "step \"t\" is limited to 2s");
}

#[test]
fn a_server_that_says_what_is_no_answer() {
    not_measured(&says((0..=255).cycle().take(100_000).collect()), "does not speak HTTP");
    not_measured(&says(b"\x1b]0;x\x07\x1b[2J".to_vec()), "does not speak HTTP");
    not_measured(&says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc".to_vec()), "broke off after 3B");
    not_measured(&says(body("", "[".repeat(200_000).as_bytes())), "is not JSON");
    not_measured(&says(body("", b"{\"b\": 123456789012345678901234567890}")), "wanted int");
    not_measured(&says(Vec::new()), "closed the connection without an answer");
}

#[test]
fn a_server_that_sends_people_round() {
    let location = b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    not_measured(&says(location.to_vec()), "redirects in a circle");
}

#[test]
fn a_server_that_does_not_end() {
    let piece = [b"10000\r\n".as_slice(), &vec![b'x'; 0x10000], b"\r\n"].concat();
    let chunks = endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", piece, Duration::ZERO);
    not_measured(&chunks, "is larger than 1MiB");
    let header = format!("X-Again: {}\r\n", "y".repeat(1000)).into_bytes();
    not_measured(&endless(b"HTTP/1.1 200 OK\r\n", header, Duration::ZERO), "the headers of");
}

#[test]
fn a_certificate_that_is_broken() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ours = authority();
    let hello = |_: &str| reply("200 OK", "", "{\"b\": 1}");
    let port = |identity| runtime.block_on(secure(identity, hello)).address.port();
    let (expired, other) = (port(ours.sign(&["localhost"], 2021)), port(ours.sign(&["example.com"], 2099)));
    let unknown = port(authority().sign(&["localhost"], 2099));
    let good = port(ours.sign(&["localhost"], 2099));
    let run = |port: u16| {
        let folder = Folder::with(format!(
            "connect site = http(\"https://localhost:{port}\", ca: \"ca.pem\")\nsection \"s\" {{ step \"t\" within 5s {{\n  \
             check site.get(\"/\").json.b == 1 as \"body\"\n}} }}\n"
        ));
        folder.write("ca.pem", &ours.pem);
        folder.run(&["run", "a.runbook"])
    };
    run(good).code(0).says("1 passed");
    for (port, reason) in [(expired, "expired"), (other, "example.com"), (unknown, "certificate")] {
        run(port).code(3).says("0 passed · 1 unknown").says(reason);
    }
}
