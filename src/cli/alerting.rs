//! Alerting of a run: what follows from what it finds is written down, and people are told.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use super::console::{Console, Failure};
use super::request::Prepared;
use super::state::Kept;
use crate::catalog::{Past, RunFacts, World};
use crate::check::program::walk;
use crate::check::program::{ChannelId, Member, Program, SectionKind, StatementKind};
use crate::desk::{Courier, Delivery, Desk, Left, Then, Until};
use crate::shown::look::{clean, counted};
use crate::store::ledger;
use crate::system::{self, System};

/// How long the end of a run waits for messages to get through.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same where a server tells them: it goes on.
const LEFT_AFTER: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Default, Args)]
pub(super) struct Telling {
    /// Only look: open no alert, keep no sample, tell nobody.
    #[arg(long)]
    no_notify: bool,
    /// Whether the command that was typed has that option.
    #[arg(skip = true)]
    is_option: bool,
}

impl Telling {
    /// Nobody is told.
    pub(super) const fn nobody() -> Self {
        Self { no_notify: true, is_option: false }
    }
}

/// What takes part in a run beside it.
pub(super) struct Alerting {
    pub(super) desk: Arc<Desk>,
    courier: Courier,
    zone: TimeZone,
    pub(super) world: Arc<System>,
}

/// Whether a runbook has anything to tell or to keep.
fn has_alerting(program: &Program) -> bool {
    !(program.metrics.is_empty() && program.thresholds.is_empty() && program.channels.is_empty())
}

/// The world of a run, and its alerting where the runbook has any.
pub(super) async fn open(
    telling: &Telling,
    state: &Kept,
    prepared: &Prepared,
    facts: &Arc<RunFacts>,
) -> Result<(Arc<System>, Option<Alerting>), Failure> {
    let (program, world) = (&prepared.program, System::new(facts.directory.clone()).under(prepared.policy.clone()));
    if !has_alerting(program) {
        return Ok((Arc::new(world), None));
    }
    let set = || prepared.set.clone();
    let (own, own_set, own_facts) = (Arc::clone(program), set(), Arc::clone(facts));
    let (place, tells) = (state.ledger()?.clone(), !telling.no_notify);
    let (desk, ledger) = aside(move || {
        let desk = Desk::open(place.open()?, own, own_set, own_facts)?;
        Ok((Arc::new(desk), tells.then(|| place.open()).transpose()?))
    })
    .await?;
    let world = Arc::new(world.with_past(Arc::clone(&desk) as Arc<dyn Past>));
    let Some(ledger) = ledger else { return Ok((world, None)) };
    let holder = ledger::holder(&format!("{}:{}", facts.id, std::process::id()));
    let outside: Arc<dyn World> = Arc::<System>::clone(&world);
    let courier =
        Courier::new(ledger, Arc::clone(&desk), Arc::clone(program), set(), Arc::clone(facts), outside, holder);
    courier.follow();
    let alerting = Alerting { desk, courier, zone: facts.timezone.clone(), world: Arc::clone(&world) };
    Ok((world, Some(alerting)))
}

/// The same for a run. A channel that it can tell by itself and that cannot be opened is an error before anything is run: a
/// page that reaches nobody is found out at the wrong moment otherwise.
pub(super) async fn open_to_tell(
    telling: &Telling,
    state: &Kept,
    prepared: &Prepared,
    facts: &Arc<RunFacts>,
) -> Result<(Arc<System>, Option<Alerting>), Failure> {
    let (world, alerting) = open(telling, state, prepared, facts).await?;
    if let Some(alerting) = &alerting {
        alerting.reach(telling, prepared).await?;
    }
    Ok((world, alerting))
}

/// Asks a ledger away from whoever listens for signals: one that does not answer takes its time.
pub(super) async fn aside<T: Send + 'static>(
    asks: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let asked = tokio::task::spawn_blocking(asks).await;
    asked.map_err(|error| Failure::new(format!("the ledger was not asked: {error}")))?
}

