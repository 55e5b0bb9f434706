//! `jitter`: when a run is made, so that not everything begins at once.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// How far the runs of one section are spread, and what decides where each is.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    widest: SignedDuration,
    seed: Sha256,
}

impl Spread {
    pub(super) fn new(jitter: Option<SignedDuration>, runbook: &str, title: &str) -> Self {
        let mut seed = Sha256::new();
        for part in [runbook, title] {
            seed.update((part.len() as u64).to_be_bytes());
            seed.update(part);
        }
        Self { widest: jitter.unwrap_or_default(), seed }
    }

    /// How much later than its time a run is made at most.
    pub(super) const fn widest(&self) -> SignedDuration {
        self.widest
    }

    /// When what is scheduled for a moment is made: by whole seconds later, and before what is scheduled next.
    pub(super) fn at(&self, scheduled: Timestamp, following: Option<Timestamp>) -> Timestamp {
        let room = following.map_or(self.widest, |next| self.widest.min(next.duration_since(scheduled)));
        let Ok(seconds @ 1..) = u64::try_from(room.as_secs()) else { return scheduled };
        let mut hash = self.seed.clone();
        hash.update(scheduled.as_nanosecond().to_be_bytes());
        let number = hash.finalize().iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        let later = SignedDuration::from_secs(i64::try_from(number % seconds).unwrap_or(0));
        scheduled.checked_add(later).unwrap_or(scheduled)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::Spread;

    /// These values are on other machines, too: a change of them moves everybody's runs.
    #[test]
    fn the_same_everywhere_and_for_always() {
        let spread = Spread::new(Some(SignedDuration::from_mins(10)), "Care", "Backup");
        let at = |text: &str| spread.at(text.parse().unwrap(), None).to_string();
        let found = [at("2026-01-01T02:00:00Z"), at("2026-01-02T02:00:00Z"), at("2026-01-03T02:00:00Z")];
        assert_eq!(found, ["2026-01-01T02:03:23Z", "2026-01-02T02:00:23Z", "2026-01-03T02:09:40Z"]);
        let other = Spread::new(Some(SignedDuration::from_mins(10)), "CareB", "ackup");
        assert_ne!(other.at(Timestamp::UNIX_EPOCH, None), spread.at(Timestamp::UNIX_EPOCH, None));
    }

    #[test]
    fn never_as_late_as_the_next() {
        let spread = Spread::new(Some(SignedDuration::from_hours(1)), "Care", "Look");
        for second in 0..1000 {
            let scheduled = Timestamp::from_second(second * 30).unwrap();
            let next = Timestamp::from_second((second + 1) * 30).unwrap();
            let at = spread.at(scheduled, Some(next));
            assert!(scheduled <= at && at < next, "{scheduled} {at}");
        }
        let none = Spread::new(None, "Care", "Look");
        assert_eq!(none.at(Timestamp::UNIX_EPOCH, None), Timestamp::UNIX_EPOCH);
    }
}
