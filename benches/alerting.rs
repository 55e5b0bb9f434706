//! Alerting and `runbook serve`: `cargo bench --bench alerting` prints how many nights are made up a second, what ten
//! thousand label sets take, how soon a server with a full ledger is ready, and what one that waits uses. Every answer that
//! is timed is looked at.
//!
//! `RUNBOOK_BENCH_IDLE` says for how many seconds a server is watched; 60 where it says nothing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a bench prints, and ends where something is not as it should be"
)]

#[path = "../tests/support/checked.rs"]
mod checked;
// The nights of the tests, with all of their laws.
#[path = "../tests/alerting/kept.rs"]
mod kept;
#[path = "../tests/alerting/laws.rs"]
mod laws;
#[path = "../tests/alerting/night.rs"]
mod night;
#[path = "../tests/alerting/random.rs"]
mod random;

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use runbook::alerting::{Along, Definitions, Engine, Input, Raised, Reading, State, Subject};
use runbook::desk::Desk;
use runbook::store::event::{Event, Measured, Place, Record, Sampled};
use runbook::store::ledger::{FILE, Ledger, Sample};

use checked::{facts, program};

const NIGHTS: u64 = 3_000;
const MANY: usize = 10_000;
const ROUNDS: usize = 7;
const SERIES: i64 = 50;
/// Fourteen days of a sample a minute, as long as they are kept one by one.
const MINUTES: i64 = 20_000;

const TEXT: &str = "runbook \"Night\" { edition 1 }\n\
    channel bot = webhook(\"http://127.0.0.1:9/bot\")\n\
    metric errors: percent for pod in pods() every 1m = 1%\n\
    command pods() -> list<string> { return [\"a\"] }\n\
    threshold \"Errors\" warning {\n  when errors > 5%\n  until errors < 3%\n  notify bot\n}\n\
    threshold \"Posted\" warning {\n  from alertmanager\n  group by service\n  notify bot\n}\n\
    section \"Look\" daily at 08:00 {\n  measure errors\n}\n";

fn main() {
    println!("| what | wanted | measured |");
    println!("|---|---|---|");
    nights();
    label_sets();
    let folder = tempfile::tempdir().unwrap();
    ready(folder.path());
    idle(folder.path());
}

fn row(what: &str, wanted: &str, measured: &str) {
    println!("| {what} | {wanted} | {measured} |");
}

/// On one thread, by the time of a processor that it has had.
fn nights() {
    // The first ones warm up.
    (0..500).for_each(|seed| night::Night::of(seed, false).pass().unwrap());
    let before = spent();
    for seed in 0..NIGHTS {
        if let Err(broken) = night::Night::of(seed, false).pass() {
            panic!("{}\nseed {seed}: {broken}", night::Night::of(seed, true).story());
        }
    }
    let a_second = f64::from(u32::try_from(NIGHTS).unwrap()) / spent().checked_sub(before).unwrap().as_secs_f64();
    row(
        "nights made up by a seed, a second of one core: 60 inputs and more each, restarts, clocks that are set back, all laws looked at",
        "2,000",
        &format!("{a_second:.0}"),
    );
}

fn labels(number: usize) -> runbook::types::Labels {
    [("pod".into(), format!("pod-{number}").into()), ("service".into(), "shop".into())].into()
}

/// From the samples of a metric to what is open: conditions are judged and alerts opened, kept and closed.
fn label_sets() {
    let program = program(TEXT);
    let mut all: [Vec<Duration>; 3] = Default::default();
    for _ in 0..=ROUNDS {
        let mut now: Timestamp = "2026-03-05T22:00:00Z".parse().unwrap();
        let facts = facts(&program, now, Path::new(""));
        let mut reading = Reading::new(Arc::clone(&program), HashMap::new(), facts);
        let mut engine = Engine::new(Arc::new(Definitions::of(&program)), State::default());
        for (turn, (value, open)) in [(0.5, MANY), (0.5, MANY), (0.01, 0)].into_iter().enumerate() {
            now = now.checked_add(SignedDuration::from_mins(1)).unwrap();
            let samples = (0..MANY).map(|number| Sampled {
                labels: [("pod".into(), format!("pod-{number}").into())].into(),
                value: Some(value),
                text: format!("{}%", value * 100.0),
                fault: None,
            });
            let event = Event::Measured(Measured {
                place: Place {
                    file: "a.runbook".into(),
                    line: 3,
                    column: 1,
                    path: runbook::store::event::Path::default(),
                    items: Vec::new(),
                    called: None,
                },
                metric: "errors".into(),
                samples: samples.collect(),
                fault: None,
                began: None,
                taken: None,
                more: false,
            });
            let record = Record { seq: 0, at: now, event };
            let before = spent();
            for input in reading.read(&mut Along::default(), &record, engine.state()) {
                engine.take(now, input);
            }
            all[turn].push(spent().checked_sub(before).unwrap());
            assert_eq!(engine.state().alerts.len(), open, "turn {turn}");
        }
    }
    for (what, times) in ["and as many alerts opened and told", "all stay open", "all close"].into_iter().zip(all) {
        // The first round warms up.
        let took = median(times.into_iter().skip(1).collect());
        row(&format!("10,000 label sets judged, {what}"), "50 ms", &format!("{:.1} ms", took.as_secs_f64() * 1e3));
    }
}

