//! A database whose connections are lost: what was committed is there once, and what was not is not.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use runbook::store::ledger::{Commit, Committed};
use runbook::types::FaultKind;

use crate::children::not_run;
use crate::place::{at, document, happening, message, shared};
use crate::postgres::{self, Server, schema};

/// How long sessions are ended.
const ENOUGH: Duration = Duration::from_secs(6);
const WRITERS: usize = 3;

/// A server that may be broken, so no other test has it.
fn own() -> Option<Server> {
    Server::begin().map_err(|why| not_run(&format!("a ledger in PostgreSQL: {why}"))).ok()
}

#[test]
fn a_commit_whose_session_is_ended_is_neither_lost_nor_doubled() {
    let Some(server) = own() else { return };
    let address = server.address(&schema());
    drop(shared(&address).open().unwrap());
    let over = AtomicBool::new(false);
    let (mut done, mut refused, mut unknown, mut ended) = (BTreeMap::new(), Vec::new(), 0, 0);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|own| {
                let (address, over) = (&address, &over);
                scope.spawn(move || write(own, address, over))
            })
            .collect();
        let begun = Instant::now();
        while begun.elapsed() < ENOUGH {
            let sql =
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'runbook%'";
            ended += server.sql("shop", sql).parse::<u32>().unwrap();
        }
        over.store(true, Ordering::SeqCst);
        for writer in writers {
            let (own, not, nobody_knows) = writer.join().unwrap();
            for (version, body) in own {
                assert!(done.insert(version, body).is_none(), "two have committed version {version}");
            }
            refused.extend(not);
            unknown += nobody_knows;
        }
    });
    let place = shared(&address);
    let ledger = place.open().unwrap();
    let snapshot = ledger.load("shop").unwrap();
    println!("{ended} sessions ended: {} commits, {} refused, {unknown} unknown", done.len(), refused.len());
    assert!(done.len() > 50 && ended > 20, "{} commits, {ended} sessions", done.len());
    assert_eq!(snapshot.version, snapshot.documents.len() as u64, "each commit is there with its document, once");
    let kept: BTreeMap<u64, String> = snapshot
        .documents
        .iter()
        .map(|document| (document.id.parse().unwrap(), document.body.as_str().unwrap().to_owned()))
        .collect();
    for (version, body) in &done {
        assert_eq!(kept.get(version), Some(body), "a commit is lost");
    }
    assert!(refused.iter().all(|body| !kept.values().any(|kept| kept == body)), "what was refused is not there");
    assert!(kept.len() - done.len() <= unknown, "{} and {} of which nothing was known", kept.len(), unknown);
    assert_eq!(ledger.happenings("shop", None, None).unwrap().len(), kept.len());
    assert_eq!(ledger.outgoing(None, None).unwrap().len(), kept.len());
    assert_eq!(place.check().unwrap().unwrap().problems, [""; 0]);
}

/// Commits until it is over. Gives what was committed by its version, what was refused, and of how many nothing is known.
fn write(own: usize, address: &str, over: &AtomicBool) -> (Vec<(u64, String)>, Vec<String>, usize) {
    let (mut done, mut refused, mut unknown) = (Vec::new(), Vec::new(), 0);
    let mut ledger = shared(address).open();
    for n in 0.. {
        if over.load(Ordering::SeqCst) {
            break;
        }
        // Who opens one may be refused as well.
        let Ok(ledger) = &mut ledger else {
            ledger = shared(address).open();
            continue;
        };
        let Ok(version) = ledger.version("shop") else { continue };
        let (name, body) = (version.to_string(), format!("{own}/{n}"));
        let mut put = document("alert", &name, 0, None);
        put.body = body.as_str().into();
        let commit = Commit {
            put: vec![put],
            happened: vec![happening(0, &name, "x")],
            tell: vec![message(&name, 0)],
            ..Commit::at(at(0))
        };
        match ledger.commit("shop", version, &commit) {
            Ok(Committed::Done { version: now }) => {
                assert_eq!(now, version + 1);
                done.push((version, body));
            }
            Ok(Committed::Stale { .. }) => refused.push(body),
            Err(fault) if fault.sent => unknown += 1,
            Err(fault) => {
                assert!(matches!(fault.kind, FaultKind::Unreachable | FaultKind::Timeout), "{fault:?}");
                refused.push(body);
            }
        }
    }
    (done, refused, unknown)
}

/// What happens to the next commit on its way.
const ARRIVES: u8 = 0;
const IS_LOST: u8 = 1;
const ITS_ANSWER_IS_LOST: u8 = 2;
/// It is there only long after the server has ended the session.
const IS_LATE: u8 = 3;

