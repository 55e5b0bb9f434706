//! `runbook serve` where its ledger is not there yet: it waits, and says what for.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::time::Duration;

use crate::postgres;
use crate::program::{Folder, finish};
use crate::serving::{Notified, Sink, free_port, get, post, silent, terminate, until};

const TEXT: &str = "runbook \"Live\" { edition 1 }\n\
    channel bot = webhook(\"http://127.0.0.1:1/bot\")\n\
    metric there: bool every 1s = host.file(\"there\").exists\n\
    threshold \"Missing\" warning {\n  when not there\n  notify bot\n}\n\
    section \"Look\" every 1s {\n  check 1 < 2 as \"numbers hold\"\n}\n";

fn serve(folder: &Folder, database: u16, port: u16) -> Child {
    let store = format!("postgres://ops@127.0.0.1:{database}/shop?sslmode=disable");
    let (listen, public) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}"));
    let args = ["serve", "a.runbook", "--store", &store, "--listen", &listen, "--public-url", &public];
    let server = folder.command(&args).spawn().unwrap();
    until("it answers", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    server
}

#[test]
fn a_database_that_is_not_there_is_waited_for_by_name() {
    let folder = Folder::with(TEXT);
    let (nobody, port) = (free_port(), free_port());
    let server = serve(&folder, nobody, port);
    until("it says what it waits for", || get(port, "/readyz").contains("waits: the ledger cannot be reached"));
    let ready = get(port, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains(&format!("127.0.0.1:{nobody}")), "{ready}");
    let alive = get(port, "/healthz");
    assert!(alive.starts_with("HTTP/1.1 200") && alive.contains("\r\n\r\nok\nwaits: "), "{alive}");
    // Whoever posts an alert, or takes on an incident, comes again.
    for answer in [get(port, "/metrics"), get(port, "/ack/Live/1"), post(port, "/hooks/alertmanager", "")] {
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: "), "{answer}");
    }
    terminate(&server);
    let ended = finish(server);
    ended.code(0).err("nothing is served yet, it is tried again: the ledger cannot be reached");
    ended.err("is PostgreSQL up there").lacks("serving \"Live\"");
}

#[test]
fn a_name_that_nobody_has_is_said_at_once_and_tried_on() {
    let folder = Folder::with(TEXT);
    // No name below `.invalid` is ever anybody's. Where the machine has no name server, nobody can say so.
    let args = ["serve", "a.runbook", "--no-listen", "--store", "postgres://ops@db.invalid/shop?sslmode=disable"];
    let server = folder.command(&args).stderr(std::fs::File::create(folder.path("said")).unwrap()).spawn().unwrap();
    until("it says what it waits for", || folder.read("said").contains("nothing is served yet, it is tried again"));
    let said = folder.read("said");
    let typed =
        said.contains("there is no host named `db.invalid`") && said.contains("is its name typed right? `--store`");
    let asked = said.contains("the name `db.invalid` could not be looked up") && said.contains("/etc/resolv.conf");
    assert!(typed || asked, "{said}");
    terminate(&server);
    finish(server).code(0);
}

#[test]
fn what_is_edited_while_the_database_is_waited_for_is_served_as_it_is_then() {
    let Some(database) = postgres::wanted(postgres::Server::begin()) else { return };
    database.stop();
    let (folder, port) = (Folder::with(TEXT), free_port());
    let server = serve(&folder, database.port, port);
    until("it says what it waits for", || get(port, "/readyz").contains("waits: the ledger cannot be reached"));
    folder.write("a.runbook", TEXT.replace("section \"Look\"", "section \"Look closer\""));
    database.start();
    until("it has begun", || get(port, "/readyz").starts_with("HTTP/1.1 200"));
    until("the section is recorded", || {
        folder.path("state/runs").exists() && folder.journals().contains("\"Look closer\"")
    });
    terminate(&server);
    finish(server).code(0).err("\"Live\" was edited, and is served as it is now");
}

#[test]
fn systemd_hears_that_it_waits_and_others_that_nothing_is_served() {
    let folder = Folder::with(TEXT);
    let beats = Sink::new();
    let url = format!("http://127.0.0.1:{}/beat", beats.port);
    let systemd = Notified::at(&folder.path("notify"));
    let store = format!("postgres://ops@127.0.0.1:{}/shop?sslmode=disable", free_port());
    let args = ["serve", "a.runbook", "--no-listen", "--store", &store, "--heartbeat", &url, "--heartbeat-every", "1s"];
    let mut command = folder.command(&args);
    command.env("NOTIFY_SOCKET", folder.path("notify")).env("WATCHDOG_USEC", "900000");
    let server = command.spawn().unwrap();
    let told = || systemd.told();
    assert_eq!(told(), "READY=1");
    // More than it takes until the heartbeat would be due again.
    assert_eq!([(); 6].map(|()| told()), ["WATCHDOG=1"; 6], "it is alive");
    assert!(beats.heard.lock().unwrap().is_empty(), "and serves nothing");
    terminate(&server);
    finish(server).code(0).err("nothing is served yet");
}

