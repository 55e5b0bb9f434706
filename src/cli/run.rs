//! `runbook run`: checks a runbook and runs it.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use clap::Args;
use futures_util::future::{BoxFuture, Either, select};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use super::alerting::{self, Alerting, Telling};
use super::asking::Terminal as Asking;
use super::console::{Console, Failure};
use super::inputs::STDIN;
use super::plan::command;
use super::recorder::{Output, Recorder, Written};
use super::request::{Asked, Format, Prepared, prepare, something_to_run};
use super::run_log::{self, RunLog};
use super::signals::Signals;
use super::standing::{self, Rulebook};
use super::state::Kept;
use super::timings::{self, Timings};
use super::undo::Undoing;
use crate::catalog::RunFacts;
use crate::check::program::Program;
use crate::plan::{self, Agreed, Plan};
use crate::report::terminal::{Terminal, short};
use crate::run::known::Known;
use crate::run::{self, AskConsent, Consent, Interrupt, Person, Proposal, Request, Rules};
use crate::shown::again::Again;
use crate::shown::look::{clean, quoted};
use crate::source::Sources;
use crate::store::approval::Account;
use crate::store::definition::Continues;
use crate::store::event::{RunFinished, RunStarted};
use crate::store::journal::Journal;
use crate::store::ledger::Exclusive;
use crate::store::past::Past;
use crate::system;

/// Run a runbook: check it, look, and change what was agreed to.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    asked: Asked,
    /// Change nothing: changes are withheld, and said to be.
    #[arg(long, conflicts_with = "approve")]
    read_only: bool,
    /// Agree to the changes of this plan, by the hash that `runbook plan` prints.
    #[arg(long, value_name = "HASH", value_parser = Agreed::read)]
    approve: Option<Agreed>,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Show at the end, on standard error, what the time went to: a line for each call that was made. With a file, write them
    /// there as well, as a trace for `ui.perfetto.dev` or `chrome://tracing`.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "the flag may be there without a file")]
    timings: Option<Option<PathBuf>>,
    #[command(flatten)]
    telling: Telling,
    #[command(flatten)]
    state: Kept,
}

/// What a run goes on with, and what of it is left.
#[derive(Default)]
pub(super) struct Onward {
    /// The runs before, held until this one is over.
    pub(super) past: Option<Arc<Past>>,
    pub(super) continues: Option<Continues>,
    pub(super) known: Known,
    /// What consent is asked for, where that is not the whole plan.
    pub(super) proposal: Option<Proposal>,
    /// The one thing that is done, where that is to undo a change.
    pub(super) undoing: Option<Undoing>,
}

impl Onward {
    fn proposed(&self) -> Option<&Proposal> {
        self.undoing.as_ref().map(|undoing| &undoing.proposal).or(self.proposal.as_ref())
    }
}

impl Run {
    /// A run that goes on with another one.
    pub(super) const fn onward(
        asked: Asked,
        approve: Option<Agreed>,
        format: Format,
        telling: Telling,
        state: Kept,
    ) -> Self {
        Self { asked, read_only: false, approve, format, timings: None, telling, state }
    }

    /// Whether somebody wants to know what its time goes to.
    pub(super) const fn is_timed(&self) -> bool {
        self.timings.is_some()
    }
}

/// What is asked of this run, in the words of its first event.
struct Identity {
    started: RunStarted,
    facts: Arc<RunFacts>,
}

pub(super) fn run(args: &Run, timings: Option<&Timings>, console: &Arc<Console>) -> Result<u8, Failure> {
    let prepared = match prepare(&args.asked, console)? {
        Ok(prepared) => prepared,
        Err(exit) => return Ok(exit),
    };
    something_to_run(&prepared.program, &args.asked.file)?;
    let exit = go(args, prepared, Onward::default(), console)?;
    if let Some(timings) = timings {
        console.say(&(timings::lines(timings, console.look().width).join("\n") + "\n"));
        if let Some(path) = args.timings.as_ref().and_then(Option::as_ref) {
            timings::write(timings, path)?;
        }
    }
    Ok(exit)
}

