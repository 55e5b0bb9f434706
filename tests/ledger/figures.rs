//! Figures, for whoever asks: `cargo test --release --test ledger -- --ignored --nocapture figures`

use std::fs;
use std::time::{Duration, Instant};

use runbook::store::ledger::{Commit, Committed, Ledger, Retention, Sample};

use crate::place::{Place, at, document, sample};

const SERIES: i64 = 50;
const DAY: i64 = 86_400;

/// A minute of each series.
fn minute(disks: &[String], minute: i64) -> impl Iterator<Item = Sample> {
    disks.iter().enumerate().map(move |(n, disk)| {
        // Digits as a measurement has them.
        let value = f64::from(u32::try_from(minute * 7919 % 100_003).unwrap() + u32::try_from(n).unwrap()) / 1.7;
        sample("used", &[("disk", disk), ("host", "web-1.example.net")], minute * 60, Some(value))
    })
}

fn disks() -> Vec<String> {
    (0..SERIES).map(|n| format!("/dev/disk{n}")).collect()
}

#[test]
#[ignore = "it measures; a million samples take a while"]
fn a_million_samples_and_ten_thousand_open_documents_are_open_in_a_second() {
    let place = Place::new();
    let mut ledger = place.open();
    let begun = Instant::now();
    for chunk in 0..20 {
        let samples: Vec<Sample> =
            (0..1000).flat_map(|n| minute(&disks(), chunk * 1000 + n).collect::<Vec<_>>()).collect();
        ledger.record("shop", &samples).unwrap();
    }
    println!("a million samples recorded in {:?}", begun.elapsed());
    let body: serde_json::Value =
        (0..20).map(|n| (format!("field{n}"), format!("a value of some length {n}"))).collect();
    let put =
        |n: i64| runbook::store::ledger::Document { body: body.clone(), ..document("alert", &n.to_string(), n, None) };
    let begun = Instant::now();
    let commit = Commit { put: (0..10_000).map(put).collect(), ..Commit::at(at(0)) };
    assert_eq!(ledger.commit("shop", 0, &commit).unwrap(), Committed::Done { version: 1 });
    println!("10,000 documents of {} bytes committed in {:?}", body.to_string().len(), begun.elapsed());
    drop(ledger);
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        let ledger = place.open();
        let snapshot = ledger.load("shop").unwrap();
        best = best.min(begun.elapsed());
        assert_eq!(snapshot.documents.len(), 10_000);
    }
    println!("open and load: {best:?}; the file has {} bytes", fs::metadata(place.path()).unwrap().len());
    assert!(best < Duration::from_secs(1), "{best:?}");
    let mut ledger = place.open();
    let mut small: Vec<Duration> = (1..=200)
        .map(|version| {
            let begun = Instant::now();
            let commit = Commit { put: vec![put(0)], ..Commit::at(at(0)) };
            assert_eq!(ledger.commit("shop", version, &commit).unwrap(), Committed::Done { version: version + 1 });
            begun.elapsed()
        })
        .collect();
    small.sort_unstable();
    println!("a commit of one document: median {:?}, slowest of 200 {:?}", small[100], small[199]);
    let begun = Instant::now();
    let day = ledger.samples("shop", "used", at(0), at(DAY)).unwrap();
    println!("a day of {SERIES} series: {} samples in {:?}", day.len(), begun.elapsed());
    let begun = Instant::now();
    assert_eq!(Ledger::check(&place.path()).unwrap().unwrap().problems, [""; 0]);
    println!("check: {:?}", begun.elapsed());
}

#[test]
#[ignore = "it measures; a year of samples takes minutes"]
fn a_year_of_fifty_series_every_minute_stays_small() {
    let place = Place::new();
    let mut ledger = place.open();
    let (mut recorded, mut tidied, mut slowest) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for day in 0..365 {
        let samples: Vec<Sample> =
            (0..1440).flat_map(|n| minute(&disks(), day * 1440 + n).collect::<Vec<_>>()).collect();
        let begun = Instant::now();
        ledger.record("shop", &samples).unwrap();
        recorded += begun.elapsed();
        // As a service would: once a day, step by step.
        loop {
            let begun = Instant::now();
            let step = ledger.tidy(at((day + 1) * DAY), &Retention::default()).unwrap();
            tidied += begun.elapsed();
            slowest = slowest.max(begun.elapsed());
            if !step.more {
                break;
            }
        }
    }
    println!(
        "{} samples recorded in {recorded:?}, tidied in {tidied:?}, slowest step {slowest:?}",
        365 * 1440 * SERIES
    );
    println!("the file has {} bytes", fs::metadata(place.path()).unwrap().len());
    let begun = Instant::now();
    let compacted = ledger.compact(at(365 * DAY), &Retention::default()).unwrap();
    println!("compacted in {:?}: {compacted:?}", begun.elapsed());
    let begun = Instant::now();
    let year = ledger.samples("shop", "used", at(0), at(365 * DAY)).unwrap();
    println!("the year in {:?}: {} samples", begun.elapsed(), year.len());
    assert!(compacted.after < 100 * 1024 * 1024);
}

#[test]
#[ignore = "it measures"]
fn what_a_database_takes_for_what_a_server_does_each_second() {
    let Some(place) = Place::shared() else { return };
    let mut ledger = place.open();
    let (mut leases, mut claims, mut commits) = (Vec::new(), Vec::new(), Vec::new());
    for version in 0..500 {
        let begun = Instant::now();
        let held = ledger.lease("serve/shop", "me", at(0), at(15)).unwrap();
        assert_eq!(held, runbook::store::ledger::Lease::Held { fence: 1 });
        leases.push(begun.elapsed());
        let begun = Instant::now();
        assert!(
            ledger
                .claim(("shop", "ops"), "me", at(0), jiff::SignedDuration::from_secs(75), 500, None)
                .unwrap()
                .is_empty()
        );
        claims.push(begun.elapsed());
        let begun = Instant::now();
        let commit = Commit { put: vec![document("alert", "1", 0, None)], ..Commit::at(at(0)) };
        assert_eq!(ledger.commit("shop", version, &commit).unwrap(), Committed::Done { version: version + 1 });
        commits.push(begun.elapsed());
    }
    for (what, mut took) in [("a lease", leases), ("a claim of nothing", claims), ("a commit of one document", commits)]
    {
        took.sort_unstable();
        println!("{what}: median {:?}, slowest of 500 {:?}", took[250], took[499]);
    }
    let begun = Instant::now();
    let commit =
        Commit { put: (0..2_000).map(|n| document("alert", &n.to_string(), n, None)).collect(), ..Commit::at(at(0)) };
    assert_eq!(ledger.commit("shop", 500, &commit).unwrap(), Committed::Done { version: 501 });
    println!("a commit of 2,000 documents: {:?}", begun.elapsed());
}
