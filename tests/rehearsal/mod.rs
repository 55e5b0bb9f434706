//! A run in a world of canned answers and a virtual clock: no connection, no waiting, the same every time.
#![allow(clippy::allow_attributes, dead_code, unreachable_pub, reason = "each test takes what it needs of it")]

pub mod clock;
pub mod lab;
pub mod told;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use runbook::catalog::{RunFacts, World};
use runbook::check::program::{ParamId, Program};
use runbook::check::{self, Modules};
use runbook::plan::{Selection, plan};
use runbook::run::{
    Answer, AskConsent, Collected, Consent, EventSink, Interrupt, ManualTask, Person, Proposal, Request,
};
use runbook::source::Sources;
use runbook::store::event::{Event, ManualAnswer, RunFinished, RunStarted, VERSION};
use runbook::types::Value;

use clock::Clock;
use lab::Lab;

/// A runbook, the world it meets, and how it is run.
pub struct Rehearsal {
    source: String,
    pub lab: Arc<Lab>,
    only: Vec<String>,
    set: Vec<(String, Value)>,
    consent: Option<Consent>,
    person: Option<Arc<dyn Person>>,
    cancel_at: Option<Duration>,
    abort_at: Option<Duration>,
    sink: Option<Arc<dyn EventSink>>,
}

/// What came of it.
pub struct Ran {
    pub events: Vec<Event>,
    pub finished: RunFinished,
    pub lab: Arc<Lab>,
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

pub fn runbook(source: &str) -> Rehearsal {
    Rehearsal {
        source: source.to_owned(),
        lab: Lab::new(Clock::new()),
        only: Vec::new(),
        set: Vec::new(),
        consent: None,
        person: None,
        cancel_at: None,
        abort_at: None,
        sink: None,
    }
}

impl Rehearsal {
    pub fn answers(self, name: &str, answers: impl IntoIterator<Item = lab::Canned>) -> Self {
        self.lab.answers(name, answers);
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
        self.consent = Some(Consent::ReadOnly);
        self
    }

    /// Somebody at a terminal says yes, after a while.
    pub fn approved(self) -> Self {
        self.asking(Some("yes"), Duration::ZERO)
    }

    pub fn asking(mut self, answer: Option<&str>, after: Duration) -> Self {
        let answer = answer.map(str::to_owned);
        self.consent = Some(Consent::Ask(Arc::new(Asked { lab: self.lab.clone(), answer, after })));
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

    pub fn sink(mut self, sink: Arc<dyn EventSink>) -> Self {
        self.sink = Some(sink);
        self
    }

    pub fn run(self) -> Ran {
        let (program, sources) = checked(&self.source);
        let selection = Selection::of(&program, &self.only).expect("these titles are there");
        let planned = plan(&program, &selection, &BTreeMap::new()).expect("a plan");
        let set: HashMap<ParamId, Value> = self
            .set
            .into_iter()
            .map(|(name, value)| {
                let index = program.params.iter().position(|param| *param.name == *name).expect("the param is there");
                (ParamId(u32::try_from(index).unwrap()), value)
            })
            .collect();
        let clock = self.lab.clock.clone();
        let facts = RunFacts {
            id: "test".into(),
            started_at: clock.now(),
            scheduled_at: clock.now(),
            timezone: program.header.timezone.clone(),
            directory: PathBuf::new(),
        };
        let proposal = Proposal { hash: planned.hash.unwrap_or_default(), changes: Vec::new(), help: String::new() };
        let interrupt = Interrupt::default();
        let request = Request {
            started: started(&program),
            program: Arc::new(program),
            sources: Arc::new(sources),
            facts: Arc::new(facts),
            selection,
            set,
            proposal,
            consent: self.consent.unwrap_or(Consent::None),
            person: self.person,
            interrupt: interrupt.clone(),
        };
        let collected = Arc::new(Collected::default());
        let sink = self.sink.unwrap_or_else(|| collected.clone());
        let begun = clock.elapsed();
        let world: Arc<dyn World> = self.lab.clone();
        let mut beside: Vec<BoxFuture<'static, ()>> = Vec::new();
        for (at, token) in [(self.cancel_at, interrupt.cancel), (self.abort_at, interrupt.abort)] {
            if let Some(at) = at {
                let sleep = clock.sleep(at);
                beside.push(sleep.map(move |()| token.cancel()).boxed());
            }
        }
        let finished = clock.drive(runbook::run::run(request, world, sink), beside);
        Ran { events: collected.events(), finished, took: clock.elapsed().saturating_sub(begun), lab: self.lab }
    }
}

/// A runbook that has no mistake, with the real catalogue and that of the lab.
pub fn checked(source: &str) -> (Program, Sources) {
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

fn started(program: &Program) -> RunStarted {
    RunStarted {
        version: VERSION,
        tool: "test".into(),
        run: "test".into(),
        runbook: program.header.title.clone(),
        file: "test.runbook".into(),
        source_hash: String::new(),
        plan: None,
        scheduled_at: jiff::Timestamp::UNIX_EPOCH,
        timezone: "UTC".into(),
        by: "test".into(),
        read_only: false,
        only: Vec::new(),
        set: Vec::new(),
        changes: 0,
        steps: 0,
    }
}

struct Asked {
    lab: Arc<Lab>,
    answer: Option<String>,
    after: Duration,
}

impl AskConsent for Asked {
    fn ask(&self, _: Proposal) -> BoxFuture<'static, Option<String>> {
        let (answer, sleep) = (self.answer.clone(), self.lab.clock.sleep(self.after));
        self.lab.note("asked");
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
