//! The way outside: reads, connections and secrets, as many at once as each side takes.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use jiff::SignedDuration;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use super::facts::{Facts, Ready};
use super::group::Latch;
use super::key::Key;
use super::limits::to_std;
use super::memory::{Memory, Need, ReadCall, lock};
use super::resolve::resolve;
use super::scope::Scope;
use super::sink::Emitter;
use crate::catalog::timing::{self, BEGUN};
use crate::catalog::{Arg, Args, Body, Builtin, Call, Cx, Opened, Opening, Remark};
use crate::check::program::{ConnectionId, Made, SecretId};
use crate::store::event::{Event, LedTo, Path};
use crate::types::{Connection, Fault, FaultKind, SecretText, Value};

/// How long a read may take, unless its own arguments allow it more.
pub(crate) const READ_LIMIT: SignedDuration = SignedDuration::from_secs(60);
/// How much longer than its own limit a read is waited for: its own fault says more than ours.
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// How many calls are under way at once, wherever they go.
const AT_ONCE: usize = 256;

pub(crate) struct Outside {
    pub(crate) facts: Arc<Facts>,
    pub(crate) cx: Cx,
    pub(crate) emitter: Emitter,
    /// Whether the policy has refused something: a change, or a host.
    pub(crate) refused: AtomicBool,
    everywhere: Arc<Semaphore>,
    /// Who may soon say what it needs of a log.
    pub(crate) evaluating: Latch,
    /// One for each connection: it is opened once, also when two ask at the same time.
    opening: Vec<Mutex<()>>,
    /// Where faults came from, in the order in which they came.
    causes: std::sync::Mutex<HashMap<Cause, u32>>,
}

/// What two faults with the same words have in common where they are one.
#[derive(PartialEq, Eq, Hash)]
enum Cause {
    Call(Key),
    Connection(Arc<str>),
    /// A `let` that was computed to a fault.
    Value(Path),
}

impl Outside {
    pub(crate) fn new(facts: Arc<Facts>, cx: Cx, emitter: Emitter) -> Arc<Self> {
        let opening = facts.program.connections.iter().map(|_| Mutex::new(())).collect();
        Arc::new(Self {
            facts,
            cx,
            emitter,
            refused: AtomicBool::new(false),
            everywhere: Arc::new(Semaphore::new(AT_ONCE)),
            evaluating: Latch::new(),
            opening,
            causes: std::sync::Mutex::default(),
        })
    }

