//! What is kept for how long.

use jiff::{SignedDuration, Timestamp};
use runbook::store::ledger::{Commit, Committed, Ledger, Retention, Sample, Tidied};

use crate::place::{Place, at, days, document, happening, message, sample, tell};

both!(
    old_samples_become_hours_and_the_hour_at_the_edge_stays_whole,
    times_before_1970_and_values_without_a_mean_become_hours_too,
    what_ended_long_ago_is_removed_and_what_is_open_stays,
    a_call_does_a_bounded_amount_of_work_and_compact_does_all_of_it
);

const DAY: i64 = 86_400;

fn all(ledger: &Ledger) -> Vec<Sample> {
    ledger.samples("shop", "used", Timestamp::MIN, Timestamp::MAX).unwrap()
}

fn old_samples_become_hours_and_the_hour_at_the_edge_stays_whole(place: &Place) {
    let mut ledger = place.open();
    let values = [(0, Some(1.0)), (60, None), (3599, Some(4.0)), (3600, None), (7200, Some(9.0)), (7260, Some(10.0))];
    let samples: Vec<Sample> = values.iter().map(|(second, value)| sample("used", &[], *second, *value)).collect();
    ledger.record("shop", &samples).unwrap();
    // Half of the third hour is older than what is kept as it was.
    let now = at(14 * DAY + 7230);
    let tidied = ledger.tidy(now, &Retention::default()).unwrap();
    assert_eq!(tidied, Tidied { samples: 4, ..Tidied::default() });
    let found: Vec<_> = all(&ledger).iter().map(|sample| (sample.at, sample.value)).collect();
    assert_eq!(found, [(at(0), Some(2.5)), (at(3600), None), (at(7200), Some(9.0)), (at(7260), Some(10.0))]);
    assert_eq!(all(&ledger)[1].why.as_deref(), Some("not measured in this hour, tried 1 times"));
    assert_eq!(ledger.tidy(now, &Retention::default()).unwrap(), Tidied::default(), "once is enough");

    // A sample that comes late is part of its hour.
    ledger.record("shop", &[sample("used", &[], 3700, Some(6.0)), sample("used", &[], 10, Some(7.0))]).unwrap();
    assert_eq!(ledger.tidy(now, &Retention::default()).unwrap().samples, 2);
    let found: Vec<_> = all(&ledger).iter().map(|sample| sample.value).collect();
    assert_eq!(found, [Some(4.0), Some(6.0), Some(9.0), Some(10.0)]);

    // The last one is known however old it is, and hours end as well.
    ledger.tidy(at(40 * DAY), &Retention::default()).unwrap();
    assert_eq!(ledger.latest("shop", "used").unwrap()[0].value, Some(9.5));
    assert_eq!(ledger.tidy(at(401 * DAY), &Retention::default()).unwrap().hours, 3);
    assert_eq!(all(&ledger), []);
}

fn times_before_1970_and_values_without_a_mean_become_hours_too(place: &Place) {
    let mut ledger = place.open();
    let old = Timestamp::from_second(-3601).unwrap();
    let samples = [
        Sample { at: old, ..sample("used", &[], 0, Some(2.0)) },
        sample("used", &[], 0, Some(f64::INFINITY)),
        sample("used", &[], 1, Some(f64::NEG_INFINITY)),
    ];
    ledger.record("shop", &samples).unwrap();
    let keep = Retention { hours: days(50_000), ..Retention::default() };
    ledger.tidy(at(30 * DAY), &keep).unwrap();
    let found = all(&ledger);
    assert_eq!((found[0].at, found[0].value), (Timestamp::from_second(-7200).unwrap(), Some(2.0)));
    assert_eq!((found[1].value, found[1].why.as_deref()), (None, Some("the mean of this hour is not a number")));
}

fn what_ended_long_ago_is_removed_and_what_is_open_stays(place: &Place) {
    let mut ledger = place.open();
    let commit = Commit {
        put: vec![
            document("alert", "open", 0, None),
            document("alert", "old", 0, Some(10)),
            document("alert", "new", 0, Some(2 * DAY)),
        ],
        happened: vec![happening(10, "alert/old", "fired"), happening(2 * DAY, "alert/new", "fired")],
        ..Commit::at(at(0))
    };
    assert_eq!(ledger.commit("shop", 0, &commit).unwrap(), Committed::Done { version: 1 });
    tell(&mut ledger, "shop", vec![message("told", 0), message("waits", 0)]);
    let told = ledger.claim(("shop", "ops"), "me", at(0), SignedDuration::from_secs(60), 1, None).unwrap();
    assert!(ledger.told(told[0].id, "me", at(1), "ok").unwrap());
    for (section, due) in [("Morning", 0), ("Morning", 10), ("Evening", 20)] {
        assert!(ledger.note_due("shop", section, at(due), "run", None).unwrap());
    }
    let tidied = ledger.tidy(at(401 * DAY), &Retention::default()).unwrap();
    let expected = Tidied { documents: 1, messages: 1, happenings: 1, due: 1, ..Tidied::default() };
    assert_eq!(tidied, expected);
    assert_eq!(ledger.documents(None, "alert", None).unwrap().len(), 2);
    assert_eq!(ledger.happenings("shop", None, None).unwrap().len(), 1);
    assert_eq!(ledger.outgoing(None, None).unwrap()[0].key, "waits");
    assert_eq!(ledger.last_due("shop", "Morning").unwrap(), Some(at(10)), "the last one is never removed");
    assert_eq!(ledger.last_due("shop", "Evening").unwrap(), Some(at(20)));
}

fn a_call_does_a_bounded_amount_of_work_and_compact_does_all_of_it(place: &Place) {
    let mut ledger = place.open();
    let samples: Vec<Sample> = (0..120_000).map(|n| sample("used", &[], n * 10, Some(1.0))).collect();
    ledger.record("shop", &samples).unwrap();
    let now = at(60 * DAY);
    let first = ledger.tidy(now, &Retention::default()).unwrap();
    assert!(first.more && first.samples >= 50_000 && first.samples < 60_000, "{first:?}");
    let compacted = ledger.compact(now, &Retention::default()).unwrap();
    assert_eq!(compacted.tidied.samples + first.samples, 120_000);
    assert!(!compacted.tidied.more);
    assert!(compacted.after * 10 < compacted.before, "{compacted:?}");
    assert!(all(&ledger).iter().all(|sample| sample.value == Some(1.0)));
    assert_eq!(all(&ledger).len(), 334);
    let gone = ledger.compact(at(500 * DAY), &Retention::default()).unwrap();
    assert_eq!(gone.tidied.hours, 334);
    drop(ledger);
    assert_eq!(place.problems(), [""; 0]);
}