/// Runs what is prepared.
pub(super) fn go(args: &Run, prepared: Prepared, onward: Onward, console: &Arc<Console>) -> Result<u8, Failure> {
    let hash = onward.proposed().map(|proposal| &proposal.hash).or(prepared.plan.hash.as_ref());
    if let Some(exit) = unapproved(args, hash, onward.undoing.is_some(), console) {
        return Ok(exit);
    }
    if !args.read_only {
        open_now(&prepared, &onward)?;
    }
    let identity = identity(args, &prepared, &onward)?;
    let runtime = runtime(None)?;
    let exit = runtime.block_on(execute(args, prepared, onward, identity, console));
    // A program or a look that does not end must not keep the answer back.
    runtime.shutdown_background();
    exit
}

/// Refuses what the policy lets nobody change now.
fn open_now(prepared: &Prepared, onward: &Onward) -> Result<(), Failure> {
    let Prepared { program, plan, policy, .. } = prepared;
    if let Some(undoing) = &onward.undoing {
        return standing::open_now([plan::called(program, &undoing.change)].iter(), policy.as_deref(), "");
    }
    let look = match &onward.continues {
        None => "; `--read-only` looks and changes nothing",
        Some(_) => "",
    };
    standing::open_now(plan.changes.iter().map(|change| &change.called), policy.as_deref(), look)
}

/// What futures run on; with as many workers as there are processors where their number is not given.
pub(super) fn runtime(workers: Option<usize>) -> Result<Runtime, Failure> {
    // TLS without a provider panics when it is first used.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed already");
    }
    let mut builder = Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    let built = builder.enable_all().thread_stack_size(crate::apart::STACK).build();
    let built = built.map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    built.block_on(async { super::signals::outlive_full_files() })?;
    Ok(built)
}

async fn execute(
    args: &Run,
    prepared: Prepared,
    onward: Onward,
    identity: Identity,
    console: &Arc<Console>,
) -> Result<u8, Failure> {
    let mut signals = Signals::new()?;
    let opening = alerting::open_to_tell(&args.telling, &args.state, &prepared, &identity.facts);
    let (world, alerting) = signals.or_stopped(opening, "nothing was run").await?;
    // What does not come to its beginning is no run.
    let journal = journal(args, &prepared.plan, &identity, console)?;
    let log = run_log(args, &prepared, &identity.facts, console);
    let desk = alerting.as_ref().map(|alerting| Arc::clone(&alerting.desk));
    let recorder = Arc::new(Recorder::new(journal, output(args.format, args.state.again(), console), log, desk));
    let interrupt = Interrupt::default();
    let watching = tokio::spawn(signals.watch(interrupt.clone(), Arc::clone(&recorder), Arc::clone(console)));
    if let Some(alerting) = &alerting {
        // A tool takes its time. A run that is stopped meanwhile goes on to its end, which is recorded like any other.
        let asking = alerting.ask_who(&prepared, &identity.facts, &world, console);
        interrupt.cancel.run_until_cancelled(asking).await.transpose()?;
    }
    let undo = onward.undoing.as_ref().map(|undoing| undoing.undo.clone());
    // Held until all is written down.
    let _past = onward.past.clone();
    let at_once = interrupt.abort.clone();
    let request = request(args, prepared, onward, identity, interrupt, &recorder, console)?;
    let sink = Arc::clone(&recorder) as Arc<dyn run::EventSink>;
    let running: BoxFuture<'_, Result<RunFinished, Failure>> = match &undo {
        Some(undo) => Box::pin(async move { Ok(Box::pin(run::undo(request, undo, world, sink)).await?) }),
        None => Box::pin(async move { Ok(run::run(request, world, sink).await) }),
    };
    let (finished, telling) = match &alerting {
        Some(alerting) => {
            alerting.begin(system::now())?;
            Box::pin(together(running, alerting, &at_once, console)).await
        }
        None => (running.await, Ok(true)),
    };
    watching.abort();
    let finished = finished?;
    let all_told = telling.unwrap_or_else(|failure| {
        console.complain(&failure);
        false
    });
    if finished.exit == 0 && !all_told {
        console.warn("not everybody was told who is to be told: exit 3", None);
    }
    let Written { exit, faults } = recorder.finish(all_told);
    for fault in &faults {
        console.warn(fault, None);
    }
    Ok(match exit.unwrap_or(finished.exit) {
        // What could not be written last.
        0 if !faults.is_empty() => 1,
        exit => exit,
    })
}

