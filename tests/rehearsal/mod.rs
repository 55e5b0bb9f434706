//! A run in a world of canned answers and a virtual clock: no connection, no waiting, the same every time.
#![allow(clippy::allow_attributes, dead_code, unreachable_pub, reason = "each test takes what it needs of it")]

pub mod clock;
pub mod fence;
pub mod lab;
pub mod told;
mod typed;
pub mod world;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use runbook::catalog::RunFacts;
use runbook::check::program::{ParamId, Program};
use runbook::check::{self, Modules};
use runbook::plan::{Agreed, Plan, Selection, plan};
use runbook::report::terminal::short;
use runbook::run::known::Known;
use runbook::run::{Answer, AskConsent, Consent, EventSink, Interrupt, ManualTask, Person, Proposal, Request};
use runbook::source::Sources;
use runbook::store::definition::Definition;
use runbook::store::event::{Event, ManualAnswer, Record, RunFinished, RunStarted, VERSION};
use runbook::store::ledger::Exclusive;
use runbook::types::{Fault, Value};

use clock::Clock;
use world::World;

/// A runbook, the world it meets, and how it is run.
pub struct Rehearsal {
    program: Program,
    sources: Sources,
    pub world: Arc<World>,
    only: Vec<String>,
    set: Vec<(String, Value)>,
    allowed: Allowed,
    person: Option<Arc<dyn Person>>,
    cancel_at: Option<Duration>,
    abort_at: Option<Duration>,
    sink: Option<Arc<dyn EventSink>>,
    exclusive: Option<Arc<Exclusive>>,
    meanwhile: Vec<(Duration, Box<dyn FnOnce() + Send>)>,
}

/// Who allows the changes.
pub enum Allowed {
    ByNobody,
    /// Whoever has seen the plan.
    Given,
    /// Whoever has seen another plan.
    Another,
    ReadOnly,
    Asked(Arc<dyn AskConsent>),
}

/// What came of it.
pub struct Ran {
    pub records: Vec<Record>,
    pub finished: RunFinished,
    pub world: Arc<World>,
    /// On the virtual clock.
    pub took: Duration,
}

/// A runbook whose statements are those of one step.
pub fn step(body: &str) -> Rehearsal {
    section(&format!("step \"T\" {{\n{body}\n}}"))
}

/// A runbook of one section.
pub fn section(body: &str) -> Rehearsal {
    runbook(&format!("connect lab = lab()\nsection \"S\" {{\n{body}\n}}"))
}

/// A runbook that has no mistake, with the lab beside the catalogue.
pub fn runbook(source: &str) -> Rehearsal {
    let (program, sources) = checked(source);
    of(program, sources)
}

/// A program, with nothing that answers, and with nobody to allow its changes.
pub fn of(program: Program, sources: Sources) -> Rehearsal {
    Rehearsal {
        program,
        sources,
        world: World::new(Clock::new()),
        only: Vec::new(),
        set: Vec::new(),
        allowed: Allowed::ByNobody,
        person: None,
        cancel_at: None,
        abort_at: None,
        sink: None,
        exclusive: None,
        meanwhile: Vec::new(),
    }
}

impl Rehearsal {
    /// In a world as a `world` fence has it.
    pub fn fenced(mut self, world: &str) -> Self {
        (self.world, self.allowed) = fence::read(world);
        self
    }

    pub fn answers(self, call: &str, answers: impl IntoIterator<Item = world::Answer>) -> Self {
        self.world.answers(call, answers);
        self
    }

    pub fn env(self, name: &str, value: &str) -> Self {
        self.world.set_env(name, value);
        self
    }

    pub fn only(mut self, title: &str) -> Self {
        self.only.push(title.to_owned());
        self
    }

    pub fn set(mut self, name: &str, value: Value) -> Self {
        self.set.push((name.to_owned(), value));
        self
    }

    pub fn read_only(mut self) -> Self {
        self.allowed = Allowed::ReadOnly;
        self
    }

