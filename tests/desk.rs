//! Alerting that several processes keep in one ledger: what one of them decided, the others know.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

#[path = "support/checked.rs"]
mod checked;
#[path = "desk/lines.rs"]
mod lines;
#[path = "desk/quiet.rs"]
mod quiet;
#[path = "desk/raised.rs"]
mod raised;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use jiff::{SignedDuration, Timestamp};
use runbook::alerting::{Input, Judged, Raised, Subject};
use runbook::catalog::RunFacts;
use runbook::check::program::{ParamId, Program};
use runbook::desk::{Courier, Desk};
use runbook::store::ledger::{Commit, Committed, Fence, Lease, Ledger, NewMessage, Outgoing, OutgoingState};
use runbook::system::{self, System};
use runbook::types::{Fault, FaultKind, Labels, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use checked::program;

const TEXT: &str = "runbook \"Night\" { edition 1 }\n\
    channel mail = email(to: [\"ops@example.com\"])\n\
    connect site = http(\"https://example.com\")\n\
    threshold \"Site down\" critical {\n  notify mail\n}\n\
    escalation night {\n  level 1 \"Engineer\" {\n    respond within 15m\n    notify mail\n  }\n}\n\
    section \"Site\" {\n  check site.answers(\"/\") as \"it answers\" else raise \"Site down\"\n}\n";

fn evening() -> Timestamp {
    "2026-03-05T22:00:00Z".parse().unwrap()
}

fn facts(path: &Path, program: &Program) -> Arc<RunFacts> {
    checked::facts(program, evening(), path.parent().unwrap())
}

fn desk(path: &Path, program: &Arc<Program>) -> Desk {
    Desk::open(Ledger::open(path).unwrap(), Arc::clone(program), HashMap::new(), facts(path, program)).unwrap()
}

fn subject() -> Subject {
    Subject { threshold: "Site down".into(), labels: Labels::new() }
}

/// What has to be told, each once.
fn outgoing(path: &Path, now: Timestamp) -> Vec<String> {
    let mut ledger = Ledger::open(path).unwrap();
    let lease = SignedDuration::from_hours(1000);
    let claimed: Vec<Outgoing> = ledger.claim(("Night", "mail"), "a courier", now, lease, 1000, None).unwrap();
    claimed.into_iter().map(|message| message.key).collect()
}

#[test]
fn two_that_find_the_same_at_once_tell_it_once() {
    const ROUNDS: i64 = 25;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let program = program(TEXT);
    let desks: Vec<Arc<Desk>> = (0..4).map(|_| Arc::new(desk(&path, &program))).collect();
    let mut keys = Vec::new();
    for round in 0..ROUNDS {
        let now = evening().checked_add(SignedDuration::from_hours(round)).unwrap();
        for wrong in [true, false] {
            at_once(&desks, now, wrong);
            let state = desks.first().unwrap().state().unwrap();
            let (alerts, incidents) = (state.alerts.len(), state.incidents.len());
            assert_eq!((alerts, incidents), if wrong { (1, 1) } else { (0, 0) }, "round {round}");
            let told = outgoing(&path, now);
            assert_eq!(told.len(), 1, "round {round}: {told:?}");
            keys.extend(told);
        }
        assert_eq!(desks.last().unwrap().state().unwrap().numbers.alert, round + 1, "one alert a round");
    }
    let told = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), told, "no message has the name of another");
}

/// A tool says who is on call.
const ROTA: &str = "runbook \"Night\" { edition 1 }\n\
    channel mail = email(to: [\"ops@example.com\"])\n\
    param team: string = \"a\"\n\
    tool on_call(of: string) -> data = argv(\"./on-call\", of)\n\
    threshold \"Site down\" critical {\n  notify mail\n}\n\
    escalation night {\n  level 1 \"Engineer\" {\n    respond within 15m\n    notify mail\n  }\n  roles on_call(team)\n}\n\
    connect site = http(\"https://example.com\")\n\
    section \"Site\" {\n  check site.answers(\"/\") as \"it answers\" else raise \"Site down\"\n}\n";

fn answer(known: bool) -> Result<serde_json::Value, Fault> {
    let answer = serde_json::json!({ "people": { "ann": {} }, "roles": { "Engineer": { "people": ["ann"] } } });
    if known { Ok(answer) } else { Err(Fault::new(FaultKind::Failed, "the tool is broken")) }
}

