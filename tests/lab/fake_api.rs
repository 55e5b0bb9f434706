//! An API server that does what kwok's nodes cannot: exit codes, streams that break off, pods that restart meanwhile.
//! It stands beside the tests against the lab's real one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tungstenite::handshake::server::{Request, Response};
use tungstenite::{Message, WebSocket};

use super::harness::{Lab, Ran};

/// How often a pod's log and a pod itself were asked for.
#[derive(Default)]
struct Asked {
    logs: AtomicU32,
    pods: AtomicU32,
}

/// Runs a runbook against a server of its own.
pub(crate) fn run(reads: &str, body: &str) -> Ran {
    rehearsed().run(&format!(
        "connect cluster = kubernetes(namespace: \"shop\", reads: [{reads}])\nsection \"s\" {{\n{body}\n}}\n"
    ))
}

/// The server as a lab.
pub(crate) fn rehearsed() -> Lab {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let asked: &'static Asked = Box::leak(Box::default());
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || _ = answer(stream, asked));
        }
    });
    let folder = tempfile::tempdir().unwrap().keep();
    let path = folder.join("kubeconfig");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "fake",
        "clusters": [{ "name": "fake", "cluster": { "server": server } }],
        "contexts": [{ "name": "fake", "context": { "cluster": "fake", "user": "me" } }],
        "users": [{ "name": "me", "user": { "token": "t" } }],
    });
    std::fs::write(&path, config.to_string()).unwrap();
    let env = BTreeMap::from([("KUBECONFIG".to_owned(), path.to_str().unwrap().to_owned())]);
    Lab { facts: json!({}), env }
}

/// One connection, of which only the first request is answered.
fn answer(mut stream: TcpStream, asked: &Asked) -> std::io::Result<()> {
    let mut head = vec![0; 8192];
    let mut length = 0;
    while !head[..length].windows(4).any(|window| window == b"\r\n\r\n") {
        length = stream.peek(&mut head)?;
        if length == 0 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let text = String::from_utf8_lossy(&head[..length]).into_owned();
    let target = text.split(' ').nth(1).unwrap_or_default().to_owned();
    // It takes the request, and is gone before it has said anything.
    if text.to_lowercase().contains("upgrade: websocket") && target.contains("/pods/drops/") {
        _ = stream.read(&mut head)?;
        return Ok(());
    }
    if text.to_lowercase().contains("upgrade: websocket") {
        upgraded(stream, &target);
        return Ok(());
    }
    _ = stream.read(&mut head)?;
    let path = target.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        // What stands in front of an API server, and answers in its place.
        [.., "gateway", _] | [.., "gateway", _, _] => whole(&mut stream, "200 OK", GATEWAY),
        [.., "nodes", "n-1"] if text.starts_with("PATCH") => whole(&mut stream, "200 OK", GATEWAY),
        [.., "nodes", "n-1"] => {
            let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n-1" }, "spec": {} });
            whole(&mut stream, "200 OK", node.to_string().as_bytes())
        }
        [.., "nodes"] => {
            let status = json!({ "kind": "Status", "status": "Failure", "message": "etcd is away", "code": 500 });
            whole(&mut stream, "200 OK", status.to_string().as_bytes())
        }
        // One that knows no protobuf, and says so.
        [.., "pods"] if text.contains("protobuf") => whole(&mut stream, "406 Not Acceptable", b"{}"),
        [.., "pods"] => {
            let list = json!({ "apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": [pod("web-0", 0)] });
            whole(&mut stream, "200 OK", list.to_string().as_bytes())
        }
        [.., "pods", name, "log"] => log(&mut stream, name, &target, asked),
        [.., "pods", name] => match pod(name, asked.pods.fetch_add(1, Ordering::Relaxed)) {
            Some(pod) => whole(&mut stream, "200 OK", pod.to_string().as_bytes()),
            None => missing(&mut stream, name),
        },
        [.., "deployments", name] if text.starts_with("PATCH") => {
            let status = json!({ "kind": "Status", "status": "Failure", "code": 429, "reason": "TooManyRequests",
                "message": format!("too many requests for {name}, please try again later") });
            whole(&mut stream, "429 Too Many Requests", status.to_string().as_bytes())
        }
        [.., "deployments", name] => {
            let deployment = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
                "spec": { "replicas": 1 } });
            whole(&mut stream, "200 OK", deployment.to_string().as_bytes())
        }
        [.., "namespaces", name] => {
            let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
            whole(&mut stream, "200 OK", namespace.to_string().as_bytes())
        }
        _ => missing(&mut stream, path),
    }
}