/// The channels that a run can tell by itself: those of thresholds and levels, and of the reports that it makes.
fn told(prepared: &Prepared) -> BTreeSet<Arc<str>> {
    let (program, selection) = (&prepared.program, &prepared.selection);
    let reports = program
        .sections
        .iter()
        .enumerate()
        .filter(|(index, section)| section.kind == SectionKind::Report && selection.runs(*index, section));
    let mut sent: Vec<ChannelId> = Vec::new();
    for (_, report) in reports {
        for member in &report.members {
            let Member::Statement(statement) = member else { continue };
            walk::statements(std::slice::from_ref(statement), &mut |statement| {
                if let StatementKind::Send { channels } = &statement.kind {
                    sent.extend(channels);
                }
            });
        }
    }
    let thresholds = program.thresholds.iter().flat_map(|threshold| &threshold.notify);
    let levels = program.escalations.iter().flat_map(|escalation| &escalation.levels).flat_map(|level| &level.notify);
    let channels = thresholds.chain(levels).chain(&sent).filter_map(|id| program.channels.get(id.index()));
    channels.map(|channel| Arc::clone(&channel.name)).collect()
}

impl Alerting {
    /// Opens the channels that a run can tell by itself.
    async fn reach(&self, telling: &Telling, prepared: &Prepared) -> Result<(), Failure> {
        for channel in told(prepared) {
            self.courier.open(&channel).await.map_err(|fault| {
                let failure = Failure::from(fault);
                let help = [failure.help, telling.is_option.then(|| "`--no-notify` only looks".to_owned())];
                let help: Vec<String> = help.into_iter().flatten().collect();
                let message = format!("{}, so nobody would be told there: nothing was run", failure.message);
                let failure = Failure { exit: failure.exit, ..Failure::new(message) };
                if help.is_empty() { failure } else { failure.help(help.join("; ")) }
            })?;
        }
        Ok(())
    }

    /// The same for what a person says: it is written down, and what a channel that cannot be opened here has to tell
    /// waits for whoever can. Where a server leads, it tells all.
    pub(super) async fn reach_some(self, prepared: &Prepared, console: &Console) -> Result<Self, Failure> {
        if self.courier.leader(system::now())?.is_some() {
            return Ok(self);
        }
        let mut closed = BTreeSet::new();
        for channel in told(prepared) {
            if let Err(fault) = self.courier.open(&channel).await {
                let help = "what is to be told there waits for `runbook serve`, or for a run that can";
                console.warn(&format!("{}, so nobody is told there by this command", fault.message), Some(help));
                closed.insert(channel);
            }
        }
        Ok(Self { courier: self.courier.without(closed), ..self })
    }

    /// Asks who is on call, where a tool says it and the last answer is old.
    pub(super) async fn ask_who(
        &self,
        prepared: &Prepared,
        facts: &Arc<RunFacts>,
        world: &Arc<System>,
        console: &Console,
    ) -> Result<(), Failure> {
        if !self.desk.is_rota_due(system::now()) {
            return Ok(());
        }
        let world: Arc<dyn World> = Arc::<System>::clone(world);
        let answer = Desk::ask(&prepared.program, prepared.set.clone(), Arc::clone(facts), world).await;
        let Some(answer) = answer else { return Ok(()) };
        if let Some(why) = self.desk.take_rota(system::now(), answer)? {
            console.warn(&why, Some("`runbook on-call FILE` says what is known"));
        }
        Ok(())
    }

    /// Tells people until the run is over. What is on its way then arrives first: a message that is dropped there would be
    /// told again. Gives whether nothing was given up.
    pub(super) async fn go_on(&self, over: &CancellationToken, console: &Console) -> Result<bool, Failure> {
        self.tell(Until::Stopped, over, console).await
    }