/// The clock of the runtime stands still, and moves to the next moment that is waited for when nothing else is to be done.
#[tokio::test(start_paused = true)]
async fn a_tool_that_says_nothing_is_waited_for_no_longer_than_it_has_time() {
    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("on-call");
    std::fs::write(&tool, "#!/bin/sh\nexec sleep 300\n").unwrap();
    std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (path, program) = (folder.path().join("ledger.db"), program(ROTA));
    let begun = tokio::time::Instant::now();
    let (facts, world) = (facts(&path, &program), Arc::new(System::new(folder.path())));
    let asked = Desk::ask(&program, HashMap::new(), facts, world).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 30);
    let late = asked.unwrap_err();
    assert_eq!((late.kind, &*late.message), (FaultKind::Timeout, "the tool has not answered within 30 s"));
    // It is known as one that fails, and people are told of it.
    let desk = desk(&path, &program);
    let trouble = desk.take_rota(evening(), Err(late)).unwrap().unwrap();
    assert!(trouble.contains("the tool has not answered within 30 s"), "{trouble}");
    let told = outgoing(&path, evening());
    assert!(told.len() == 1 && told[0].starts_with("on-call-unknown-2026-03-05T22:00:00Z-"), "{told:?}");
}

#[test]
fn several_who_ask_at_once_who_is_on_call_tell_it_once() {
    const ROUNDS: i64 = 25;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let program = program(ROTA);
    let desks: Vec<Arc<Desk>> = (0..4).map(|_| Arc::new(desk(&path, &program))).collect();
    for round in 0..ROUNDS {
        for (known, minute) in [(false, 0), (true, 30)] {
            let now = evening().checked_add(SignedDuration::from_mins(60 * round + minute)).unwrap();
            let barrier = Arc::new(Barrier::new(desks.len()));
            let threads = desks.iter().zip(0..).map(|(desk, second)| {
                let (desk, barrier) = (Arc::clone(desk), Arc::clone(&barrier));
                // Each has its own moment, and a message is named after it.
                let now = now.checked_add(SignedDuration::from_secs(second)).unwrap();
                thread::spawn(move || {
                    barrier.wait();
                    desk.take_rota(now, answer(known)).unwrap()
                })
            });
            let threads: Vec<_> = threads.collect();
            for thread in threads {
                assert_eq!(thread.join().unwrap().is_none(), known, "round {round}");
            }
            let told = outgoing(&path, now.checked_add(SignedDuration::from_mins(1)).unwrap());
            assert_eq!(told.len(), 1, "round {round}: {told:?}");
        }
    }
}

#[test]
fn who_is_on_call_is_asked_anew_where_something_else_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let is_due = |text: &str, set: HashMap<ParamId, Value>| {
        let program = program(text);
        let desk = Desk::open(Ledger::open(&path).unwrap(), Arc::clone(&program), set, facts(&path, &program)).unwrap();
        desk.is_rota_due(evening().checked_add(SignedDuration::from_secs(1)).unwrap())
    };
    let unset = HashMap::new;
    assert!(is_due(ROTA, unset()), "nobody has been asked");
    desk(&path, &program(ROTA)).take_rota(evening(), answer(true)).unwrap();
    assert!(!is_due(ROTA, unset()));
    let another = ROTA.replace("it answers", "it is up").replace("within 15m", "within 20m");
    assert!(!is_due(&another, unset()), "the edit has nothing to do with it");
    for (from, to) in
        [("roles on_call(team)", "roles on_call(\"b\")"), ("= \"a\"", "= \"b\""), ("./on-call", "./other")]
    {
        assert!(ROTA.contains(from));
        assert!(is_due(&ROTA.replace(from, to), unset()), "{to}");
    }
    assert!(is_due(ROTA, HashMap::from([(ParamId(0), Value::string("b"))])), "`--set` asks for another team");
    // A ledger of an older version does not say what was asked.
    let mut ledger = Ledger::open(&path).unwrap();
    let snapshot = ledger.load("Night").unwrap();
    let mut rota = snapshot.documents.into_iter().find(|document| document.kind == "rota").unwrap();
    assert!(rota.body.as_object_mut().unwrap().remove("asked").is_some());
    let commit = Commit { put: vec![rota], ..Commit::at(evening()) };
    let written = ledger.commit("Night", snapshot.version, &commit).unwrap();
    assert!(matches!(written, Committed::Done { .. }), "{written:?}");
    assert!(is_due(ROTA, unset()));
}

