//! Processes that are killed at any moment: what they had committed is there, whole, and nothing else.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use runbook::store::ledger::{Commit, Committed, Lease, Ledger, Outgoing, OutgoingState};

use crate::children::{again, folder};
use crate::place::{Place, at, document, happening, message, sample, shared};

const TEST: &str = "kills::what_was_committed_outlives_any_kill";
const TEST_SHARED: &str = "kills::what_was_committed_to_a_database_outlives_any_kill";
/// For how long processes are killed; `RUNBOOK_KILLS` says how many instead.
const ENOUGH: Duration = Duration::from_secs(8);
/// Kills after which a file is looked at as a whole, and another one begun.
const A_FILE: usize = 24;
const LEASE: SignedDuration = SignedDuration::from_secs(5);

#[test]
fn what_was_committed_outlives_any_kill() {
    if let Some(folder) = folder() {
        return write(Ledger::open(&folder.join(runbook::store::ledger::FILE)).unwrap());
    }
    outlives(&Place::new, TEST, 60);
}

#[test]
fn what_was_committed_to_a_database_outlives_any_kill() {
    if let Some(address) = folder() {
        return write(shared(address.to_str().unwrap()).open().unwrap());
    }
    if Place::shared().is_some() {
        // It takes longer until they have a session.
        outlives(&|| Place::shared().unwrap(), TEST_SHARED, 700);
    }
}

#[expect(clippy::disallowed_methods, reason = "a test asks the real environment what it is to do")]
fn outlives(new: &dyn Fn() -> Place, test: &str, milliseconds: u64) {
    let wanted: Option<usize> = std::env::var("RUNBOOK_KILLS").ok().map(|kills| kills.parse().unwrap());
    let mut random = RandomState::new().hash_one(0);
    println!("RUNBOOK_KILLS: begun with {random:#x}");
    let begun = Instant::now();
    let (mut kills, mut versions, mut told) = (0, 0, 0);
    while wanted.map_or_else(|| begun.elapsed() < ENOUGH, |wanted| kills < wanted) {
        let place = new();
        let mut acknowledged = Acknowledged::default();
        for round in 0..A_FILE / 2 {
            // Two at once, so that one is also killed while the other one waits for it or goes on.
            let children = [(); 2].map(|()| again(&[], test, &place.named()).spawn().unwrap());
            for child in children {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                thread::sleep(Duration::from_millis(random % milliseconds));
                acknowledged.add(&killed(child));
                kills += 1;
            }
            if round % 3 == 0
                && let Some(checked) = place.place().check().unwrap()
            {
                assert_eq!(checked.problems, [""; 0]);
            }
        }
        let (version, messages) = acknowledged.hold(&place);
        versions += version;
        told += messages;
    }
    println!("RUNBOOK_KILLS: {kills} kills, {versions} commits, {told} messages told, in {:?}", begun.elapsed());
    assert!(versions > 0 && told > 0, "they were killed before they did anything");
}

/// What a child does until it is killed. What a call has returned it says, line by line.
fn write(mut ledger: Ledger) {
    let say = |line: String| std::io::stdout().write_all((line + "\n").as_bytes()).unwrap();
    let me = std::process::id().to_string();
    loop {
        let version = ledger.version("shop").unwrap();
        let (name, now) = (version.to_string(), i64::try_from(version).unwrap());
        let commit = Commit {
            put: vec![document("alert", &name, now, version.is_multiple_of(3).then_some(now))],
            happened: vec![happening(now, &name, &me)],
            tell: vec![message(&name, now)],
            withdraw: if version % 7 == 6 { vec![(version - 1).to_string()] } else { Vec::new() },
            ..Commit::at(at(now))
        };
        if let Committed::Done { version } = ledger.commit("shop", version, &commit).unwrap() {
            say(format!("committed {} {me}", version - 1));
        }
        for message in ledger.claim(("shop", "ops"), &me, at(now), LEASE, 2, None).unwrap() {
            if message.tries % 3 == 1 && message.id % 2 == 0 {
                ledger.not_told(message.id, &me, at(now), "503", Some(at(now + 2))).unwrap();
            } else {
                ledger.told(message.id, &me, at(now), &me).unwrap();
                say(format!("told {} {me}", message.key));
            }
        }
        ledger.record("shop", &[sample("used", &[("by", &me)], now, Some(1.0))]).unwrap();
        say(format!("recorded {now} {me}"));
        if ledger.note_due("shop", "Morning", at(now), &me, None).unwrap() {
            say(format!("noted {now} {me}"));
        }
        if let Lease::Held { fence } = ledger.lease("leader", &me, at(now), at(now + 2)).unwrap() {
            say(format!("held {fence} {me}"));
        }
        if version % 16 == 15 {
            ledger.tidy(at(now), &runbook::store::ledger::Retention::default()).unwrap();
        }
    }
}

