//! Performs a test: what is given, what is done, and what came of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::blank::{is_not_given, padded};
use super::expecting::expect;
use super::going::{Going, Until};
use super::samples::Samples;
use super::world::{Canned, Given, Of, Says};
use super::{Failure, Reached, Rehearsed};
use crate::alerting::{
    Along, Definitions, Engine, Happened, Happening, Input, Outcome, Posted, Reading, Rota, State, fires, posted,
};
use crate::catalog::{RunFacts, World};
use crate::check::program::{self, Expr, MetricId, ParamId, Program, Target, Test, TestKind};
use crate::plan::{Selection, text};
use crate::run::Asking;
use crate::source::{Sources, Span};
use crate::store::event::{self, Event, Measured, Record, Sampled};
use crate::types::{Fault, FaultKind, Measure, Value};

/// When a test begins: a Thursday morning, so that nothing depends on the day on which it is run.
const BEGINNING: Timestamp = Timestamp::constant(1_767_859_200, 0);

/// A test under way.
pub(super) struct Stage {
    pub(super) program: Arc<Program>,
    pub(super) sources: Arc<Sources>,
    pub(super) world: Arc<Canned>,
    reading: Reading,
    pub(super) engine: Engine,
    /// What is given of metrics, the last first.
    metrics: Vec<(MetricId, Result<Value, Fault>)>,
    /// The metrics that have been measured.
    seen: BTreeSet<Arc<str>>,
    pub(super) roles: Vec<Arc<str>>,
    /// When each metric with an interval is sampled next.
    due: Vec<(MetricId, SignedDuration, SignedDuration)>,
    sampling: bool,
    pub(super) samples: Samples,
    pub(super) going: Going,
    /// The events of the last `run`.
    pub(super) events: Vec<Event>,
    /// What happened since the last `run` or `after`.
    pub(super) recent: Vec<Happening>,
    /// Who is on call, where a tool says it.
    rota: Rota,
    timeline: Vec<(SignedDuration, Happening)>,
    reached: Reached,
}

pub(super) fn perform(program: &Arc<Program>, sources: &Arc<Sources>, test: &Test) -> Rehearsed {
    let mut stage = Stage::new(Arc::clone(program), Arc::clone(sources));
    let clock = stage.world.clock.clone();
    let ended = clock.run(stage.perform(test));
    let failure = ended.map_or_else(
        || {
            let message = "the test waits for something that never comes".to_owned();
            Some(Failure { span: test.span, message, found: Vec::new() })
        },
        Result::err,
    );
    let (title, span) = (Arc::clone(&test.title), test.span);
    Rehearsed { title, span, failure, timeline: stage.timeline, reached: stage.reached }
}

impl Stage {
    fn new(program: Arc<Program>, sources: Arc<Sources>) -> Self {
        let facts = facts(&program, BEGINNING);
        let definitions = Arc::new(Definitions::of(&program));
        let due = program.metrics.iter().enumerate().filter_map(|(index, metric)| {
            let id = MetricId(u32::try_from(index).ok()?);
            Some((id, metric.every?, SignedDuration::ZERO))
        });
        Self {
            world: Arc::new(Canned::new(BEGINNING)),
            reading: Reading::new(Arc::clone(&program), HashMap::new(), facts),
            engine: Engine::new(definitions, State::default()),
            metrics: Vec::new(),
            seen: BTreeSet::new(),
            roles: Vec::new(),
            due: due.collect(),
            sampling: false,
            samples: Samples::of(&program),
            going: Going::default(),
            events: Vec::new(),
            recent: Vec::new(),
            rota: Rota::default(),
            timeline: Vec::new(),
            reached: Reached::default(),
            program,
            sources,
        }
    }

    async fn perform(&mut self, test: &Test) -> Result<(), Failure> {
        for statement in &test.statements {
            let failed = |fault: Fault| Failure {
                span: statement.span,
                message: format!("it cannot be rehearsed: {}", fault.message),
                found: Vec::new(),
            };
            match &statement.kind {
                TestKind::Given(given) => self.given(given).await.map_err(failed)?,
                TestKind::Run { section, set } => {
                    self.recent.clear();
                    self.ask_who().await;
                    self.begin_sampling().await;
                    self.run(section, set).await.map_err(failed)?;
                }
                TestKind::After(time) => {
                    self.recent.clear();
                    self.ask_who().await;
                    self.begin_sampling().await;
                    let end = self.world.elapsed().checked_add(*time).unwrap_or(SignedDuration::MAX);
                    self.pass(Until::Time(end)).await;
                }
                TestKind::Posted { name, labels, firing } => {
                    let posted = self.posted_by_others(name, labels, *firing).await.map_err(failed)?;
                    self.recent.clear();
                    self.ask_who().await;
                    self.begin_sampling().await;
                    self.world.forget();
                    self.events.clear();
                    self.take(posted);
                    self.pass(Until::Runs).await;
                }
                TestKind::Expect { negated, fact } => {
                    self.begin_sampling().await;
                    expect(self, statement.span, *negated, fact).await?;
                }
            }
        }
        Ok(())
    }