const GATEWAY: &[u8] = b"{\"error\": \"login required\"}";

fn whole(stream: &mut TcpStream, status: &str, body: &[u8]) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

fn missing(stream: &mut TcpStream, name: &str) -> std::io::Result<()> {
    let status = json!({ "kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound",
        "message": format!("pods \"{name}\" not found"), "details": { "name": name, "kind": "pods" } });
    whole(stream, "404 Not Found", status.to_string().as_bytes())
}

/// A pod as it is when it is asked for the so-manieth time.
fn pod(name: &str, time: u32) -> Option<Json> {
    if name == "gone" && time > 0 {
        return None;
    }
    let began = "2020-01-01T00:00:00Z";
    let restarts = u32::from(name == "restarts" && time > 0);
    let id = format!("containerd://{name}-{restarts}");
    Some(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "creationTimestamp": began },
        "spec": { "nodeName": "n-1", "containers": [{ "name": "app", "image": "app:1" }] },
        "status": {
            "phase": "Running", "startTime": began,
            "conditions": [{ "type": "Ready", "status": "True" }],
            "containerStatuses": [{
                "name": "app", "image": "app:1", "imageID": "x", "ready": true, "started": true,
                "restartCount": restarts, "containerID": id, "state": { "running": { "startedAt": began } }, "lastState": {},
            }],
        },
    }))
}

/// How many MiB the log `large` has.
pub(crate) const LARGE: usize = 300;

fn log(stream: &mut TcpStream, name: &str, target: &str, asked: &Asked) -> std::io::Result<()> {
    let time = asked.logs.fetch_add(1, Ordering::Relaxed);
    let now = jiff::Timestamp::now();
    let line = |text: &str| format!("{now} {text}\n");
    let limited = target.contains("limitBytes");
    // The first line of the file, whatever else is asked for of it.
    if limited && name != "rotated" {
        return whole(stream, "200 OK", b"2020-01-01T00:00:00Z first\n");
    }
    match name {
        // It breaks off again and again, or the first time only.
        "breaks" | "breaks-once" => {
            let body = [line("one"), line("two"), line("three")].concat();
            if name == "breaks-once" && time > 0 {
                return whole(stream, "200 OK", body.as_bytes());
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            write!(stream, "{:x}\r\n{body}\r\n", body.len())?;
            std::thread::sleep(Duration::from_millis(20));
            stream.shutdown(std::net::Shutdown::Both)
        }
        "foreign" => {
            let body = line("one") + "unable to retrieve container logs for containerd://x\n";
            whole(stream, "200 OK", body.as_bytes())
        }
        // What is asked for begins an hour ago, and the file a minute ago.
        "rotated" => {
            let first = now - jiff::SignedDuration::from_mins(1);
            whole(stream, "200 OK", format!("{first} first\n").as_bytes())
        }
        // The file begins long before, and little was logged lately.
        "quiet" => whole(stream, "200 OK", line("late").as_bytes()),
        "bytes" => {
            whole(stream, "200 OK", &[line("\u{0}").as_bytes(), format!("{now} ").as_bytes(), b"\xff\xfe\n"].concat())
        }
        "hangs" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            let body = line("one");
            write!(stream, "{:x}\r\n{body}\r\n", body.len())?;
            std::thread::sleep(Duration::from_secs(30));
            Ok(())
        }
        "large" => {
            let mut block = String::new();
            while block.len() < 1 << 20 {
                writeln!(block, "{now} INFO request id=4711 path=/query status=200 took=42ms user=u4711 and so on")
                    .unwrap();
            }
            let head =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", block.len() * LARGE);
            stream.write_all(head.as_bytes())?;
            (0..LARGE).try_for_each(|_| stream.write_all(block.as_bytes()))
        }
        _ => whole(stream, "200 OK", [line("one"), line("two")].concat().as_bytes()),
    }
}

type Socket = WebSocket<TcpStream>;

#[expect(clippy::result_large_err, reason = "the type is the library's")]
fn upgraded(stream: TcpStream, target: &str) {
    let protocol = |_: &Request, mut response: Response| {
        response.headers_mut().insert("Sec-WebSocket-Protocol", "v5.channel.k8s.io".parse().unwrap());
        Ok(response)
    };
    let Ok(mut socket) = tungstenite::accept_hdr(stream, protocol) else { return };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    // Whoever asked may have hung up, which is the point of some tests.
    _ = match path.rsplit('/').next() {
        Some("exec") => exec(&mut socket, query),
        _ => forward(&mut socket, path, query),
    };
}

