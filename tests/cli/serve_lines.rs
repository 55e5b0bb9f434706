//! `runbook serve` where a channel hangs, or no channel gets through.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::program::{Folder, finish};
use crate::serving::{Notified, Sink, free_port, get, is_ready, silent, terminate, until, until_long};

/// Level 1 is told on a channel that takes what comes and never answers, level 2 on a good one.
struct Night {
    folder: Folder,
    sink: Sink,
    /// What came to the channel that hangs.
    hung: Arc<Mutex<Vec<TcpStream>>>,
}

impl Night {
    fn new() -> Self {
        let (sink, (port, hung)) = (Sink::new(), silent());
        let folder = Folder::with(format!(
            r#"runbook "Night" {{
  edition 1
}}

secret hook = file("hook")

channel people = slack(webhook: hook)
channel slow = webhook("http://127.0.0.1:{port}/slow", within: 55s)
channel good = webhook("http://127.0.0.1:{}/good")

metric there: bool every 1s = host.file("there").exists

threshold "Missing" critical {{
  when not there
  notify slow
}}

escalation ops {{
  level 1 "Engineer" {{
    escalate after 2s unless acknowledged
    notify slow
  }}
  level 2 "Chief" {{
    notify good, people
  }}
}}
"#,
            sink.port
        ));
        folder.write("hook", format!("http://127.0.0.1:{}/people", sink.port));
        Self { folder, sink, hung }
    }

    /// What it says goes to a file, which can be read meanwhile.
    fn serve(&self) -> Child {
        let said = File::options().create(true).append(true).open(self.folder.path("said")).unwrap();
        self.folder.command(&["serve", "a.runbook", "--no-listen"]).stderr(said).spawn().unwrap()
    }

    fn story(&self) -> String {
        self.folder.run(&["incidents", "1"]).code(0).stdout.clone()
    }

    fn line(&self, what: &str) -> String {
        let story = self.story();
        story.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {story}")).to_owned()
    }
}

#[test]
fn a_channel_that_hangs_delays_no_page_elsewhere_and_no_end_of_the_server() {
    let night = Night::new();
    let server = night.serve();
    until("the first channel hangs", || !night.hung.lock().unwrap().is_empty());
    let begun = Instant::now();
    until("level 2 is told", || night.sink.occasions("Missing") == ["escalated"]);
    assert!(begun.elapsed().as_secs() < 20, "the other one has 55 s: {:?}", begun.elapsed());
    let said = || night.folder.read("said");
    // It is said when it is known, with a time.
    until("it is said", || said().contains(" told good: Missing (escalated): 200"));
    let line = said().lines().find(|line| line.contains("told good")).unwrap().to_owned();
    assert!(line.starts_with("20") && line.get(19..20) == Some(" "), "{line}");
    until("it is written down", || night.line("→ good").contains("(escalated): told "));
    assert!(night.line("→ slow").contains("(opened): not told yet: on its way, no answer yet"), "{}", night.story());
    assert!(night.line("  not told: slow of Missing: on its way").ends_with("no answer yet"), "{}", night.story());

    let stopped = Instant::now();
    terminate(&server);
    finish(server).code(0);
    assert!(stopped.elapsed() < Duration::from_secs(12), "{:?}", stopped.elapsed());
    let said = said();
    assert!(said.contains("no answer to 1 message on the way within 5 s: told again later"), "{said}");
    assert!(said.contains("messages wait for whoever serves next: for slow"), "{said}");
    let line = night.line("  not told: slow of Missing:");
    assert!(line.contains("the server was stopped before an answer came (1 try); again at "), "{line}");

    // The next one tells it at once.
    let before = night.hung.lock().unwrap().len();
    let server = night.serve();
    let begun = Instant::now();
    until("it is told again", || night.hung.lock().unwrap().len() > before);
    assert!(begun.elapsed().as_secs() < 12, "{:?}", begun.elapsed());
    // What is over wakes nobody any more; that nobody heard of it there is said, and not that it was told.
    night.folder.write("there", "");
    until("the end is told", || night.sink.occasions("Missing").ends_with(&["closed".to_owned()]));
    assert!(night.line("→ slow: Missing (opened)").contains(": NOT TOLD, withdrawn "), "{}", night.story());
    let story = night.story();
    assert!(story.contains(", closed ") && !story.contains("next level"), "{story}");
    terminate(&server);
    finish(server).code(0);
}

