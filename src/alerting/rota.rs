//! Who is on call, where a tool says it: the last answer is kept, and people are told where nobody can say any more.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::definitions::Policy;
use super::engine::Input;
use crate::check;
use crate::check::program::{Expr, Program, Roster};
use crate::types::Fault;

/// How old an answer may be before it is asked for anew.
const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// What is known of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rota {
    pub asked_at: Option<Timestamp>,
    /// What was asked then: the call with all of the runbook that its answer depends on, as a hash.
    pub asked: Option<Arc<str>>,
    /// The last answer that made sense.
    pub said: Option<Said>,
    /// Why there is none since.
    pub failing: Option<Failing>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    pub at: Timestamp,
    pub answer: Json,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    pub since: Timestamp,
    pub why: Arc<str>,
}

impl Rota {
    /// The call that says it; `None` where a file does, or nobody.
    #[must_use]
    pub fn call(program: &Program) -> Option<&Expr> {
        program.escalations.first()?.rota.as_ref()
    }

    /// Whether this call has to be made: its answer is old, or another one was asked for.
    #[must_use]
    pub fn is_due(&self, now: Timestamp, call: &str) -> bool {
        // A clock that was set back makes no answer younger.
        self.asked.as_deref() != Some(call)
            || self.asked_at.is_none_or(|asked| now < asked || now.duration_since(asked) >= FRESH)
    }

    /// Takes an answer to a call. One that does not come, or makes no sense, leaves the last one as it is. Gives what people have to
    /// be told: that it has begun to fail, and that it is known again.
    pub fn take(
        &mut self,
        now: Timestamp,
        call: Arc<str>,
        answer: Result<Json, Fault>,
        program: &Program,
    ) -> Option<Input> {
        self.asked_at = Some(now);
        self.asked = Some(call);
        let understood = answer.and_then(|answer| roster(&answer, program).map(|_| answer));
        let (since, text) = match understood {
            Ok(answer) => {
                self.said = Some(Said { at: now, answer });
                let failed = self.failing.take()?;
                (failed.since, "it is known again who is on call".to_owned())
            }
            Err(fault) => {
                let why = Arc::clone(&fault.message);
                if let Some(failing) = &mut self.failing {
                    failing.why = why;
                    return None;
                }
                self.failing = Some(Failing { since: now, why });
                (now, self.so_far(program))
            }
        };
        let kind = if self.failing.is_some() { "unknown" } else { "known" };
        let policy = Policy::of(program)?;
        // The first level that anybody hears.
        let channels = policy.levels.into_iter().map(|level| level.notify).find(|channels| !channels.is_empty())?;
        let key = format!("on-call-{kind}-{since}").into();
        Some(Input::Note { key, channels, title: "Who is on call".into(), text })
    }

    /// Why nobody can say it now, and what holds meanwhile.
    fn so_far(&self, program: &Program) -> String {
        let why = self.failing.as_ref().map_or("", |failing| &failing.why);
        let zone = &program.header.timezone;
        match &self.said {
            Some(said) => {
                let at = said.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z");
                format!("nobody can say who is on call: {why}. What was said at {at} holds until then")
            }
            None => format!("nobody can say who is on call: {why}. Each level is told by its channels until then"),
        }
    }

    /// The same for whoever asks; `None` where it is known.
    #[must_use]
    pub fn trouble(&self, program: &Program) -> Option<String> {
        self.failing.as_ref().map(|_| self.so_far(program))
    }

    /// Who is on call by the last answer. One that no longer fits an edited runbook says nothing: each level is told by its
    /// channels, and the next answer is asked for soon.
    #[must_use]
    pub fn roster(&self, program: &Program) -> Option<Arc<Roster>> {
        roster(&self.said.as_ref()?.answer, program).ok().map(Arc::new)
    }
}

fn roster(answer: &Json, program: &Program) -> Result<Roster, Fault> {
    let escalation = program.escalations.first();
    let escalation = escalation.ok_or_else(|| Fault::no_value("there is no escalation that anybody is on call for"))?;
    check::said(answer, &program.header.timezone, escalation)
}
