//! The lines of a courier: each channel is told by itself.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use runbook::alerting::{Input, Judged};
use runbook::desk::{Courier, Delivery, Desk, Hears, Until};
use runbook::store::ledger::{Ledger, Outgoing, OutgoingState};
use runbook::system;
use runbook::types::Fault;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

use super::checked::program;
use super::{answering, courier, desk, errors, hooks, taking, titles};

fn note(key: &str, channels: &[&str]) -> Input {
    Input::Note {
        key: key.into(),
        channels: channels.iter().map(|channel| (*channel).into()).collect(),
        title: key.into(),
        text: String::new(),
    }
}

/// A desk and its courier, in a folder that stays as long as this does.
struct Night {
    _folder: TempDir,
    path: PathBuf,
    desk: Arc<Desk>,
    courier: Courier,
}

fn night(port: u16) -> Night {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let program = program(&hooks(port));
    let desk = Arc::new(desk(&path, &program));
    let courier = courier(&path, &program, &desk);
    Night { _folder: folder, path, desk, courier }
}

/// What becomes due while another channel hangs is told at once, and of the line that hangs the rest has not been tried.
#[tokio::test]
async fn a_channel_that_hangs_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, heard) = taking().await;
    let text = hooks(port).replacen(&port.to_string(), &silent.local_addr().unwrap().port().to_string(), 1);
    let program = program(&text);
    let desk = Arc::new(desk(&path, &program));
    desk.take_all(system::now(), &[note("first", &["one", "two"]), note("second", &["one"])]).unwrap();
    let courier = courier(&path, &program, &desk);
    let stop = CancellationToken::new();
    let hears = |_: &Delivery| {};
    let telling = courier.go_on(Until::Stopped, &stop, &hears);
    let news = async {
        let _kept = silent.accept().await.unwrap();
        desk.take(system::now(), note("third", &["two"])).unwrap();
        while titles(&heard) != ["first", "third"] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let ledger = Ledger::open(&path).unwrap();
        let left = ledger.outgoing(Some("Night"), Some(Timestamp::MAX)).unwrap();
        let left: Vec<_> = left.iter().map(|one| (one.body["title"].as_str().unwrap(), one.state, one.tries)).collect();
        assert_eq!(left, [("second", OutgoingState::Waiting, 0), ("first", OutgoingState::Claimed, 1)]);
    };
    let begun = Instant::now();
    tokio::select! {
        told = telling => panic!("it was not told to stop: {told:?}"),
        () = news => {}
    }
    assert!(begun.elapsed().as_secs() < 8, "the other would be given up after 10 s: {:?}", begun.elapsed());
}

/// A web service that wants to be left alone for a time.
async fn limiting() -> (u16, Arc<Mutex<usize>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Arc::<Mutex<usize>>::default());
    let counts = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 65_536];
            let _ = stream.read(&mut head).await;
            *counts.lock().unwrap() += 1;
            let answer = b"HTTP/1.1 429 No\r\nretry-after: 20\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(answer).await;
        }
    });
    (port, asked)
}

#[tokio::test]
async fn who_wants_to_be_left_alone_is_told_nothing_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let (port, asked) = limiting().await;
    let program = program(&hooks(port));
    let desk = Arc::new(desk(&path, &program));
    desk.take_all(system::now(), &[note("first", &["one"]), note("second", &["one"])]).unwrap();
    let courier = courier(&path, &program, &desk);
    courier.deliver().await.unwrap();
    desk.take(system::now(), note("third", &["one"])).unwrap();
    courier.deliver().await.unwrap();
    assert_eq!(*asked.lock().unwrap(), 1);
    let waits = Ledger::open(&path).unwrap().outgoing(Some("Night"), None).unwrap();
    let tries: Vec<u32> = waits.iter().map(|one| one.tries).collect();
    assert_eq!(tries, [0, 0, 1], "what was not sent is no try");
    let soon = system::now().checked_add(SignedDuration::from_secs(15)).unwrap();
    assert!(waits.iter().all(|one| one.not_before > soon), "{waits:?}");
}

/// Who was told on a channel that an edit has taken out is told by the one in its place. That it is over, nobody can hear
/// there: it is not tried, and no other channel hears that.
#[tokio::test]
async fn a_channel_that_is_gone_is_not_told_of_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let (port, heard) = taking().await;
    let text = |channel: &str| {
        format!(
            "runbook \"Night\" {{ edition 1 }}\nchannel {channel} = webhook(\"http://127.0.0.1:{port}/\")\n\
             metric errors: percent for pod in [\"1\"] every 1m = 1%\n\
             threshold \"Errors\" warning {{\n  when errors > 5%\n  notify {channel}\n}}\n"
        )
    };
    let now = system::now();
    for (channel, wrong, told) in [
        ("one", true, vec!["opened"]),
        ("two", true, vec!["opened", "opened"]),
        ("two", false, vec!["opened", "opened", "closed"]),
    ] {
        let program = program(&text(channel));
        let desk = Arc::new(desk(&path, &program));
        let judged = errors(1, wrong);
        desk.take(now, Input::Judged(vec![Judged { at: now, ..judged }])).unwrap();
        courier(&path, &program, &desk).deliver().await.unwrap();
        let bodies = heard.lock().unwrap().clone();
        let occasions: Vec<&str> = bodies.iter().filter_map(|body| body.get("occasion")?.as_str()).collect();
        assert_eq!(occasions, told, "{channel}");
    }
    let waits = Ledger::open(&path).unwrap().outgoing(Some("Night"), None).unwrap();
    let state = |one: &Outgoing| (one.channel.clone(), one.state);
    let ended: Vec<_> = waits.iter().take(2).map(state).collect();
    assert_eq!(ended, [("two".into(), OutgoingState::Told), ("one".into(), OutgoingState::GivenUp)]);
    assert_eq!(waits.len(), 4, "no other channel hears that one is gone");
}

