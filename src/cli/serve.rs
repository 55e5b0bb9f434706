//! `runbook serve`: runs what is due, samples metrics, drives escalations.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use clap::Args;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::alerting::say;
use super::console::{Console, Failure};
use super::plan::command;
use super::recorder::{Output, Recorder, Written};
use super::request::{self, Asked, Prepared};
use super::run::{account, by, facts, id, runtime};
use super::standing::{self, Rulebook};
use super::state::Kept;
use super::warned::Warned;
use crate::builtins::Heartbeat;
use crate::catalog::{Cx, Past, Remark, RunFacts, World};
use crate::check::program::Program;
use crate::desk::{Delivery, Desk};
use crate::plan::{self, Agreed, Plan, Selection};
use crate::report::terminal::short;
use crate::run::{self, Consent, EventSink, Proposal};
use crate::server::{self, Beginning, Home, Links, Loaded, Pulse, Recording, Settings};
use crate::shown::look::clean;
use crate::source::Sources;
use crate::source::input;
use crate::store::event::RunStarted;
use crate::store::ledger::{self, Exclusive, Ledger, Place};
use crate::system::{self, System};
use crate::types::{Fault, FaultKind, SecretText};
use crate::units;

/// A token has no fewer characters.
const SHORTEST_TOKEN: usize = 16;

/// Serve runbooks: run what is due, sample metrics, drive escalations, answer over HTTP.
///
/// Several servers on one state folder, or on several hosts with one `--store`, agree on which of them does so; the others
/// stand by. An edited file is taken into use within a second or two; SIGHUP does so at once, and says what it found.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The runbooks.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// A value for a `param` that all of them have; can be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Agree to the changes of a runbook by the hash of its whole plan; can be given several times. Without it, changes
    /// wait for approval.
    #[arg(long, value_name = "HASH", value_parser = Agreed::read)]
    approve: Vec<Agreed>,
    /// Where it answers `/healthz`, `/readyz`, `/metrics` and the links of messages.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8390")]
    listen: SocketAddr,
    /// Answer nothing over HTTP.
    #[arg(long, conflicts_with_all = ["listen", "public_url"])]
    no_listen: bool,
    /// Where people reach it, such as `https://runbook.example.com`: messages then hold a link that takes an incident on.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Where a sign of life is posted as long as it samples, runs what is due and tells people: whoever waits there says when
    /// it does not come.
    #[arg(long, value_name = "URL")]
    heartbeat: Option<String>,
    /// How often.
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration, requires = "heartbeat")]
    heartbeat_every: Duration,
    /// Take alerts that Alertmanager or Prometheus post to `/hooks/alertmanager` and `/api/v2/alerts`: the file holds the
    /// token that they send (`authorization: Bearer …`).
    #[arg(long, value_name = "FILE", conflicts_with = "no_listen")]
    webhook_token_file: Option<PathBuf>,
    #[command(flatten)]
    state: Kept,
}

pub(super) fn run(args: &Serve, console: &Arc<Console>) -> Result<u8, Failure> {
    // What is written down is waited for until the disk has it, and on a busy disk that takes seconds: those who answer
    // over HTTP must not wait with it.
    let runtime = runtime(Some(8))?;
    let served = runtime.block_on(serve(args, console));
    runtime.shutdown_background();
    served
}

