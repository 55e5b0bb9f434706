//! The desk: alerting with what it keeps. It reads along with runs, takes what people say, and writes down what follows
//! before anybody is told.

mod courier;
mod flood;
mod keeping;
mod left;
mod lines;
mod past;
mod quiet;
mod rota;
mod turns;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use tokio::sync::watch;

pub use self::courier::{Courier, Delivery, Hears, MakesLinks, Then};
pub use self::keeping::{ALERT, INCIDENT, SILENCE, read, zone};
pub use self::left::Left;
pub use self::lines::Until;
use self::quiet::Keeping;
use crate::alerting::{Along, Definitions, Engine, Happening, Input, Outcome, Policy, Reading, Rota, State, Tell};
use crate::catalog::RunFacts;
use crate::check::program::{ParamId, Program};
use crate::run::Judge;
use crate::store::event::{Event, Measured, Record};
use crate::store::ledger::{Committed, Fence, Ledger, Sample, locked};
use crate::types::{Fault, FaultKind, Value};

/// How long what became due while nothing was up waits for whoever looks.
const HELD: SignedDuration = SignedDuration::from_mins(1);
/// How often a decision is made anew because somebody else decided meanwhile.
const MOST_ROUNDS: u32 = 100;

/// Alerting of one runbook, with what it keeps.
pub struct Desk {
    runbook: Arc<str>,
    inner: Arc<Mutex<Inner>>,
    /// Changes when something was written down.
    news: watch::Sender<()>,
    /// Under which lease it writes.
    fence: Option<Fence>,
}

struct Inner {
    ledger: Ledger,
    engine: Engine,
    /// The version that the engine's state is of; `None` where it is not what the ledger has.
    version: Option<u64>,
    reading: Reading,
    program: Arc<Program>,
    /// Who is on call, where a tool says it.
    rota: Rota,
    /// The call of that tool, as a hash.
    call: Option<Arc<str>>,
    /// The messages that were written down here, where somebody waits for what becomes of them.
    written: Option<Vec<Tell>>,
    /// What sections that run here keep quiet.
    quiet: Keeping,
}

impl Desk {
    /// # Errors
    /// Where what is kept cannot be read.
    pub fn open(
        ledger: Ledger,
        program: Arc<Program>,
        set: HashMap<ParamId, Value>,
        facts: Arc<RunFacts>,
    ) -> Result<Self, Fault> {
        let judge = Judge::new(Arc::clone(&program), set.clone(), Arc::clone(&facts));
        let definitions = Definitions::of(&program).kept_in(&ledger.id()?).with_links(&program, &judge)?;
        let definitions = Arc::new(definitions);
        let runbook = Arc::clone(&definitions.runbook);
        let engine = Engine::new(definitions, State::default());
        let call = rota::call(&program, &set, &facts.directory);
        let reading = Reading::new(Arc::clone(&program), set, facts);
        let (rota, written, quiet) = (Rota::default(), None, Keeping::default());
        let mut inner = Inner { ledger, engine, version: None, reading, program, rota, call, written, quiet };
        inner.refresh(&runbook)?;
        let news = watch::channel(()).0;
        Ok(Self { runbook, inner: Arc::new(Mutex::new(inner)), news, fence: None })
    }

    /// The same desk, for what is done in the name of a lease: it writes only while the lease is held.
    #[must_use]
    pub fn under(&self, fence: Fence) -> Self {
        let (runbook, inner, news) = (Arc::clone(&self.runbook), Arc::clone(&self.inner), self.news.clone());
        Self { runbook, inner, news, fence: Some(fence) }
    }

    /// Whether what is done in the name of a lease may still be done.
    ///
    /// # Errors
    /// Where the lease is lost, or nobody can say.
    pub fn holds(&self) -> Result<(), Fault> {
        self.lock().ledger.holds()
    }

    /// Hears whenever something was written down here from now on.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Remembers what is written down here to be told.
    fn follow(&self) {
        self.lock().written.get_or_insert_default();
    }

