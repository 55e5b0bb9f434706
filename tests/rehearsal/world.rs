//! The outside as a test writes it down: what is answered to which call, on a virtual clock, and what went out when.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use runbook::catalog::{Args, Call, DriverKind, Open, Opened, Opening, Returns};
use runbook::types::{Fault, FaultKind, Line, Log, LogReader, Partial, Type, Value};

use super::clock::Clock;
use super::{lab, typed};

/// An answer, and how long it takes.
#[derive(Clone)]
pub struct Answer {
    pub after: Duration,
    pub gives: Result<Given, Fault>,
}

#[derive(Clone)]
pub enum Given {
    Value(Value),
    /// Becomes what the built-in gives, with numbers in the base unit of their type.
    Json(serde_json::Value),
}

pub fn value(value: impl Into<Value>) -> Answer {
    Answer { after: Duration::ZERO, gives: Ok(Given::Value(value.into())) }
}

/// Data that the other side gives as it is.
pub fn json(value: serde_json::Value) -> Answer {
    self::value(Value::Data(value.into()))
}

pub fn fault(kind: FaultKind, message: &str) -> Answer {
    failed(Fault::new(kind, message))
}

pub fn failed(fault: Fault) -> Answer {
    Answer { after: Duration::ZERO, gives: Err(fault) }
}

pub fn log(lines: &[&str], partial: Option<&str>) -> Answer {
    let lines = lines.iter().map(|line| (*line).to_owned()).collect();
    value(Log {
        name: "a log".into(),
        reader: Arc::new(Lines(lines)),
        partial: partial.map(|reason| Arc::new(Partial { reason: reason.into() })),
    })
}

impl Answer {
    pub fn after(mut self, milliseconds: u64) -> Self {
        self.after = Duration::from_millis(milliseconds);
        self
    }
}

struct Lines(Vec<String>);

impl LogReader for Lines {
    fn lines(self: Arc<Self>) -> Box<dyn Iterator<Item = Result<Line, Fault>> + Send> {
        let mut number = 0;
        Box::new(std::iter::from_fn(move || {
            let text = self.0.get(number)?.as_str().into();
            number += 1;
            Some(Ok(Line { text, number: i64::try_from(number).unwrap(), source: "a log".into(), time: None }))
        }))
    }
}

/// What went outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Went {
    /// `api.get(path: "/a")`, `open api`, and what a test notes beside.
    pub what: String,
    pub began: Duration,
    pub ended: Option<Duration>,
    /// It was not waited for to its end.
    pub cut: bool,
}

pub struct World {
    pub clock: Arc<Clock>,
    env: Mutex<HashMap<String, String>>,
    answers: Mutex<HashMap<String, VecDeque<Answer>>>,
    went: Arc<Mutex<Vec<Went>>>,
}

impl World {
    pub fn new(clock: Arc<Clock>) -> Arc<Self> {
        Arc::new(Self { clock, env: Mutex::default(), answers: Mutex::default(), went: Arc::default() })
    }

    /// What is answered to a call next, after what was given before; the last for ever.
    pub fn answers(&self, call: &str, answers: impl IntoIterator<Item = Answer>) {
        self.answers.lock().unwrap().entry(call.to_owned()).or_default().extend(answers);
    }

    pub fn set_env(&self, name: &str, value: &str) {
        self.env.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub fn note(&self, what: &str) {
        let now = self.clock.elapsed();
        self.went.lock().unwrap().push(Went { what: what.to_owned(), began: now, ended: Some(now), cut: false });
    }

    pub fn went(&self) -> Vec<Went> {
        self.went.lock().unwrap().clone()
    }

    /// What went outside, in the order in which it began.
    pub fn calls(&self) -> Vec<String> {
        self.went().into_iter().map(|went| went.what).collect()
    }

    /// How often.
    pub fn times(&self, what: &str) -> usize {
        self.went().iter().filter(|went| went.what == what).count()
    }

    /// The most calls that were under way at one time.
    pub fn most_at_once(&self) -> usize {
        let went = self.went();
        let during = |at: Duration| {
            went.iter().filter(|one| one.began <= at && one.ended.is_none_or(|ended| ended > at)).count()
        };
        went.iter().map(|one| during(one.began)).max().unwrap_or(0)
    }

    fn next(&self, call: &str) -> Option<Answer> {
        let mut answers = self.answers.lock().unwrap();
        let queue = answers.get_mut(call)?;
        if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }
    }