async fn serve(args: &Serve, console: &Arc<Console>) -> Result<u8, Failure> {
    input::take(input::Taker::Server);
    let listener = if args.no_listen { None } else { Some(listen(args.listen)?) };
    let (files, approve, set) = (args.files.clone(), args.approve.clone(), args.set.clone());
    let webhook_token = args.webhook_token_file.as_deref().map(token).transpose()?;
    let takes_alerts = webhook_token.is_some();
    let public_url = args.public_url.clone();
    // An address that is none is said at once.
    args.state.ledger()?;
    let home = AtHome {
        console: Arc::clone(console),
        warned: Warned::default(),
        state: args.state.clone(),
        approve,
        set,
        public_url,
        takes_alerts,
    };
    let stop = CancellationToken::new();
    let at_once = CancellationToken::new();
    let (look, looks) = watch::channel(());
    let stopping = super::signals::stop(stop.clone(), at_once.clone(), look, Arc::clone(console))?;
    let holder = ledger::holder(&format!("{}:{}:{}", by(), std::process::id(), id()));
    let pulses = pulses(args)?;
    let settings = Settings { files, listener, webhook_token, pulses, holder, looks };
    let served = tokio::select! {
        served = server::serve(settings, Arc::new(home), stop) => served.map(|()| 0),
        () = at_once.cancelled() => Ok(super::signals::INTERRUPTED),
    };
    super::systemd::say("STOPPING=1");
    stopping.abort();
    served.map_err(Failure::from)
}

/// Who waits for signs of life.
fn pulses(args: &Serve) -> Result<Vec<Pulse>, Failure> {
    let mut pulses = Vec::new();
    if let Some(limit) = super::systemd::watchdog() {
        pulses.push(Pulse {
            name: "the sign of life to systemd",
            every: limit / 3,
            while_it_waits: true,
            beat: Box::new(|| {
                super::systemd::say("WATCHDOG=1");
                Box::pin(std::future::ready(Ok(())))
            }),
        });
    }
    if let Some(url) = &args.heartbeat {
        let now = system::now();
        let facts = RunFacts {
            id: "serve".into(),
            started_at: now,
            scheduled_at: now,
            timezone: system::zone(),
            directory: PathBuf::new(),
        };
        let cx = Cx { world: Arc::new(System::new(".")), run: Arc::new(facts), remark: Remark::default() };
        let heartbeat = Arc::new(Heartbeat::to(url, cx)?);
        pulses.push(Pulse {
            name: "the heartbeat",
            every: args.heartbeat_every,
            while_it_waits: false,
            beat: Box::new(move || {
                let heartbeat = Arc::clone(&heartbeat);
                Box::pin(async move { heartbeat.beat().await })
            }),
        });
    }
    Ok(pulses)
}

/// `1m`, `30s`: as it is written in a runbook.
fn duration(text: &str) -> Result<Duration, String> {
    match units::parse_quantity(text) {
        Ok(units::Quantity::Duration(nanos)) if nanos >= 1_000_000_000 => {
            u64::try_from(nanos).map(Duration::from_nanos).map_err(|error| error.to_string())
        }
        _ => Err("write a duration of a second or more, e.g. `30s`, `1m`".to_owned()),
    }
}

fn listen(address: SocketAddr) -> Result<std::net::TcpListener, Failure> {
    let listener = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|error| {
        Failure::new(format!("cannot listen on {address}: {error}"))
            .help("name another address with `--listen`, or `--no-listen`")
    })
}

/// The token that whoever posts alerts has to send.
fn token(path: &Path) -> Result<SecretText, Failure> {
    let cannot = |why: String| Failure::new(format!("the token in `{}`: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| cannot(error.to_string()))?;
    let text = text.trim();
    // A header cannot hold anything else, and a shorter one is guessed.
    if text.len() < SHORTEST_TOKEN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(cannot(format!("it needs {SHORTEST_TOKEN} or more letters, digits or signs, and no blank"))
            .help("make one with `openssl rand -hex 24`"));
    }
    Ok(SecretText::new(text.to_owned()))
}

/// The key of the links, made once and kept beside the ledger, or in it where several hosts share it: a link that one of
/// them made is good at all.
fn key(place: &Place) -> Result<[u8; 64], Fault> {
    let Place::File(ledger) = place else {
        let kept = place.open()?.secret("links", &hex::encode(random()?))?;
        let key = kept.as_deref().and_then(|kept| hex::decode(kept).ok()).and_then(|key| key.try_into().ok());
        return key.ok_or_else(|| setup(format!("the key of links in `{place}` is none")));
    };
    let path = ledger.with_file_name("links.key");
    let cannot = |error: std::io::Error| setup(format!("the key `{}` of links: {error}", path.display()));
    let mut key = [0; 64];
    match std::fs::File::open(&path) {
        Ok(mut file) => file.read_exact(&mut key).map_err(cannot)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(cannot)?;
            }
            key = random()?;
            let mut file =
                std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(cannot)?;
            file.write_all(&key).and_then(|()| file.sync_all()).map_err(cannot)?;
        }
        Err(error) => return Err(cannot(error)),
    }
    Ok(key)
}

