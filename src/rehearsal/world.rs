//! The world of a test: a virtual clock, and the answers that are given.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, ready};
use jiff::{SignedDuration, Timestamp};

use super::blank::{blank, not_given, slow};
use super::clock::Clock;
use crate::catalog::{Call, EffectRule, Opened, Opening, Presence, Returns, World};
use crate::run::{Answer, Asked, ManualTask, Person, is_same};
use crate::store::event::ManualAnswer;
use crate::types::{Fault, FaultKind, Piece, Type, Value};

/// What answers a test: what was given last counts.
pub(super) struct Canned {
    base: Timestamp,
    pub(super) clock: Clock,
    given: Mutex<Vec<Given>>,
    /// What went outside, in order.
    made: Mutex<Vec<Asked>>,
    questions: Mutex<Vec<(Arc<str>, Arc<str>)>>,
}

/// One thing that is given.
pub(super) struct Given {
    pub(super) of: Of,
    pub(super) says: Says,
}

/// What it is given of.
pub(super) enum Of {
    /// All calls on a connection.
    Connection(Arc<str>),
    /// A call; an argument that is `None` may be any.
    Call(Asked),
}

#[derive(Clone)]
pub(super) enum Says {
    Value(Value),
    Fault(Fault),
    Unreachable,
    Takes(SignedDuration),
}

impl Canned {
    /// A world in which it is `base` now. Its clock is its own.
    pub(super) fn new(base: Timestamp) -> Self {
        Self {
            base,
            clock: Clock::default(),
            given: Mutex::default(),
            made: Mutex::default(),
            questions: Mutex::default(),
        }
    }

    pub(super) fn elapsed(&self) -> SignedDuration {
        self.clock.now()
    }

    pub(super) fn give(&self, given: Given) {
        lock(&self.given).push(given);
    }

    /// How many answers were given so far: as long as they are as many, all answers are the same.
    pub(super) fn given(&self) -> usize {
        lock(&self.given).len()
    }

    pub(super) fn answer(&self, question: Arc<str>, answer: Arc<str>) {
        lock(&self.questions).push((question, answer));
    }

    /// Forgets what went outside so far.
    pub(super) fn forget(&self) {
        lock(&self.made).clear();
    }

    /// Whether something went outside.
    pub(super) fn was_made(&self, wanted: &Asked) -> bool {
        lock(&self.made).iter().any(|made| fits(wanted, made))
    }

    /// What was given last of a call, and how long it takes.
    fn says(&self, asked: &Asked) -> (Option<Says>, Option<SignedDuration>) {
        let given = lock(&self.given);
        let mut said = None;
        let mut takes = None;
        for one in given.iter().rev() {
            let of = match &one.of {
                Of::Connection(name) => connection(asked) == Some(name),
                Of::Call(wanted) => fits(wanted, asked),
            };
            match &one.says {
                _ if !of => {}
                Says::Takes(duration) => takes = takes.or(Some(*duration)),
                says => said = said.or_else(|| Some(says.clone())),
            }
        }
        (said, takes)
    }
}

/// Whether a call is the one that was spoken of.
fn fits(wanted: &Asked, asked: &Asked) -> bool {
    wanted.builtin.name == asked.builtin.name
        && wanted.args.iter().zip(&asked.args).all(|(wanted, asked)| match (wanted, asked) {
            (None, _) => true,
            (Some(wanted), Some(asked)) => is_same(wanted, asked) || reads_the_same(wanted, asked),
            (Some(_), None) => false,
        })
}

/// Whether two texts are the same once their values are in them: `"/{page}"` is asked for `"/a"`.
fn reads_the_same(wanted: &Value, asked: &Value) -> bool {
    let whole = |value: &Value| match value {
        Value::Template(template) => Some(template.pieces.iter().map(whole_piece).collect::<String>()),
        Value::String(text) => Some(text.to_string()),
        _ => None,
    };
    whole(wanted).is_some_and(|wanted| whole(asked) == Some(wanted))
}

fn whole_piece(piece: &Piece) -> String {
    match piece {
        Piece::Text(text) => text.to_string(),
        Piece::Value(value) => value.to_string(),
    }
}

/// The connection that a call is made on.
fn connection(asked: &Asked) -> Option<&Arc<str>> {
    asked.args.iter().flatten().find_map(Value::connection).map(|connection| &connection.name)
}