    /// Notes that something goes outside, and gives what is answered to it in its time.
    fn go(&self, what: String, answer: Answer) -> BoxFuture<'static, Result<Given, Fault>> {
        let (clock, went) = (Arc::clone(&self.clock), Arc::clone(&self.went));
        let index = {
            let mut went = went.lock().unwrap();
            went.push(Went { what, began: clock.elapsed(), ended: None, cut: false });
            went.len() - 1
        };
        Box::pin(async move {
            let mut ends = Ends { clock: Arc::clone(&clock), went, index, cut: true };
            if answer.after > Duration::ZERO {
                clock.sleep(answer.after).await;
            }
            ends.cut = false;
            answer.gives
        })
    }
}

impl runbook::catalog::World for World {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }

    fn call(&self, call: Call) -> BoxFuture<'static, Result<Value, Fault>> {
        let (asked, what) = lab::short(&call).unwrap_or_else(|| {
            let written = written(call.builtin.name, &call.args);
            (written.clone(), written)
        });
        let ty = match call.builtin.returns {
            Returns::Type(ty) => ty(),
            Returns::Computed { .. } | Returns::Judged { .. } => Type::Unknown,
        };
        let nothing = || fault(FaultKind::NotFound, &format!("nothing answers `{asked}`"));
        let given = self.go(what, self.next(&asked).unwrap_or_else(nothing));
        async move {
            Ok(match given.await? {
                Given::Value(value) => value,
                Given::Json(json) => typed::typed(&json, &ty),
            })
        }
        .boxed()
    }

    /// A secret is where the test put it; all else opens, unless the test says otherwise.
    fn open(&self, opening: Opening) -> BoxFuture<'static, Result<Opened, Fault>> {
        if let (DriverKind::Secret, Open::Now(open)) = (opening.driver.kind, opening.driver.open) {
            return open(opening.cx, opening.args);
        }
        let what = format!("open {}", opening.name);
        let at_once = match opening.args.value("at_once") {
            Some(Value::Int(at_once)) => usize::try_from(at_once).unwrap(),
            _ => 16,
        };
        let target = opening.name.to_string();
        let opened = self.go(what.clone(), self.next(&what).unwrap_or_else(|| value(Value::Null)));
        async move {
            opened.await.map(|_| Opened {
                place: target.clone(),
                server: target.clone(),
                target,
                handle: Arc::new(()),
                at_once,
            })
        }
        .boxed()
    }

    fn env(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.env.lock().unwrap().get(name).cloned())
    }

    fn file(&self, path: &Path) -> Result<String, Fault> {
        Err(Fault::new(FaultKind::Setup, format!("{} is not there", path.display())))
    }
}

/// Notes when a call ends, also one that is dropped.
struct Ends {
    clock: Arc<Clock>,
    went: Arc<Mutex<Vec<Went>>>,
    index: usize,
    cut: bool,
}

impl Drop for Ends {
    fn drop(&mut self) {
        let mut went = self.went.lock().unwrap();
        went[self.index].ended = Some(self.clock.elapsed());
        went[self.index].cut = self.cut;
    }
}

/// A call as it is answered: `host.disk(path: "/")`, with the connection's name for its driver.
fn written(builtin: &str, args: &Args<'_>) -> String {
    let mut name = builtin.to_owned();
    let mut given = Vec::new();
    for (param, value) in args.given() {
        match value {
            Value::Connection(connection) => {
                let verb = builtin.rsplit_once('.').map_or(builtin, |(_, verb)| verb);
                name = format!("{}.{verb}", connection.name);
            }
            Value::String(_) | Value::Template(_) => given.push(format!("{param}: \"{value}\"")),
            _ => given.push(format!("{param}: {value}")),
        }
    }
    format!("{name}({})", given.join(", "))
}