fn setup(why: String) -> Fault {
    Fault::new(FaultKind::Setup, why)
}

fn random() -> Result<[u8; 64], Fault> {
    let mut key = [0; 64];
    let filled = rustls::crypto::aws_lc_rs::default_provider().secure_random.fill(&mut key);
    filled.map(|()| key).map_err(|_| setup("this machine gives no random numbers".to_owned()))
}

/// This machine, as a server lives on it.
struct AtHome {
    console: Arc<Console>,
    warned: Warned,
    state: Kept,
    approve: Vec<Agreed>,
    set: Vec<String>,
    public_url: Option<String>,
    takes_alerts: bool,
}

impl AtHome {
    fn prepared(&self, file: &str) -> Result<Prepared, String> {
        let asked = Asked { file: file.to_owned(), only: Vec::new(), set: self.set.clone() };
        match request::prepare(&asked, &self.console) {
            // One that only samples, or takes what others post, is served as well.
            Ok(Ok(prepared)) if prepared.program.thresholds.is_empty() && prepared.program.metrics.is_empty() => {
                let something = request::something_to_run(&prepared.program, file);
                something.map(|()| prepared).map_err(|failure| failure.message)
            }
            Ok(Ok(prepared)) => Ok(prepared),
            Ok(Err(_)) => Err(format!("`{file}` has the mistakes above")),
            Err(failure) => Err(failure.message),
        }
    }

    /// What `--approve` says that agrees to a plan.
    fn approved(&self, hash: &str) -> Option<Vec<Agreed>> {
        let agreed: Vec<Agreed> = self.approve.iter().filter(|agreed| agreed.is_of(hash)).cloned().collect();
        (!agreed.is_empty()).then_some(agreed)
    }

    fn rules(
        &self,
        program: Arc<Program>,
        sources: Arc<Sources>,
        plans: Vec<standing::Asked>,
        folder: PathBuf,
    ) -> Result<Rulebook, Failure> {
        let (place, asker) = (self.state.ledger()?.clone(), account());
        Ok(Rulebook { program, sources, place, asker, plans, undoes: false, folder })
    }

    /// What to type so that changes are agreed to.
    fn help(&self, file: &str, plan: &Plan) -> String {
        let asked = Asked { file: file.to_owned(), only: Vec::new(), set: self.set.clone() };
        let mut lines = vec![format!("look at them with `{} --offline`", command("plan", &asked, &self.state))];
        lines.extend(standing::by_roles(plan, &asked, &self.state));
        if let ([look], Some(hash)) = (lines.as_mut_slice(), &plan.hash) {
            let approve = command("approve", &asked, &self.state);
            *look = format!("{look}; agree with `{approve} --as ROLE`, or serve it with `--approve {}`", short(hash));
        }
        lines.join("\n")
    }
}