fn send(socket: &mut Socket, channel: u8, bytes: &[u8]) -> tungstenite::Result<()> {
    socket.send(Message::binary([&[channel], bytes].concat()))
}

/// What a command does is what it is called.
fn exec(socket: &mut Socket, query: &str) -> tungstenite::Result<()> {
    let words: Vec<&str> = query.split('&').filter_map(|pair| pair.strip_prefix("command=")).collect();
    let status = |status: Json| status.to_string().into_bytes();
    let exit = |code: u32| {
        status(json!({ "kind": "Status", "status": "Failure", "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: exit status {code}"),
            "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] } }))
    };
    let well = status(json!({ "kind": "Status", "status": "Success" }));
    match words.first().copied().unwrap_or_default() {
        "exits3" | "fails" => {
            send(socket, 1, b"half\n")?;
            send(socket, 2, b"it broke\n")?;
            send(socket, 3, &exit(3))
        }
        "killed" => send(socket, 3, &exit(137)),
        "nostatus" => {
            send(socket, 1, b"half\n")?;
            socket.close(None)
        }
        "drops" => {
            send(socket, 1, b"half\n")?;
            socket.get_ref().shutdown(std::net::Shutdown::Both)?;
            Ok(())
        }
        "huge" => {
            let block = vec![b'x'; 64 << 10];
            (0..10_000).try_for_each(|_| send(socket, 1, &block))
        }
        "both" => {
            // More of each than any buffer holds, in turn.
            let block = vec![b'y'; 32 << 10];
            for _ in 0..64 {
                send(socket, 1, &block)?;
                send(socket, 2, &block)?;
            }
            send(socket, 3, &well)
        }
        "bytes" => {
            send(socket, 1, b"\xff\xfe")?;
            send(socket, 3, &well)
        }
        "df" if words.len() > 3 => {
            send(socket, 2, b"df: /nowhere: No such file or directory\n")?;
            send(socket, 3, &exit(1))
        }
        "nc" | "socat" => {
            let message = "OCI runtime exec failed: exec: \"nc\": executable file not found in $PATH: unknown";
            send(socket, 3, &status(json!({ "kind": "Status", "status": "Failure", "message": message })))
        }
        "bash" if words.contains(&"--version") => send(socket, 3, &well),
        // An HTTP server behind it, which is told its input is over by nobody.
        "bash" => {
            while let Message::Binary(bytes) = socket.read()? {
                if bytes.first() == Some(&0) && bytes.windows(4).any(|window| window == b"\r\n\r\n") {
                    send(socket, 1, b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"here\": true}")?;
                }
            }
            Ok(())
        }
        _ => {
            send(socket, 1, b"well\n")?;
            send(socket, 3, &well)
        }
    }
}

fn forward(socket: &mut Socket, path: &str, query: &str) -> tungstenite::Result<()> {
    let port = query.split('&').find_map(|pair| pair.strip_prefix("ports=")).unwrap();
    let port: u16 = port.parse().unwrap();
    for channel in [0, 1] {
        send(socket, channel, &port.to_le_bytes())?;
    }
    let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"here\": true}";
    let mut read = || loop {
        if let Message::Binary(bytes) = socket.read()?
            && bytes.windows(4).any(|window| window == b"\r\n\r\n")
        {
            return Ok::<_, tungstenite::Error>(());
        }
    };
    match path.split('/').rev().nth(1) {
        // Told late: the request has gone out.
        Some("refuses-late") => {
            read()?;
            send(socket, 1, b"error forwarding port 80 to pod x: dial tcp4 127.0.0.1:80: connect: connection refused")?;
            std::thread::sleep(Duration::from_secs(5));
            Ok(())
        }
        Some("answers") => {
            read()?;
            send(socket, 0, answer)?;
            socket.close(None)?;
            while socket.read().is_ok() {}
            Ok(())
        }
        // The answer has no length: its end is that of the stream.
        Some("cut") => {
            read()?;
            send(socket, 0, &answer[..answer.len() - 6])?;
            std::thread::sleep(Duration::from_millis(50));
            socket.get_ref().shutdown(std::net::Shutdown::Both)?;
            Ok(())
        }
        _ => {
            std::thread::sleep(Duration::from_secs(30));
            Ok(())
        }
    }
}
