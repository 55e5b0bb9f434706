//! The phases of a request beside those of curl, and what many requests cost.

mod net;

use std::time::{Duration, Instant};

use net::server::{Reply, Server, authority, raw, reply, secure, web};
use net::{Outside, field, literal, text};
use runbook::types::Value;

async fn api(url: &str, more: &[(&str, Value)]) -> Value {
    let given: Vec<_> = [("url", text(url))].into_iter().chain(more.iter().cloned()).collect();
    Outside::here().connect("http", &given).await.expect("a connection")
}

async fn get(api: &Value) -> Value {
    let given = [("connection", api.clone()), ("path", literal("/slow"))];
    Outside::here().call("http.get", &given).await.expect("an answer")
}

fn seconds(response: &Value, path: &str) -> f64 {
    field(response, path).to_json().as_f64().expect("seconds")
}

/// The phases of one request in seconds.
#[derive(Debug)]
struct Phases {
    connect: f64,
    tls: f64,
    first_byte: f64,
    total: f64,
}

/// What `curl -w` says: it counts each from the start.
async fn curl(arguments: &[&str]) -> Phases {
    let format = "%{time_connect} %{time_appconnect} %{time_pretransfer} %{time_starttransfer} %{time_total}";
    let output = tokio::process::Command::new("curl")
        .args(["-s", "-o", "/dev/null", "-w", format])
        .args(arguments)
        .output()
        .await
        .expect("curl runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let numbers: Vec<f64> = text.split(' ').map(|number| number.parse().expect("a number")).collect();
    let [connect, appconnect, pretransfer, starttransfer, total] = numbers[..] else { panic!("{text}") };
    let tls = if appconnect > 0.0 { appconnect - connect } else { 0.0 };
    Phases { connect, tls, first_byte: starttransfer - pretransfer, total }
}

fn of(response: &Value) -> Phases {
    Phases {
        connect: seconds(response, "timing.dns") + seconds(response, "timing.connect"),
        tls: seconds(response, "timing.tls"),
        first_byte: seconds(response, "timing.first_byte"),
        total: seconds(response, "timing.total"),
    }
}

/// Both ask the same server, as often as it takes to catch this machine in a quiet moment.
async fn agree(url: &str, arguments: &[&str], more: &[(&str, Value)]) -> Phases {
    let mut seen = Vec::new();
    for _ in 0..8 {
        let theirs = curl(arguments).await;
        let ours = of(&get(&api(url, more).await).await);
        let close = |ours: f64, theirs: f64| (ours - theirs).abs() < 0.03;
        if close(ours.connect, theirs.connect)
            && close(ours.tls, theirs.tls)
            && close(ours.first_byte, theirs.first_byte)
            && close(ours.total, theirs.total)
        {
            return ours;
        }
        seen.push((ours, theirs));
    }
    panic!("never within 30 ms of curl: {seen:#?}");
}

fn slow() -> Reply {
    Reply { delay: Duration::from_millis(150), pause: Duration::from_millis(200), ..reply("200 OK", "", "body") }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_phases_are_those_of_curl() {
    let server = web(|_| slow()).await;
    let phases = agree(&server.url(), &[&format!("{}/slow", server.url())], &[]).await;
    assert!(phases.first_byte >= 0.14 && phases.first_byte < 0.3 && phases.total >= 0.34, "{phases:?}");
    assert!(phases.tls <= 0.0, "{phases:?}");
}

/// Keeps a connection waiting before it hands it on.
async fn hesitant(to: Server) -> Server {
    raw(move |mut stream, _| {
        let to = to.address;
        async move {
            tokio::time::sleep(Duration::from_millis(150)).await;
            #[expect(clippy::disallowed_methods, reason = "a test has no policy")]
            let mut onward = tokio::net::TcpStream::connect(to).await.expect("the server");
            _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_phase_of_tls_is_that_of_curl() {
    let ours = authority();
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem").display().to_string();
    std::fs::write(&ca, &ours.pem).expect("written");
    let server = hesitant(secure(ours.sign(&["localhost"], 2099), |_| slow()).await).await;
    let url = format!("https://localhost:{}", server.address.port());
    let phases = agree(&url, &["--cacert", &ca, &format!("{url}/slow")], &[("ca", text(&ca))]).await;
    assert!(phases.tls >= 0.14 && phases.first_byte >= 0.14, "{phases:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_probes_of_one_host_are_cheap() {
    let server = web(|_| Reply { delay: Duration::from_millis(50), ..reply("200 OK", "", "up") }).await;
    let connected = api(&server.url(), &[("at_once", Value::Int(200))]).await;
    let start = Instant::now();
    let answers = futures_util::future::join_all((0..200).map(|_| get(&connected))).await;
    assert_eq!(answers.len(), 200);
    // One after the other they would take ten seconds; benches/ has the figure of a quiet machine.
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let before = server.connections();
    for _ in 0..20 {
        assert!(seconds(&get(&connected).await, "timing.connect") <= 0.0, "the connection was kept");
    }
    let probe = [("connection", connected.clone()), ("path", literal("/"))];
    for _ in 0..20 {
        assert_eq!(Outside::here().call("http.answers", &probe).await.expect("yes").to_json(), true);
    }
    assert_eq!(server.connections(), before, "reads go over kept connections");
}