    /// Somebody at a terminal says yes, after a while.
    pub fn approved(self) -> Self {
        self.asking(Some("yes"), Duration::ZERO)
    }

    pub fn asking(mut self, answer: Option<&str>, after: Duration) -> Self {
        let answer = answer.map(str::to_owned);
        self.allowed = Allowed::Asked(Arc::new(Asked { world: self.world.clone(), answer, after }));
        self
    }

    pub fn person(mut self, answer: ManualAnswer) -> Self {
        self.person = Some(Arc::new(Answering(answer)));
        self
    }

    pub fn cancelled_at(mut self, milliseconds: u64) -> Self {
        self.cancel_at = Some(Duration::from_millis(milliseconds));
        self
    }

    pub fn aborted_at(mut self, milliseconds: u64) -> Self {
        self.abort_at = Some(Duration::from_millis(milliseconds));
        self
    }

    /// In a process that shares its ledger with others.
    pub fn sharing(mut self, exclusive: Exclusive) -> Self {
        self.exclusive = Some(Arc::new(exclusive));
        self
    }

    /// Done beside the run, at a time of its clock.
    pub fn meanwhile(mut self, at: Duration, work: impl FnOnce() + Send + 'static) -> Self {
        self.meanwhile.push((at, Box::new(work)));
        self
    }

    pub fn sink(mut self, sink: Arc<dyn EventSink>) -> Self {
        self.sink = Some(sink);
        self
    }

    pub fn run(self) -> Ran {
        let selection = Selection::of(&self.program, &self.only).expect("these titles are there");
        let planned = plan(&self.program, &selection, &BTreeMap::new()).expect("a plan");
        let set: HashMap<ParamId, Value> =
            self.set.into_iter().map(|(name, value)| (param(&self.program, &name), value)).collect();
        let clock = Arc::clone(&self.world.clock);
        let facts = RunFacts {
            id: RUN.into(),
            started_at: clock.now(),
            scheduled_at: clock.now(),
            timezone: self.program.header.timezone.clone(),
            directory: PathBuf::new(),
        };
        let hash = planned.hash.clone().unwrap_or_default();
        let help = format!("approve: {} --approve {}", command(&self.sources), short(&hash));
        let interrupt = Interrupt::default();
        let request = Request {
            started: started(&self.program, &self.sources, &planned, &self.allowed, &clock),
            proposal: Proposal::of(&planned, &self.sources, help),
            program: Arc::new(self.program),
            sources: Arc::new(self.sources),
            facts: Arc::new(facts),
            selection,
            set,
            consent: match self.allowed {
                Allowed::ByNobody => Consent::None,
                // Where nothing changes there is no hash.
                Allowed::Given => Agreed::read(&hash).map_or(Consent::None, |agreed| Consent::Given(vec![agreed])),
                Allowed::Another => Consent::Given(vec![Agreed::read("0123456789abcdef").unwrap()]),
                Allowed::ReadOnly => Consent::ReadOnly,
                Allowed::Asked(who) => Consent::Ask(who),
            },
            rules: None,
            person: self.person,
            interrupt: interrupt.clone(),
            exclusive: self.exclusive,
            known: Known::default(),
        };
        let kept = Arc::new(Kept { clock: Arc::clone(&clock), records: Mutex::default() });
        let sink = self.sink.unwrap_or_else(|| kept.clone());
        let mut beside: Vec<BoxFuture<'static, ()>> = Vec::new();
        for (at, token) in [(self.cancel_at, interrupt.cancel), (self.abort_at, interrupt.abort)] {
            if let Some(at) = at {
                let sleep = clock.sleep(at);
                beside.push(sleep.map(move |()| token.cancel()).boxed());
            }
        }
        for (at, work) in self.meanwhile {
            let sleep = clock.sleep(at);
            beside.push(sleep.map(move |()| work()).boxed());
        }
        let finished = clock.drive(runbook::run::run(request, self.world.clone(), sink), beside);
        let records = std::mem::take(&mut *kept.records.lock().unwrap());
        Ran { records, finished, took: clock.elapsed(), world: self.world }
    }
}