#[test]
fn what_a_killed_server_was_telling_is_told_by_the_next_one_as_soon_as_it_leads() {
    let night = Night::new();
    let mut server = night.serve();
    until("the first channel hangs", || !night.hung.lock().unwrap().is_empty());
    server.kill().unwrap();
    server.wait().unwrap();
    let killed = Instant::now();
    let server = night.serve();
    until_long("it is told again", || night.hung.lock().unwrap().len() > 1);
    assert!(
        killed.elapsed().as_secs() < 40,
        "its lease of 15 s has run out, and its claim not: {:?}",
        killed.elapsed()
    );
    terminate(&server);
    finish(server).code(0);
}

/// Refuses whatever comes.
fn refusing() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(b"HTTP/1.1 400 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    port
}

#[test]
fn a_server_of_which_nobody_hears_anything_is_not_ready() {
    for (broken, why) in [(free_port(), "refused"), (refusing(), "400")] {
        let folder = Folder::with(format!(
            "runbook \"Night\" {{ edition 1 }}\n\
             channel bot = webhook(\"http://127.0.0.1:{broken}/bot\")\n\
             metric there: bool every 1s = host.file(\"there\").exists\n\
             threshold \"Missing\" warning {{\n  when not there\n  notify bot\n}}\n"
        ));
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let beats = Sink::new();
        let url = format!("http://127.0.0.1:{}/beat", beats.port);
        let systemd = Notified::at(&folder.path("notify"));
        let args = ["serve", "a.runbook", "--listen", &listen, "--heartbeat", &url, "--heartbeat-every", "1s"];
        let server = folder.command(&args).env("NOTIFY_SOCKET", folder.path("notify")).spawn().unwrap();
        assert_eq!(systemd.told(), "READY=1");
        until("it is not ready", || get(port, "/readyz").contains("nobody can be told: `bot`: "));
        std::thread::sleep(Duration::from_secs(1));
        let before = beats.heard.lock().unwrap().len();
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(beats.heard.lock().unwrap().len(), before, "whoever waits for signs of life finds out");
        let open = folder.run(&["incidents"]);
        open.code(0).out("  not told: bot of Missing: ").out(why).out("; again at ");

        // Mended, it is told and ready at once.
        let sink = Sink::new();
        folder.write("a.runbook", folder.read("a.runbook").replace(&broken.to_string(), &sink.port.to_string()));
        until("it is told", || sink.occasions("Missing") == ["opened"]);
        until("it is ready", || is_ready(port));
        terminate(&server);
        let ended = finish(server);
        ended.code(0).err("bot was not told of Missing (opened)");
    }
}

#[test]
fn whoever_never_ends_a_question_keeps_no_server_from_its_end() {
    let folder =
        Folder::with("runbook \"Night\" { edition 1 }\nsection \"Look\" daily at 08:00 { check 1 < 2 as \"so\" }\n");
    let port = free_port();
    let systemd = Notified::at(&folder.path("notify"));
    let listen = format!("127.0.0.1:{port}");
    let mut command = folder.command(&["serve", "a.runbook", "--listen", &listen]);
    let server = command.env("NOTIFY_SOCKET", folder.path("notify")).spawn().unwrap();
    assert_eq!(systemd.told(), "READY=1");
    let mut asks = TcpStream::connect(("127.0.0.1", port)).unwrap();
    asks.write_all(b"GET /readyz HTTP/1.1\r\nhost: here\r\n").unwrap();
    // It has come.
    assert!(get(port, "/healthz").contains("ok"));
    let begun = Instant::now();
    terminate(&server);
    finish(server).code(0);
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
