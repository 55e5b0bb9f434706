//! The hosts of a policy: whatever opens a connection is held to them, also where only a run knows where it leads.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::program::{Folder, Output, finish};

const FILE: &str = "runbook.policy.toml";
/// Written as an address everywhere, so that `localhost` is another host.
const HERE: &str = "[hosts]\nallowed = [\"127.0.0.1\"]\n";
const BOTH: &str = "[hosts]\nallowed = [\"127.0.0.1\", \"localhost\"]\n";

/// A server that answers each request as it is told, and keeps their first lines.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<String>>>::default());
        let keeps = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut buffer = [0; 4096];
                let Ok(read @ 1..) = stream.read(&mut buffer) else { continue };
                let text = String::from_utf8_lossy(buffer.get(..read).unwrap()).into_owned();
                let line = text.lines().next().unwrap_or_default().to_owned();
                let _ = stream.write_all(answer(&line).as_bytes());
                keeps.lock().unwrap().push(line);
            }
        });
        Self { port, asked }
    }

    fn good() -> Self {
        Self::new(|_| "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok".to_owned())
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn with(folder: &Folder, args: &[&str], env: &[(&str, &str)]) -> Output {
    finish(folder.command(args).envs(env.iter().copied()).spawn().unwrap())
}

#[test]
fn a_redirect_leads_to_no_host_that_is_not_allowed() {
    let end = Server::good();
    let (there, port) = (end.port, end.port);
    let first = Server::new(move |_| {
        format!(
            "HTTP/1.1 302 Found\r\nlocation: http://localhost:{there}/secret\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
    });
    let folder = Folder::with(format!(
        "connect api = http(\"http://127.0.0.1:{}\")\nsection \"A\" {{\n  check api.get(\"/x\").text == \"ok\" as \"it is well\"\n}}\n",
        first.port
    ));
    folder.write(FILE, HERE);
    let said = format!(
        "http://127.0.0.1:{}/x redirects to http://localhost:{port}/secret, and `{FILE}` does not allow the host `localhost`",
        first.port
    );
    folder.run(&["run", "a.runbook"]).code(6).out(&said).out("[forbidden]");
    assert!(end.asked().is_empty(), "{:?}", end.asked());
    folder.write(FILE, BOTH);
    folder.run(&["run", "a.runbook"]).code(0);
    assert_eq!(end.asked(), ["GET /secret HTTP/1.1"]);
}

#[test]
fn a_call_that_connects_by_itself_is_held_to_the_hosts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for call in [
        format!("tls.certificate(\"localhost:{port}\", within: 200ms).trusted"),
        format!("dns.lookup(\"a.example\", server: \"localhost:{port}\", within: 200ms) | count == 0"),
        format!("host.clock(server: \"localhost:{port}\", within: 200ms).stratum > 0"),
        format!("host.port({port}, host: \"localhost\").open"),
    ] {
        let folder = Folder::with(format!("section \"A\" {{\n  check {call} as \"it answers\"\n}}\n"));
        folder.write(FILE, HERE);
        let refused = folder.run(&["run", "a.runbook"]);
        refused.code(6).out("`runbook.policy.toml` does not allow the host `localhost` [forbidden]");
        // Not forgiven either: it was tried.
        folder.write("a.runbook", format!("section \"A\" {{\n  show try {call} otherwise false\n}}\n"));
        folder.run(&["run", "a.runbook"]).code(6);
        folder.write(FILE, BOTH);
        let output = folder.run(&["run", "a.runbook"]);
        assert_ne!(output.code, 6, "{call}: {output:?}");
    }
}

#[test]
fn a_channel_tells_nobody_at_a_host_that_is_not_allowed() {
    let bot = Server::good();
    let address = format!("http://localhost:{}/hook", bot.port);
    let mail = format!("localhost:{}", bot.port);
    let text = "secret hook = env(\"HOOK\")\nparam server: string = \"127.0.0.1:1\"\n\
        channel bot = webhook(hook)\nchannel chat = slack(webhook: hook)\n\
        channel pager = pagerduty(key: hook, url: \"http://127.0.0.1:1\")\n\
        channel mail = email(to: [\"a@example.com\"], from: \"b@example.com\", server: server, tls: \"none\")\n\
        channel sealed = email(to: [\"a@example.com\"], from: \"b@example.com\", server: server, tls: \"tls\")\n\
        section \"A\" { notify bot \"x\" }\n";
    let folder = Folder::with(text);
    folder.write(FILE, HERE);
    let server = format!("server={mail}");
    for name in ["bot", "chat", "mail", "sealed"] {
        let args = ["notify", "a.runbook", "--test", name, "--set", &server];
        let refused = with(&folder, &args, &[("HOOK", &address)]);
        refused.code(6).err("`runbook.policy.toml` does not allow the host `localhost`");
    }
    assert!(bot.asked().is_empty(), "{:?}", bot.asked());
    folder.write(FILE, BOTH);
    with(&folder, &["notify", "a.runbook", "--test", "bot"], &[("HOOK", &address)]).code(0);
    assert_eq!(bot.asked(), ["POST /hook HTTP/1.1"]);
    let proxy = Server::good();
    let env = [("HOOK", address.as_str()), ("http_proxy", &format!("http://127.0.0.1:{}", proxy.port))];
    let through = format!("through the proxy 127.0.0.1:{}", proxy.port);
    with(&folder, &["notify", "a.runbook", "--test", "bot"], &env).code(0).out(&through);
    folder.write(FILE, "[hosts]\nallowed = [\"localhost\"]\n");
    let text = folder.read("a.runbook").replace("127.0.0.1:1", "localhost:1");
    folder.write("a.runbook", text);
    let before = proxy.asked().len();
    let refused = with(&folder, &["notify", "a.runbook", "--test", "bot"], &env);
    refused.code(6).err("through a proxy: `runbook.policy.toml` does not allow the host `127.0.0.1`");
    assert_eq!(proxy.asked().len(), before);
}

#[test]
fn a_proxy_is_a_part_of_the_way_and_has_to_be_allowed_as_well() {
    let (proxy, api) = (Server::good(), Server::good());
    let url = format!("http://127.0.0.1:{}", api.port);
    let folder = Folder::with(format!(
        "connect api = http(\"{url}/\")\nsection \"A\" {{\n  check api.answers(\"/\") as \"it answers\"\n  change api.post(\"/x\") within 10s\n}}\n"
    ));
    let through = format!("http://me:hunter2@localhost:{}", proxy.port);
    let (plain, proxied) = ([].as_slice(), [("http_proxy", through.as_str())]);
    folder.write(FILE, HERE);
    let refused = with(&folder, &["run", "a.runbook", "--read-only"], &proxied);
    refused.code(6).out("does not allow the host `localhost`").lacks("hunter2");
    with(&folder, &["plan", "a.runbook"], &proxied).code(6).out("refused by the policy").lacks("--approve");
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
    with(&folder, &["plan", "a.runbook"], &[("http_proxy", &through), ("no_proxy", "127.0.0.1")])
        .code(0)
        .out(&format!("now {url}\n"))
        .out("--approve");
    std::fs::remove_file(folder.path(FILE)).unwrap();
    let way = format!("{url} through the proxy 127.0.0.1:{}", proxy.port);
    with(&folder, &["plan", "a.runbook"], &proxied).code(0).out(&format!("now {way}\n")).lacks("hunter2");
    // What was agreed to for the straight way is not agreed to for another one.
    let plan = with(&folder, &["plan", "a.runbook"], plain).code(0).stdout.clone();
    let hash = plan.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    with(&folder, &["approve", "a.runbook", "--as", "ops", "--plan", &hash], plain).code(0);
    let asked = api.asked().len();
    let waits = with(&folder, &["run", "a.runbook"], &proxied);
    waits
        .code(5)
        .says(&format!("here it leads to http://127.0.0.1:{} through the proxy 127.0.0.1:{}", api.port, proxy.port));
    assert!(proxy.asked().iter().all(|line| !line.starts_with("POST")), "{:?}", proxy.asked());
    with(&folder, &["run", "a.runbook"], plain).code(0);
    assert!(api.asked().len() > asked);
}

#[test]
fn a_host_that_only_the_run_knows_is_refused_with_the_exit_code_of_the_policy() {
    let text = "connect db = postgres(database: \"shop\", user: \"ops\")\nsection \"A\" {\n  check db.answers() as \"it answers\"\n\
        \x20 change db.execute(\"VACUUM\") within 10s\n}\n";
    let folder = Folder::with(text);
    folder.write(FILE, "[hosts]\nallowed = [\"db.example.org\"]\n");
    folder.run(&["check", "a.runbook"]).code(0);
    let env = [("PGHOST", "127.0.0.1"), ("PGPORT", "1"), ("PGSSLMODE", "disable")];
    let says = "`runbook.policy.toml` does not allow the host `127.0.0.1`";
    with(&folder, &["run", "a.runbook", "--read-only"], &env).code(6).out(says);
    with(&folder, &["plan", "a.runbook"], &env).code(6).out(says).out("refused by the policy").lacks("--approve");
    let json = with(&folder, &["plan", "a.runbook", "--format", "json"], &env);
    json.code(6).out("\"refused\": true");
    with(&folder, &["run", "a.runbook", "--approve", &folder.hash()], &env).code(6);
}

#[test]
fn a_cluster_is_not_asked_who_we_are_where_its_host_or_its_proxy_is_not_allowed() {
    let server = Server::good();
    let folder = Folder::with(
        "connect cluster = kubernetes(namespace: \"shop\", kubeconfig: \"k.yaml\")\nsection \"A\" {\n  check cluster.pods() | count > 0 as \"pods\"\n}\n",
    );
    folder.write(FILE, HERE);
    for cluster in [
        format!("server: \"http://localhost:{}\"", server.port),
        format!("server: \"http://127.0.0.1:1\", proxy-url: \"http://localhost:{}\"", server.port),
    ] {
        let config = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: prod\nclusters: [{{name: c, cluster: {{{cluster}}}}}]\n\
             contexts: [{{name: prod, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
        );
        folder.write("k.yaml", config);
        folder.run(&["run", "a.runbook"]).code(6).out("does not allow the host `localhost`");
    }
    assert!(server.asked().is_empty(), "{:?}", server.asked());
}