    /// Values of the program outside of a run.
    pub(super) fn asking(&self) -> Asking {
        let world: Arc<dyn World> = Arc::<Canned>::clone(&self.world);
        let facts = facts(&self.program, self.world.now());
        Asking::new(Arc::clone(&self.program), HashMap::new(), facts, world)
    }

    async fn given(&mut self, given: &program::Given) -> Result<(), Fault> {
        let asking = self.asking();
        match given {
            program::Given::Approves { role } => self.roles.push(Arc::clone(role)),
            program::Given::Answers { question, answer } => {
                let Value::String(answer) = asking.value(answer).await? else { return Ok(()) };
                self.world.answer(Arc::clone(question), answer.into_inner());
            }
            program::Given::Unreachable(target) => {
                let fault = Fault::new(FaultKind::Unreachable, "nobody answers");
                self.give(&asking, target, Says::Unreachable, Err(fault)).await?;
            }
            program::Given::Is { target, value } => {
                let value = asking.value(value).await?;
                let value = match target {
                    Target::Call(call) => padded(value, &call.ty),
                    Target::Metric(_) | Target::Connection(_) => value,
                };
                self.give(&asking, target, Says::Value(value.clone()), Ok(value)).await?;
            }
            program::Given::Takes { target, duration } => {
                let (says, value) = (Says::Takes(*duration), Value::Duration(*duration));
                self.give(&asking, target, says, Ok(value)).await?;
            }
            program::Given::Fails { target, message } => {
                let message = asking.value(message).await?.to_string();
                let fault = Fault::new(FaultKind::Failed, message);
                self.give(&asking, target, Says::Fault(fault.clone()), Err(fault)).await?;
            }
        }
        Ok(())
    }

    /// Puts an answer in the place of something outside, or a sample in that of a measurement.
    async fn give(
        &mut self,
        asking: &Asking,
        target: &Target,
        says: Says,
        sample: Result<Value, Fault>,
    ) -> Result<(), Fault> {
        let of = match target {
            Target::Metric(id) => {
                self.metrics.insert(0, (*id, sample));
                return Ok(());
            }
            Target::Connection(id) => {
                let connection = self.program.connections.get(id.index());
                Of::Connection(connection.map(|one| Arc::clone(&one.name)).unwrap_or_default())
            }
            Target::Call(call) => Of::Call(asking.call(call).await?),
        };
        self.world.give(Given { of, says });
        Ok(())
    }

    /// Asks the tool that says who is on call. Where a test says nothing of it, nobody is known to be, as without roles.
    async fn ask_who(&mut self) {
        let program = Arc::clone(&self.program);
        let Some(call) = Rota::call(&program) else { return };
        let answer = self.asking().value(call).await.and_then(Value::read);
        if answer.as_ref().is_err_and(is_not_given) {
            return;
        }
        let asked: Arc<str> = text::expr(&*program, call).into();
        let told = self.rota.take(self.world.now(), asked, answer.map(|value| value.to_json()), &program);
        self.engine.hand_over(self.rota.roster(&program));
        if let Some(told) = told {
            self.take(told);
        }
    }

    /// What an alert that others post means, with its labels in the order in which a server has them.
    async fn posted_by_others(
        &self,
        name: &Arc<str>,
        labels: &[(Arc<str>, Expr)],
        firing: bool,
    ) -> Result<Input, Fault> {
        let asking = self.asking();
        let mut known = BTreeMap::new();
        for (label, value) in labels {
            known.insert(Arc::clone(label), Arc::from(asking.value(value).await?.to_string()));
        }
        let text = fires(name).into();
        let labels = known.into_iter().collect();
        let one = Posted { name: Arc::clone(name), labels, text, firing, since: None, until: None };
        posted(&self.program, &one).ok_or_else(|| Fault::no_value(format!("no threshold takes an alert `{name}`")))
    }

    async fn run(&mut self, section: &str, set: &[(ParamId, Expr)]) -> Result<(), Fault> {
        let asking = self.asking();
        let mut values = HashMap::new();
        for (id, value) in set {
            values.insert(*id, asking.value(value).await?);
        }
        let selection = Selection::whole_section(&self.program, section)
            .ok_or_else(|| Fault::no_value(format!("there is no section \"{section}\"")))?;
        self.world.forget();
        self.events.clear();
        self.begin_run(selection, values);
        self.pass(Until::Runs).await;
        Ok(())
    }

    /// The first samples, as soon as the test does anything: whoever samples begins at once.
    async fn begin_sampling(&mut self) {
        if !self.sampling {
            self.sampling = true;
            self.pass(Until::Samples).await;
        }
    }

    /// The metrics that are due, all of one moment together.
    pub(super) fn due(&mut self) -> Vec<MetricId> {
        let mut metrics = Vec::new();
        if !self.sampling {
            return metrics;
        }
        let now = self.world.elapsed();
        for (id, every, at) in &mut self.due {
            if *at <= now {
                metrics.push(*id);
                *at = now.checked_add((*every).max(SignedDuration::from_secs(1))).unwrap_or(SignedDuration::MAX);
            }
        }
        metrics
    }

