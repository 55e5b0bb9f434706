//! The beginning of a server: the ledger may not be there yet, since its database, or the way to it, begins at the same time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::served::Served;
use super::{Home, Links, Loaded};
use crate::types::{Fault, FaultKind};

/// The pause before it is tried again, which doubles up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often it is said again what is waited for: one line is overlooked, and a name with a typo never comes.
const SAID_AGAIN: Duration = Duration::from_mins(5);

/// All that is served, with its ledger open.
pub(super) struct Open {
    pub(super) all: Vec<Arc<Served>>,
    pub(super) links: Option<Arc<Links>>,
}

/// What is waited for, for whoever asks.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<Option<Said>>>);

/// What is waited for, and when that was said last.
struct Said {
    why: String,
    at: Instant,
}

impl Waiting {
    pub(super) fn why(&self) -> String {
        let why = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        why.as_ref().map_or_else(|| "the ledger is being opened".to_owned(), |said| format!("waits: {}", said.why))
    }

    /// Gives whether people have to be told: it is news, or they were told long ago.
    fn say(&self, why: String, now: Instant) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = said.as_ref().is_some_and(|said| said.why == why && now.duration_since(said.at) < SAID_AGAIN);
        if !is_known {
            *said = Some(Said { why, at: now });
        }
        !is_known
    }
}

/// Opens the ledger for runbooks that were read, and tries again where time may help. `None` where it was told to stop.
///
/// # Errors
/// What no time mends: a password, a version, an address.
pub(super) async fn open(
    loaded: Vec<(String, Loaded)>,
    home: &Arc<dyn Home>,
    holder: &str,
    waiting: &Waiting,
    stop: &CancellationToken,
) -> Result<Option<Open>, Fault> {
    let (loaded, holder) = (Arc::new(loaded), Arc::<str>::from(holder));
    let mut pause = PAUSE;
    loop {
        // A ledger that does not answer takes its time, and who is told to stop does not wait for it.
        let (own, at_home, name) = (Arc::clone(&loaded), Arc::clone(home), Arc::clone(&holder));
        let opening = spawn_blocking(move || all(&own, &at_home, &name));
        let Some(opened) = stop.run_until_cancelled(opening).await else { return Ok(None) };
        let fault = match opened {
            Ok(Ok(open)) => return Ok(Some(open)),
            Ok(Err(fault)) => fault,
            Err(error) => return Err(Fault::new(FaultKind::Failed, format!("the ledger was not opened: {error}"))),
        };
        if !may_pass(fault.kind) {
            return Err(fault);
        }
        if waiting.say(fault.to_string(), Instant::now()) {
            let help = fault.help.map_or_else(String::new, |help| format!("; {help}"));
            home.warn(&format!("nothing is served yet, it is tried again: {}{help}", fault.message));
        }
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return Ok(None);
        }
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

/// Whether it may be another tomorrow without that anybody types something: nobody is there, or does not answer.
const fn may_pass(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Unreachable | FaultKind::Timeout)
}

fn all(loaded: &[(String, Loaded)], home: &Arc<dyn Home>, holder: &str) -> Result<Open, Fault> {
    let links = home.links()?.map(Arc::new);
    let served = loaded.iter().map(|(file, loaded)| {
        Served::open(file, loaded.clone(), Arc::clone(home), holder, links.clone()).map(Arc::new)
    });
    let all: Vec<Arc<Served>> = served.collect::<Result<_, Fault>>()?;
    for (file, loaded) in loaded {
        home.approvals(file, loaded);
    }
    Ok(Open { all, links })
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::{SAID_AGAIN, Waiting, may_pass};
    use crate::types::FaultKind;

    #[test]
    fn what_is_waited_for_is_said_again_where_it_is_another_or_was_said_long_ago() {
        let (waiting, begun) = (Waiting::default(), Instant::now());
        let say = |why: &str, at: Instant| waiting.say(why.to_owned(), at);
        assert!(say("no host", begun));
        assert!(!say("no host", begun + SAID_AGAIN / 2));
        assert!(say("no answer", begun + SAID_AGAIN / 2), "it is another");
        assert!(!say("no answer", begun + SAID_AGAIN), "it was said not long ago");
        assert!(say("no answer", begun + SAID_AGAIN * 3 / 2));
        assert_eq!(waiting.why(), "waits: no answer");
    }

    #[test]
    fn what_a_person_has_to_mend_is_not_waited_for() {
        let waited: Vec<&str> =
            FaultKind::ALL.iter().copied().filter(|kind| may_pass(*kind)).map(FaultKind::name).collect();
        assert_eq!(waited, ["unreachable", "timeout"]);
    }
}