#[test]
fn one_that_takes_connections_and_never_answers_holds_nothing_up() {
    let folder = Folder::with(TEXT);
    let ((database, kept), port) = (silent(), free_port());
    let server = serve(&folder, database, port);
    until("it is asked", || !kept.lock().unwrap().is_empty());
    assert!(get(port, "/healthz").starts_with("HTTP/1.1 200"));
    let ready = get(port, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("the ledger is being opened"), "{ready}");
    // It is given up after its limit, and tried again.
    until("it says that nobody answers", || get(port, "/readyz").contains("/shop within 10s"));
    until("it is asked again", || kept.lock().unwrap().len() > 1);
    terminate(&server);
    finish(server).code(0).err("nothing is served yet");
}

#[test]
fn what_time_does_not_mend_is_not_waited_for() {
    let folder = Folder::with(TEXT);
    let serve = |store: &str| folder.run(&["serve", "a.runbook", "--no-listen", "--store", store]);
    serve("postgres://ops@127.0.0.1:1/shop?sslmode=perhaps").code(1).err("`sslmode=perhaps` is no way to use TLS");
    serve("postgres://ops:secret@127.0.0.1:1/shop").code(1).err("a password does not belong").lacks("secret");
    serve("mysql://ops@127.0.0.1:1/shop").code(1).err("not in `mysql`");
    // What answers there is something else.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in other.incoming().flatten() {
            let mut asked = [0; 8];
            std::io::Read::read_exact(&mut stream, &mut asked).unwrap();
            std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            // Closed with something unread, the answer may be lost.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    let refused = serve(&format!("postgres://ops@127.0.0.1:{port}/shop?sslmode=disable"));
    refused.code(1).err("does it speak PostgreSQL?").lacks("it is tried again");
}

#[test]
fn a_server_whose_channel_cannot_be_opened_is_not_ready() {
    let text =
        TEXT.replace("\"http://127.0.0.1:1/bot\"", "hook").replace("channel", "secret hook = file(\"hook\")\nchannel");
    let (folder, port) = (Folder::with(text), free_port());
    let listen = format!("127.0.0.1:{port}");
    let args = ["serve", "a.runbook", "--listen", &listen];
    let server = folder.command(&args).stderr(std::fs::File::create(folder.path("said")).unwrap()).spawn().unwrap();
    until("it is said", || folder.read("said").contains("`bot` cannot be opened, and nobody is told there"));
    let ready = get(port, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("`bot` cannot be opened"), "{ready}");
    let sink = Sink::new();
    folder.write("hook", format!("http://127.0.0.1:{}/bot", sink.port));
    until("it is tried again", || get(port, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(folder.read("said").contains("`bot` can be opened again"), "{}", folder.read("said"));
    terminate(&server);
    finish(server).code(0);
}

/// Whoever is next is woken by what is so when it is looked at again, and not by what was so before nobody looked.
#[test]
fn after_a_time_without_a_server_it_is_looked_at_before_the_next_level_is_called() {
    let text = |sink: u16| {
        format!(
            "runbook \"Live\" {{ edition 1 }}\nsecret hook = file(\"hook\")\n\
             channel bot = webhook(\"http://127.0.0.1:{sink}/bot\")\nchannel people = slack(webhook: hook)\n\
             metric there: bool every 1h = host.file(\"there\").exists\n\
             threshold \"Missing\" critical {{\n  when not there\n  notify bot, people\n}}\n\
             escalation ops {{\n  level 1 \"Engineer\" {{\n    escalate after 4s unless acknowledged\n    notify bot\n  }}\n  \
             level 2 \"Chief\" {{\n    notify bot\n  }}\n}}\n"
        )
    };
    let hosts = [true, false].map(|is_over| {
        let sink = Sink::new();
        let folder = Folder::with(text(sink.port));
        folder.write("hook", format!("http://127.0.0.1:{}/people", sink.port));
        (is_over, folder, sink)
    });
    let serve = |folder: &Folder| folder.command(&["serve", "a.runbook", "--no-listen"]).spawn().unwrap();
    for (is_over, folder, sink) in &hosts {
        let mut server = serve(folder);
        until("it is opened", || sink.keys("opened").len() == 1);
        server.kill().unwrap();
        server.wait().unwrap();
        if *is_over {
            folder.write("there", "");
        }
    }
    std::thread::sleep(Duration::from_secs(11));
    for (is_over, folder, sink) in &hosts {
        let server = serve(folder);
        let what = if *is_over { "closed" } else { "escalated" };
        until("people hear how it is", || sink.keys(what).len() == 1);
        terminate(&server);
        finish(server).code(0);
        assert_eq!(sink.keys("escalated").is_empty(), *is_over);
    }
}
