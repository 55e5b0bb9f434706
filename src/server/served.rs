//! One runbook that is served.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::current::{self, Current, running, sampled};
use super::going::{Going, Run};
use super::lead::{LEASE, Lead};
use super::pulse::{Signs, Troubles};
use super::sampling;
use super::{Home, Links, Loaded};
use crate::alerting::{Happening, Input};
use crate::catalog::RunFacts;
use crate::check::program::Section;
use crate::schedule::{self, OwnRun, Timetable};
use crate::store::ledger::{self, Fence, Ledger, Retention, Sample, locked};
use crate::types::Fault;

/// How often the clock is looked at: it may jump, so nobody sleeps until a far moment. What is due is due at whole seconds.
const LOOK: Duration = Duration::from_secs(1);
/// A clock may show a moment less than a sleep has taken.
const JUST_AFTER: Duration = Duration::from_millis(2);
/// How often old samples are put together.
const TIDIED_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How long a run may take to stop when the server is told to.
const GRACE: Duration = Duration::from_mins(10);

/// A runbook that is served.
pub(super) struct Served {
    file: String,
    pub(super) home: Arc<dyn Home>,
    pub(super) holder: String,
    links: Option<Arc<Links>>,
    ledger: Mutex<Ledger>,
    current: Mutex<Current>,
    lead: Mutex<Lead>,
    signs: Mutex<Signs>,
}

/// What is known of it, for whoever asks.
pub(super) struct Known {
    pub(super) samples: Vec<Sample>,
    pub(super) alerts: usize,
    pub(super) incidents: usize,
    pub(super) waiting: usize,
    pub(super) leads: bool,
}

impl Served {
    pub(super) fn open(
        file: &str,
        loaded: Loaded,
        home: Arc<dyn Home>,
        holder: &str,
        links: Option<Arc<Links>>,
    ) -> Result<Self, Fault> {
        let ledger = home.ledger()?;
        let current = Current::of(loaded, &*home, holder, links.clone())?;
        Ok(Self {
            file: file.to_owned(),
            home,
            holder: holder.to_owned(),
            links,
            ledger: Mutex::new(ledger),
            current: Mutex::new(current),
            lead: Mutex::default(),
            signs: Mutex::default(),
        })
    }

    pub(super) fn title(&self) -> Arc<str> {
        Arc::clone(self.current().desk.runbook())
    }

    /// Takes what a person says.
    pub(super) fn take(&self, input: Input) -> Result<Vec<Happening>, Fault> {
        self.current().desk.take(self.home.now(), input)
    }

    pub(super) fn state(&self) -> Result<crate::alerting::State, Fault> {
        self.current().desk.state()
    }

    pub(super) fn known(&self) -> Result<Known, Fault> {
        let current = self.current();
        let state = current.desk.state()?;
        let ledger = self.ledger(None);
        let mut samples = Vec::new();
        for metric in &current.loaded.program.metrics {
            samples.extend(ledger.latest(current.desk.runbook(), &metric.name)?);
        }
        let outgoing = ledger.outgoing(Some(current.desk.runbook()), Some(Timestamp::MAX))?;
        let waiting = outgoing.iter().filter(|one| one.state.waits()).count();
        let (alerts, incidents) = (state.alerts.len(), state.incidents.len());
        Ok(Known { samples, alerts, incidents, waiting, leads: self.lead().own().is_some() })
    }

    /// Serves until told to stop.
    pub(super) async fn go_on(self: Arc<Self>, mut looks: watch::Receiver<()>, stop: CancellationToken) {
        let mut going = Going::default();
        self.home.say(&format!("serving \"{}\" ({})", self.title(), self.file));
        self.say_what_it_does();
        let mut asked = false;
        while !stop.is_cancelled() {
            self.reload(std::mem::take(&mut asked));
            let desk = Arc::clone(&self.current().desk);
            let mut news = desk.news();
            // What cannot be written down is not begun; it is tried again at the next look.
            match self.look(&mut going) {
                Ok(()) => {
                    let mut signs = self.signs();
                    signs.looked = Some(tokio::time::Instant::now());
                    signs.failed = None;
                }
                Err(fault) => {
                    self.home.warn(&format!("\"{}\": {fault}", self.title()));
                    self.signs().failed = Some(fault.to_string());
                }
            }
            tokio::select! {
                () = tokio::time::sleep(until_the_next(self.home.now())) => {}
                () = stop.cancelled() => {}
                Ok(()) = news.changed() => {}
                // The other side goes with the server.
                Ok(()) = looks.changed() => asked = true,
            }
        }
        self.stop(going).await;
    }