/// The run, and beside it people who are told of what it finds.
async fn together(
    running: BoxFuture<'_, Result<RunFinished, Failure>>,
    alerting: &Alerting,
    at_once: &CancellationToken,
    console: &Console,
) -> (Result<RunFinished, Failure>, Result<bool, Failure>) {
    let over = CancellationToken::new();
    let telling = pin!(alerting.go_on(&over, console));
    let running = pin!(alerting.desk.beside(&*alerting.world, running));
    match select(running, telling).await {
        Either::Left((finished, telling)) => {
            over.cancel();
            let rest = async {
                let so_far = telling.await?;
                alerting.finish(console).await.map(|rest| rest && so_far)
            };
            // Whoever stops at once does not wait for a channel either.
            let told = at_once.run_until_cancelled(rest).await;
            (finished, told.unwrap_or_else(|| Ok(alerting::say_left(console))))
        }
        // It cannot be told any more: it would have gone on until the run is over.
        Either::Right((told, running)) => (running.await, told),
    }
}

fn request(
    args: &Run,
    prepared: Prepared,
    onward: Onward,
    identity: Identity,
    interrupt: Interrupt,
    recorder: &Arc<Recorder>,
    console: &Arc<Console>,
) -> Result<Request, Failure> {
    let asks = console.can_ask() && (!prepared.plan.changes.is_empty() || !prepared.plan.manual.is_empty());
    let person = asks.then(|| Arc::new(Asking::new(Arc::clone(console), Arc::clone(recorder), &identity.started.by)));
    let consent = match (&args.approve, &person) {
        _ if args.read_only => Consent::ReadOnly,
        (Some(agreed), _) => Consent::Given(vec![agreed.clone()]),
        (None, Some(person)) => Consent::Ask(Arc::clone(person) as Arc<dyn AskConsent>),
        (None, None) => Consent::None,
    };
    // A run that changes nothing asks nobody, so that it needs no store.
    let place = if prepared.plan.changes.is_empty() { None } else { Some(args.state.ledger()?.clone()) };
    let started = &identity.started;
    let exclusive = place.clone().map(|place| Arc::new(Exclusive::new(place, &started.run, &started.by)));
    let rules = place.map(|place| {
        Arc::new(Rulebook {
            program: Arc::clone(&prepared.program),
            sources: Arc::clone(&prepared.sources),
            place,
            asker: account(),
            folder: identity.facts.directory.clone(),
            undoes: onward.undoing.is_some(),
            plans: match &onward.undoing {
                // Who agreed to changes in advance did not agree to their undoing.
                Some(undoing) => vec![undoing.agreed.clone()],
                None => standing::Asked::of(&prepared.plan, &prepared.sources, &args.asked.only).into_iter().collect(),
            },
        }) as Arc<dyn Rules>
    });
    let proposal = match onward.proposed() {
        Some(proposal) => {
            let help = onward_help(args, &prepared.plan, &onward, &identity.started, proposal).join("\n");
            Proposal { help, ..proposal.clone() }
        }
        None => proposal(args, &prepared.plan, &prepared.sources),
    };
    Ok(Request {
        proposal,
        known: onward.known,
        program: prepared.program,
        sources: prepared.sources,
        started: identity.started,
        facts: identity.facts,
        selection: prepared.selection,
        set: prepared.set,
        consent,
        rules,
        person: person.map(|person| person as Arc<dyn Person>),
        interrupt,
        exclusive,
    })
}