    /// Ends when a need is met, or can't be.
    pub(crate) fn fetch(self: &Arc<Self>, need: Need, memory: &Arc<Memory>) -> BoxFuture<'static, ()> {
        let outside = Arc::clone(self);
        match need {
            Need::Local(cell) => async move { cell.filled().await }.boxed(),
            Need::Read(call) => {
                let (key, beside) = (call.key.clone(), Arc::clone(memory));
                let made = || {
                    let span = timing::call(call.builtin.name, asked_by(&call.args));
                    async move { outside.read(call, &beside).await }.instrument(span).boxed()
                };
                memory.read(&key, made).map(drop).boxed()
            }
            Need::Scan(call) => {
                let memory = Arc::clone(memory);
                async move { outside.scan(call, &memory).await }.boxed()
            }
            Need::Connection(id) => {
                memory.read(&Key::connection(id), || async move { outside.connect(id).await }.boxed()).map(drop).boxed()
            }
            Need::Secret(id) => {
                memory.read(&Key::secret(id), || async move { outside.secret(id).await }.boxed()).map(drop).boxed()
            }
        }
    }

    /// The places that a call takes: one at its connection, one of all.
    pub(crate) async fn admission(&self, connection: &str) -> Result<Vec<OwnedSemaphorePermit>, Fault> {
        let connection = self.facts.connection_named(connection);
        let mut permits = Vec::with_capacity(2);
        for semaphore in connection.map(|ready| &ready.permits).into_iter().chain([&self.everywhere]) {
            let permit = Arc::clone(semaphore).acquire_owned().await;
            permits.push(permit.map_err(|_| Fault::new(FaultKind::Cancelled, "the run is over"))?);
        }
        Ok(permits)
    }

    async fn read(self: &Arc<Self>, call: ReadCall, memory: &Memory) -> Result<Value, Fault> {
        let _permits = self.admission(asked_by(&call.args)).await?;
        timing::phase(BEGUN);
        let limit = limit_of(call.builtin, &call.args);
        let connection: Arc<str> = asked_by(&call.args).into();
        tracing::debug!(target: "runbook::run", builtin = call.builtin.name, "read");
        let out = self.call(call.builtin, call.args);
        let remark = out.cx.remark.clone();
        let answer = self.asked(out);
        let answer = match select(answer, pin!(self.cx.world.sleep(to_std(limit)))).await {
            Either::Left((answer, _)) => {
                if let Some(remark) = remark.take() {
                    memory.note(&call.key, remark.into());
                }
                answer
            }
            Either::Right(_) => {
                let what = format!("`{}` gave no answer within {}", call.builtin.name, Value::Duration(limit));
                Err(Fault::new(FaultKind::Timeout, what))
            }
        };
        match answer {
            Ok(Value::Record(fields)) if fields.values().any(|value| matches!(value, Value::Faulted(_))) => {
                let marked = fields.map(|_, value| {
                    Ok(match value {
                        Value::Faulted(fault) => {
                            Value::Faulted(self.traced(Fault::clone(fault), &call.key, &connection).into())
                        }
                        other => other.clone(),
                    })
                });
                marked.map(|marked| Value::Record(Arc::new(marked)))
            }
            answer => answer.map_err(|fault| self.traced(fault, &call.key, &connection)),
        }
    }

    /// The fault with where it came from. A server that cannot be reached, or lets nobody in, is one cause for all that is asked
    /// of it. What became of a request that had gone out is news of that request alone.
    fn traced(&self, fault: Fault, call: &Key, connection: &Arc<str>) -> Fault {
        let is_whole = matches!(fault.kind, FaultKind::Unreachable | FaultKind::Timeout | FaultKind::Denied);
        let cause = if is_whole && !fault.sent && !connection.is_empty() {
            Cause::Connection(Arc::clone(connection))
        } else {
            Cause::Call(call.clone())
        };
        self.of(fault, cause)
    }

    /// The fault of what is opened, which is one for all that needs it.
    fn opening(&self, fault: Fault, name: &Arc<str>) -> Fault {
        self.first_of(fault, Cause::Connection(Arc::clone(name)))
    }

    /// The fault of a `let`, which is one for all that needs its name.
    pub(crate) fn bound(&self, fault: Fault, path: &Path) -> Fault {
        self.first_of(fault, Cause::Value(path.clone()))
    }

    /// What came from somewhere else is that.
    fn first_of(&self, fault: Fault, cause: Cause) -> Fault {
        if fault.of.is_some() { fault } else { self.of(fault, cause) }
    }

    fn of(&self, fault: Fault, cause: Cause) -> Fault {
        let mut causes = lock(&self.causes);
        let next = u32::try_from(causes.len()).unwrap_or(u32::MAX);
        Fault { of: Some(*causes.entry(cause).or_insert(next)), ..fault }
    }

    pub(crate) fn call(&self, builtin: &'static Builtin, args: Vec<Option<Value>>) -> Call {
        let args = args.into_iter().map(|arg| arg.map(Arg::Value)).collect();
        Call { builtin, args: Args::new(builtin, args), cx: Cx { remark: Remark::default(), ..self.cx.clone() } }
    }

    /// Makes a call, and takes note of what the policy refuses: also where nobody goes on to need the value.
    pub(crate) fn asked(self: &Arc<Self>, call: Call) -> BoxFuture<'static, Result<Value, Fault>> {
        let (outside, answer) = (Arc::clone(self), self.cx.world.call(call));
        async move { answer.await.inspect_err(|fault| outside.note_refusal(fault)) }.boxed()
    }

    fn note_refusal(&self, fault: &Fault) {
        if fault.kind == FaultKind::Forbidden {
            self.refused.store(true, Ordering::Relaxed);
        }
    }

    async fn connect(self: &Arc<Self>, id: ConnectionId) -> Result<Value, Fault> {
        let (Some(declared), Some(opening)) =
            (self.facts.program.connections.get(id.index()), self.opening.get(id.index()))
        else {
            return Err(Fault::no_value("a connection that is not there"));
        };
        let _once = opening.lock().await;
        if let Some(ready) = self.facts.connection(id) {
            return Ok(Value::Connection(Arc::clone(&ready.connection)));
        }
        let driver: Arc<str> = declared.made.driver.name.into();
        match self.open(&declared.name, &declared.made).await {
            Ok(opened) => {
                let name = declared.name.clone();
                let target = opened.target.clone();
                tracing::debug!(target: "runbook::run", connection = &*name, "opened");
                let connection = Arc::new(Connection {
                    name: name.clone(),
                    driver: driver.clone(),
                    target: target.as_str().into(),
                    handle: opened.handle,
                });
                let permits = Arc::new(Semaphore::new(opened.at_once.clamp(1, AT_ONCE)));
                let (place, server) = (opened.place.as_str().into(), opened.server.as_str().into());
                self.facts.keep_connection(id, Ready { connection: Arc::clone(&connection), place, server, permits });
                self.emitter.emit(Event::ConnectionOpened { name, driver, target });
                Ok(Value::Connection(connection))
            }
            Err(fault) => {
                let fault = Fault { message: format!("`{}`: {}", declared.name, fault.message).into(), ..fault };
                let fault = self.opening(fault, &declared.name);
                let name = declared.name.clone();
                self.emitter.emit(Event::ConnectionFailed { name, driver, fault: fault.clone() });
                Err(fault)
            }
        }
    }

    /// Reads all secrets that are declared, so that each is known when something that was given none repeats it: a program
    /// that prints its environment, a server that was told by somebody else. What cannot be read is said where it is needed.
    /// Gives those that are too short to be hidden.
    pub(super) async fn know_secrets(self: &Arc<Self>) -> Vec<Arc<str>> {
        let mut too_short = Vec::new();
        for index in 0..u32::try_from(self.facts.program.secrets.len()).unwrap_or(u32::MAX) {
            match self.read_secret(SecretId(index)).await {
                Ok(read) => too_short.extend(read.too_short),
                Err(fault) => tracing::debug!(target: "runbook::run", %fault, "a secret cannot be read"),
            }
        }
        too_short
    }

    /// Which system a connection leads to, by its name: opened for that, where it was not yet.
    pub(super) async fn place(self: &Arc<Self>, name: &str) -> Result<Arc<str>, Fault> {
        self.ready(name).await.map(|ready| Arc::clone(&ready.place))
    }

    /// What a connection leads to, in the words of a run: opened for that, where it was not yet.
    pub(super) async fn target(self: &Arc<Self>, name: &str) -> Result<Arc<str>, Fault> {
        self.ready(name).await.map(|ready| Arc::clone(&ready.connection.target))
    }

    /// Where an open connection leads, to be written down.
    pub(super) async fn led_to(self: &Arc<Self>, connection: &Connection) -> Option<LedTo> {
        let system = self.place(&connection.name).await.ok()?;
        Some(LedTo { connection: Arc::clone(&connection.name), system })
    }

    /// What is changed by one run at a time where it goes through a connection.
    pub(super) async fn server(self: &Arc<Self>, name: &str) -> Result<Arc<str>, Fault> {
        self.ready(name).await.map(|ready| Arc::clone(&ready.server))
    }

    async fn ready(self: &Arc<Self>, name: &str) -> Result<&Ready, Fault> {
        let id = self.facts.connection_id(name).ok_or_else(|| Fault::no_value("a connection that is not there"))?;
        self.connect(id).await?;
        self.facts.connection(id).ok_or_else(|| Fault::no_value("a connection that is not open"))
    }

    async fn secret(self: &Arc<Self>, id: SecretId) -> Result<Value, Fault> {
        let ReadSecret { secret, too_short } = self.read_secret(id).await?;
        if let Some(name) = too_short {
            self.emitter.emit(Event::SecretTooShort { name });
        }
        Ok(Value::Secret(secret))
    }

    async fn read_secret(self: &Arc<Self>, id: SecretId) -> Result<ReadSecret, Fault> {
        let Some(declared) = self.facts.program.secrets.get(id.index()) else {
            return Err(Fault::no_value("a secret that is not there"));
        };
        let about = |fault: Fault| {
            let fault = Fault { message: format!("secret `{}`: {}", declared.name, fault.message).into(), ..fault };
            self.opening(fault, &declared.name)
        };
        let opened = self.open(&declared.name, &declared.source).await.map_err(about)?;
        let secret = opened.handle.downcast_ref::<SecretText>().cloned().ok_or_else(|| {
            about(Fault::new(FaultKind::Setup, format!("`{}` gave no text", declared.source.driver.name)))
        })?;
        // Before anything can use it.
        let is_found = self.emitter.redactor.add(&secret);
        self.facts.keep_secret(id, secret.clone());
        Ok(ReadSecret { secret, too_short: (!is_found).then(|| Arc::clone(&declared.name)) })
    }

    pub(super) async fn open(self: &Arc<Self>, name: &Arc<str>, made: &Made) -> Result<Opened, Fault> {
        let (memory, scope) = (Memory::new(), Scope::root());
        let args = resolve(self, &memory, |evaluation| evaluation.words(&made.args, &scope)).await?;
        let args = Args::of(made.driver.params, args.into_iter().map(|arg| arg.map(Arg::Value)).collect());
        let opening = Opening { name: name.clone(), driver: made.driver, args, cx: self.cx.clone() };
        let opened = self.cx.world.open(opening).instrument(timing::call("open", name));
        let opened = pin!(opened);
        match select(opened, pin!(self.cx.world.sleep(to_std(READ_LIMIT)))).await {
            Either::Left((opened, _)) => opened.inspect_err(|fault| self.note_refusal(fault)),
            Either::Right(_) => {
                let what = format!("not open within {}", Value::Duration(READ_LIMIT));
                Err(Fault::new(FaultKind::Timeout, what))
            }
        }
    }
}