    /// Does what is due.
    fn look(self: &Arc<Self>, going: &mut Going) -> Result<(), Fault> {
        let now = self.home.now();
        let current = self.current();
        let Some(fence) = self.leads(going, &current, now)? else { return Ok(()) };
        let done = self.due(going, &current.under(&fence), &fence, now);
        if fence.is_lost() {
            // Whoever has found out, here or in what goes on: another server does what is due.
            self.step_down(going);
            return Ok(());
        }
        done
    }

    /// Under which fence this server does what is due; `None` where another one does.
    fn leads(&self, going: &mut Going, current: &Current, now: Timestamp) -> Result<Option<Fence>, Fault> {
        let before = self.lead().clone();
        let lead = before.ask(&mut self.ledger(None), current.desk.runbook(), &self.holder, now)?;
        if before.own().is_some_and(|own| own.is_lost() || !lead.is_as(&before)) {
            self.step_down(going);
        }
        if !lead.is_as(&before) {
            let what = match &lead {
                Lead::Own(_) => "does what is due from now on".to_owned(),
                Lead::Others { holder } => format!("waits: another server does what is due ({holder})"),
                Lead::Unknown => return Ok(None),
            };
            self.home.say(&format!("\"{}\": this server {what}", current.desk.runbook()));
        }
        *self.lead() = lead.clone();
        Ok(lead.own().cloned())
    }

    /// It was silent for so long that another one took over, which does not know of what was begun here: that ends as at the
    /// end of a server, between two changes.
    fn step_down(&self, going: &mut Going) {
        let before = std::mem::take(&mut *self.lead());
        if let Some(fence) = before.own() {
            // What still goes on in its name finds out without asking.
            fence.lose();
        }
        let going_on = std::mem::take(&mut going.interrupt);
        // Set once, here.
        let _ = going_on.signal.set("another server, which took over".to_owned());
        going_on.cancel.cancel();
        going.lines.end();
        // What was due last is for the ledger to say, and what did not work here is another's to do by now.
        going.last.clear();
        going.answered.clear();
        going.done = None;
        let mut signs = self.signs();
        // Where the policy stands is the same for whoever leads.
        let changing = signs.troubles.changing.take();
        signs.troubles = Troubles { changing, ..Troubles::default() };
    }

    /// Does what is due, in the name of the lease.
    fn due(self: &Arc<Self>, going: &mut Going, current: &Current, fence: &Fence, now: Timestamp) -> Result<(), Fault> {
        going.begins(now);
        going.settle(now);
        for section in &current.loaded.program.sections {
            self.section(going, current, fence, section, now)?;
        }
        self.answer(going, current, fence, now)?;
        self.ask_who(going, current, fence, now);
        self.sample(going, current, fence, now);
        for (look, _) in &going.sampling {
            look.hangs(&current.loaded, &current.desk, now)?;
        }
        if !going.looks_first(now) && current.desk.next_due()?.is_some_and(|due| due <= now) {
            current.desk.take(now, Input::Tick)?;
        }
        self.tell(&mut going.lines, current, fence, now)?;
        going.done = Some(now);
        self.tidy(going, fence, now)
    }

    /// Puts old samples together, a bounded piece at a time, so that a year of them has a known size.
    fn tidy(&self, going: &mut Going, fence: &Fence, now: Timestamp) -> Result<(), Fault> {
        if going.tidied.is_some_and(|last| now.duration_since(last) < TIDIED_EVERY) {
            return Ok(());
        }
        if !self.ledger(Some(fence)).tidy(now, &Retention::default())?.more {
            going.tidied = Some(now);
        }
        Ok(())
    }