/// A server on a ledger with ten thousand open alerts and a million samples.
fn ready(folder: &Path) {
    let (file, state) = (folder.join("night.runbook"), folder.join("full"));
    std::fs::write(&file, TEXT).unwrap();
    std::fs::create_dir_all(&state).unwrap();
    let path = state.join(FILE);
    let now = runbook::system::now();
    let from = now.checked_sub(SignedDuration::from_mins(MINUTES)).unwrap();
    let mut ledger = Ledger::open(&path).unwrap();
    for thousand in 0..MINUTES / 1000 {
        let minutes = thousand * 1000..(thousand + 1) * 1000;
        let samples = minutes.flat_map(|minute| {
            (0..SERIES).map(move |series| Sample {
                metric: "errors".into(),
                labels: labels(usize::try_from(series).unwrap()),
                at: from.checked_add(SignedDuration::from_mins(minute)).unwrap(),
                value: Some(f64::from(u32::try_from(minute * 7919 % 100_003).unwrap()) / 1.7e5),
                why: None,
            })
        });
        ledger.record("Night", &samples.collect::<Vec<_>>()).unwrap();
    }
    drop(ledger);
    let program = program(TEXT);
    let facts = facts(&program, now, folder);
    let desk = Desk::open(Ledger::open(&path).unwrap(), Arc::clone(&program), HashMap::new(), facts).unwrap();
    let raised = (0..MANY).map(|number| {
        let subject = Subject { threshold: "Posted".into(), labels: labels(number) };
        let text = "Posted fires".into();
        Input::Raised(Raised { subject, raiser: "alertmanager".into(), text, since: None })
    });
    desk.take_all(now, &raised.collect::<Vec<_>>()).unwrap();
    drop(desk);
    let mut times = Vec::new();
    for _ in 0..=ROUNDS {
        let port = free_port();
        let begun = Instant::now();
        let mut server = serve(&file, &state, port);
        while !ask(port, "/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            assert!(begun.elapsed() < Duration::from_mins(1) && server.try_wait().unwrap().is_none(), "it is ready");
            std::thread::sleep(Duration::from_millis(2));
        }
        times.push(begun.elapsed());
        let metrics = ask(port, "/metrics").unwrap();
        assert!(metrics.contains(&format!("runbook_alerts_open{{runbook=\"Night\"}} {MANY}\n")), "{metrics}");
        end(server);
    }
    let took = median(times.into_iter().skip(1).collect());
    let bytes = std::fs::metadata(&path).unwrap().len() / 1_000_000;
    row(
        &format!("`serve` ready with 10,000 open alerts and 1,000,000 samples ({bytes} MB)"),
        "1 s",
        &format!("{:.2} s", took.as_secs_f64()),
    );
}

/// A server of the daily runbook, none of whose systems is there.
fn idle(folder: &Path) {
    let seconds: u64 = std::env::var("RUNBOOK_BENCH_IDLE").map_or(60, |seconds| seconds.parse().unwrap());
    let daily = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/daily.runbook");
    let port = free_port();
    let server = serve(&daily, &folder.join("daily"), port);
    // What it does at its start is no part of it.
    std::thread::sleep(Duration::from_secs(10));
    let before = used(server.id());
    std::thread::sleep(Duration::from_secs(seconds));
    let after = used(server.id());
    assert!(ask(port, "/readyz").unwrap().starts_with("HTTP/1.1 200"), "{:?}", ask(port, "/readyz"));
    let share = after.checked_sub(before).unwrap().as_secs_f64() / Duration::from_secs(seconds).as_secs_f64() * 100.0;
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0 / 1e6
    };
    row(
        "`serve runbooks/daily.runbook`, resident",
        "40 MB",
        &format!("{:.1} MB, {:.1} MB at most", of("VmRSS"), of("VmHWM")),
    );
    row(&format!("the same, of one core over {seconds} s"), "0.5 %", &format!("{share:.2} %"));
    end(server);
}

/// The time of a processor that this thread has had, whatever else the machine does.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// What a process has used of processors.
fn used(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
}

fn serve(file: &Path, state: &Path, port: u16) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runbook"));
    command.arg("serve").arg(file).arg("--state").arg(state).args(["--listen", &format!("127.0.0.1:{port}")]);
    command.env("SLACK_WEBHOOK_URL", "http://127.0.0.1:9/").env("PAGERDUTY_INTEGRATION_KEY", "x".repeat(32));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn end(mut server: Child) {
    // In good order, so that the next one leads at once.
    rustix::process::kill_process(rustix::process::Pid::from_child(&server), rustix::process::Signal::TERM).unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

fn ask(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
