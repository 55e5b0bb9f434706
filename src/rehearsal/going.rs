//! What goes on at the same time, as in a server: runs and samples, each heard as it speaks, and time that passes meanwhile.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use jiff::SignedDuration;

use super::stage::Stage;
use super::world::Canned;
use crate::alerting::{Along, Input};
use crate::catalog::World;
use crate::check::program::{MetricId, ParamId, Section};
use crate::plan::Selection;
use crate::run::{self, Consent, EventSink, Interrupt, Person, Proposal, Request};
use crate::store::event::{Event, Record};
use crate::types::{Fault, Value};

/// All that goes on, and what was begun.
#[derive(Default)]
pub(super) struct Going {
    all: Vec<Flight>,
    ends: FuturesUnordered<BoxFuture<'static, usize>>,
    count: usize,
    /// The alerts that a section has answered.
    answered: BTreeSet<(Arc<str>, i64)>,
    /// When a section answered last: it does so once at a time, or what it raises itself would never end.
    answered_at: BTreeMap<Arc<str>, SignedDuration>,
}

/// A run, or samples that are being taken.
struct Flight {
    number: usize,
    what: What,
    along: Along,
    said: Arc<Heard>,
}

enum What {
    Run,
    /// Which section answers alerts.
    Answer(Arc<str>),
    /// Begun at one time, with so many answers given, and what was said of them so far.
    Samples {
        metrics: Vec<MetricId>,
        at: SignedDuration,
        given: usize,
        said: Vec<Event>,
    },
}

/// Nothing that a runbook does takes longer: it waits for what never comes.
const NEVER: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What time passes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Until this time, and for as long as runs go on.
    Time(SignedDuration),
    /// As long as runs go on.
    Runs,
    /// As long as the samples go on that are due when it begins, and what went on before.
    Samples,
}

impl Stage {
    /// Lets time pass: what is due on the way is done when it is due, and what is said is heard when it is said.
    pub(super) async fn pass(&mut self, until: Until) {
        let (mut begun, since) = (None, self.world.elapsed());
        loop {
            self.hear_all();
            let now = self.world.elapsed();
            if !matches!(until, Until::Time(_)) && now - since > NEVER {
                return pending().await;
            }
            // What is due at the moment at which a run ends comes after it.
            if until != Until::Runs || self.has_runs() {
                self.sample_due();
            }
            if self.next_timer().is_some_and(|at| at <= now) {
                self.take(Input::Tick);
            }
            self.answer();
            let begun = *begun.get_or_insert(self.going.count);
            let clock = self.world.clock.clone();
            let is_on = match until {
                // Samples that take longer than their interval are never all over.
                Until::Samples => self.going.all.iter().any(|flight| flight.number < begun),
                Until::Runs => self.has_runs(),
                Until::Time(end) => now < end || self.has_runs(),
            };
            if is_on {
                let end = if let Until::Time(end) = until { Some(end).filter(|end| now < *end) } else { None };
                let next = self.next_timer().into_iter().chain(self.next_sample()).chain(end).min();
                match next {
                    Some(next) => self.wait(clock.sleep(next - now)).await,
                    None => self.wait(pending()).await,
                };
            } else if self.going.all.is_empty() || !self.wait(clock.settled()).await {
                return;
            }
        }
    }

    fn has_runs(&self) -> bool {
        self.going.all.iter().any(Flight::is_run)
    }

    /// Waits until somebody says something, or is done. Gives whether that came before the end of the wait.
    async fn wait(&mut self, end: impl Future<Output = ()>) -> bool {
        let mut end = pin!(end);
        let Going { all, ends, .. } = &mut self.going;
        let moved = poll_fn(|context| {
            if let Poll::Ready(Some(number)) = ends.poll_next_unpin(context) {
                return Poll::Ready(Some(Some(number)));
            }
            if all.iter().any(|flight| !flight.said.lock().is_empty()) {
                return Poll::Ready(Some(None));
            }
            end.as_mut().poll(context).map(|()| None)
        });
        let moved = moved.await;
        if let Some(Some(number)) = moved {
            self.hear_all();
            let place = self.going.all.iter().position(|flight| flight.number == number);
            let ended = place.map(|place| self.going.all.remove(place).what);
            if let Some(What::Samples { metrics, at, given, said }) = ended
                && at == self.world.elapsed()
            {
                self.samples.keep(metrics, given, said);
            }
        }
        moved.is_some()
    }

    /// Lets alerting hear what was said since, in its order.
    fn hear_all(&mut self) {
        let mut said: Vec<(usize, Record)> = Vec::new();
        for (place, flight) in self.going.all.iter_mut().enumerate() {
            let records = std::mem::take(&mut *flight.said.lock());
            if let What::Samples { said, .. } = &mut flight.what {
                said.extend(records.iter().map(|record| record.event.clone()));
            }
            said.extend(records.into_iter().map(|record| (place, record)));
        }
        said.sort_by_key(|(_, record)| record.at);
        for (place, record) in said {
            let Some(flight) = self.going.all.get_mut(place) else { continue };
            let (mut along, is_run) = (std::mem::take(&mut flight.along), flight.is_run());
            let event = self.hear(&mut along, record);
            if is_run {
                self.events.push(event);
            }
            if let Some(flight) = self.going.all.get_mut(place) {
                flight.along = along;
            }
        }
    }

