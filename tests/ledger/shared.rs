//! A ledger that hosts share, as a whole: the same as in a file, whoever looks, whatever their clocks say.

use jiff::{SignedDuration, Timestamp};
use runbook::store::ledger::{Commit, Committed, Lease, Ledger, Retention};
use runbook::system;
use runbook::types::FaultKind;

use crate::children::not_run;
use crate::place::{Place, at, document, happening, message, on_a_host, sample, shared, tell};
use crate::postgres;

const DAY: i64 = 86_400;

fn after(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Something of everything.
fn fill(ledger: &mut Ledger) {
    for (version, runbook) in [(0_u64, "shop"), (0, "bank"), (1, "shop")] {
        let commit = Commit {
            put: vec![
                document("alert", &format!("\u{e9}t\u{e9} {version}"), 0, (version > 0).then_some(10)),
                document("incident", "1", version.cast_signed(), None),
            ],
            remove: vec![("alert".to_owned(), "not there".to_owned())],
            happened: vec![happening(1, "alert/1", "\u{0}fired \"so\" \u{1F525}")],
            tell: vec![message("a", 0), message(&format!("b{version}"), 0), message("c", 0)],
            withdraw: vec!["c".to_owned()],
            ..Commit::at(at(5))
        };
        let done = ledger.commit(runbook, version, &commit).unwrap();
        assert_eq!(done, Committed::Done { version: version + 1 });
    }
    let claimed = ledger.claim(("shop", "ops"), "me", at(10), after(60), 2, None).unwrap();
    assert!(ledger.told(claimed[0].id, "me", at(11), "ok").unwrap());
    assert!(ledger.not_told(claimed[1].id, "me", at(11), "503", Some(at(40))).unwrap());
    tell(ledger, "bank", vec![message("d", 0)]);
    let mut samples = Vec::new();
    for n in 0..200_u32 {
        let value = f64::from(n % 7) / 3.0;
        let value = match n {
            13 => None,
            14 => Some(f64::INFINITY),
            15 => Some(f64::NAN),
            16 => Some(f64::MAX),
            17 => Some(-0.1),
            _ => Some(value),
        };
        samples.push(sample("used", &[("disk", if n % 2 == 0 { "b" } else { "a" })], i64::from(n) * 600, value));
    }
    ledger.record("shop", &samples).unwrap();
    ledger.record("shop", &[sample("used", &[], 5, Some(f64::MAX)), sample("used", &[], 6, Some(f64::MAX))]).unwrap();
    ledger.tidy(at(15 * DAY), &Retention::default()).unwrap();
    for (section, due) in [("Z", 20), ("a", 10), ("B", 10), ("a", 5)] {
        assert!(ledger.note_due("shop", section, at(due), "run", (due > 10).then_some("7f3a")).unwrap());
    }
    assert!(!ledger.note_due("shop", "a", at(5), "again", None).unwrap());
    assert_eq!(ledger.lease("leader", "me", at(0), at(10)).unwrap(), Lease::Held { fence: 1 });
    ledger.release("leader", "me").unwrap();
}

fn exported(ledger: &Ledger) -> String {
    let mut all = Vec::new();
    ledger.export(&mut all).unwrap();
    String::from_utf8(all).unwrap()
}

#[test]
fn the_same_content_is_the_same_export() {
    let Some(other) = Place::shared() else { return };
    let file = Place::new();
    let [here, there] = [file.open(), other.open()].map(|mut ledger| {
        fill(&mut ledger);
        exported(&ledger)
    });
    for (here, there) in here.lines().zip(there.lines()) {
        assert_eq!(here, there);
    }
    assert_eq!(here, there);
    assert!(here.lines().count() > 100 && here.contains("\"Infinity\""));
    assert_eq!((file.problems(), other.problems()), (Vec::new(), Vec::new()));
}

#[test]
fn an_export_of_many_pages_is_whole() {
    let Some(place) = Place::shared() else { return };
    let mut ledger = place.open();
    let samples: Vec<_> = (0..4_500).map(|n| sample("used", &[], n, Some(1.0))).collect();
    ledger.record("shop", &samples).unwrap();
    assert_eq!(exported(&ledger).lines().count(), 4_502);
}

#[test]
fn text_that_a_database_does_not_take_as_it_is_stands_in_the_way_of_nothing() {
    let Some(place) = Place::shared() else { return };
    let mut ledger = place.open();
    tell(&mut ledger, "shop", vec![message("a", 0)]);
    let id = ledger.claim(("shop", "ops"), "me", at(0), after(60), 1, None).unwrap()[0].id;
    assert!(ledger.told(id, "me", at(1), "so \0 it is").unwrap());
    assert_eq!(ledger.outgoing(None, None).unwrap()[0].last.as_deref(), Some("so \u{2400} it is"));
}

/// A lease and a claim last as long as they should for a host whose clock is five minutes ahead, or behind.
#[test]
fn hosts_whose_clocks_differ_agree_on_what_has_run_out() {
    let Some(Place::Shared(address)) = Place::shared() else { return };
    for ahead in [after(300), after(-300)] {
        let name = format!("leader {ahead}");
        let (here, there) = (shared(&address), on_a_host(&address, ahead));
        let (mut here, mut there) = (here.open().unwrap(), there.open().unwrap());
        let own = || system::now();
        let theirs = || system::now().checked_add(ahead).unwrap();
        let until = |now: Timestamp| now.checked_add(after(15)).unwrap();
        assert_eq!(here.lease(&name, "here", own(), until(own())).unwrap(), Lease::Held { fence: 1 });
        let Lease::Taken { until: known, .. } = there.lease(&name, "there", theirs(), until(theirs())).unwrap() else {
            panic!("a lease of a moment ago has not run out")
        };
        let left = known.duration_since(theirs());
        assert!(left > after(12) && left < after(18), "{left}: it is said in one's own time");
        let later = theirs().checked_add(after(17)).unwrap();
        assert_eq!(there.lease(&name, "there", later, until(later)).unwrap(), Lease::Held { fence: 2 });

        // A message of here is due there now, and one that is claimed there is not free here.
        let key = format!("m{ahead}");
        let due = message(&key, 0);
        let version = here.version("shop").unwrap();
        let due = runbook::store::ledger::NewMessage { not_before: own(), ..due };
        let done = here.commit("shop", version, &Commit { tell: vec![due], ..Commit::at(own()) }).unwrap();
        assert_eq!(done, Committed::Done { version: version + 1 });
        let soon = |now: Timestamp| now.checked_add(after(2)).unwrap();
        let claimed = there.claim(("shop", "ops"), "there", soon(theirs()), after(75), 10, None).unwrap();
        assert_eq!(claimed.len(), 1);
        assert!(
            here.claim(("shop", "ops"), "here", own().checked_add(after(70)).unwrap(), after(75), 10, None)
                .unwrap()
                .is_empty()
        );
        let late = own().checked_add(after(80)).unwrap();
        assert_eq!(here.claim(("shop", "ops"), "here", late, after(75), 10, None).unwrap().len(), 1);
        assert!(!there.not_told(claimed[0].id, "there", theirs(), "late", None).unwrap());
        assert!(here.told(claimed[0].id, "here", own(), "ok").unwrap());
    }
}

#[test]
fn what_is_no_ledger_or_a_newer_one_is_refused_and_left_as_it_is() {
    let server = match postgres::server() {
        Ok(server) => server,
        Err(why) => return not_run(&format!("a ledger in PostgreSQL: {why}")),
    };
    let schema = postgres::schema();
    let place = shared(&server.address(&schema));
    assert!(place.open_existing().unwrap().is_none() && place.check().unwrap().is_none());
    assert_eq!(server.sql("shop", &format!("SELECT count(*) FROM pg_namespace WHERE nspname = '{schema}'")), "0");

    server.sql("shop", &format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.cats (name text)"));
    let fault = place.open().unwrap_err();
    assert!(
        fault.message.contains("not a ledger of runbook") && fault.help.unwrap().contains("?schema="),
        "{}",
        fault.message
    );
    server.sql("shop", &format!("DROP TABLE {schema}.cats"));
    // One that somebody with more rights has made is taken.
    drop(place.open().unwrap());
    assert!(place.open_existing().unwrap().is_some());

    server.sql("shop", &format!("UPDATE {schema}.ledger SET version = 7"));
    let fault = place.open().unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsupported);
    assert!(fault.message.contains("is of version 7, and this runbook knows it up to version 3"), "{fault}");
    assert!(place.check().is_err());
    // One of before approvals is brought up to this version, and not by a look.
    server.sql(
        "shop",
        &format!("DROP TABLE {schema}.approval, {schema}.identity; UPDATE {schema}.ledger SET version = 1"),
    );
    assert!(place.check().unwrap_err().message.contains("is of version 1, an older one"));
    assert_eq!(place.open().unwrap().approvals(None).unwrap(), Vec::new());
    assert_eq!(place.open().unwrap().id().unwrap().len(), 12);

    let problems = |sql: &str| {
        server.sql("shop", &format!("SET search_path = {schema}; {sql}"));
        place.check().unwrap().unwrap().problems
    };
    assert_eq!(problems("SELECT 1"), [""; 0]);
    assert!(problems("DROP INDEX document_open")[0].contains("there should be: document_open on document"));
    let found = problems(
        "INSERT INTO runbook (name) VALUES ('x'); INSERT INTO happening (runbook, at, about, body) VALUES (1, 0, 'a', '{')",
    );
    assert!(found.iter().any(|problem| problem == "1 happenings that are no JSON"), "{found:?}");
    assert!(found.iter().any(|problem| problem.contains("never committed")), "{found:?}");
}

#[test]
fn what_is_secret_is_made_once_and_is_the_same_for_all() {
    let Some(place) = Place::shared() else { return };
    assert_eq!(place.open().secret("links", "one").unwrap().as_deref(), Some("one"));
    assert_eq!(place.open().secret("links", "two").unwrap().as_deref(), Some("one"));
    assert!(!exported(&place.open()).contains("links"));
    assert_eq!(Place::new().open().secret("links", "one").unwrap(), None);
}
