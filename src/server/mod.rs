//! `runbook serve`: runs what is due, samples metrics, drives escalations, answers over HTTP.
//!
//! Each runbook is served by a task of its own (`served`): once a second it looks at what is due by the clock, and writes
//! down what it begins before it begins it. Several servers on one ledger agree by a lease on who does so; another takes
//! over as soon as the lease runs out. Where it all comes from (files, the ledger, the world) is behind [`Home`].

mod acknowledging;
mod current;
mod exposition;
mod going;
mod hooks;
mod http;
mod lead;
mod on_alert;
mod opening;
mod pulse;
mod rota;
mod sampling;
mod served;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::acknowledging::Links;
use self::opening::{Open, Waiting};
pub use self::pulse::Pulse;
use crate::catalog::{Past, RunFacts, World};
use crate::check::program::{ParamId, Program};
use crate::desk::{Delivery, Desk};
use crate::plan::{Plan, Selection};
use crate::policy::Policy;
use crate::run::{Consent, EventSink, Proposal, Rules};
use crate::source::Sources;
use crate::store::event::RunStarted;
use crate::store::ledger::{Exclusive, Ledger};
use crate::types::{Fault, FaultKind, SecretText, Value};

/// A ledger that takes longer to open is waited for, and that is said to whoever asks.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How long those who ask something when the server is told to stop may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// A runbook that is valid, ready to be served.
#[derive(Clone)]
pub struct Loaded {
    pub program: Arc<Program>,
    pub sources: Arc<Sources>,
    pub set: std::collections::HashMap<ParamId, Value>,
    /// What all of it would do, with these values.
    pub plan: Arc<Plan>,
    /// Relative paths in it start here.
    pub facts: Arc<RunFacts>,
    /// Changes with the text of its files.
    pub fingerprint: String,
    /// The stamp of its files as they were read: it may be long until it is served.
    pub stamp: String,
    /// What its repository asks of it.
    pub policy: Option<Arc<Policy>>,
}

/// A run that is to be begun.
pub struct Beginning {
    pub started: RunStarted,
    pub facts: Arc<RunFacts>,
    pub proposal: Proposal,
    pub selection: Selection,
    pub consent: Consent,
    pub rules: Arc<dyn Rules>,
    /// Takes its events, to the journal and to alerting.
    pub recording: Arc<dyn Recording>,
    /// Keeps other runs from changing the same at the same time.
    pub exclusive: Arc<Exclusive>,
}

/// Keeps a run.
pub trait Recording: EventSink {
    /// The run is over. Its exit code as it is kept, and what of it could not be kept.
    fn end(&self) -> (Option<u8>, Vec<String>);

    fn sink(self: Arc<Self>) -> Arc<dyn EventSink>;
}

/// Where a server lives: its files, its ledger, its world.
pub trait Home: Send + Sync {
    /// Reads and checks a runbook.
    ///
    /// # Errors
    /// What is wrong with it, as it is told to people.
    fn load(&self, file: &str) -> Result<Loaded, String>;

    /// Something that is different whenever the files of a runbook are: cheap, and looked at often.
    fn stamp(&self, loaded: &Loaded) -> String;

    /// Whether the policy as it is now lets a runbook change anything.
    ///
    /// # Errors
    /// Why not: it refuses the runbook, or cannot be read.
    fn may_change(&self, loaded: &Loaded) -> Result<(), String>;

    /// Says which changes of a runbook wait for somebody who agrees to them. Asks the ledger.
    fn approvals(&self, file: &str, loaded: &Loaded);

    /// Makes the links by which people acknowledge; `None` where nobody can reach this server by one.
    ///
    /// # Errors
    /// Where their key cannot be read or kept.
    fn links(&self) -> Result<Option<Links>, Fault>;

    /// # Errors
    /// Where it cannot be opened.
    fn ledger(&self) -> Result<Ledger, Fault>;

    fn world(&self, loaded: &Loaded, past: Arc<dyn Past>) -> Arc<dyn World>;

    /// Begins to keep a run of one section.
    ///
    /// # Errors
    /// Where it cannot be kept: it is not begun then.
    fn begin(&self, loaded: &Loaded, section: &str, scheduled: Timestamp, desk: Arc<Desk>)
    -> Result<Beginning, String>;

    /// A line for whoever reads along.
    fn say(&self, line: &str);

    fn warn(&self, line: &str);

    /// What became of a message, now.
    fn delivered(&self, delivery: &Delivery);

    /// All runbooks are read and checked, and it answers. The ledger may still be waited for.
    fn ready(&self);

    fn now(&self) -> Timestamp;
}

/// How a server is asked to work.
pub struct Settings {
    pub files: Vec<String>,
    /// Where it answers over HTTP; nowhere where there is none.
    pub listener: Option<std::net::TcpListener>,
    /// What whoever posts alerts has to know; without it nobody posts any.
    pub webhook_token: Option<SecretText>,
    /// Who waits for signs of life.
    pub pulses: Vec<Pulse>,
    /// Names this process to others on the same ledger.
    pub holder: String,
    /// Changes when somebody asks that the files are looked at now.
    pub looks: watch::Receiver<()>,
}

/// Serves until it is told to stop. Whatever is going on then is stopped in good order. A ledger that is not there yet is
/// waited for.
///
/// # Errors
/// Where it cannot begin.
pub async fn serve(settings: Settings, home: Arc<dyn Home>, stop: CancellationToken) -> Result<(), Fault> {
    let Settings { files, listener, webhook_token, pulses, holder, looks } = settings;
    let mut loaded = Vec::new();
    for file in files {
        let one = home.load(&file).map_err(|why| Fault::new(FaultKind::Setup, why))?;
        loaded.push((file, one));
    }
    let mut titles: Vec<Arc<str>> = loaded.iter().map(|(_, loaded)| Arc::clone(&loaded.program.header.title)).collect();
    titles.sort();
    if let Some(twice) = titles.windows(2).find_map(|pair| pair.first().filter(|one| pair.get(1) == Some(one))) {
        let why = format!("two of the files are called \"{twice}\": what is kept of them could not be told apart");
        return Err(Fault::new(FaultKind::Setup, why));
    }
    let waiting = Waiting::default();
    let mut opening = std::pin::pin!(opening::open(loaded, &home, &holder, &waiting, &stop));
    // Who connects in the first moment is answered by what follows.
    let (open, is_ready) = if let Ok(open) = tokio::time::timeout(AT_ONCE, &mut opening).await {
        (open, false)
    } else {
        let answering = listener.as_ref().map(|listener| http::waits(listener, waiting.clone(), &home));
        let _answering = answering.transpose()?;
        home.ready();
        let open = tokio::select! {
            open = &mut opening => open,
            never = pulse::wait(&pulses, &*home) => match never {},
        };
        (open, true)
    };
    let Some(Open { all, links }) = open? else { return Ok(()) };
    let answering = match listener {
        Some(listener) => {
            Some(http::answer(listener, all.clone(), links, webhook_token, Arc::clone(&home), stop.clone())?)
        }
        None => None,
    };
    if !is_ready {
        home.ready();
    }
    for pulse in pulses {
        tokio::spawn(pulse::beat(pulse, all.clone(), Arc::clone(&home), stop.clone()));
    }
    join_all(all.iter().map(|served| Arc::clone(served).go_on(looks.clone(), stop.clone()))).await;
    if let Some(answering) = answering {
        // It ends by the same token, once those who ask are answered: one that never ends its question is not waited for.
        let _ = tokio::time::timeout(ANSWERED_WITHIN, answering).await;
    }
    Ok(())
}