    /// Begins to take the samples that are due. Those that are known are heard at once.
    fn sample_due(&mut self) {
        let metrics = self.due();
        if metrics.is_empty() {
            return;
        }
        let (at, given) = (self.world.now(), self.world.given());
        if let Some(events) = self.samples.known(&metrics, given) {
            let mut along = Along::default();
            for (seq, event) in (0..).zip(events) {
                self.hear(&mut along, Record { seq, at, event });
            }
            return;
        }
        let what = What::Samples { metrics: metrics.clone(), at: self.world.elapsed(), given, said: Vec::new() };
        self.begin(what, Selection::metrics(metrics), HashMap::new());
    }

    /// Begins a run.
    pub(super) fn begin_run(&mut self, selection: Selection, set: HashMap<ParamId, Value>) {
        self.begin(What::Run, selection, set);
    }

    /// Begins the sections that answer the alerts which people were told of: they are part of what the test has begun.
    fn answer(&mut self) {
        let (program, now) = (Arc::clone(&self.program), self.world.elapsed());
        for section in program.sections.iter().filter(|section| !section.on_alert.is_empty()) {
            let title = &section.title;
            // Those that come while it runs are answered together, by the run after it.
            if self.going.answered_at.get(title) == Some(&now) || self.going.all.iter().any(|one| one.answers(title)) {
                continue;
            }
            let new = self.unanswered(section);
            if new.is_empty() {
                continue;
            }
            self.going.answered.extend(new.into_iter().map(|number| (Arc::clone(title), number)));
            self.going.answered_at.insert(Arc::clone(title), now);
            if let Some(selection) = Selection::whole_section(&program, title) {
                self.begin(What::Answer(Arc::clone(title)), selection, HashMap::new());
            }
        }
    }

    fn unanswered(&self, section: &Section) -> Vec<i64> {
        let thresholds = section.on_alert.iter().filter_map(|id| self.program.thresholds.get(id.index()));
        let titles: Vec<&Arc<str>> = thresholds.map(|threshold| &threshold.title).collect();
        let told = self.engine.state().alerts.values().filter(|alert| !alert.waits());
        let own = told.filter(|alert| titles.contains(&&alert.subject.threshold)).map(|alert| alert.number);
        own.filter(|number| !self.going.answered.contains(&(Arc::clone(&section.title), *number))).collect()
    }

    fn begin(&mut self, what: What, selection: Selection, set: HashMap<ParamId, Value>) {
        let said = Arc::new(Heard { world: Arc::clone(&self.world), records: Mutex::default() });
        let (sink, world) = (Arc::<Heard>::clone(&said), Arc::<Canned>::clone(&self.world));
        let request = self.request(selection, set);
        let number = self.going.count;
        self.going.count += 1;
        let run = async move {
            run::run(request, world as Arc<dyn World>, sink as Arc<dyn EventSink>).await;
            number
        };
        self.going.ends.push(run.boxed());
        self.going.all.push(Flight { number, what, along: Along::default(), said });
    }

    fn request(&self, selection: Selection, set: HashMap<ParamId, Value>) -> Request {
        let facts = super::stage::facts(&self.program, self.world.now());
        Request {
            started: run::started(&self.program, &facts),
            facts,
            program: Arc::clone(&self.program),
            sources: Arc::clone(&self.sources),
            selection,
            set,
            proposal: Proposal::default(),
            consent: Consent::Rehearsed { roles: self.roles.clone() },
            rules: None,
            person: Some(Arc::<Canned>::clone(&self.world) as Arc<dyn Person>),
            interrupt: Interrupt::default(),
            exclusive: None,
            known: run::known::Known::default(),
        }
    }
}

impl Flight {
    const fn is_run(&self) -> bool {
        !matches!(self.what, What::Samples { .. })
    }

    fn answers(&self, section: &str) -> bool {
        matches!(&self.what, What::Answer(title) if **title == *section)
    }
}

/// Keeps events with the time of the virtual clock, until they are heard.
struct Heard {
    world: Arc<Canned>,
    records: Mutex<Vec<Record>>,
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for Heard {
    fn emit(&self, event: Event) {
        let at = self.world.now();
        let mut records = self.lock();
        let seq = records.len() as u64;
        records.push(Record { seq, at, event });
    }

    fn durable(&self, event: Event) -> BoxFuture<'_, Result<(), Fault>> {
        self.emit(event);
        Box::pin(std::future::ready(Ok(())))
    }
}
