//! Samples: measured or not, by time and by labels.

use runbook::store::ledger::{Ledger, Sample};

use crate::place::{Place, at, sample};

both!(
    samples_come_back_in_order_of_time,
    the_same_sample_twice_is_one_and_measured_wins,
    what_is_not_a_number_was_not_measured
);

fn all(ledger: &Ledger, metric: &str) -> Vec<Sample> {
    ledger.samples("shop", metric, jiff::Timestamp::MIN, jiff::Timestamp::MAX).unwrap()
}

fn samples_come_back_in_order_of_time(place: &Place) {
    let mut ledger = place.open();
    let (a, b) = (&[("disk", "a")], &[("disk", "b")]);
    ledger.record("shop", &[]).unwrap();
    let recorded =
        [sample("used", b, 30, Some(0.5)), sample("used", a, 10, Some(f64::INFINITY)), sample("used", a, 20, None)];
    ledger.record("shop", &recorded).unwrap();
    ledger.record("shop", &[sample("free", a, 10, Some(-1e300))]).unwrap();
    ledger.record("bank", &[sample("used", a, 10, Some(1.0))]).unwrap();
    let expected = [recorded[1].clone(), recorded[2].clone(), recorded[0].clone()];
    assert_eq!(all(&ledger, "used"), expected);
    assert_eq!(ledger.samples("shop", "used", at(10), at(20)).unwrap(), expected[..2], "both ends are included");
    assert_eq!(ledger.samples("shop", "used", at(11), at(19)).unwrap(), []);
    assert_eq!(all(&ledger, "nobody's"), []);
    assert_eq!(ledger.latest("shop", "used").unwrap(), [recorded[0].clone(), recorded[2].clone()]);
    assert_eq!(ledger.latest("nobody", "used").unwrap(), []);
}

fn the_same_sample_twice_is_one_and_measured_wins(place: &Place) {
    let mut ledger = place.open();
    let labels: &[_] = &[("disk", "a"), ("host", "x")];
    let turned: &[_] = &[("host", "x"), ("disk", "a")];
    let mut record = |labels, value| {
        ledger.record("shop", &[sample("used", labels, 10, value)]).unwrap();
        let all = all(&ledger, "used");
        assert_eq!(all.len(), 1);
        assert_eq!(&*all[0].labels[0].0, "disk", "sorted");
        (all[0].value, all[0].why.clone())
    };
    let unanswered = Some("nobody answered".to_owned());
    assert_eq!(record(labels, None), (None, unanswered));
    assert_eq!(record(turned, Some(0.5)), (Some(0.5), None));
    assert_eq!(record(labels, None), (Some(0.5), None), "that it was not measured takes nothing away");
    assert_eq!(record(labels, Some(0.75)), (Some(0.75), None));
}

fn what_is_not_a_number_was_not_measured(place: &Place) {
    let mut ledger = place.open();
    ledger.record("shop", &[sample("used", &[], 10, Some(f64::NAN))]).unwrap();
    let latest = ledger.latest("shop", "used").unwrap();
    assert_eq!((latest[0].value, latest[0].why.as_deref()), (None, Some("the value is not a number")));
}