    /// Begins a section that is due, and writes down the times at which it was not made.
    fn section(
        self: &Arc<Self>,
        going: &mut Going,
        current: &Current,
        fence: &Fence,
        section: &Section,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let Some(schedule) = &section.schedule else { return Ok(()) };
        let (runbook, title) = (current.desk.runbook(), &section.title);
        let last = match going.last.get(title) {
            Some(last) => Some(*last),
            None => self.ledger(None).last_due(runbook, title)?,
        };
        let own = going.runs.get(title).map(|run| OwnRun { began: run.began, ended: run.ended });
        let table = Timetable::new(schedule, &current.loaded.program.header.timezone, runbook, title);
        let decision = table.decide(schedule::Past { last, run: own }, now);
        if last.is_none() {
            self.ledger(Some(fence)).note_due(runbook, title, decision.last, "seen for the first time", None)?;
        }
        if decision.clock_was_wrong {
            self.home
                .warn(&format!("\"{title}\": the last time lies ahead of now: a clock was wrong, and is forgotten"));
        }
        for missed in &decision.missed {
            let why = match missed.why {
                schedule::Why::NotUp => "missed: nothing was up",
                schedule::Why::TooLate => "missed: it is too late by now",
                schedule::Why::Overlap => "skipped: the run before it was going on",
            };
            if self.ledger(Some(fence)).note_due(runbook, title, missed.due.scheduled, why, None)? {
                self.home.warn(&format!("\"{title}\" of {}: {why}", missed.due.scheduled));
            }
        }
        if let Some(due) = decision.run {
            self.begin(going, current, fence, section, due.scheduled, now)?;
        }
        going.last.insert(Arc::clone(title), decision.last);
        Ok(())
    }

    /// Begins a run, unless another server has begun it.
    pub(super) fn begin(
        self: &Arc<Self>,
        going: &mut Going,
        current: &Current,
        fence: &Fence,
        section: &Section,
        scheduled: Timestamp,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let (runbook, title) = (current.desk.runbook(), &section.title);
        let begun = self.home.begin(&current.loaded, title, scheduled, Arc::clone(&current.desk));
        let beginning = match begun {
            Ok(beginning) => beginning,
            Err(why) => {
                self.ledger(Some(fence)).note_due(
                    runbook,
                    title,
                    scheduled,
                    "not begun: it could not be recorded",
                    None,
                )?;
                let why = format!("\"{title}\" was not begun: {why}");
                self.home.warn(&why);
                self.signs().troubles.beginning = Some(why);
                return Ok(());
            }
        };
        self.signs().troubles.beginning = None;
        let run = Arc::clone(&beginning.started.run);
        if !self.ledger(Some(fence)).note_due(runbook, title, scheduled, "begun", Some(&run))? {
            return Ok(());
        }
        self.home.say(&format!("\"{title}\" begins: run {run}, for {scheduled}"));
        let work =
            running(beginning, current.clone(), going.interrupt.clone(), Arc::clone(&self.home), Arc::clone(title));
        going.runs.insert(Arc::clone(title), Run::begin(now, work, Arc::clone(&self.home)));
        Ok(())
    }

    fn sample(self: &Arc<Self>, going: &mut Going, current: &Current, fence: &Fence, now: Timestamp) {
        let due = going.samples.take(&current.loaded, now);
        if due.is_empty() {
            return;
        }
        let (served, fence) = (Arc::clone(self), fence.clone());
        let started = sampled(current);
        // A sample is of now: `.age` does not count from the start of the server.
        let facts = RunFacts { started_at: now, scheduled_at: now, ..(*current.loaded.facts).clone() };
        let loaded = Loaded { facts: Arc::new(facts), ..current.loaded.clone() };
        let world = Arc::clone(&current.world);
        let (desk, interrupt) = (Arc::clone(&current.desk), going.interrupt.clone());
        let look = Arc::new(sampling::Look::new(&loaded, &due, now));
        let own = Arc::clone(&look);
        let task = tokio::spawn(async move {
            let fault = sampling::sample(loaded, due, world, desk, interrupt, started, own).await;
            let why =
                fault.map(|fault| format!("samples could not be written down, and nobody is told of them: {fault}"));
            // That another server samples by now is no trouble.
            let why = why.filter(|_| !fence.is_lost());
            if let Some(why) = &why {
                served.home.warn(why);
            }
            served.signs().troubles.sampling = why;
        });
        going.sampling.push((look, task));
    }