impl Ran {
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.records.iter().map(|record| &record.event)
    }
}

/// What `runbook plan --offline` prints of a program.
pub fn planned(program: &Program, sources: &Sources) -> String {
    let plan = plan(program, &Selection::all(), &BTreeMap::new()).expect("a plan");
    let hash = plan.hash.as_deref().map(runbook::report::terminal::short);
    let next: Vec<String> =
        hash.map(|hash| format!("approve: {} --approve {hash}", command(sources))).into_iter().collect();
    runbook::report::plan::lines(&plan, sources, &next, None, told::LOOK).join("\n") + "\n"
}

/// What runs it.
fn command(sources: &Sources) -> String {
    format!("runbook run {}", root(sources))
}

fn root(sources: &Sources) -> &str {
    sources.ids().next().map_or("", |root| &sources.file(root).name)
}

fn param(program: &Program, name: &str) -> ParamId {
    let index = program.params.iter().position(|param| *param.name == *name).expect("the param is there");
    ParamId(u32::try_from(index).unwrap())
}

fn checked(source: &str) -> (Program, Sources) {
    let catalog = lab::catalog();
    let mut sources = Sources::new();
    let id = sources.add("test.runbook", source);
    let parsed = runbook::syntax::parse(id, source);
    let mut found = parsed.diagnostics;
    let modules = Modules::of(parsed.file);
    let checked = check::check(&sources, &modules, &catalog);
    found.extend(checked.diagnostics);
    found.retain(|diagnostic| diagnostic.level() == runbook::diagnostics::Level::Error);
    assert!(found.is_empty(), "{source}\n{found:#?}");
    (checked.program, sources)
}

const RUN: &str = "7f3a";

fn started(program: &Program, sources: &Sources, plan: &Plan, allowed: &Allowed, clock: &Clock) -> RunStarted {
    RunStarted {
        version: VERSION,
        tool: "runbook".into(),
        run: RUN.into(),
        runbook: program.header.title.clone(),
        file: root(sources).into(),
        folder: None,
        source_hash: String::new(),
        plan: plan.hash.clone(),
        scheduled_at: clock.now(),
        timezone: program.header.timezone_name.clone(),
        by: "somebody@somewhere".into(),
        read_only: matches!(allowed, Allowed::ReadOnly),
        only: Vec::new(),
        set: Vec::new(),
        changes: u32::try_from(plan.changes.len()).unwrap(),
        steps: plan.steps,
        definition: Definition::default(),
        continues: None,
    }
}

/// Keeps what a run tells, with its time.
struct Kept {
    clock: Arc<Clock>,
    records: Mutex<Vec<Record>>,
}

impl EventSink for Kept {
    fn emit(&self, event: Event) {
        let mut records = self.records.lock().unwrap();
        let seq = records.len() as u64;
        records.push(Record { seq, at: self.clock.now(), event });
    }

    fn durable(&self, event: Event) -> BoxFuture<'_, Result<(), Fault>> {
        self.emit(event);
        std::future::ready(Ok(())).boxed()
    }
}

struct Asked {
    world: Arc<World>,
    answer: Option<String>,
    after: Duration,
}

impl AskConsent for Asked {
    fn ask(&self, _: Proposal) -> BoxFuture<'static, Option<String>> {
        let (answer, sleep) = (self.answer.clone(), self.world.clock.sleep(self.after));
        self.world.note("asked");
        sleep.map(move |()| answer).boxed()
    }
}

struct Answering(ManualAnswer);

impl Person for Answering {
    fn ask(&self, _: ManualTask) -> BoxFuture<'static, Answer> {
        let answer = self.0;
        async move { Answer { answer, note: None } }.boxed()
    }
}