/// What to type so that what is left of a run, or the undoing of a change, is done.
fn onward_help(args: &Run, plan: &Plan, onward: &Onward, started: &RunStarted, proposal: &Proposal) -> Vec<String> {
    let before = onward.past.as_deref().and_then(Past::last).map(|last| &last.started.file);
    let (mut lines, verb, of, known_file) = if let Some(Continues::Undoes { run, change, .. }) = &onward.continues {
        let lines = standing::by_roles_to_undo(&proposal.roles, &args.asked.file, &args.state, run, *change);
        (lines, "undo", format!("{run} {change}"), before)
    } else {
        // Whoever is asked again goes on with this run.
        let lines = standing::by_roles(plan, &args.asked, &args.state);
        (lines, "resume", started.run.to_string(), Some(&started.file))
    };
    let file = match known_file {
        Some(known) if **known == *args.asked.file && &**known != STDIN => String::new(),
        _ if args.asked.file == STDIN => " FILE".to_owned(),
        _ => format!(" {}", quoted(&args.asked.file)),
    };
    let flags = onward.undoing.as_ref().map_or("", |undoing| &undoing.flags);
    let command = format!("{} {of}{file}{flags}", args.state.again().command(verb));
    lines.push(if lines.is_empty() {
        format!("approve: {command} --approve {}", short(&proposal.hash))
    } else {
        format!("then: {command}")
    });
    lines
}

fn output(format: Format, again: Again, console: &Console) -> Output {
    match format {
        Format::Terminal => {
            let live = console.out_is_terminal && console.err_is_terminal && console.can_move;
            Output::Terminal(Box::new(Terminal::new(console.writer(), console.look(), live, again)))
        }
        Format::Json => Output::Json(console.writer()),
        Format::Junit => Output::Junit(console.writer(), Vec::new()),
    }
}

/// An approval that does not fit is said before anything is looked at.
fn unapproved(args: &Run, hash: Option<&String>, is_undo: bool, console: &Console) -> Option<u8> {
    let Some(agreed) = &args.approve else { return None };
    let Some(hash) = hash else {
        console.warn("nothing is changed, so nothing had to be approved", None);
        return None;
    };
    if agreed.is_of(hash) {
        return None;
    }
    let message = another_plan(agreed, hash);
    let help = if is_undo {
        "leave `--approve` out to see what is agreed to; nothing was run".to_owned()
    } else {
        format!("look at it with `{}`; nothing was run", command("plan", &args.asked, &args.state))
    };
    console.complain(&Failure { exit: 5, message, help: Some(help) });
    Some(5)
}

/// That what was typed is of another plan.
pub(super) fn another_plan(typed: &Agreed, hash: &str) -> String {
    let typed = clean(&typed.to_string());
    format!("the plan is {}, not {typed}: what is changed was edited since, or is not all of it", short(hash))
}

fn proposal(args: &Run, plan: &Plan, sources: &Sources) -> Proposal {
    Proposal::of(plan, sources, standing::how_to_approve(plan, &args.asked, &args.state, None).join("\n"))
}

/// The journal, begun. A run that changes something is not begun without one.
fn journal(args: &Run, plan: &Plan, identity: &Identity, console: &Console) -> Result<Option<Journal>, Failure> {
    let begun = args.state.store().and_then(|store| {
        if let Err(fault) =
            store.prune(system::now()).map(|faults| faults.iter().for_each(|fault| console.warn(&fault.message, None)))
        {
            tracing::debug!(%fault, "old runs were not removed");
        }
        store.begin(identity.facts.started_at, &identity.started.run).map_err(Failure::from)
    });
    match begun {
        Ok(journal) => {
            tracing::debug!(path = %journal.path().display(), "recording");
            Ok(Some(journal))
        }
        Err(failure) if plan.changes.is_empty() || args.read_only => {
            console.warn(&format!("{}; the run goes on without a record", failure.message), failure.help.as_deref());
            Ok(None)
        }
        Err(failure) => Err(Failure { message: format!("{}; nothing was run", failure.message), ..failure }),
    }
}

