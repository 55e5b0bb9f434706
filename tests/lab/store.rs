//! `--store`: servers on several hosts with one ledger in PostgreSQL. They bring up a server of their own, for it is stopped.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::harness::{left_out, say};
use super::postgres_alone::{Server, schema, server};
use super::program::{Folder, Output, finish, signal};
use super::serving::{Sink, free_port, get, is_ready, post, terminate, until, until_long, until_ready};

/// A host: a folder with the runbook and its own state.
struct Host {
    folder: Folder,
    address: String,
    port: u16,
}

impl Host {
    fn new(text: &str, address: &str, sink: u16) -> Self {
        let folder = Folder::with(text);
        folder.write("hook", format!("http://127.0.0.1:{sink}/people"));
        Self { folder, address: address.to_owned(), port: free_port() }
    }

    fn serve(&self, args: &[&str]) -> Child {
        let listen = format!("127.0.0.1:{}", self.port);
        let mut all = vec!["serve", "a.runbook", "--store", &self.address, "--listen", &listen];
        all.extend(args);
        self.folder.command(&all).env("PGPASSWORD", "open sesame").spawn().unwrap()
    }

    /// A command, where the address is in the environment.
    fn run(&self, args: &[&str]) -> Output {
        let mut command = self.folder.command(args);
        command.env("PGPASSWORD", "open sesame").env("RUNBOOK_STORE", &self.address);
        finish(command.spawn().unwrap())
    }

    fn stands_by(&self) -> bool {
        get(self.port, "/healthz").contains("stands by")
    }
}

/// The address of a new ledger, for a role with a password.
fn address(server: &Server) -> String {
    server.sql("shop", "GRANT CREATE ON DATABASE shop TO locked");
    server.address(&schema()).replace("//ops@", "//locked@")
}

fn there(test: &str) -> Option<&'static Server> {
    server().map_err(|why| left_out(test, &why)).ok()
}

/// Somebody is told, and told again at the next level.
fn live(sink: u16) -> String {
    format!(
        r#"runbook "Live" {{
  edition 1
}}

secret hook = file("hook")

channel bot = webhook("http://127.0.0.1:{sink}/bot")
channel people = slack(webhook: hook)

metric there: bool every 1s = host.file("there").exists

threshold "Missing" critical {{
  when not there
  notify bot, people
}}

escalation ops {{
  level 1 "Engineer" {{
    respond within 1s
    escalate after 30s unless acknowledged
    notify bot
  }}
  level 2 "Chief" {{
    notify bot
  }}
}}

section "Look" every 1s {{
  check 1 < 2 as "numbers hold"
}}
"#
    )
}

#[test]
fn when_the_host_that_leads_dies_another_one_takes_over() {
    let Some(server) = there("store: take-over") else { return };
    let sink = Sink::new();
    let address = address(server);
    let (one, two) =
        (Host::new(&live(sink.port), &address, sink.port), Host::new(&live(sink.port), &address, sink.port));
    // Links lead to the other one.
    let public = format!("http://127.0.0.1:{}", two.port);
    let mut first = one.serve(&["--public-url", &public]);
    until("it is opened", || sink.keys("opened").len() == 1);
    let second = two.serve(&["--public-url", &public]);
    let ready = || std::net::TcpStream::connect(("127.0.0.1", two.port)).is_ok();
    until("the other one is up", ready);
    until("it stands by", || two.stands_by());
    let said = get(two.port, "/readyz");
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    assert!(said.contains("\"Live\": stands by, ") && said.contains(&format!(":{}:", first.id())), "who leads: {said}");
    assert!(!one.stands_by());

    first.kill().unwrap();
    let killed = Instant::now();
    first.wait().unwrap();
    until_long("it takes over", || !two.stands_by());
    let took = killed.elapsed();
    say(&format!("taken over after {took:?}"));
    assert!(took < Duration::from_secs(25), "{took:?}");

    // A link that was made on the host that is no more.
    let link = sink.link();
    let path = link.strip_prefix(&public).unwrap();
    assert!(get(two.port, path).contains("level 1"));
    assert!(post(two.port, path, "by=Ada").contains("Ada has taken on incident #1"));
    for host in [&one, &two] {
        host.run(&["incidents"]).code(0).out("taken on by Ada").out("Missing");
    }
    two.folder.write("there", "");
    until_long("it is closed", || !sink.keys("closed").is_empty());
    terminate(&second);
    let ended = finish(second);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for occasion in ["opened", "closed"] {
        assert_eq!(sink.keys(occasion).len(), 1, "{occasion}: told under one name");
    }
    assert!(sink.keys("escalated").is_empty(), "it was taken on");
    let exported = two.run(&["store", "export"]);
    let open = exported.lines().into_iter().filter(|line| line["record"] == "message" && line["state"] != "told");
    assert_eq!(open.filter(|line| line["state"] != "withdrawn").count(), 0, "{}", exported.stdout);
    two.run(&["store", "check"]).code(0).out("whole").out("locked@127.0.0.1").lacks("sesame");
    two.run(&["store", "compact"]).code(0);
    assert!(!two.folder.path("state/ledger.sqlite").exists() && two.folder.path("state/runs").exists());
    assert!(!two.folder.path("state/links.key").exists());
}

