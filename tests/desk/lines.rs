//! The lines of a courier: each channel is told by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use runbook::alerting::Input;
use runbook::desk::{Delivery, Until};
use runbook::store::ledger::{Ledger, OutgoingState};
use runbook::system;
use tokio_util::sync::CancellationToken;

use super::checked::program;
use super::{courier, desk, hooks, taking, titles};

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
    let note = |key: &str, channels: &[&str]| Input::Note {
        key: key.into(),
        channels: channels.iter().map(|channel| (*channel).into()).collect(),
        title: key.into(),
        text: String::new(),
    };
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
        let left: Vec<_> = left.iter().map(|one| (&*one.key, one.state, one.tries)).collect();
        assert_eq!(left, [("second", OutgoingState::Waiting, 0), ("first", OutgoingState::Claimed, 1)]);
    };
    let begun = Instant::now();
    tokio::select! {
        told = telling => panic!("it was not told to stop: {told:?}"),
        () = news => {}
    }
    assert!(begun.elapsed().as_secs() < 8, "the other would be given up after 10 s: {:?}", begun.elapsed());
}