    /// What was remembered since this was asked for last.
    fn written(&self) -> Vec<Tell> {
        self.lock().written.as_mut().map(std::mem::take).unwrap_or_default()
    }

    #[must_use]
    pub fn runbook(&self) -> &Arc<str> {
        &self.runbook
    }

    /// Reads an event of a run, of which others were read `along`. Gives what follows from it.
    ///
    /// # Errors
    /// Where it could not be written down: then nobody is told of it.
    pub fn read(&self, along: &mut Along, record: &Record) -> Result<Vec<Happening>, Fault> {
        let mut inner = self.lock();
        if let Event::Measured(measured) = &record.event {
            inner.ledger.record(&self.runbook, &samples(measured, record.at))?;
        }
        if matches!(record.event, Event::SectionFinished { .. }) {
            // What others have opened meanwhile ends with the section, too.
            inner.refresh(&self.runbook)?;
        }
        let Inner { reading, engine, quiet, .. } = &mut *inner;
        let mut inputs = reading.read(along, record, engine.state());
        for input in &mut inputs {
            quiet.follow(record.at, input);
        }
        inner.decide(&self.runbook, record.at, &inputs).inspect(|happened| self.call(happened))
    }

    /// Takes what somebody says, or that time has passed.
    ///
    /// # Errors
    /// Where it could not be written down.
    pub fn take(&self, now: Timestamp, input: Input) -> Result<Vec<Happening>, Fault> {
        self.take_all(now, &[input])
    }

    /// Time has passed while nothing was up. People are told of what became due only after a while, or when somebody says
    /// so (`Courier::release`): whoever looks now may find that it is over.
    ///
    /// # Errors
    /// As for [`Self::take`].
    pub fn make_up(&self, now: Timestamp) -> Result<Vec<Happening>, Fault> {
        let held = now.checked_add(HELD).unwrap_or(now);
        self.lock().keep(&self.runbook, now, &[Input::Tick], None, held).inspect(|happened| self.call(happened))
    }

    /// Takes several things at once: all of them are written down in one piece, or none.
    ///
    /// # Errors
    /// As for [`Self::take`].
    pub fn take_all(&self, now: Timestamp, inputs: &[Input]) -> Result<Vec<Happening>, Fault> {
        self.lock().decide(&self.runbook, now, inputs).inspect(|happened| self.call(happened))
    }

    /// What is open, as the ledger has it now.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn state(&self) -> Result<State, Fault> {
        let mut inner = self.lock();
        inner.refresh(&self.runbook)?;
        Ok(inner.engine.state().clone())
    }

    /// The open alerts of some thresholds that people hear of, and when they were opened.
    ///
    /// # Errors
    /// Where what is kept cannot be read.
    pub fn told(&self, thresholds: &[&str]) -> Result<Vec<(i64, Timestamp)>, Fault> {
        let mut inner = self.lock();
        inner.refresh(&self.runbook)?;
        let alerts = inner.engine.state().alerts.values();
        let told = alerts.filter(|alert| !alert.waits() && thresholds.contains(&&*alert.subject.threshold));
        Ok(told.map(|alert| (alert.number, alert.opened_at)).collect())
    }

    /// Who is told next, and when; `None` where the runbook has no escalation.
    #[must_use]
    pub fn policy(&self) -> Option<Arc<Policy>> {
        self.lock().engine.definitions().policy.clone()
    }

    /// A threshold by its title.
    ///
    /// # Errors
    /// Where there is none.
    pub fn threshold(&self, title: &str) -> Result<Arc<str>, Fault> {
        let inner = self.lock();
        let known = &inner.engine.definitions().thresholds;
        let found = known.get(title).map(|threshold| Arc::clone(&threshold.title));
        found.ok_or_else(|| {
            let titles: Vec<&str> = known.keys().map(|title| &**title).collect();
            Fault::new(FaultKind::NotFound, format!("there is no threshold \"{title}\""))
                .help(format!("there are: {}", titles.join(", ")))
        })
    }

    /// When something is due that nobody brings about, also by what others have decided since.
    ///
    /// # Errors
    /// Where what is kept cannot be read.
    pub fn next_due(&self) -> Result<Option<Timestamp>, Fault> {
        let mut inner = self.lock();
        inner.refresh(&self.runbook)?;
        Ok(inner.engine.next_due())
    }

    fn call(&self, happened: &[Happening]) {
        if !happened.is_empty() {
            self.news.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = locked(&self.inner);
        // Others have the same ledger, under another lease or none.
        inner.ledger.guard(self.fence.as_ref());
        inner
    }
}

