//! Signs of life: given only while all that is served really goes on.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Home;
use super::served::Served;
use super::telling::Telling;
use crate::types::Fault;

/// A runbook that nobody has looked after for so long is not served any more.
const STALE: Duration = Duration::from_secs(30);

/// Whoever waits for signs of life.
pub struct Pulse {
    /// `the heartbeat`
    pub name: &'static str,
    pub every: Duration,
    /// Also while the ledger is waited for: whoever listens ends a process that is stuck, and this one is not.
    pub while_it_waits: bool,
    pub beat: Box<dyn Fn() -> BoxFuture<'static, Result<(), Fault>> + Send + Sync>,
}

/// How a runbook is served: when its work was looked after last, and what of it does not work.
#[derive(Default)]
pub(super) struct Signs {
    pub(super) looked: Option<Instant>,
    /// Why the last look came to nothing; `None` where it did not.
    pub(super) failed: Option<String>,
    pub(super) troubles: Troubles,
}

/// Why something does not work now, for each that may not.
#[derive(Default)]
pub(super) struct Troubles {
    /// Changes are withheld.
    pub(super) changing: Option<String>,
    pub(super) beginning: Option<String>,
    pub(super) sampling: Option<String>,
    pub(super) telling: Telling,
}

impl Signs {
    /// # Errors
    /// Why it is not well.
    pub(super) fn well(&self) -> Result<(), String> {
        let Troubles { changing, beginning, sampling, telling } = &self.troubles;
        let troubles = [changing.as_ref(), beginning.as_ref(), sampling.as_ref(), telling.trouble()];
        if let Some(why) = troubles.into_iter().flatten().next() {
            return Err(why.clone());
        }
        match self.looked.map(|looked| looked.elapsed()) {
            Some(ago) if ago <= STALE => self.failed.clone().map_or(Ok(()), Err),
            Some(ago) => {
                let why = self.failed.as_ref().map_or_else(String::new, |why| format!(": {why}"));
                Err(format!("nothing was looked after for {} s{why}", ago.as_secs()))
            }
            None => Err(self.failed.clone().unwrap_or_else(|| "it has not begun yet".to_owned())),
        }
    }
}

impl Pulse {
    async fn give(&self, home: &dyn Home) {
        if let Err(fault) = (self.beat)().await {
            home.warn(&format!("{} does not get through: {fault}", self.name));
        }
    }
}

/// Gives those that are given while nothing is served yet, for as long as somebody waits with it.
pub(super) async fn wait(pulses: &[Pulse], home: &dyn Home) -> Infallible {
    let given = pulses.iter().filter(|pulse| pulse.while_it_waits).map(|pulse| async {
        loop {
            pulse.give(home).await;
            tokio::time::sleep(pulse.every).await;
        }
    });
    let _: Vec<()> = join_all(given).await;
    std::future::pending().await
}

/// Gives signs of life until told to stop.
pub(super) async fn beat(pulse: Pulse, all: Vec<Arc<Served>>, home: Arc<dyn Home>, stop: CancellationToken) {
    let mut silent = false;
    loop {
        let ill = all.iter().find_map(|served| Some((served.title(), served.well().err()?)));
        if let Some((title, why)) = ill {
            // Said once, not at every beat.
            if !std::mem::replace(&mut silent, true) {
                home.warn(&format!("{} stops: \"{title}\": {why}", pulse.name));
            }
        } else {
            if std::mem::take(&mut silent) {
                home.say(&format!("{} goes on", pulse.name));
            }
            pulse.give(&*home).await;
        }
        if stop.run_until_cancelled(tokio::time::sleep(pulse.every)).await.is_none() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Signs;

    #[test]
    fn only_who_looks_and_has_no_trouble_is_well() {
        let mut signs = Signs::default();
        assert_eq!(signs.well(), Err("it has not begun yet".to_owned()));
        signs.looked = Some(Instant::now());
        assert_eq!(signs.well(), Ok(()));
        signs.troubles.beginning = Some("the disk is full".to_owned());
        assert_eq!(signs.well(), Err("the disk is full".to_owned()));
        signs.troubles.beginning = None;
        signs.failed = Some("no space".to_owned());
        assert_eq!(signs.well(), Err("no space".to_owned()), "at once");
        signs.failed = None;
        signs.looked = Instant::now().checked_sub(Duration::from_secs(31));
        assert_eq!(signs.well(), Err("nothing was looked after for 31 s".to_owned()));
        signs.failed = Some("the ledger is away".to_owned());
        assert_eq!(signs.well(), Err("nothing was looked after for 31 s: the ledger is away".to_owned()));
    }
}
