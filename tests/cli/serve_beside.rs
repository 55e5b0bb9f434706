//! What tells people beside `runbook serve`, and after a process that was killed: a channel is told by one at a time.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{Folder, finish};
use crate::serving::{Notified, silent, terminate, until};

/// A service that takes its time to answer, and writes down what came and what was answered.
struct Slow {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Slow {
    fn new(takes: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<String>>>::default());
        let notes = Arc::clone(&seen);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let notes = Arc::clone(&notes);
                std::thread::spawn(move || {
                    let (mut text, mut buffer) = (String::new(), vec![0; 65_536]);
                    while let Ok(read @ 1..) = stream.read(&mut buffer) {
                        text.push_str(&String::from_utf8_lossy(buffer.get(..read).unwrap()));
                        if text.trim_end().ends_with('}') {
                            break;
                        }
                    }
                    let body: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
                    let occasion = body.get("occasion").unwrap().as_str().unwrap().to_owned();
                    notes.lock().unwrap().push(format!("{occasion} comes"));
                    std::thread::sleep(takes);
                    notes.lock().unwrap().push(format!("{occasion} is answered"));
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                });
            }
        });
        Self { port, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn runbook(port: u16, title: &str) -> String {
    format!(
        r#"runbook "{title}" {{
  edition 1
}}

secret hook = file("hook")

channel people = slack(webhook: hook)
channel bot = webhook("http://127.0.0.1:{port}/bot", within: 30s)

threshold "Missing" critical {{
  notify bot
}}

escalation ops {{
  level 1 "Engineer" {{
    escalate after 1h unless acknowledged
    notify bot
  }}
  level 2 "Chief" {{
    notify people
  }}
  by hand "attack" to level 1
}}

section "Look" {{
  check host.file("there").exists as "it is there" else raise "Missing"
}}
"#
    )
}

fn folder(port: u16) -> Folder {
    let folder = Folder::with(runbook(port, "Night"));
    folder.write("hook", "http://127.0.0.1:1/people");
    folder
}

fn serve(folder: &Folder, file: &str) -> Child {
    let socket = format!("{file}.socket");
    let systemd = Notified::at(&folder.path(&socket));
    let mut command = folder.command(&["serve", file, "--no-listen"]);
    let server = command.env("NOTIFY_SOCKET", folder.path(&socket)).spawn().unwrap();
    assert_eq!(systemd.told(), "READY=1");
    server
}

#[test]
fn nothing_overtakes_what_a_server_tells_and_what_it_tells_is_said() {
    let slow = Slow::new(Duration::from_secs(3));
    let folder = folder(slow.port);
    let server = serve(&folder, "a.runbook");
    let begun = folder.command(&["escalate", "a.runbook", "attack"]).spawn().unwrap();
    until("it is on its way", || !slow.seen().is_empty());
    let closed = folder.run(&["close", "a.runbook", "1"]);
    closed.code(0).err("told bot: attack (closed): 200");
    finish(begun).code(0);
    assert_eq!(slow.seen(), ["opened comes", "opened is answered", "closed comes", "closed is answered"]);
    terminate(&server);
    finish(server).code(0).err("told bot: attack (closed): 200");
}

#[test]
fn beside_a_server_whose_channel_hangs_what_is_said_comes_to_its_end_soon() {
    let (port, hung) = silent();
    let folder = folder(port);
    let server = serve(&folder, "a.runbook");
    let said = [&["escalate", "a.runbook", "attack"][..], &["ack", "a.runbook", "1"], &["close", "a.runbook", "1"]];
    for (args, stands) in said.into_iter().zip(["it is on its way, no answer yet", "it waits there", "it waits there"])
    {
        let begun = Instant::now();
        let output = folder.run(args);
        assert!(begun.elapsed().as_secs() < 15, "{args:?}: the channel has 30 s: {:?}", begun.elapsed());
        output.code(3).err(stands).err("`runbook serve` tells it (");
        assert!(!output.stderr.contains(" #"), "{}", output.stderr);
        assert_eq!(output.stderr.matches("is not told of").count(), 1, "its own message alone: {}", output.stderr);
    }
    assert_eq!(hung.lock().unwrap().len(), 1, "one at a time");
    terminate(&server);
    finish(server);
}

#[test]
fn a_server_of_another_runbook_tells_nothing_of_this_one() {
    let slow = Slow::new(Duration::ZERO);
    let folder = folder(slow.port);
    folder.write("b.runbook", runbook(slow.port, "Day"));
    let server = serve(&folder, "b.runbook");
    let begun = Instant::now();
    folder.run(&["escalate", "a.runbook", "attack"]).code(0).err("told bot: attack (opened): 200");
    assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
    terminate(&server);
    finish(server).code(0).lacks("attack");
}

#[test]
fn what_a_killed_process_was_telling_is_told_by_the_next_one_at_once() {
    let (port, hung) = silent();
    let folder = folder(port);
    let mut killed = folder.command(&["run", "a.runbook"]).spawn().unwrap();
    until("it is on its way", || !hung.lock().unwrap().is_empty());
    killed.kill().unwrap();
    killed.wait().unwrap();
    // Somebody mends the service, and the next run comes.
    let slow = Slow::new(Duration::ZERO);
    folder.write("a.runbook", runbook(slow.port, "Night"));
    let begun = Instant::now();
    folder.run(&["run", "a.runbook"]).says("told bot: Missing (opened): 200");
    assert_eq!(slow.seen(), ["opened comes", "opened is answered"]);
    assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
    // The same where a server is killed.
    folder.write("a.runbook", runbook(port, "Night"));
    let mut server = serve(&folder, "a.runbook");
    folder.run(&["ack", "a.runbook", "1"]).code(3).err("it is on its way, no answer yet");
    assert_eq!(hung.lock().unwrap().len(), 2);
    server.kill().unwrap();
    server.wait().unwrap();
    folder.write("a.runbook", runbook(slow.port, "Night"));
    let begun = Instant::now();
    std::fs::remove_file(folder.path("a.runbook.socket")).unwrap();
    let server = serve(&folder, "a.runbook");
    until("it is told", || slow.seen().last().is_some_and(|last| last == "acknowledged is answered"));
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    terminate(&server);
    finish(server).code(0);
}