/// Kills it and gives what it had said until then.
fn killed(mut child: Child) -> String {
    child.kill().unwrap();
    let (mut said, mut complained) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut complained).unwrap();
    let status = child.wait().unwrap();
    assert!(status.code().is_none(), "it ended by itself: {complained}");
    assert_eq!(complained, "");
    said
}

/// What children had been told is done.
#[derive(Default)]
struct Acknowledged {
    committed: BTreeSet<u64>,
    told: BTreeSet<String>,
    samples: BTreeSet<(i64, String)>,
    noted: BTreeSet<i64>,
    held: BTreeSet<(u64, String)>,
}

impl Acknowledged {
    fn add(&mut self, said: &str) {
        // The last line may be cut.
        for line in said.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["committed", n, _] => {
                    assert!(self.committed.insert(n.parse().unwrap()), "two have committed on version {n}");
                }
                ["told", key, _] => {
                    self.told.insert(key.to_owned());
                }
                ["recorded", n, me] => {
                    self.samples.insert((n.parse().unwrap(), me.to_owned()));
                }
                ["noted", n, _] => {
                    assert!(self.noted.insert(n.parse().unwrap()), "two have noted {n}");
                }
                ["held", fence, me] => {
                    self.held.insert((fence.parse().unwrap(), me.to_owned()));
                }
                // What the test program says about itself.
                _ => {}
            }
        }
    }

    /// Looks whether it is. Gives how many commits and told messages there are.
    fn hold(&self, place: &Place) -> (u64, usize) {
        if place.place().open_existing().unwrap().is_none() {
            assert!(self.committed.is_empty());
            return (0, 0);
        }
        assert_eq!(place.problems(), [""; 0]);
        let mut ledger = place.open();
        let version = ledger.version("shop").unwrap();
        let all: BTreeSet<u64> = (0..version).collect();
        assert!(self.committed.is_subset(&all), "a commit is lost");

        // Each commit is there with all of its parts.
        let numbers = |names: Vec<String>| names.into_iter().map(|name| name.parse().unwrap()).collect::<Vec<u64>>();
        let same = |mut found: Vec<u64>| {
            found.sort_unstable();
            assert!(found.iter().copied().eq(0..version), "{found:?} of {version}");
        };
        let documents = ledger.documents(None, "alert", None).unwrap();
        same(numbers(documents.into_iter().map(|document| document.id).collect()));
        let happened = ledger.happenings("shop", None, None).unwrap();
        same(numbers(happened.into_iter().map(|happening| happening.about).collect()));
        let messages = ledger.outgoing(None, None).unwrap();
        same(numbers(messages.iter().map(|message| message.key.clone()).collect()));

        // What was told is told; what was not waits for whoever comes next, or was withdrawn.
        let told = |message: &&Outgoing| message.state == OutgoingState::Told;
        let found: BTreeSet<String> = messages.iter().filter(told).map(|message| message.key.clone()).collect();
        assert!(self.told.is_subset(&found), "a message that was told is to be told again");
        let open = messages.iter().filter(|message| message.ended_at.is_none()).count();
        let later = at(1_000_000);
        assert_eq!(
            ledger.claim(("shop", "ops"), "heir", later, LEASE, usize::MAX, None).unwrap().len(),
            open,
            "a message is lost"
        );

        let samples = ledger.samples("shop", "used", at(0), later).unwrap();
        let samples: BTreeSet<_> =
            samples.iter().map(|one| (one.at.as_second() - at(0).as_second(), one.labels[0].1.to_string())).collect();
        assert!(self.samples.is_subset(&samples), "a sample is lost");
        let last = ledger.last_due("shop", "Morning").unwrap();
        assert!(self.noted.last().is_none_or(|noted| last >= Some(at(*noted))), "a due time is lost");
        let fences: BTreeSet<u64> = self.held.iter().map(|(fence, _)| *fence).collect();
        assert_eq!(fences.len(), self.held.len(), "a lease's number was given to two");
        (version, found.len())
    }
}