impl Home for AtHome {
    fn load(&self, file: &str) -> Result<Loaded, String> {
        let prepared = self.prepared(file)?;
        let facts = facts("serve".into(), &prepared.program, file).map_err(|failure| failure.message)?;
        let from_outside = prepared.program.thresholds.iter().find(|threshold| !threshold.from.is_empty());
        if let (Some(threshold), false) = (from_outside, self.takes_alerts) {
            let message = format!("`{file}`: nobody can post alerts of \"{}\" to this server", clean(&threshold.title));
            self.console.warn(&message, Some("start it with `--webhook-token-file FILE`"));
        }
        let mut loaded = Loaded {
            policy: prepared.policy,
            program: prepared.program,
            sources: prepared.sources,
            set: prepared.set,
            plan: Arc::new(prepared.plan),
            facts,
            fingerprint: prepared.source_hash,
            stamp: String::new(),
        };
        loaded.stamp = self.stamp(&loaded);
        Ok(loaded)
    }

    fn stamp(&self, loaded: &Loaded) -> String {
        let of = |name: &str| {
            let metadata = std::fs::metadata(name);
            let written = metadata.as_ref().ok().and_then(|metadata| metadata.modified().ok());
            let since = written.and_then(|written| written.duration_since(UNIX_EPOCH).ok());
            format!("{name}:{:?}:{:?}", metadata.map(|metadata| metadata.len()).ok(), since)
        };
        let own = loaded.sources.ids().map(|id| of(&loaded.sources.file(id).name));
        // A policy that was not there may be now, and be another one soon after.
        let policies = super::policy::places(&loaded.sources, None).unwrap_or_default();
        let programs = Desk::programs(&loaded.program, &loaded.set).into_iter();
        let programs = programs.map(|name| loaded.facts.directory.join(name));
        let beside = policies.into_iter().chain(programs).map(|path| of(&path.to_string_lossy()));
        own.chain(beside).collect::<Vec<_>>().join("\n")
    }

    fn may_change(&self, loaded: &Loaded) -> Result<(), String> {
        if loaded.plan.changes.is_empty() {
            return Ok(());
        }
        super::policy::now(&loaded.program, &loaded.sources).map(drop)
    }

    fn approvals(&self, file: &str, loaded: &Loaded) {
        let plan = &loaded.plan;
        if plan.hash.as_deref().is_none_or(|hash| self.approved(hash).is_some()) {
            return;
        }
        let plans = standing::Asked::of(plan, &loaded.sources, &[]).into_iter().collect();
        let (program, sources) = (Arc::clone(&loaded.program), Arc::clone(&loaded.sources));
        let rules = self.rules(program, sources, plans, loaded.facts.directory.clone());
        let standing = rules
            .map_err(|failure| failure.message)
            .and_then(|rules| run::Rules::standing(&rules).map_err(|fault| fault.to_string()));
        let others = match standing {
            Ok(standing) if !standing.approvals.is_empty() => return,
            Ok(standing) => standing.others,
            Err(why) => vec![format!("approvals cannot be looked up: {why}")],
        };
        let changes = plan.changes.len();
        let message = format!("the changes of `{file}` ({changes}) wait for approval: what else it does goes on");
        let help = others.into_iter().chain([self.help(file, plan)]).collect::<Vec<_>>().join("\n");
        self.console.warn(&message, Some(&help));
    }

    fn links(&self) -> Result<Option<Links>, Fault> {
        let Some(url) = &self.public_url else { return Ok(None) };
        let place = self.state.ledger().map_err(|failure| setup(failure.message))?;
        key(place).map(|key| Some(Links::new(url, key)))
    }

    fn ledger(&self) -> Result<Ledger, Fault> {
        self.state.ledger().map_err(|failure| setup(failure.message))?.open()
    }

    fn world(&self, loaded: &Loaded, past: Arc<dyn Past>) -> Arc<dyn World> {
        Arc::new(System::new(&loaded.facts.directory).under(loaded.policy.clone()).with_past(past))
    }