impl Inner {
    /// Takes over what others have decided since.
    fn refresh(&mut self, runbook: &str) -> Result<(), Fault> {
        if self.version == Some(self.ledger.version(runbook)?) {
            return Ok(());
        }
        let snapshot = self.ledger.load(runbook)?;
        let definitions = self.engine.definitions().clone();
        self.engine = Engine::new(Arc::new(definitions), keeping::state(&snapshot.documents)?);
        self.adopt(keeping::rota(&snapshot.documents)?);
        self.version = Some(snapshot.version);
        Ok(())
    }

    /// Goes on with what is known of who is on call.
    fn adopt(&mut self, rota: Rota) {
        if Rota::call(&self.program).is_some() && rota != self.rota {
            self.engine.hand_over(rota.roster(&self.program));
        }
        self.rota = rota;
    }

    /// Decides what follows from some inputs, and writes it down in one piece. Where somebody else was quicker, it is
    /// decided anew from what they wrote.
    fn decide(&mut self, runbook: &str, now: Timestamp, inputs: &[Input]) -> Result<Vec<Happening>, Fault> {
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        self.keep(runbook, now, inputs, None, now)
    }

    /// The same, with the answer to the call that says who is on call.
    fn keep(
        &mut self,
        runbook: &str,
        now: Timestamp,
        inputs: &[Input],
        answer: Option<&(Arc<str>, Result<Json, Fault>)>,
        not_before: Timestamp,
    ) -> Result<Vec<Happening>, Fault> {
        for _ in 0..MOST_ROUNDS {
            self.refresh(runbook)?;
            let mut rota = answer.map(|_| self.rota.clone());
            let fresh = rota.as_mut().zip(answer.cloned());
            let told = fresh.and_then(|(rota, (call, answer))| rota.take(now, call, answer, &self.program));
            let mut outcome = Outcome::default();
            for input in inputs.iter().cloned().chain(told) {
                outcome.join(self.engine.take(now, input));
            }
            let (state, timezone) = (self.engine.state(), &self.engine.definitions().timezone);
            let Some(mut commit) = keeping::commit(now, &outcome, state, timezone, rota.as_ref())? else {
                return Ok(outcome.happened);
            };
            commit.tell.iter_mut().for_each(|tell| tell.not_before = not_before);
            let expected = self.version.unwrap_or(0);
            // Until it is known that it was written, the engine is ahead of what is kept.
            self.version = None;
            if let Committed::Done { version } = self.ledger.commit(runbook, expected, &commit)? {
                self.version = Some(version);
                if let Some(written) = &mut self.written {
                    written.append(&mut outcome.tell);
                }
                if let Some(rota) = rota {
                    self.adopt(rota);
                }
                return Ok(outcome.happened);
            }
        }
        let message =
            format!("others have written {MOST_ROUNDS} times while this was to be written: nobody is told of it");
        Err(Fault::new(FaultKind::Failed, message))
    }
}

fn samples(measured: &Measured, at: Timestamp) -> Vec<Sample> {
    let at = measured.taken.unwrap_or(at);
    let samples = measured.samples.iter().map(|sample| Sample {
        metric: Arc::clone(&measured.metric),
        labels: sample.labels.clone(),
        at,
        value: sample.value,
        why: sample.fault.as_ref().map(|fault| fault.message.to_string()),
    });
    samples.collect()
}