    /// When the next metrics are due.
    pub(super) fn next_sample(&self) -> Option<SignedDuration> {
        self.due.iter().filter(|_| self.sampling).map(|(_, _, at)| *at).min()
    }

    /// When alerting has something to do that nobody brings about.
    pub(super) fn next_timer(&self) -> Option<SignedDuration> {
        self.engine.next_due().map(|at| at.duration_since(BEGINNING))
    }

    /// Lets alerting read along with what is said. Gives it as the test gives it.
    pub(super) fn hear(&mut self, along: &mut Along, mut record: Record) -> Event {
        if let Event::Measured(measured) = &mut record.event {
            self.with_given(measured);
            if measured.samples.iter().any(|sample| sample.value.is_some()) {
                self.seen.insert(Arc::clone(&measured.metric));
            }
        }
        self.catch_up(record.at);
        for input in self.reading.read(along, &record, self.engine.state()) {
            let outcome = self.engine.take(record.at, input);
            self.keep(outcome);
        }
        self.reached.note(&record.event);
        record.event
    }

    /// The samples as the test gives them. What it says nothing of was not sampled.
    fn with_given(&mut self, measured: &mut Measured) {
        let metrics = &self.program.metrics;
        let Some(place) = metrics.iter().position(|metric| metric.name == measured.metric) else { return };
        let given = self.metrics.iter().find(|(id, _)| id.index() == place).map(|(_, given)| given);
        if given.is_none() && measured.samples.iter().any(|sample| sample.value.is_some()) {
            self.reached.measured.insert(Arc::clone(&measured.metric));
        }
        let (Some(metric), Some(given)) = (metrics.get(place), given) else {
            // What was measured before and is not given now is not measured: it is not over.
            if self.seen.contains(&measured.metric) {
                return;
            }
            let unsaid = |fault: &Option<Fault>| fault.as_ref().is_some_and(is_not_given);
            measured.samples.retain(|sample| !unsaid(&sample.fault));
            if unsaid(&measured.fault) {
                measured.fault = None;
            }
            return;
        };
        // What is listed is not what the test is about: there is something to be measured, for it says what.
        if measured.fault.take().is_some() || measured.samples.iter().all(|sample| sample.labels.is_empty()) {
            let labels = metric.labels.iter().map(|label| (Arc::clone(&label.name), Arc::from("given")));
            let sample = Sampled { labels: labels.collect(), value: None, text: String::new(), fault: None };
            measured.samples = vec![sample];
        }
        for sample in &mut measured.samples {
            match given {
                Ok(value) => {
                    sample.value = Measure::of(&metric.ty).and_then(|measure| measure.number(value));
                    (sample.text, sample.fault) = (value.to_string(), None);
                }
                Err(fault) => (sample.value, sample.fault) = (None, Some(fault.clone())),
            }
        }
    }

    /// What was due while a run went on, each at its time.
    fn catch_up(&mut self, until: Timestamp) {
        while let Some(due) = self.engine.next_due().filter(|due| *due < until) {
            let outcome = self.engine.take(due, Input::Tick);
            self.keep(outcome);
            if self.engine.next_due() == Some(due) {
                return;
            }
        }
    }

    pub(super) fn take(&mut self, input: Input) {
        let outcome = self.engine.take(self.world.now(), input);
        self.keep(outcome);
    }

    fn keep(&mut self, outcome: Outcome) {
        for happening in outcome.happened {
            match &happening.what {
                // The title of what happened has the labels in it.
                Happened::AlertOpened { .. } => {
                    let opened = happening.alert.and_then(|number| self.engine.state().alerts.get(&number));
                    self.reached.thresholds.extend(opened.map(|alert| Arc::clone(&alert.subject.threshold)));
                }
                Happened::IncidentOpened { level, .. } | Happened::Level { level, .. } => {
                    self.reached.levels.insert(*level);
                }
                _ => {}
            }
            self.recent.push(happening.clone());
            self.timeline.push((happening.at.duration_since(BEGINNING), happening));
        }
    }
}

impl Reached {
    fn note(&mut self, event: &Event) {
        let (place, to) = match event {
            Event::Checked(checked) if checked.outcome == event::Outcome::Failed => (&checked.place, &mut self.failed),
            Event::ChangeEnded(ended) if ended.outcome == event::ChangeOutcome::Done => {
                (&ended.place, &mut self.changes)
            }
            _ => return,
        };
        to.insert((Arc::clone(&place.file), place.line));
    }
}

pub(super) fn facts(program: &Program, now: Timestamp) -> Arc<RunFacts> {
    Arc::new(RunFacts {
        id: "test".into(),
        started_at: now,
        scheduled_at: now,
        timezone: program.header.timezone.clone(),
        directory: PathBuf::from("."),
    })
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("timeline", &self.timeline).finish_non_exhaustive()
    }
}

/// The place of a failure that is about a statement.
pub(super) const fn failure(span: Span, message: String, found: Vec<String>) -> Failure {
    Failure { span, message, found }
}