    fn begin(
        &self,
        loaded: &Loaded,
        section: &str,
        scheduled: Timestamp,
        desk: Arc<Desk>,
    ) -> Result<Beginning, String> {
        let program = &loaded.program;
        let selection =
            Selection::whole_section(program, section).ok_or_else(|| format!("there is no section \"{section}\""))?;
        let (_, typed) = request::settings(program, &self.set).map_err(|failure| failure.message)?;
        let plan = plan::plan(program, &selection, &typed).map_err(|fault| fault.to_string())?;
        let all = &loaded.plan;
        let now = system::now();
        let run: Arc<str> = id().into();
        let facts = Arc::new(RunFacts {
            id: Arc::clone(&run),
            started_at: now,
            scheduled_at: scheduled,
            timezone: program.header.timezone.clone(),
            directory: loaded.facts.directory.clone(),
        });
        let journal = self.state.store().map_err(|failure| failure.message)?;
        let journal = journal.begin(now, &run).map_err(|fault| fault.to_string())?;
        let log = program.header.log.as_ref().and_then(|log| {
            let folder = facts.directory.join(&**log);
            super::run_log::begin(&folder, section, &facts, self.state.again())
                .map_err(|(path, error)| self.warn(&format!("`{}` cannot be written: {error}", path.display())))
                .ok()
        });
        let recorder = Recorder::new(Some(journal), Output::Silent, log, Some(desk));
        let file = loaded.sources.ids().next().map(|id| loaded.sources.file(id).name.clone()).unwrap_or_default();
        // Consent was given to all changes of the runbook.
        let mut proposal = Proposal::of(&plan, &loaded.sources, self.help(&file, all));
        let consent = match all.hash.as_ref().and_then(|hash| Some((hash, self.approved(hash)?))) {
            Some((hash, agreed)) => {
                proposal.hash.clone_from(hash);
                proposal.leads_to.clone_from(&all.leads_to);
                Consent::Given(agreed)
            }
            None => Consent::None,
        };
        let only = [section.to_owned()];
        let of = |plan, only: &[String]| standing::Asked::of(plan, &loaded.sources, only);
        let plans = of(&plan, &only).into_iter().chain(of(all, &[])).collect();
        let folder = loaded.facts.directory.clone();
        let rules = self.rules(Arc::clone(program), Arc::clone(&loaded.sources), plans, folder);
        let rules = rules.map_err(|failure| failure.message)?;
        let by = format!("serve on {}", by());
        let place = self.state.ledger().map_err(|failure| failure.message)?.clone();
        let exclusive = Arc::new(Exclusive::new(place, &run, &by));
        let started = RunStarted {
            file: file.into(),
            source_hash: loaded.fingerprint.clone(),
            plan: plan.hash.clone(),
            by,
            only: vec![section.to_owned()],
            set: typed.into_iter().collect(),
            definition: run::definition(&plan),
            changes: u32::try_from(plan.changes.len()).unwrap_or(u32::MAX),
            steps: plan.steps,
            ..run::started(program, &facts)
        };
        Ok(Beginning {
            started,
            facts,
            proposal,
            selection,
            consent,
            rules: Arc::new(rules),
            recording: Arc::new(recorder),
            exclusive,
        })
    }

    fn say(&self, line: &str) {
        self.console.say(&format!("{} {line}\n", stamp()));
    }

    fn warn(&self, line: &str) {
        if self.warned.says(line, Instant::now()) {
            self.console.warn(&format!("{} {line}", stamp()), None);
        }
    }

    fn delivered(&self, delivery: &Delivery) {
        say(delivery, &format!("{} ", stamp()), &self.console);
    }

    fn ready(&self) {
        super::systemd::say("READY=1");
    }

    fn now(&self) -> Timestamp {
        system::now()
    }
}

fn stamp() -> String {
    system::now().to_zoned(system::zone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

impl Recording for Recorder {
    fn end(&self) -> (Option<u8>, Vec<String>) {
        // Who is told of it is tried until they are, whatever this run was.
        let Written { exit, faults } = self.finish(true);
        (exit, faults)
    }

    fn sink(self: Arc<Self>) -> Arc<dyn EventSink> {
        self
    }
}
