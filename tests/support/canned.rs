//! A world of canned answers and a virtual clock, written in a `world` fence.
//!
//! ```text
//! now 2026-11-23T08:00:00Z
//! env TOKEN = hunter2
//! open api => fault unreachable no route to api
//! host.memory() => { "total": 1073741824, "used_share": 0.5 }
//! api.get(path: "/health") after 2s => fault timeout no answer
//! api.get(path: "/once") => 1
//! api.get(path: "/once") => 2
//! ```
//!
//! Numbers are in the base unit of the type that the built-in gives: bytes, seconds, ratios. A call that stands there
//! several times is answered in turn, the last answer stays. A call that does not stand there is a fault.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use runbook::catalog::{Args, Call, DriverKind, Opened, Opening, Returns, World};
use runbook::types::{Fault, FaultKind, SecretText, Type, Value};

pub(crate) struct Canned {
    start: Timestamp,
    clock: tokio::time::Instant,
    env: HashMap<String, String>,
    /// By call: what is answered, in turn.
    answers: HashMap<String, Vec<Answer>>,
    /// Every call that went outside, when it began (seconds from the start) and when it ended.
    log: Arc<Mutex<Vec<Went>>>,
    asked: Arc<Mutex<HashMap<String, usize>>>,
}

#[derive(Clone, Debug)]
struct Answer {
    after: Duration,
    gives: Result<serde_json::Value, Fault>,
}

#[derive(Clone, Debug)]
pub(crate) struct Went {
    pub(crate) call: String,
    pub(crate) began: f64,
    pub(crate) ended: Option<f64>,
}

impl Canned {
    /// Must be called inside a runtime whose clock is paused.
    pub(crate) fn new(text: &str) -> Self {
        let mut world = Self {
            start: "2026-11-23T08:00:00Z".parse().unwrap(),
            clock: tokio::time::Instant::now(),
            env: HashMap::new(),
            answers: HashMap::new(),
            log: Arc::default(),
            asked: Arc::default(),
        };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(now) = line.strip_prefix("now ") {
                world.start = now.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
            } else if let Some(env) = line.strip_prefix("env ") {
                let (name, value) = env.split_once(" = ").unwrap_or_else(|| panic!("{line}: no ` = `"));
                world.env.insert(name.to_owned(), value.to_owned());
            } else {
                let (call, gives) = line.split_once(" => ").unwrap_or_else(|| panic!("{line}: no ` => `"));
                let (call, after) = match call.rsplit_once(" after ") {
                    Some((call, after)) => (call, duration(after)),
                    None => (call, Duration::ZERO),
                };
                world.answers.entry(call.to_owned()).or_default().push(Answer { after, gives: gives_of(gives) });
            }
        }
        world
    }

    pub(crate) fn log(&self) -> Vec<Went> {
        self.log.lock().unwrap().clone()
    }

    fn answer(&self, call: String) -> BoxFuture<'static, Result<serde_json::Value, Fault>> {
        let mut asked = self.asked.lock().unwrap();
        let turn = asked.entry(call.clone()).or_insert(0);
        let answer = self.answers.get(&call).map(|answers| answers[(*turn).min(answers.len() - 1)].clone());
        *turn += 1;
        let (log, clock) = (Arc::clone(&self.log), self.clock);
        async move {
            let Some(answer) = answer else {
                return Err(Fault::new(FaultKind::Unsupported, format!("no answer is given for `{call}`")));
            };
            let place = {
                let mut log = log.lock().unwrap();
                log.push(Went { call, began: clock.elapsed().as_secs_f64(), ended: None });
                log.len() - 1
            };
            tokio::time::sleep(answer.after).await;
            log.lock().unwrap()[place].ended = Some(clock.elapsed().as_secs_f64());
            answer.gives
        }
        .boxed()
    }
}

impl World for Canned {
    fn now(&self) -> Timestamp {
        self.start + SignedDuration::try_from(self.clock.elapsed()).unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }

    fn call(&self, call: Call) -> BoxFuture<'static, Result<Value, Fault>> {
        let ty = match call.builtin.returns {
            Returns::Type(ty) => ty(),
            Returns::Computed { .. } => Type::Unknown,
        };
        let answer = self.answer(written(call.builtin.name, &call.args));
        async move { Ok(typed(&answer.await?, &ty)) }.boxed()
    }

    fn open(&self, opening: Opening) -> BoxFuture<'static, Result<Opened, Fault>> {
        let name = format!("open {}", opening.name);
        let at_once = match opening.args.value("at_once") {
            Some(Value::Int(at_once)) => usize::try_from(at_once).unwrap(),
            _ => 16,
        };
        if opening.driver.kind == DriverKind::Secret {
            let variable = opening.args.given().next().map(|(_, value)| value.to_string()).unwrap_or_default();
            let text = self.env.get(&variable).cloned();
            return async move {
                let text = text.ok_or_else(|| Fault::new(FaultKind::Setup, format!("`{variable}` is not set")))?;
                Ok(Opened { target: String::new(), handle: Arc::new(SecretText::new(text)), at_once })
            }
            .boxed();
        }
        let target = opening.name.to_string();
        let answer = self.answers.contains_key(&name).then(|| self.answer(name));
        async move {
            if let Some(answer) = answer {
                answer.await?;
            }
            Ok(Opened { target, handle: Arc::new(()), at_once })
        }
        .boxed()
    }

    fn env(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.env.get(name).cloned())
    }

    fn file(&self, path: &Path) -> Result<String, Fault> {
        Err(Fault::new(FaultKind::Setup, format!("no file `{}`", path.display())))
    }
}

/// A call as the `world` fence writes it: `host.disk(path: "/")`, with the connection's name for its driver.
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

fn gives_of(text: &str) -> Result<serde_json::Value, Fault> {
    let Some(fault) = text.strip_prefix("fault ") else {
        return Ok(serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")));
    };
    let (kind, message) = fault.split_once(' ').unwrap_or((fault, "it failed"));
    Err(Fault::new(FaultKind::from_name(kind).unwrap_or_else(|| panic!("no kind of fault `{kind}`")), message))
}

fn duration(text: &str) -> Duration {
    match runbook::units::parse_quantity(text) {
        Ok(runbook::units::Quantity::Duration(nanoseconds)) => Duration::from_nanos(nanoseconds.unsigned_abs()),
        other => panic!("{text}: {other:?}"),
    }
}

/// JSON as a value of a type, the numbers in its base unit.
fn typed(json: &serde_json::Value, ty: &Type) -> Value {
    let number = || json.as_f64().unwrap_or_else(|| panic!("{json} is no number"));
    let text = || json.as_str().unwrap_or_else(|| panic!("{json} is no text"));
    match ty {
        Type::Optional(_) if json.is_null() => Value::Null,
        Type::Optional(inner) => typed(json, inner),
        Type::Float => Value::Float(number()),
        Type::Percent => Value::Percent(number()),
        Type::Cores => Value::Cores(number()),
        Type::Rate(counted) => Value::Rate(number(), *counted),
        Type::Duration => Value::Duration(SignedDuration::from_secs_f64(number())),
        Type::Size => Value::Size(json.as_i64().unwrap_or_else(|| panic!("{json} is no size"))),
        Type::Time => Value::Time(text().parse().unwrap()),
        Type::Date => Value::Date(text().parse().unwrap()),
        Type::Data => Value::Data(Arc::new(json.clone())),
        Type::List(item) => {
            let items = json.as_array().unwrap_or_else(|| panic!("{json} is no list"));
            Value::list(items.iter().map(|json| typed(json, item)).collect())
        }
        Type::Record(record) => {
            let fields = json.as_object().unwrap_or_else(|| panic!("{json} is no record"));
            for name in fields.keys() {
                assert!(record.fields.contains_key(name.as_str()), "{record} has no `{name}`");
            }
            Value::record(record.fields.iter().map(|(name, field)| {
                let value = match fields.get(&**name) {
                    Some(json) => typed(json, &field.ty),
                    None => empty(&field.ty),
                };
                (Arc::clone(name), value)
            }))
        }
        _ => match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(_) => json.as_i64().map_or_else(|| Value::Float(number()), Value::Int),
            serde_json::Value::String(text) => Value::string(text.as_str()),
            serde_json::Value::Array(items) => {
                Value::list(items.iter().map(|json| typed(json, &Type::Unknown)).collect())
            }
            serde_json::Value::Object(fields) => {
                Value::record(fields.iter().map(|(name, json)| (name.as_str(), typed(json, &Type::Unknown))))
            }
        },
    }
}

/// What stands for a field that a canned record leaves out: nothing looks at it, or the case would name it.
fn empty(ty: &Type) -> Value {
    match ty {
        Type::Optional(_) => Value::Null,
        _ => Value::Faulted(Arc::new(Fault::new(FaultKind::Unsupported, "left out"))),
    }
}
