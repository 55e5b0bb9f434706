//! Processes that tell people and are killed, at each send and at any write: what was decided is told, under one name.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use runbook::alerting::{Input, Judged, Subject};
use runbook::catalog::{Call, Opened, Opening, World};
use runbook::check::program::Program;
use runbook::desk::{Courier, Desk};
use runbook::store::ledger::{FILE, Ledger, OutgoingState};
use runbook::system::System;
use runbook::types::{Fault, Value};

use crate::children::{again, folder};
use crate::place::at;

const TEST: &str = "sends::what_was_decided_is_told_after_any_kill";
/// For how long processes are killed; `RUNBOOK_KILLS` says how many instead.
const ENOUGH: Duration = Duration::from_secs(8);
/// Kills after which all is looked at as a whole, and another ledger begun.
const A_FILE: usize = 24;
/// So far each process is ahead of the one before: what that one had claimed is free again.
const AHEAD: i64 = 100;
const PATIENCE: Duration = Duration::from_mins(1);

/// This machine, at another time.
struct Later {
    system: System,
    now: Arc<Mutex<Timestamp>>,
}

impl World for Later {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.system.sleep(duration)
    }

    fn call(&self, call: Call) -> BoxFuture<'static, Result<Value, Fault>> {
        self.system.call(call)
    }

    fn open(&self, opening: Opening) -> BoxFuture<'static, Result<Opened, Fault>> {
        self.system.open(opening)
    }

    fn env(&self, name: &str) -> Result<Option<String>, Fault> {
        self.system.env(name)
    }

    fn file(&self, path: &Path) -> Result<String, Fault> {
        self.system.file(path)
    }
}

fn program(port: u16) -> Arc<Program> {
    let text = format!(
        "runbook \"Night\" {{ edition 1 }}\n\
         channel bot = webhook(\"http://127.0.0.1:{port}/\")\n\
         metric errors: percent every 1m = 50%\n\
         threshold \"Errors\" warning {{\n  when errors > 5%\n  notify bot\n}}\n"
    );
    super::checked::program(&text)
}

/// A process of alerting: it decides and tells, one after the other, until it is killed or has told all.
fn tell(folder: &Path, port: u16, begins: Timestamp, decides: bool) {
    let path = folder.join(FILE);
    let program = program(port);
    let facts = super::checked::facts(&program, begins, folder);
    let desk =
        Desk::open(Ledger::open(&path).unwrap(), Arc::clone(&program), HashMap::new(), Arc::clone(&facts)).unwrap();
    let (desk, now) = (Arc::new(desk), Arc::new(Mutex::new(begins)));
    let world = Arc::new(Later { system: System::new(folder), now: Arc::clone(&now) });
    let holder = std::process::id().to_string();
    let ledger = Ledger::open(&path).unwrap();
    let courier = Courier::new(ledger, Arc::clone(&desk), program, HashMap::new(), facts, world, holder);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    loop {
        let time = *now.lock().unwrap();
        if decides {
            // Every pod in turn, wrong where it was right.
            let state = desk.state().unwrap();
            let pod = usize::try_from(state.numbers.alert).unwrap() % 5;
            let subject =
                Subject { threshold: "Errors".into(), labels: [("pod".into(), pod.to_string().into())].into() };
            let open = state.alerts.values().any(|alert| alert.subject == subject);
            let judged = Judged {
                subject,
                at: time,
                began: None,
                when: vec![Some(!open)],
                until: None,
                escalate: Vec::new(),
                text: "errors is 50%".into(),
            };
            desk.take(time, Input::Judged(vec![judged])).unwrap();
            let numbers = desk.state().unwrap().numbers;
            std::io::stdout().write_all(format!("decided {}\n", numbers.alert).as_bytes()).unwrap();
        }
        let told = runtime.block_on(courier.deliver()).unwrap();
        assert!(told.iter().all(|one| one.result.is_ok()), "{told:?}");
        if !decides {
            return;
        }
        *now.lock().unwrap() = time.checked_add(SignedDuration::from_millis(10)).unwrap();
    }
}

/// What is told to it arrives here, and is answered only after whoever reads along has let go.
struct Sink {
    port: u16,
    arrived: Receiver<(String, Sender<()>)>,
}

impl Sink {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (say, arrived) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let say = say.clone();
                thread::spawn(move || answer(stream, &say));
            }
        });
        Self { port, arrived }
    }
}