/// The runbook's own log of the run. What the run finds is in the journal as well, so it goes on without.
fn run_log(args: &Run, prepared: &Prepared, facts: &RunFacts, console: &Console) -> Option<RunLog> {
    let folder = facts.directory.join(&**prepared.program.header.log.as_ref()?);
    let what = match args.asked.only.as_slice() {
        [title] => title.as_str(),
        _ => Path::new(&args.asked.file)
            .file_stem()
            .and_then(|stem| stem.to_str())
            .filter(|_| args.asked.file != STDIN)
            .unwrap_or(&prepared.program.header.title),
    };
    match run_log::begin(&folder, what, facts, args.state.again()) {
        Ok(log) => Some(log),
        Err((path, error)) => {
            let message = format!("`{}` cannot be written, so the run has no log there: {error}", path.display());
            console.warn(&message, Some("the folder is what the runbook's header says as `log`"));
            None
        }
    }
}

fn identity(args: &Run, prepared: &Prepared, onward: &Onward) -> Result<Identity, Failure> {
    let facts = facts(id().into(), &prepared.program, &args.asked.file)?;
    // It is still for the time that the run before was for.
    let facts = match onward.past.as_deref().and_then(Past::last) {
        Some(before) => Arc::new(RunFacts { scheduled_at: before.started.scheduled_at, ..RunFacts::clone(&facts) }),
        None => facts,
    };
    let undoes = onward.undoing.is_some();
    let started = RunStarted {
        file: args.asked.file.as_str().into(),
        source_hash: prepared.source_hash.clone(),
        plan: onward.proposed().map(|proposal| proposal.hash.clone()).or_else(|| prepared.plan.hash.clone()),
        by: by(),
        read_only: args.read_only,
        only: args.asked.only.clone(),
        set: prepared.typed.iter().map(|(name, text)| (name.clone(), text.clone())).collect(),
        changes: if undoes { 1 } else { u32::try_from(prepared.plan.changes.len()).unwrap_or(u32::MAX) },
        steps: if undoes { 1 } else { prepared.plan.steps },
        definition: run::definition(&prepared.plan),
        continues: onward.continues.clone(),
        ..run::started(&prepared.program, &facts)
    };
    Ok(Identity { started, facts })
}

/// The facts of something that is done with a runbook now, and that nobody scheduled.
pub(super) fn facts(id: Arc<str>, program: &Program, file: &str) -> Result<Arc<RunFacts>, Failure> {
    let now = system::now();
    let (timezone, directory) = (program.header.timezone.clone(), folder(file)?);
    Ok(Arc::new(RunFacts { id, started_at: now, scheduled_at: now, timezone, directory }))
}

/// Where relative paths of the runbook start: its own folder. From the root, since a program is started in that folder,
/// where a path from here would lead elsewhere.
pub(super) fn folder(file: &str) -> Result<PathBuf, Failure> {
    let parent = Path::new(file).parent().filter(|parent| file != STDIN && !parent.as_os_str().is_empty());
    std::path::absolute(parent.unwrap_or_else(|| Path::new(".")))
        .map_err(|error| Failure::new(format!("the folder of the runbook cannot be found: {error}")))
}

/// Six hex digits, at random: the hasher's seed comes from the system.
pub(super) fn id() -> String {
    format!("{:06x}", RandomState::new().hash_one(system::now().as_nanosecond()) & 0xff_ffff)
}

/// `user@host`
pub(super) fn by() -> String {
    account().to_string()
}

/// The number of an account outside of the user namespace that it is seen in: whoever calls themselves root in one of their
/// own is still who they were.
fn outer(uid: u32) -> u32 {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let ranges = map.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    let mut own = ranges.filter(|(inner, _, length)| (*inner..inner.saturating_add(*length)).contains(&uid));
    own.next().map_or(uid, |(inner, outer, _)| outer.saturating_add(uid - inner))
}

/// The account that this runs in.
pub(super) fn account() -> Account {
    let seen = rustix::process::geteuid().as_raw();
    let uid = outer(seen);
    // The name that the system knows for the number: a variable can be set by anybody. In a user namespace of one's own the
    // names are those of others.
    let known = if uid == seen { whoami::username().ok() } else { None };
    let user = known.unwrap_or_else(|| format!("uid{uid}"));
    let uname = rustix::system::uname();
    Account { user, host: uname.nodename().to_string_lossy().into_owned(), uid }
}