    /// What is left when the run is over: tells it, with some patience, and says what waits. Gives whether all is told.
    pub(super) async fn finish(&self, console: &Console) -> Result<bool, Failure> {
        self.courier.release()?;
        let patience = if self.courier.leader(system::now())?.is_some() { LEFT_AFTER } else { PATIENCE };
        let last = system::now().saturating_add(patience).unwrap_or(Timestamp::MAX);
        let late = CancellationToken::new();
        let all_told = {
            let mut telling = pin!(self.tell(Until::NothingIsDueBy(last), &late, console));
            tokio::select! {
                told = &mut telling => told,
                () = tokio::time::sleep(patience) => {
                    late.cancel();
                    telling.await
                }
            }
        }?;
        if let Some(leader) = self.courier.leader(system::now())? {
            return Ok(say_left_to(&leader, &self.courier.left(), console) && all_told);
        }
        if self.courier.next_due()?.is_some() {
            return Ok(say_left(console));
        }
        self.say_waiting(console)?;
        Ok(all_told)
    }

    /// Gives whether nothing was given up.
    async fn tell(&self, until: Until, stop: &CancellationToken, console: &Console) -> Result<bool, Failure> {
        let all_told = AtomicBool::new(true);
        let hears = |delivery: &Delivery| {
            say(delivery, "", console);
            if matches!(delivery.result, Err((_, Then::GivenUp))) {
                all_told.store(false, Ordering::Relaxed);
            }
        };
        self.courier.go_on(until, stop, &hears).await?;
        Ok(all_told.into_inner())
    }

    /// What nobody brings about without a server.
    fn say_waiting(&self, console: &Console) -> Result<(), Failure> {
        let state = self.desk.state()?;
        for incident in state.incidents.values() {
            let due = incident.next_due.or(incident.respond_due);
            if let Some(due) = due {
                let at = due.to_zoned(self.zone.clone()).strftime("%H:%M %Z");
                console.say(&format!(
                    "incident #{} \"{}\" is at level {}; the next is told at {at} by `runbook serve`, or by a run after that\n",
                    incident.number,
                    clean(&incident.name()),
                    incident.level
                ));
            }
        }
        Ok(())
    }

    /// Does what became due while nothing was up. What the run finds over is told to nobody any more.
    pub(super) fn begin(&self, now: Timestamp) -> Result<(), Failure> {
        self.desk.make_up(now)?;
        Ok(())
    }
}

/// Says that not all is told. Gives that.
pub(super) fn say_left(console: &Console) -> bool {
    let message = "messages wait that could not be told; the next run or `runbook serve` tries again";
    console.warn(message, Some("`runbook incidents` lists them"));
    false
}

/// Says what the server that leads has not told yet. Gives whether that is nothing.
fn say_left_to(leader: &str, left: &[Left], console: &Console) -> bool {
    const MOST: usize = 5;
    for one in left.iter().take(MOST) {
        let what = format!("{} ({})", clean(&one.message.title), one.message.occasion.name());
        let stands = if one.is_on_its_way { "it is on its way, no answer yet" } else { "it waits there" };
        console.warn(&format!("{} is not told of {what} yet: {stands}", one.channel), None);
    }
    if let Some(more @ 1..) = left.len().checked_sub(MOST) {
        console.warn(&format!("{} are not told yet", counted(more as u64, "more message")), None);
    }
    if !left.is_empty() {
        let message = format!("`runbook serve` tells it ({})", clean(ledger::shown(leader)));
        console.warn(&message, Some("`runbook incidents` lists what is not told"));
    }
    left.is_empty()
}

/// What became of a message, in a line that begins with `when`.
pub(super) fn say(delivery: &Delivery, when: &str, console: &Console) {
    let what = format!("{} ({})", clean(&delivery.message.title), delivery.message.occasion.name());
    match &delivery.result {
        Ok(said) => console.say(&format!("{when}told {}: {what}: {}\n", delivery.channel, clean(said))),
        Err((fault, then)) => {
            let then = match then {
                Then::Again(at) => {
                    format!("it will be tried again at {}", at.to_zoned(system::zone()).strftime("%H:%M:%S"))
                }
                Then::GivenUp => "it is not tried again".to_owned(),
                Then::NotOurs => "it is not needed any more".to_owned(),
            };
            console.warn(&format!("{when}{} was not told of {what}: {fault}; {then}", delivery.channel), None);
        }
    }
}