#[test]
fn a_host_that_was_suspended_while_another_took_over_does_nothing_more() {
    let Some(server) = there("store: a suspended host") else { return };
    let shared = Folder::new();
    let text = format!(
        "runbook \"Slow\" {{ edition 1 }}\n\
         tool mark() changes = argv(\"sh\", \"-c\", \"echo made >> {0}/made\")\n\
         section \"Wait\" every 1s (overlap: \"skip\") {{\n  \
         wait until host.file(\"{0}/go\").exists every 100ms within 5m\n  \
         step \"mark\" {{\n    change mark()\n    wait until host.file(\"{0}/end\").exists every 100ms within 5m\n  }}\n}}\n",
        shared.path("").display()
    );
    let address = address(server);
    let (one, two) = (Host::new(&text, &address, 1), Host::new(&text, &address, 1));
    let hash = one.folder.hash();
    let begun = |host: &Host| host.folder.path("state/runs").exists() && host.folder.journals().contains("run_started");
    let made = || if shared.path("made").exists() { shared.read("made").lines().count() } else { 0 };
    let first = one.serve(&["--approve", &hash]);
    until("it runs", || begun(&one));
    signal(&first, Signal::STOP);
    let second = two.serve(&["--approve", &hash]);
    until_long("the other one takes over", || begun(&two));
    shared.write("go", "");
    until("the other one makes the change", || made() == 1);
    signal(&first, Signal::CONT);
    until("the first run ends", || one.folder.journals().contains("another server, which took over"));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(made(), 1, "{}", one.folder.journals());
    assert!(one.stands_by() && !two.stands_by());
    shared.write("end", "");
    // Told to end, one that leads lets the other one lead at once.
    terminate(&second);
    let ended = finish(second);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let released = Instant::now();
    until("the first one leads again", || !one.stands_by());
    assert!(released.elapsed() < Duration::from_secs(5));
    terminate(&first);
    let ended = finish(first);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn a_server_outlives_its_database() {
    let server = match Server::begin() {
        Ok(server) => server,
        Err(why) => return left_out("store: a database that is started anew", &why),
    };
    let sink = Sink::new();
    let host = Host::new(&live(sink.port), &address(&server), sink.port);
    host.folder.write("there", "");
    let serving = host.serve(&[]);
    let ready = || std::net::TcpStream::connect(("127.0.0.1", host.port)).map(|_| get(host.port, "/readyz"));
    let is_ready = || ready().is_ok_and(|said| said.starts_with("HTTP/1.1 200"));
    until("it is ready", is_ready);
    server.stop();
    until("it is not ready", || !is_ready());
    let said = get(host.port, "/readyz");
    assert!(said.contains("503") && said.contains(&format!("127.0.0.1:{}", server.port)), "{said}");
    assert!(get(host.port, "/healthz").starts_with("HTTP/1.1 200"), "it lives");
    // What happens meanwhile is found when it is back.
    std::fs::remove_file(host.folder.path("there")).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert!(sink.keys("opened").is_empty());
    server.start();
    until("it is ready again", is_ready);
    until("it is opened", || sink.keys("opened").len() == 1);
    host.folder.write("there", "");
    until("it is closed", || sink.keys("closed").len() == 1);
    terminate(&serving);
    let ended = finish(serving);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("cannot be reached") || ended.stderr.contains("connection was lost"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("sesame"), "{}", ended.stderr);
}

#[test]
fn a_store_that_cannot_be_had_is_said_with_what_to_do() {
    let server = match Server::begin() {
        Ok(server) => server,
        Err(why) => return left_out("store: what is said", &why),
    };
    let address = address(&server);
    let folder = Folder::with(live(1));
    folder.write("hook", "http://127.0.0.1:1/nobody");
    let run = |address: &str, password: Option<&str>, args: &[&str]| {
        let mut command = folder.command(args);
        command.args(["--store", address]).envs(password.map(|password| ("PGPASSWORD", password)));
        finish(command.spawn().unwrap())
    };
    run(&address, Some("open sesame"), &["incidents"]).code(0).err("nothing is kept in `postgres://locked@127.0.0.1");
    run(&address, Some("sesame, open"), &["incidents"])
        .code(1)
        .err("password authentication failed")
        .err("PGPASSFILE")
        .lacks("sesame, open");
    run(&address, None, &["store", "check"]).code(1).err("PGPASSWORD");
    folder.write(".pgpass", format!("127.0.0.1:{}:shop:locked:open sesame\n", server.port));
    std::fs::set_permissions(folder.path(".pgpass"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    run(&address, None, &["store", "check"]).code(0);
    let sealed = format!("{}&sslrootcert={}/ca.pem", address.replace("sslmode=disable&", ""), server.folder());
    run(&sealed, None, &["store", "check"]).code(0);
    run(&sealed.replace("127.0.0.1", "localhost"), Some("open sesame"), &["incidents"]).code(1).err("localhost");
    run(&address.replace("sslmode=disable", "sslmode=require"), None, &["store", "check"]).code(0);
    run(&address.replace("sslmode=disable", "sslmode=verify-ca"), None, &["incidents"]).code(1).err("?sslrootcert=");
    run(&address.replace("sslmode=disable&", ""), None, &["incidents"]).code(1).err("?sslrootcert=");
    server.sql("shop", "ALTER SYSTEM SET ssl = off");
    server.sql("shop", "SELECT pg_reload_conf()");
    until("it takes no TLS", || server.sql("shop", "SHOW ssl") == "off");
    run(&address.replace("sslmode=disable&", ""), None, &["incidents"])
        .code(1)
        .err("does not use TLS")
        .err("sslmode=disable");
    run(&address.replace("locked@", "locked:open%20sesame@"), None, &["incidents"])
        .code(1)
        .err("a password does not belong")
        .lacks("sesame");
    run(&address.replace("sslmode=disable", "sslmode=off"), None, &["incidents"]).code(1).err("verify-full");
    run(&format!("{address}&colour=blue"), None, &["incidents"]).code(1).err("`colour=`");
    let socket = format!("postgres:///shop?user=ops&host={}&port={}&schema={}", server.folder(), server.port, schema());
    run(&socket, None, &["incidents"]).code(0).err("nothing is kept in `postgres://ops@/");
    run("mysql://a@b/c", None, &["incidents"]).code(1).err("`mysql`");
    run("postgres://ops@127.0.0.1:1/shop?sslmode=disable", None, &["run", "a.runbook"])
        .code(1)
        .err("the ledger cannot be reached")
        .err("127.0.0.1:1")
        .err("RUNBOOK_STORE");
    run(&address.replace("/shop", "/nowhere"), Some("open sesame"), &["incidents"])
        .code(1)
        .err("nowhere")
        .err("createdb");
    server.sql("shop", "REVOKE CREATE ON DATABASE shop FROM locked");
    let refused = run(&address, None, &["run", "a.runbook"]);
    server.sql("shop", "GRANT CREATE ON DATABASE shop TO locked");
    refused.code(1).err("permission denied for database").err("CREATE SCHEMA");
}

/// A way to a database that stops carrying anything: connections are taken, and nothing comes back.
struct Way {
    port: u16,
    stuck: Arc<AtomicBool>,
}

impl Way {
    fn to(database: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Self { port: listener.local_addr().unwrap().port(), stuck: Arc::default() };
        let stuck = Arc::clone(&way.stuck);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Where nobody is there, whoever connects is turned away.
                let Ok(server) = TcpStream::connect(("127.0.0.1", database)) else { continue };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to, stuck) = (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(&stuck));
                    std::thread::spawn(move || carry(from, to, &stuck));
                }
            }
        });
        way
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, stuck: &AtomicBool) {
    let mut some = [0; 8192];
    while let Ok(read @ 1..) = from.read(&mut some) {
        while stuck.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(20));
        }
        if to.write_all(&some[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_database_that_comes_later_or_stops_answering_is_waited_for_and_a_password_is_not() {
    let server = match Server::begin() {
        Ok(server) => server,
        Err(why) => return left_out("store: a database that comes later", &why),
    };
    let sink = Sink::new();
    let of_database = address(&server);
    let way = Way::to(server.port);
    let through = of_database.replace(&format!(":{}/", server.port), &format!(":{}/", way.port));
    server.stop();
    let host = Host::new(&live(sink.port), &through, sink.port);
    let public = format!("http://127.0.0.1:{}", host.port);
    let child = host.serve(&["--public-url", &public]);
    until("it answers", || TcpStream::connect(("127.0.0.1", host.port)).is_ok());
    until("it says what it waits for", || get(host.port, "/readyz").contains("waits: the ledger cannot be reached"));
    assert!(get(host.port, "/healthz").starts_with("HTTP/1.1 200"));
    server.start();
    until("it has begun", || is_ready(host.port));
    until("somebody is told", || sink.keys("opened").len() == 1);
    assert!(get(host.port, sink.link().strip_prefix(&public).unwrap()).contains("level 1"), "its links are good");

    // What is taken and never answered has its limit, also in the midst of it.
    way.stuck.store(true, Ordering::SeqCst);
    until_long("it is not ready any more", || {
        let asked = Instant::now();
        let said = get(host.port, "/readyz");
        assert!(asked.elapsed() < Duration::from_secs(15), "it is said within a probe's time: {said}");
        said.starts_with("HTTP/1.1 503")
    });
    let asked = Instant::now();
    assert!(get(host.port, "/healthz").starts_with("HTTP/1.1 200"));
    assert!(asked.elapsed() < Duration::from_secs(10), "who asks whether it lives does not wait for the database");
    way.stuck.store(false, Ordering::SeqCst);
    until_ready(host.port);
    terminate(&child);
    let ended = finish(child);
    ended.code(0).err("nothing is served yet, it is tried again: the ledger cannot be reached").err("serving \"Live\"");

    // A password does not become right.
    let mut wrong = host.folder.command(&["serve", "a.runbook", "--no-listen", "--store", &host.address]);
    let refused = finish(wrong.env("PGPASSWORD", "open, please").spawn().unwrap());
    refused.code(1).err("password authentication failed").err("PGPASSWORD").lacks("tried again").lacks("please");
    let mut nowhere = host.folder.command(&["serve", "a.runbook", "--no-listen", "--store"]);
    let refused =
        finish(nowhere.arg(through.replace("/shop", "/shoop")).env("PGPASSWORD", "open sesame").spawn().unwrap());
    refused.code(1).err("\"shoop\" does not exist").err("createdb").lacks("tried again");
    server.sql("shop", &format!("UPDATE {}.ledger SET version = 99", through.split("schema=").nth(1).unwrap()));
    let newer = finish(host.serve(&[]));
    newer.code(1).err("is of version 99").lacks("tried again");
}