/// A call as it was made: `api.get("/ko")`.
fn named(asked: &Asked) -> String {
    let own = asked.builtin.name;
    let name = match connection(asked) {
        Some(connection) => format!("{connection}.{}", own.rsplit('.').next().unwrap_or(own)),
        None => own.to_owned(),
    };
    let shown = |value: &Value| match value {
        Value::String(text) => Some(format!("\"{text}\"")),
        Value::Template(_) => Some(format!("\"{value}\"")),
        Value::Int(_) | Value::Duration(_) | Value::Size(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    // What is left out has the value that it has by itself, and says nothing.
    let args =
        asked.builtin.params.iter().zip(&asked.args).filter(|(param, _)| matches!(param.presence, Presence::Required));
    let args: Vec<String> = args.filter_map(|(_, arg)| arg.as_ref().and_then(shown)).collect();
    format!("{name}({})", args.join(", "))
}

impl World for Canned {
    fn now(&self) -> Timestamp {
        self.base.checked_add(self.elapsed()).unwrap_or(Timestamp::MAX)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.clock.sleep(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)))
    }

    fn call(&self, call: Call) -> BoxFuture<'static, Result<Value, Fault>> {
        let params = call.builtin.params;
        let args = params.iter().map(|param| call.args.value(param.name)).collect();
        let asked = Asked { builtin: call.builtin, args };
        let (said, takes) = self.says(&asked);
        // Of one that fails it is known that it was not made.
        if !matches!(said, Some(Says::Fault(_) | Says::Unreachable)) {
            lock(&self.made).push(asked.clone());
        }
        let ty = match call.builtin.returns {
            Returns::Type(ty) => ty(),
            Returns::Computed { .. } | Returns::Judged { .. } => Type::Unknown,
        };
        let answers = call.builtin.name.ends_with(".answers");
        let missing = || not_given(&format!("`{}`", named(&asked)));
        let result = match said {
            Some(Says::Value(value)) => Ok(value),
            Some(Says::Fault(fault)) => Err(fault),
            Some(Says::Unreachable | Says::Takes(_)) if answers => {
                call.cx.remark.say("nobody answers".to_owned());
                Ok(Value::Bool(false))
            }
            Some(Says::Unreachable | Says::Takes(_)) => {
                Err(Fault::new(FaultKind::Unreachable, "nobody answers: the test says that it is unreachable"))
            }
            None => match takes {
                Some(took) => slow(&asked, &ty, took).ok_or_else(missing),
                None => match (blank(&asked, &ty), call.builtin.effect) {
                    (Some(value), _) => Ok(value),
                    (None, EffectRule::Pure | EffectRule::Reads) => Err(missing()),
                    // A change is made all the same; only what it gives is not known.
                    (None, EffectRule::Changes { .. } | EffectRule::ByCall(_)) => {
                        Ok(Value::Faulted(Arc::new(missing())))
                    }
                },
            },
        };
        let wait = takes.map(|takes| self.clock.sleep(takes));
        Box::pin(async move {
            if let Some(wait) = wait {
                wait.await;
            }
            result
        })
    }

    fn open(&self, opening: Opening) -> BoxFuture<'static, Result<Opened, Fault>> {
        let target = format!("{}: a rehearsal", opening.driver.name);
        // A secret is opened in the same way, and is some text: so short that nobody looks for it in what is said.
        let handle: Arc<dyn std::any::Any + Send + Sync> = match opening.driver.kind {
            crate::catalog::DriverKind::Secret => Arc::new(crate::types::SecretText::new("***".to_owned())),
            _ => Arc::new(()),
        };
        Box::pin(ready(Ok(Opened { place: target.clone(), server: target.clone(), target, handle, at_once: 64 })))
    }

    fn env(&self, _name: &str) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    fn file(&self, path: &Path) -> Result<String, Fault> {
        Err(not_given(&format!("`{}`", path.display())))
    }
}

impl Person for Canned {
    fn ask(&self, task: ManualTask) -> BoxFuture<'static, Answer> {
        let questions = lock(&self.questions);
        let given = questions.iter().rev().find(|(question, _)| *question == task.text);
        let answer = match given.map(|(_, answer)| &**answer) {
            Some("problem") => ManualAnswer::Problem,
            Some("skip") => ManualAnswer::Skipped,
            // `done`, or what a person would write beside it.
            Some(_) => ManualAnswer::Done,
            None => ManualAnswer::NotAnswered,
        };
        Box::pin(ready(Answer { answer, note: given.map(|(_, answer)| answer.to_string()) }))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