/// All find the same at the same time: the fault, or that it is over.
fn at_once(desks: &[Arc<Desk>], now: Timestamp, wrong: bool) {
    let barrier = Arc::new(Barrier::new(desks.len()));
    let threads: Vec<_> = desks
        .iter()
        .map(|desk| {
            let (desk, barrier) = (Arc::clone(desk), Arc::clone(&barrier));
            thread::spawn(move || {
                let raiser: Arc<str> = "Site › it answers".into();
                let input = if wrong {
                    Input::Raised(Raised { subject: subject(), raiser, text: "it is not so".into(), since: None })
                } else {
                    Input::Passed { subject: subject(), raiser }
                };
                barrier.wait();
                desk.take(now, input).unwrap();
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

/// A web service that refuses whatever comes.
async fn refusing() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 65_536];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(b"HTTP/1.1 400 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        }
    });
    port
}

fn hooks(port: u16) -> String {
    format!(
        "runbook \"Night\" {{ edition 1 }}\n\
         param page: string = \"site-down\"\n\
         channel one = webhook(\"http://127.0.0.1:{port}/one\")\n\
         channel two = webhook(\"http://127.0.0.1:{port}/two\")\n\
         connect site = http(\"https://example.com\")\n\
         threshold \"Site down\" warning {{\n  notify one\n  link \"https://wiki.example.com/{{page}}\"\n}}\n\
         section \"Site\" {{\n  check site.answers(\"/\") as \"it answers\" else raise \"Site down\"\n}}\n"
    )
}

#[tokio::test]
async fn a_report_on_a_channel_that_is_down_is_not_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let program = program(&hooks(refusing().await));
    let desk = Arc::new(desk(&path, &program));
    let raised = Raised { subject: subject(), raiser: "a check".into(), text: "it is not so".into(), since: None };
    desk.take(system::now(), Input::Raised(raised)).unwrap();
    let (facts, world) = (facts(&path, &program), Arc::new(System::new(folder.path())));
    let ledger = Ledger::open(&path).unwrap();
    let courier = Courier::new(ledger, desk, program, HashMap::new(), facts, world, "a courier".into());
    let told: Vec<(String, String)> =
        courier.deliver().await.unwrap().into_iter().map(|one| (one.channel, one.message.title.to_string())).collect();
    let one = |channel: &str, title: &str| (channel.to_owned(), title.to_owned());
    let expected = [one("one", "Site down"), one("two", "Night: `one` does not get through")];
    assert_eq!(told, expected, "and nothing about the message that says so");
    // Somebody has to hear of what is open: what is refused is tried again, in case that it is mended.
    let kept = Ledger::open(&path).unwrap().outgoing(Some("Night"), None).unwrap();
    let kept: Vec<(&str, OutgoingState)> = kept.iter().map(|one| (&*one.channel, one.state)).collect();
    assert_eq!(kept, [("two", OutgoingState::GivenUp), ("one", OutgoingState::Waiting)]);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_said_and_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let (port, heard) = taking().await;
    let program = bot(port);
    let desk = Arc::new(desk(&path, &program));
    let mut ledger = Ledger::open(&path).unwrap();
    let newer = NewMessage {
        channel: "bot".to_owned(),
        key: "newer".to_owned(),
        body: serde_json::json!({ "said": "in another form" }),
        not_before: system::now(),
    };
    // What is older than two days is given up.
    let commit = Commit { tell: vec![newer], ..Commit::at(system::now()) };
    assert!(matches!(ledger.commit("Night", 0, &commit).unwrap(), Committed::Done { .. }));
    desk.take(evening(), Input::Judged(vec![errors(1, true)])).unwrap();
    let courier = courier(&path, &program, &desk);
    let fault = courier.deliver().await.unwrap_err();
    assert!(fault.message.contains("the ledger's message 1 cannot be read"), "{fault}");
    assert_eq!(titles(&heard), ["Errors"], "the other is told");
    // It is tried again, and nothing is made of it meanwhile.
    let kept = ledger.outgoing(Some("Night"), Some(Timestamp::MAX)).unwrap();
    let left: Vec<(&str, u32)> =
        kept.iter().filter(|one| one.state.waits()).map(|one| (&*one.key, one.tries)).collect();
    assert_eq!(left, [("newer", 1)]);
    assert!(courier.next_due().unwrap().is_some());
}

#[test]
fn the_link_of_a_threshold_is_in_its_messages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let desk = desk(&path, &program(&hooks(1)));
    let raised = Raised { subject: subject(), raiser: "a check".into(), text: "it is not so".into(), since: None };
    desk.take(evening(), Input::Raised(raised)).unwrap();
    let mut ledger = Ledger::open(&path).unwrap();
    let lease = SignedDuration::from_hours(1);
    let claimed = ledger.claim(("Night", "one"), "a courier", evening(), lease, 10, None).unwrap();
    let link = |message: &Outgoing| message.body.get("link").and_then(|link| link.as_str().map(str::to_owned));
    assert_eq!(claimed.iter().map(link).collect::<Vec<_>>(), [Some("https://wiki.example.com/site-down".to_owned())]);
}