struct ReadSecret {
    secret: SecretText,
    /// Its name, where it is too short to be hidden.
    too_short: Option<Arc<str>>,
}

/// The connection by which something is asked, by its name.
pub(crate) fn asked_by(args: &[Option<Value>]) -> &str {
    args.iter().flatten().find_map(Value::connection).map_or("", |way| &way.name)
}

/// Whether a call has a body that can be made.
pub(crate) fn can_be_made(builtin: &Builtin) -> Result<(), Fault> {
    match builtin.body {
        Body::Outside(_) => Ok(()),
        Body::Pure(_) | Body::Text(..) | Body::Stage(_) | Body::Scan(..) => {
            Err(Fault::new(FaultKind::Unsupported, format!("`{}` only computes", builtin.name)))
        }
    }
}

/// The limit of a read: ours, or its own where that is longer.
fn limit_of(builtin: &'static Builtin, args: &[Option<Value>]) -> SignedDuration {
    let args = Args::new(builtin, args.iter().cloned().map(|arg| arg.map(Arg::Value)).collect());
    ["within", "timeout"]
        .iter()
        .filter_map(|name| match args.value(name) {
            Some(Value::Duration(own)) => own.checked_add(SLACK),
            _ => None,
        })
        .fold(READ_LIMIT, SignedDuration::max)
}