    /// Takes an edited file into use if it is valid, and says so, loudly, where it is not.
    /// Where somebody asked for it, what did not change is said as well.
    fn reload(&self, asked: bool) {
        let mut now = self.served_now();
        let stamp = self.home.stamp(&now.loaded);
        let is_same = stamp == now.loaded.stamp;
        if is_same && !asked {
            return;
        }
        let before = std::mem::replace(&mut now.loaded.stamp, stamp);
        let desk = Arc::clone(&now.desk);
        let loaded = now.loaded.clone();
        drop(now);
        self.look_at_the_policy(&loaded);
        let loaded = match self.home.load(&self.file) {
            Ok(loaded) => loaded,
            Err(why) => {
                let why = format!("{why}\n`{}` is not valid: what was served before is served on", self.file);
                // Whoever asks is answered, also where the same was said just now.
                if asked {
                    self.home.say(&why);
                } else {
                    self.home.warn(&why);
                }
                return;
            }
        };
        if is_same && loaded.fingerprint == self.served_now().loaded.fingerprint {
            self.home.say(&format!("\"{}\" was looked at, and is as it was", desk.runbook()));
            return;
        }
        if *loaded.program.header.title != **desk.runbook() {
            let (old, new) = (desk.runbook(), &loaded.program.header.title);
            self.home
                .warn(&format!("\"{old}\" is called \"{new}\" now: start the server anew; \"{old}\" is served on"));
            return;
        }
        self.home.approvals(&self.file, &loaded);
        match Current::of(loaded, &*self.home, &self.holder, self.links.clone()) {
            Ok(fresh) => {
                self.home.say(&format!("\"{}\" was edited, and is served as it is now", desk.runbook()));
                *self.served_now() = fresh;
                self.say_what_it_does();
            }
            Err(fault) => {
                // It is no fault of the edit: it is tried again at the next look.
                self.served_now().loaded.stamp = before;
                self.home.warn(&format!("`{}` is not taken into use yet: {fault}", self.file));
            }
        }
    }

    /// A server that has nothing to do is up and well, and nobody would see that.
    fn say_what_it_does(&self) {
        let (title, loaded) = (self.title(), self.current().loaded);
        match current::outlook(&loaded, self.home.now()) {
            Ok(outlook) => self.home.say(&format!("\"{title}\": {outlook}")),
            Err(outlook) => self.home.warn(&format!("\"{title}\": nothing of it is done by itself: {outlook}")),
        }
    }

    /// Says whether the policy, as it was edited, still lets what is served change anything. Each change asks for itself.
    fn look_at_the_policy(&self, loaded: &Loaded) {
        let withheld = self.home.may_change(loaded).err().map(|why| format!("changes are withheld: {why}"));
        if let Some(why) = &withheld {
            self.home.warn(&format!("\"{}\": {why}", loaded.program.header.title));
        }
        self.signs().troubles.changing = withheld;
    }

    /// Stops what is going on in good order, and lets another server take over at once.
    async fn stop(&self, going: Going) {
        going.interrupt.cancel.cancel();
        // Who is on call is asked anew by whoever serves next.
        going.asking.iter().for_each(|(_, task)| task.abort());
        let runs = going.runs.into_values().filter_map(|run| run.task);
        let tasks: Vec<JoinHandle<()>> = runs.chain(going.sampling.into_iter().map(|(_, task)| task)).collect();
        let ended = tokio::time::timeout(GRACE, join_all(tasks));
        let (ended, ()) = tokio::join!(ended, self.arrive(going.lines));
        if ended.is_err() {
            self.home.warn("not everything has stopped; it is left as it is");
        }
        let lease = ledger::lead(&self.title());
        if let Err(fault) = self.ledger(None).release(&lease, &self.holder) {
            self.home.warn(&format!("another server takes over in {LEASE:#}: {fault}"));
        }
    }

    /// What is served now. A copy, so that nobody waits for a look that takes long.
    pub(super) fn current(&self) -> Current {
        self.served_now().clone()
    }

    fn served_now(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which other server leads; `None` where this one does.
    pub(super) fn leader(&self) -> Option<String> {
        match &*self.lead() {
            Lead::Others { holder } => Some(holder.clone()),
            Lead::Own(_) | Lead::Unknown => None,
        }
    }

    /// # Errors
    /// Why what is due is not done.
    pub(super) fn well(&self) -> Result<(), String> {
        self.signs().well()
    }

    pub(super) fn signs(&self) -> MutexGuard<'_, Signs> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ledger, to write in it under a fence, or in one's own name.
    pub(super) fn ledger(&self, fence: Option<&Fence>) -> MutexGuard<'_, Ledger> {
        let mut ledger = locked(&self.ledger);
        ledger.guard(fence);
        ledger
    }

    fn lead(&self) -> MutexGuard<'_, Lead> {
        self.lead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long it is until a look just after the next whole second.
fn until_the_next(now: Timestamp) -> Duration {
    let into = u64::try_from(now.subsec_nanosecond()).map_or(Duration::ZERO, Duration::from_nanos);
    LOOK.saturating_sub(into) + JUST_AFTER
}