#[test]
fn a_threshold_that_was_taken_out_of_the_runbook_ends_what_it_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let raised = Raised { subject: subject(), raiser: "a check".into(), text: "it is not so".into(), since: None };
    desk(&path, &program(TEXT)).take(evening(), Input::Raised(raised)).unwrap();
    assert_eq!(outgoing(&path, evening()).len(), 1);
    let without = TEXT.replace("threshold \"Site down\" critical {\n  notify mail\n}\n", "");
    let edited = desk(&path, &program(&without.replace(" else raise \"Site down\"", "")));
    assert!(edited.next_due().unwrap().unwrap() <= evening(), "a server sees to it at its next look");
    edited.take(evening(), Input::Tick).unwrap();
    let state = edited.state().unwrap();
    assert!(state.alerts.is_empty() && state.incidents.is_empty());
    assert_eq!(outgoing(&path, evening()).len(), 1, "who heard that it began hears that it is over");
}

/// A web service that takes whatever comes, and keeps the bodies.
async fn taking() -> (u16, Arc<Mutex<Vec<serde_json::Value>>>) {
    taking_and(|| {}).await
}

/// The same, where something happens before each answer.
async fn taking_and(meanwhile: impl Fn() + Send + 'static) -> (u16, Arc<Mutex<Vec<serde_json::Value>>>) {
    answering(move || {
        meanwhile();
        "200 OK"
    })
    .await
}

/// A web service that keeps what it takes, and says each time whether it takes it.
async fn answering(status: impl Fn() -> &'static str + Send + 'static) -> (u16, Arc<Mutex<Vec<serde_json::Value>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::<Mutex<Vec<serde_json::Value>>>::default();
    let keeps = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = Vec::new();
            let body = loop {
                let mut buffer = vec![0; 65_536];
                let read = stream.read(&mut buffer).await.unwrap();
                text.extend(buffer.into_iter().take(read));
                let whole = String::from_utf8_lossy(&text);
                let body = whole.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok());
                if let Some(body) = body {
                    break body;
                }
                assert_ne!(read, 0, "{whole}");
            };
            let status = status();
            if status == "200 OK" {
                keeps.lock().unwrap().push(body);
            }
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, heard)
}

fn bot(port: u16) -> Arc<Program> {
    program(&format!(
        "runbook \"Night\" {{ edition 1 }}\n\
         channel bot = webhook(\"http://127.0.0.1:{port}/\", at_most: 10/min)\n\
         metric errors: percent every 1m = 50%\n\
         threshold \"Errors\" warning {{\n  when errors > 5%\n  notify bot\n}}\n"
    ))
}

fn errors(pod: usize, wrong: bool) -> Judged {
    Judged {
        subject: Subject { threshold: "Errors".into(), labels: [("pod".into(), pod.to_string().into())].into() },
        at: evening(),
        began: None,
        when: vec![Some(wrong)],
        until: None,
        escalate: Vec::new(),
        text: format!("errors is 50% for pod={pod}").into(),
    }
}

fn courier(path: &Path, program: &Arc<Program>, desk: &Arc<Desk>) -> Courier {
    let world = Arc::new(System::new(path.parent().unwrap()));
    let (ledger, facts) = (Ledger::open(path).unwrap(), facts(path, program));
    Courier::new(ledger, Arc::clone(desk), Arc::clone(program), HashMap::new(), facts, world, "a courier".into())
}

fn titles(heard: &Mutex<Vec<serde_json::Value>>) -> Vec<String> {
    let title = |body: &serde_json::Value| body.get("title").unwrap().as_str().unwrap().to_owned();
    heard.lock().unwrap().iter().map(title).collect()
}

