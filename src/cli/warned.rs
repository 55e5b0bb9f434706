//! What has been warned of just now: what is tried again each second, and fails, is said once a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const SAME: Duration = Duration::from_mins(1);

#[derive(Default)]
pub(super) struct Warned(Mutex<HashMap<String, Instant>>);

impl Warned {
    /// Whether a line is to be said at a time: the same was not said in the minute before.
    pub(super) fn says(&self, line: &str, now: Instant) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|_, at| now.duration_since(*at) < SAME);
        let is_new = !said.contains_key(line);
        if is_new {
            said.insert(line.to_owned(), now);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Warned;

    #[test]
    fn the_same_is_said_once_a_minute_and_another_one_at_once() {
        let (warned, begun) = (Warned::default(), Instant::now());
        let said = |line: &str| {
            let at = |second: &u64| begun + Duration::from_secs(*second);
            (0..180).filter(|second| warned.says(line, at(second))).collect::<Vec<u64>>()
        };
        assert_eq!(said("the disk is full"), [0, 60, 120]);
        let later = begun + Duration::from_secs(179);
        assert!(warned.says("who is on call is not known", later) && !warned.says("the disk is full", later));
    }
}
