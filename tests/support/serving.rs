//! What a server is watched with: a service that keeps what it is told, and questions over HTTP.
#![allow(clippy::allow_attributes, clippy::unwrap_used, dead_code, reason = "each test takes what it needs of it")]

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Much longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A server that keeps what is posted to it.
pub(crate) struct Sink {
    pub(crate) port: u16,
    pub(crate) heard: Arc<Mutex<Vec<String>>>,
}

impl Sink {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, heard) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<String>>>::default());
        let keeps = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut text = String::new();
                let mut buffer = vec![0; 65_536];
                // The head says how long the body is; both come in a moment on loopback.
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    text.push_str(&String::from_utf8_lossy(buffer.get(..read).unwrap()));
                    if text.trim_end().ends_with('}') {
                        break;
                    }
                }
                let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
                keeps.lock().unwrap().push(body);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
            }
        });
        Self { port, heard }
    }

    /// The first link by which an incident is taken on.
    pub(crate) fn link(&self) -> String {
        let heard = self.heard.lock().unwrap();
        let mut messages = heard.iter().filter_map(|body| serde_json::from_str::<serde_json::Value>(body).ok());
        messages.find_map(|message| message.get("acknowledge")?.as_str().map(str::to_owned)).unwrap()
    }

    /// The names of the messages of an occasion. One that was told twice has one name.
    pub(crate) fn keys(&self, occasion: &str) -> BTreeSet<String> {
        let heard = self.heard.lock().unwrap();
        let messages = heard.iter().filter_map(|body| serde_json::from_str::<serde_json::Value>(body).ok());
        let of = messages.filter(|message| message.get("occasion").is_some_and(|own| own == occasion));
        of.filter_map(|message| message.get("key")?.as_str().map(str::to_owned)).collect()
    }

    /// What was told of a title, as `occasion`s in order.
    pub(crate) fn occasions(&self, title: &str) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        let messages = heard.iter().filter_map(|body| serde_json::from_str::<serde_json::Value>(body).ok());
        let of = messages.filter(|message| message.get("title").is_some_and(|own| own == title));
        of.map(|message| message.get("occasion").unwrap().as_str().unwrap().to_owned()).collect()
    }
}

/// Takes connections on a port, and never answers. Keeps them open.
pub(crate) fn silent() -> (u16, Arc<Mutex<Vec<TcpStream>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, kept) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<TcpStream>>>::default());
    let keeps = Arc::clone(&kept);
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| keeps.lock().unwrap().push(stream)));
    (port, kept)
}

/// systemd's end of the socket on which a service says how it is.
pub(crate) struct Notified(UnixDatagram);

impl Notified {
    pub(crate) fn at(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// The next that it says.
    pub(crate) fn told(&self) -> String {
        let mut buffer = [0; 64];
        let read = self.0.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(buffer.get(..read).unwrap()).into_owned()
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn until(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not so after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub(crate) fn asked(port: u16, request: &str) -> String {
    tried(port, request).unwrap()
}

fn tried(port: u16, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

pub(crate) fn get(port: u16, path: &str) -> String {
    asked(port, &got(path))
}

fn got(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
}

/// Whether a server is ready. Where it has waited, whoever asks just when it begins is cut off, and comes again.
pub(crate) fn is_ready(port: u16) -> bool {
    tried(port, &got("/readyz")).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

pub(crate) fn post(port: u16, path: &str, form: &str) -> String {
    let head = "content-type: application/x-www-form-urlencoded\r\nconnection: close";
    asked(
        port,
        &format!("POST {path} HTTP/1.1\r\nhost: here\r\n{head}\r\ncontent-length: {}\r\n\r\n{form}", form.len()),
    )
}

pub(crate) fn terminate(child: &Child) {
    kill_process(Pid::from_child(child), Signal::TERM).unwrap();
}

/// Waits until a server is ready again, and says why it is not where that takes too long.
pub(crate) fn until_ready(port: u16) {
    let begun = Instant::now();
    while !is_ready(port) {
        assert!(begun.elapsed() < PATIENCE * 3, "not ready after {:?}: {}", PATIENCE * 3, get(port, "/readyz"));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A lease of a server that was killed has to run out, and that on its messages.
pub(crate) fn until_long(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE * 3, "{what}: not so after {:?}", PATIENCE * 3);
        std::thread::sleep(Duration::from_millis(20));
    }
}