/// Someone who hears how lines end, and breaks the ledger just when a message is out and written down.
struct Breaks {
    path: PathBuf,
    ends: Mutex<Vec<(Option<String>, bool)>>,
    well: CancellationToken,
}

impl Breaks {
    fn rename(&self, from: &str, to: &str) {
        let ledger = rusqlite::Connection::open(&self.path).unwrap();
        ledger.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}")).unwrap();
    }
}

impl Hears for Breaks {
    fn told(&self, _: &Delivery) {
        self.rename("outgoing", "away");
    }

    fn ended(&self, channel: Option<&str>, fault: Option<&Fault>) -> bool {
        let mut ends = self.ends.lock().unwrap();
        if channel.is_some() && fault.is_some() {
            self.rename("away", "outgoing");
        }
        if channel.is_some() && fault.is_none() {
            self.well.cancel();
        }
        ends.extend(channel.map(|channel| (Some(channel.to_owned()), fault.is_some())));
        true
    }
}

/// A line can fail after its last message: nothing will be told there for long, and so nothing else would say it.
#[tokio::test]
async fn a_line_that_failed_when_all_was_told_is_well_again_by_itself() {
    let (port, heard) = taking().await;
    let Night { _folder, path, desk, courier } = night(port);
    desk.take(system::now(), note("only", &["one"])).unwrap();
    let (stop, well) = (CancellationToken::new(), CancellationToken::new());
    let hears = Breaks { path, ends: Mutex::default(), well: well.clone() };
    let waited = async {
        tokio::time::timeout(Duration::from_secs(30), well.cancelled()).await.expect("it is said to be well again");
        stop.cancel();
    };
    let (told, ()) = tokio::join!(courier.go_on(Until::Stopped, &stop, &hears), waited);
    told.unwrap();
    assert_eq!(titles(&heard), ["only"]);
    let one = |fails| (Some("one".to_owned()), fails);
    assert_eq!(*hears.ends.lock().unwrap(), [one(true), one(false)]);
}

/// What waited through an outage is told as soon as the channel takes something, and in order: "it is over" of what was
/// before must not be the last word on what is open.
#[tokio::test]
async fn a_channel_that_is_back_hears_what_waited_in_order_and_at_once() {
    let is_down = Arc::new(AtomicBool::new(true));
    let down = Arc::clone(&is_down);
    let (port, heard) = answering(move || if down.load(Ordering::SeqCst) { "503 Down" } else { "200 OK" }).await;
    let Night { _folder, path, desk, courier } = night(port);
    for key in ["first", "second"] {
        desk.take(system::now(), note(key, &["one"])).unwrap();
        assert!(courier.deliver().await.unwrap().iter().all(|told| told.result.is_err()));
    }
    is_down.store(false, Ordering::SeqCst);
    desk.take(system::now(), note("third", &["one"])).unwrap();
    courier.deliver().await.unwrap();
    assert_eq!(titles(&heard), ["first", "second", "third"]);
    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.next_due("Night").unwrap(), None, "nothing waits any more");
}

/// Counts how often it is tried to tell something where nothing can be written down.
#[derive(Default)]
struct Counts(Mutex<usize>);

impl Hears for Counts {
    fn told(&self, _: &Delivery) {}

    fn ended(&self, channel: Option<&str>, fault: Option<&Fault>) -> bool {
        *self.0.lock().unwrap() += usize::from(channel.is_some() && fault.is_some());
        true
    }
}

/// A full disk must not keep a processor busy, and the locks that all others need.
#[tokio::test]
async fn what_cannot_be_written_down_is_tried_again_after_a_pause() {
    let (port, heard) = taking().await;
    let Night { _folder, path, desk, courier } = night(port);
    desk.take(system::now(), note("only", &["one"])).unwrap();
    let ledger = rusqlite::Connection::open(&path).unwrap();
    let refuses = "CREATE TRIGGER full BEFORE UPDATE ON outgoing BEGIN SELECT RAISE(FAIL, 'full'); END";
    ledger.execute_batch(refuses).unwrap();
    let (stop, counts) = (CancellationToken::new(), Counts::default());
    let waited = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        ledger.execute_batch("DROP TRIGGER full").unwrap();
        while titles(&heard).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.cancel();
    };
    let (told, ()) = tokio::join!(courier.go_on(Until::Stopped, &stop, &counts), waited);
    told.unwrap();
    assert!((1..=3).contains(&*counts.0.lock().unwrap()), "tried {} times", counts.0.lock().unwrap());
}
