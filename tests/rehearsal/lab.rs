//! A driver whose answers are canned, and built-ins that ask it.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use runbook::catalog::{
    Body, Builtin, Call, Catalog, Driver, DriverKind, EffectRule, Open, Opened, Opening, Param, Returns, World,
};
use runbook::types::{Connection, Fault, FaultKind, Line, Log, LogReader, Partial, SecretText, Type, Typed, Value};

use super::clock::Clock;

const LAB: Param<Arc<Connection>> = Param::connection("lab");
const NAME: Param<String> = Param::required("name", "What is asked for.");
const TO: Param<Option<i64>> = Param::optional("to", "What it is set to.");
const WITHIN: Param<Option<SignedDuration>> = Param::optional("within", "How long it may take.");
const AT_ONCE: Param<i64> = Param::or("at_once", "How many calls side by side.", || Value::Int(64));
const KEY: Param<Option<SecretText>> = Param::optional("key", "A secret.");
const BROKEN: Param<bool> = Param::or("broken", "Whether it cannot be opened.", || Value::Bool(false));

macro_rules! builtins {
    ($($id:ident $name:literal $effect:expr, $ty:expr;)*) => {
        $(static $id: Builtin = Builtin {
            name: $name,
            summary: "Asks the lab.",
            params: &[LAB.info(), NAME.info(), TO.info(), WITHIN.info()],
            returns: Returns::Type(|| $ty),
            effect: $effect,
            body: Body::Outside(|_, _| unreachable!("the lab answers")),
            needs: &[],
            by_hand: "ask {name}",
            examples: &[],
        };)*
        static BUILTINS: &[&Builtin] = &[$(&$id),*];
    };
}

builtins! {
    NUMBER "lab.number" EffectRule::Reads, Type::Int;
    FLAG "lab.flag" EffectRule::Reads, Type::Bool;
    WORDS "lab.words" EffectRule::Reads, Type::list(Type::String);
    JSON "lab.json" EffectRule::Reads, Type::Data;
    LOG "lab.log" EffectRule::Reads, Type::list(Line::ty());
    MAYBE "lab.maybe" EffectRule::Reads, Type::Int.optional();
    SET "lab.set" EffectRule::Changes { idempotent: false }, Type::Int;
    TOUCH "lab.touch" EffectRule::Changes { idempotent: true }, Type::Int;
}

static DRIVER: Driver = Driver {
    name: "lab",
    kind: DriverKind::Connection,
    summary: "A lab.",
    params: &[AT_ONCE.info(), KEY.info(), BROKEN.info()],
    open: Open::Now(|_, _| unreachable!("the lab opens itself")),
    examples: &[],
};

pub fn catalog() -> Catalog {
    let real = runbook::builtins::catalog();
    let builtins: Vec<&'static Builtin> = real.builtins().chain(BUILTINS.iter().copied()).collect();
    let drivers: Vec<&'static Driver> = real.drivers().chain([&DRIVER]).collect();
    Catalog::new(&builtins, &drivers)
}

/// An answer, and how long it takes.
#[derive(Clone)]
pub struct Canned {
    pub after: Duration,
    pub result: Result<Value, Fault>,
}

pub fn value(value: impl Into<Value>) -> Canned {
    Canned { after: Duration::ZERO, result: Ok(value.into()) }
}

pub fn json(value: serde_json::Value) -> Canned {
    self::value(Value::Data(value.into()))
}

pub fn fault(kind: FaultKind, message: &str) -> Canned {
    Canned { after: Duration::ZERO, result: Err(Fault::new(kind, message)) }
}

pub fn log(lines: &[&str], partial: Option<&str>) -> Canned {
    let lines = lines.iter().map(|line| (*line).to_owned()).collect();
    value(Log {
        name: "a log".into(),
        reader: Arc::new(Lines(lines)),
        partial: partial.map(|reason| Arc::new(Partial { reason: reason.into() })),
    })
}

impl Canned {
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

/// A call that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// `read x`, `set x=5`, and what the test notes beside.
    pub what: String,
    pub begun: Duration,
    pub ended: Option<Duration>,
}

pub struct Lab {
    pub clock: Arc<Clock>,
    answers: Mutex<HashMap<String, VecDeque<Canned>>>,
    made: Arc<Mutex<Vec<Made>>>,
}