/// A way to a server that cuts a connection at a commit.
fn way(port: u16, next: &Arc<AtomicU8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let next = Arc::clone(next);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (server, next) = (TcpStream::connect(("127.0.0.1", port)).unwrap(), Arc::clone(&next));
            thread::spawn(move || carry(client, server, &next));
        }
    });
    own
}

fn carry(mut client: TcpStream, mut server: TcpStream, next: &AtomicU8) {
    let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let deaf = Arc::new(AtomicBool::new(false));
    let is_deaf = Arc::clone(&deaf);
    let back = thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if is_deaf.load(Ordering::SeqCst) || to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
    let mut buffer = vec![0; 65_536];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        let sent = &buffer[..read];
        if sent.windows(7).any(|part| part == b"COMMIT\0") {
            match next.swap(ARRIVES, Ordering::SeqCst) {
                IS_LOST => break,
                ITS_ANSWER_IS_LOST => deaf.store(true, Ordering::SeqCst),
                IS_LATE => thread::sleep(Duration::from_secs(12)),
                _ => {}
            }
        }
        if server.write_all(sent).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
    back.join().unwrap();
}

#[test]
fn a_commit_without_an_answer_is_asked_for_and_made_again_only_if_it_was_not() {
    let Some(server) = own() else { return };
    let next = Arc::new(AtomicU8::new(ARRIVES));
    let address = postgres::address(way(server.port, &next), &schema());
    let mut ledger = shared(&address).open().unwrap();
    for (version, what) in [IS_LOST, ITS_ANSWER_IS_LOST, ITS_ANSWER_IS_LOST, IS_LOST].into_iter().enumerate() {
        let version = version as u64;
        let commit = Commit {
            happened: vec![happening(0, &version.to_string(), "x")],
            tell: vec![message(&version.to_string(), 0)],
            ..Commit::at(at(0))
        };
        next.store(what, Ordering::SeqCst);
        let committed = ledger.commit("shop", version, &commit).unwrap();
        assert_eq!(next.load(Ordering::SeqCst), ARRIVES, "it was cut");
        assert_eq!(committed, Committed::Done { version: version + 1 });
        assert_eq!(ledger.happenings("shop", None, None).unwrap().len() as u64, version + 1);
    }
    // A lease whose answer is lost is not begun twice.
    next.store(ITS_ANSWER_IS_LOST, Ordering::SeqCst);
    let held = ledger.lease("leader", "me", at(0), at(10)).unwrap();
    assert_eq!(held, runbook::store::ledger::Lease::Held { fence: 1 });
}

#[test]
fn a_server_that_is_started_anew_is_found_again() {
    let Some(server) = own() else { return };
    let address = server.address(&schema());
    let mut ledger = shared(&address).open().unwrap();
    assert!(ledger.note_due("shop", "Morning", at(0), "run", None).unwrap());
    server.stop();
    let fault = ledger.note_due("shop", "Morning", at(1), "run", None).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(fault.message.contains(&format!("127.0.0.1:{}", server.port)), "{fault}");
    assert!(fault.help.unwrap().contains("RUNBOOK_STORE"));
    assert!(ledger.last_due("shop", "Morning").is_err());
    server.start();
    assert_eq!(ledger.last_due("shop", "Morning").unwrap(), Some(at(0)));
    assert!(ledger.note_due("shop", "Morning", at(1), "run", None).unwrap());
    // It went while nobody looked.
    server.stop();
    server.start();
    assert!(ledger.note_due("shop", "Morning", at(2), "run", None).unwrap());
}

/// A server that is suspended while it writes, with the lock that all others wait for.
#[test]
fn whoever_stops_in_the_middle_of_a_write_holds_up_nobody_for_long() {
    let Some(server) = own() else { return };
    let address = server.address(&schema());
    let next = Arc::new(AtomicU8::new(ARRIVES));
    let mut other = shared(&address).open().unwrap();
    let slow = postgres::address(way(server.port, &next), address.rsplit_once('=').unwrap().1);
    let mut suspended = shared(&slow).open().unwrap();
    next.store(IS_LATE, Ordering::SeqCst);
    thread::scope(|scope| {
        let stuck = scope.spawn(move || suspended.note_due("shop", "Morning", at(0), "mine", None));
        while next.load(Ordering::SeqCst) != ARRIVES {
            thread::sleep(Duration::from_millis(10));
        }
        let begun = Instant::now();
        assert!(other.note_due("shop", "Morning", at(0), "yours", None).unwrap());
        assert!(begun.elapsed() > Duration::from_secs(1), "it was not waited for");
        assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
        assert!(!stuck.join().unwrap().unwrap(), "it is done again, and another was quicker");
    });
}