#[tokio::test]
async fn a_flood_is_told_in_one_message_that_says_how_many_and_which() {
    const PODS: usize = 2000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let (port, heard) = taking().await;
    let program = bot(port);
    let desk = Arc::new(desk(&path, &program));
    let courier = courier(&path, &program, &desk);
    desk.take(evening(), Input::Judged((0..9).map(|pod| errors(pod, true)).collect())).unwrap();
    courier.deliver().await.unwrap();
    assert_eq!(titles(&heard), ["Errors"; 9], "what people can read is told one by one");

    desk.take(evening(), Input::Judged((9..PODS).map(|pod| errors(pod, true)).collect())).unwrap();
    courier.deliver().await.unwrap();
    let told = titles(&heard);
    assert_eq!(told.get(9..), Some(["Night: 500 messages".to_owned()].as_slice()), "the minute is full with it");
    let text = heard.lock().unwrap().last().unwrap().get("text").unwrap().as_str().unwrap().to_owned();
    for said in ["500 opened", "warning, opened: Errors: errors is 50% for pod=9", "and 460 more: `runbook incidents`"]
    {
        assert!(text.contains(said), "{text}");
    }
    assert_eq!(desk.state().unwrap().alerts.len(), PODS, "everything is open that is");
    let mut ledger = Ledger::open(&path).unwrap();
    let waiting = ledger.outgoing(Some("Night"), Some(Timestamp::MAX)).unwrap();
    assert_eq!(waiting.len(), PODS - 509, "and nothing is lost");
    let due = ledger.next_due("Night").unwrap().unwrap().duration_since(system::now());
    assert!(due.as_secs() > 30 && due.as_secs() <= 60, "the rest is told within the next minute: {due:?}");
    assert!(
        ledger
            .claim(("Night", "bot"), "another", system::now(), SignedDuration::from_secs(1), 10, None)
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_alert_that_flaps_a_thousand_times_is_told_a_few_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let (port, heard) = taking().await;
    let program = bot(port);
    let desk = Arc::new(desk(&path, &program));
    for turn in 0..1000 {
        let now = evening().checked_add(SignedDuration::from_secs(turn)).unwrap();
        for (wrong, millis) in [(true, 0), (false, 500)] {
            let now = now.checked_add(SignedDuration::from_millis(millis)).unwrap();
            desk.take(now, Input::Judged(vec![Judged { at: now, ..errors(0, wrong) }])).unwrap();
        }
    }
    let courier = courier(&path, &program, &desk);
    courier.deliver().await.unwrap();
    let told = titles(&heard);
    assert_eq!(told, ["Night: 500 messages", "Night: 500 messages"], "an end withdraws a beginning that was not told");
    assert_eq!(desk.state().unwrap().numbers.alert, 1000);
    assert!(Ledger::open(&path).unwrap().next_due("Night").unwrap().is_none());
}

/// A server that was suspended between claiming messages and sending them.
#[tokio::test]
async fn who_lost_the_lead_or_the_claim_while_telling_tells_no_more() {
    let soon = |seconds| system::now().checked_add(SignedDuration::from_secs(seconds)).unwrap();
    for leads in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let (mut ledger, mut other) = (Ledger::open(&path).unwrap(), Ledger::open(&path).unwrap());
        assert_eq!(ledger.lease("serve/Night", "me", soon(0), soon(15)).unwrap(), Lease::Held { fence: 1 });
        let other = Mutex::new(move || {
            if leads {
                let taken = other.lease("serve/Night", "you", soon(20), soon(35)).unwrap();
                assert_eq!(taken, Lease::Held { fence: 2 });
            } else {
                let lease = SignedDuration::from_mins(5);
                let line = other.line(("Night", "bot"), ("you", 0), soon(100), soon(115)).unwrap();
                assert!(matches!(line, Lease::Held { .. }), "it has run out");
                assert_eq!(other.claim(("Night", "bot"), "you", soon(100), lease, 10, None).unwrap().len(), 3);
            }
        });
        let (port, heard) = taking_and(move || (other.lock().unwrap())()).await;
        let program = bot(port);
        let desk = Arc::new(desk(&path, &program));
        desk.take(evening(), Input::Judged((0..3).map(|pod| errors(pod, true)).collect())).unwrap();
        let fence = Fence::new("serve/Night", "me", 1);
        let told = courier(&path, &program, &desk).under(&fence).deliver().await;
        assert_eq!(titles(&heard).len(), 1, "the rest is another's");
        assert_eq!((told.is_err(), fence.is_lost()), (leads, leads), "{told:?}");
        let states = || ledger.outgoing(Some("Night"), None).unwrap().into_iter().map(|one| one.state);
        assert_eq!(states().filter(|state| *state == OutgoingState::Told).count(), 1, "what is out is written down");
        let (waiting, claimed) = (OutgoingState::Waiting, OutgoingState::Claimed);
        let left = if leads { waiting } else { claimed };
        assert_eq!(states().filter(|state| *state == left).count(), 2);
        if leads {
            let again = desk.under(fence).take(evening(), Input::Tick);
            assert!(again.is_ok_and(|happened| happened.is_empty()), "where nothing follows nothing is written");
            assert!(desk.under(Fence::new("serve/Night", "me", 1)).holds().is_err());
            desk.holds().unwrap();
        }
    }
}