impl Lab {
    pub fn new(clock: Arc<Clock>) -> Arc<Self> {
        Arc::new(Self { clock, answers: Mutex::default(), made: Arc::default() })
    }

    /// What is answered to a name, one after the other; the last for ever.
    pub fn answers(&self, name: &str, answers: impl IntoIterator<Item = Canned>) {
        self.answers.lock().unwrap().insert(name.to_owned(), answers.into_iter().collect());
    }

    pub fn note(&self, what: &str) {
        let now = self.clock.elapsed();
        self.made.lock().unwrap().push(Made { what: what.to_owned(), begun: now, ended: Some(now) });
    }

    pub fn made(&self) -> Vec<Made> {
        self.made.lock().unwrap().clone()
    }

    /// What was called, in the order in which it began.
    pub fn calls(&self) -> Vec<String> {
        self.made().into_iter().map(|made| made.what).collect()
    }

    /// How often.
    pub fn times(&self, what: &str) -> usize {
        self.made().iter().filter(|made| made.what == what).count()
    }

    /// The most calls that were under way at one time.
    pub fn most_at_once(&self) -> usize {
        let made = self.made();
        let during = |at: Duration| {
            made.iter().filter(|one| one.begun <= at && one.ended.is_none_or(|ended| ended > at)).count()
        };
        made.iter().map(|one| during(one.begun)).max().unwrap_or(0)
    }

    fn next(&self, name: &str) -> Canned {
        let mut answers = self.answers.lock().unwrap();
        let Some(queue) = answers.get_mut(name) else {
            return fault(FaultKind::NotFound, &format!("the lab has no `{name}`"));
        };
        if queue.len() > 1 { queue.pop_front().unwrap() } else { queue.front().cloned().unwrap() }
    }
}

impl World for Lab {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }

    fn call(&self, call: Call) -> BoxFuture<'static, Result<Value, Fault>> {
        let name = call.args.get(&NAME).unwrap();
        let verb = call.builtin.name.trim_start_matches("lab.");
        let what = match (verb, call.args.get(&TO).unwrap()) {
            ("set" | "touch", Some(to)) => format!("{verb} {name}={to}"),
            ("set" | "touch", None) => format!("{verb} {name}"),
            _ => format!("read {name}"),
        };
        let canned = match verb {
            "set" | "touch" => self.next(&format!("{verb} {name}")),
            _ => self.next(&name),
        };
        let (clock, made) = (self.clock.clone(), self.made.clone());
        let index = {
            let mut made = made.lock().unwrap();
            made.push(Made { what, begun: clock.elapsed(), ended: None });
            made.len() - 1
        };
        Box::pin(async move {
            let _ended = Ended { clock: clock.clone(), made, index };
            if canned.after > Duration::ZERO {
                clock.sleep(canned.after).await;
            }
            canned.result
        })
    }

    fn open(&self, opening: Opening) -> BoxFuture<'static, Result<Opened, Fault>> {
        if opening.driver.name != "lab" {
            let Open::Now(open) = opening.driver.open else { panic!("{} cannot be opened", opening.driver.name) };
            return open(opening.cx, opening.args);
        }
        self.note("open");
        let (at_once, broken) = (opening.args.get(&AT_ONCE).unwrap(), opening.args.get(&BROKEN).unwrap());
        Box::pin(async move {
            if broken {
                return Err(Fault::new(FaultKind::Unreachable, "connection refused"));
            }
            Ok(Opened { target: "lab://".into(), handle: Arc::new(()), at_once: usize::try_from(at_once).unwrap() })
        })
    }

    fn env(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok((name == "LAB_KEY").then(|| "hunter2-key".to_owned()))
    }

    fn file(&self, path: &Path) -> Result<String, Fault> {
        Err(Fault::new(FaultKind::Setup, format!("{} is not there", path.display())))
    }
}

/// Notes when a call ends, also one that is dropped.
struct Ended {
    clock: Arc<Clock>,
    made: Arc<Mutex<Vec<Made>>>,
    index: usize,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.made.lock().unwrap()[self.index].ended = Some(self.clock.elapsed());
    }
}