/// Answers the requests of one connection. One that is cut by a kill is nobody's message.
fn answer(stream: TcpStream, say: &Sender<(String, Sender<()>)>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let (mut key, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if !reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            // The first line has none.
            let Some((name, value)) = line.trim().split_once(": ") else { continue };
            match name.to_ascii_lowercase().as_str() {
                "idempotency-key" => value.clone_into(&mut key),
                "content-length" => length = value.parse().unwrap(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let (go, goes) = channel();
        if say.send((key, go)).is_err() || goes.recv().is_err() {
            return;
        }
        if writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

/// When a process is killed.
#[derive(Clone, Copy)]
enum When {
    /// Its message has arrived, and is never answered.
    Unanswered,
    /// It has been answered, and may have written that down.
    Answered,
    /// At any moment.
    Whenever,
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test asks the real environment what it is to do")]
fn what_was_decided_is_told_after_any_kill() {
    if let Some(named) = folder() {
        let (folder, rest) = named.to_str().unwrap().split_once('#').unwrap();
        let (port, generation) = rest.split_once('#').unwrap();
        let begins = at(generation.parse::<i64>().unwrap() * AHEAD);
        return tell(Path::new(folder), port.parse().unwrap(), begins, true);
    }
    let wanted: Option<usize> = std::env::var("RUNBOOK_KILLS").ok().map(|kills| kills.parse().unwrap());
    let mut random = RandomState::new().hash_one(0);
    println!("RUNBOOK_KILLS: begun with {random:#x}");
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let (begun, mut kills, mut told, mut twice) = (Instant::now(), 0, 0, 0);
    let mut by = [0; 3];
    while wanted.map_or_else(|| begun.elapsed() < ENOUGH, |wanted| kills < wanted) {
        let folder = tempfile::tempdir().unwrap();
        let sink = Sink::new();
        let mut heard: BTreeMap<String, usize> = BTreeMap::new();
        let mut decided = 0;
        for generation in 0..A_FILE {
            let named = format!("{}#{}#{generation}", folder.path().display(), sink.port);
            let child = again(&[], TEST, Path::new(&named)).spawn().unwrap();
            let when = [When::Unanswered, When::Answered, When::Whenever][usize::try_from(next(3)).unwrap()];
            by[when as usize] += 1;
            let said = until_killed(child, &sink, when, &mut next, &mut heard);
            decided = decided.max(said);
            kills += 1;
        }
        let end = at(i64::try_from(A_FILE).unwrap() * AHEAD);
        let (path, port) = (folder.path().to_owned(), sink.port);
        let last = thread::spawn(move || tell(&path, port, end, false));
        while !last.is_finished() {
            while let Ok((key, go)) = sink.arrived.recv_timeout(Duration::from_millis(5)) {
                *heard.entry(key).or_default() += 1;
                go.send(()).unwrap();
            }
        }
        last.join().unwrap();
        twice += hold(folder.path(), &heard, decided);
        told += heard.len();
    }
    println!(
        "RUNBOOK_KILLS: {kills} kills ({} before an answer, {} right after one, {} at any moment), {told} messages told, \
         {twice} of them twice, in {:?}",
        by[0],
        by[1],
        by[2],
        begun.elapsed()
    );
    assert!(told > 0 && twice <= kills, "{told} told, {twice} twice");
}

/// Answers what a process tells until it is to be killed. Gives the last alert that it said it had decided.
fn until_killed(
    mut child: Child,
    sink: &Sink,
    when: When,
    next: &mut impl FnMut(u64) -> u64,
    heard: &mut BTreeMap<String, usize>,
) -> i64 {
    let lines = BufReader::new(child.stdout.take().unwrap());
    let decided = Arc::new(Mutex::new(0));
    let keeps = Arc::clone(&decided);
    let reads = thread::spawn(move || {
        // The last line may be cut.
        for line in lines.lines().map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("decided ").and_then(|number| number.parse().ok()) {
                *keeps.lock().unwrap() = number;
            }
        }
    });
    let (mut messages, begun) = (next(6), Instant::now());
    let limit = Duration::from_millis(next(90));
    loop {
        let wait = match when {
            When::Whenever => limit.saturating_sub(begun.elapsed()),
            When::Unanswered | When::Answered => PATIENCE,
        };
        let Ok((key, go)) = sink.arrived.recv_timeout(wait) else {
            assert!(matches!(when, When::Whenever), "nothing is told: {:?}", child.try_wait());
            break;
        };
        *heard.entry(key).or_default() += 1;
        let last = messages == 0 && !matches!(when, When::Whenever);
        messages = messages.saturating_sub(1);
        if last && matches!(when, When::Unanswered) {
            child.kill().unwrap();
            // Answered only now, to nobody.
            drop(go);
            break;
        }
        go.send(()).unwrap();
        if last {
            thread::sleep(Duration::from_micros(next(1500)));
            break;
        }
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    let mut complained = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complained).unwrap();
    assert!(status.code().is_none(), "it ended by itself: {complained}");
    reads.join().unwrap();
    // What had arrived before it was killed.
    while let Ok((key, _)) = sink.arrived.recv_timeout(Duration::from_millis(2)) {
        *heard.entry(key).or_default() += 1;
    }
    *decided.lock().unwrap()
}

/// Looks whether all that was decided was told. Gives how many messages were told twice.
fn hold(folder: &Path, heard: &BTreeMap<String, usize>, decided: i64) -> usize {
    let path = folder.join(FILE);
    assert_eq!(Ledger::check(&path).unwrap().unwrap().problems, [""; 0]);
    let ledger = Ledger::open(&path).unwrap();
    let written = ledger.outgoing(Some("Night"), None).unwrap();
    for message in &written {
        match message.state {
            OutgoingState::Told => assert!(heard.contains_key(&message.key), "`{}` was told nobody", message.key),
            OutgoingState::Withdrawn => {}
            _ => panic!("`{}` is not told: {:?}", message.key, message.state),
        }
    }
    for key in heard.keys() {
        assert!(written.iter().any(|message| message.key == *key), "`{key}` is told, and nobody wrote it down");
    }
    let alerts = ledger.documents(None, runbook::desk::ALERT, None).unwrap().len();
    assert!(i64::try_from(alerts).unwrap() >= decided, "{alerts} alerts are there, and {decided} were decided");
    let opened = written.iter().filter(|one| one.body.get("occasion").is_some_and(|occasion| occasion == "opened"));
    assert_eq!(opened.count(), alerts, "each alert is written down to be told once");
    heard.values().filter(|often| **often > 1).count()
}
