//! The engine: a state, a time and an input give a new state and what has to be told.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::calling::Caller;
use super::definitions::{Definitions, Threshold};
use super::dues::Dues;
use super::index::Index;
use super::outcome::{Happened, Happening, Outcome, Tell};
use super::state::{Acknowledged, End, Quiet, Silence, State, Subject};
use super::wording;
use crate::catalog::{Message, Occasion};
use crate::check::program::Roster;
use crate::shown::Shown;
use crate::types::{Labels, Severity};

/// What the engine is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Samples were taken: what each subject's conditions say of them.
    Judged(Vec<Judged>),
    /// All subjects that a threshold has now: those that are not among them are gone.
    Listed {
        threshold: Arc<str>,
        present: BTreeSet<Labels>,
    },
    /// A check failed, or `raise` was reached.
    Raised(Raised),
    /// A check that raised it passes, or a section ended without its `raise`.
    Passed {
        subject: Subject,
        raiser: Arc<str>,
    },
    /// Somebody else who posted that it fires says that it is over, and since when.
    Resolved {
        subject: Subject,
        raiser: Arc<str>,
        at: Option<Timestamp>,
    },
    /// What comes at one moment: alerts of a group that open with it are told together.
    Together(Vec<Self>),
    /// A check that raised it is not made any more: what it looked at is gone, or it is itself.
    Left {
        subject: Subject,
        raiser: Arc<str>,
    },
    /// A section begins that keeps thresholds quiet while it runs.
    QuietBegins {
        by: Arc<str>,
        quiet: Quiet,
    },
    QuietEnds {
        by: Arc<str>,
    },
    /// `notify`. `key` names the message.
    Note {
        key: Arc<str>,
        channels: Vec<Arc<str>>,
        title: Arc<str>,
        text: String,
    },
    /// `send to` in a report.
    Report(Report),
    /// `escalate to level N` in a section, or (`caller`) a person who begins one by hand. `title` names what it is for.
    Called {
        title: Arc<str>,
        level: u32,
        text: Arc<str>,
        caller: Option<Caller>,
    },
    Acknowledge {
        incident: i64,
        by: Arc<str>,
    },
    /// A person calls a level of an incident.
    Escalate {
        incident: i64,
        level: u32,
        caller: Caller,
    },
    Close {
        incident: i64,
        by: Arc<str>,
    },
    CloseAlert {
        alert: i64,
        by: Arc<str>,
    },
    Silence {
        threshold: Option<Arc<str>>,
        labels: Labels,
        until: Timestamp,
        by: Arc<str>,
        why: Arc<str>,
    },
    EndSilence {
        silence: i64,
        by: Arc<str>,
    },
    /// Time has passed.
    Tick,
}

/// What a report has to say. `key` names the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub key: Arc<str>,
    pub channels: Vec<Arc<str>>,
    pub title: Arc<str>,
    pub doc: Arc<str>,
    /// As bad as the worst of its checks.
    pub severity: Severity,
    pub text: String,
    pub parts: Vec<Shown>,
}

/// What the conditions of a threshold say of one set of labels; `None` where nobody can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub subject: Subject,
    /// When the youngest sample in it was taken.
    pub at: Timestamp,
    /// When it was begun to look, where that took long and nobody can say what is so.
    pub began: Option<Timestamp>,
    pub when: Vec<Option<bool>>,
    /// `None` where there is no `until`.
    pub until: Option<Option<bool>>,
    /// For each `escalate` of the threshold; `None` where it has no condition or nobody can say.
    pub escalate: Vec<Option<bool>>,
    /// What was measured: `error_rate is 12%`; why not, where it could not be.
    pub text: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    pub subject: Subject,
    /// The check or statement.
    pub raiser: Arc<str>,
    pub text: Arc<str>,
    /// When it began, where somebody else says so.
    pub since: Option<Timestamp>,
}

/// What is overdue for longer was not done because nobody was there to do it.
const LATE: SignedDuration = SignedDuration::from_secs(5);

/// Alerting with its state.
#[derive(Debug)]
pub struct Engine {
    definitions: Arc<Definitions>,
    state: State,
    index: Index,
    dues: Dues,
}

/// One input being worked on.
pub(super) struct Turn<'e> {
    pub(super) definitions: &'e Definitions,
    pub(super) state: &'e mut State,
    pub(super) index: &'e mut Index,
    pub(super) now: Timestamp,
    pub(super) outcome: Outcome,
    /// The open alerts of which a sample was judged.
    pub(super) looked_at: BTreeSet<i64>,
    /// Whether alerts of a group are to be told together at the end of the turn.
    pub(super) gathered: bool,
    /// Those of which nobody could say how they were, and that turn out bad.
    pub(super) turned: Vec<i64>,
}

impl Engine {
    #[must_use]
    pub fn new(definitions: Arc<Definitions>, state: State) -> Self {
        let (index, dues) = (Index::of(&definitions, &state), Dues::of(&definitions, &state));
        Self { definitions, state, index, dues }
    }

    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    #[must_use]
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// Goes on with an edited runbook. What is open keeps what it was opened under.
    pub fn redefine(&mut self, definitions: Arc<Definitions>) {
        *self = Self::new(definitions, std::mem::take(&mut self.state));
    }

    /// Goes on with others who are on call.
    pub fn hand_over(&mut self, roster: Option<Arc<Roster>>) {
        if self.definitions.roster != roster {
            self.redefine(Arc::new(Definitions { roster, ..Definitions::clone(&self.definitions) }));
        }
    }

    /// Takes one input at a time. What was due before is done first, but for what is long overdue where somebody has looked:
    /// after a time in which nobody could, what is open may be over for as long, and whoever is woken must be woken for
    /// what is so now. It is done with the next [`Input::Tick`].
    pub fn take(&mut self, now: Timestamp, input: Input) -> Outcome {
        let is_late = |due: &Timestamp| now.duration_since(*due) > LATE && *due > Timestamp::MIN;
        let due = self.next_due().filter(|due| !(input.is_a_look() && is_late(due)));
        let mut turn = Turn {
            definitions: &self.definitions,
            state: &mut self.state,
            index: &mut self.index,
            now,
            outcome: Outcome::default(),
            looked_at: BTreeSet::new(),
            gathered: false,
            turned: Vec::new(),
        };
        if due.is_some_and(|due| due <= now) {
            turn.timers();
        }
        turn.input(input);
        turn.wake();
        // What becomes quiet before it is told may have kept others quiet.
        while turn.tell_of_groups() {
            turn.wake();
        }
        turn.tell_turned();
        let outcome = turn.outcome;
        self.dues.look(&self.definitions, &self.state, &outcome.touched);
        outcome
    }

    /// When something is due that no input brings about.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        if self.index.was_edited() { Some(Timestamp::MIN) } else { self.dues.first(&self.state) }
    }
}

impl Input {
    /// Whether it says how something is that somebody has looked at.
    const fn is_a_look(&self) -> bool {
        matches!(
            self,
            Self::Judged(_) | Self::Listed { .. } | Self::Passed { .. } | Self::Left { .. } | Self::Resolved { .. }
        )
    }
}

impl<'e> Turn<'e> {
    fn input(&mut self, input: Input) {
        match input {
            Input::Judged(all) => all.into_iter().for_each(|judged| self.judged(judged)),
            Input::Listed { threshold, present } => self.listed(&threshold, &present),
            Input::Raised(raised) => self.raised(raised),
            Input::Passed { subject, raiser } => {
                self.not_raised(&subject, &raiser, &End::Over { at: self.now }, "what raised it passes");
            }
            Input::Resolved { subject, raiser, at } => self.resolved(&subject, &raiser, at),
            Input::Left { subject, raiser } => self.not_raised(&subject, &raiser, &End::Gone { at: self.now }, ""),
            Input::Together(all) => all.into_iter().for_each(|one| self.input(one)),
            Input::QuietBegins { by, quiet } => {
                self.state.quiet.insert(by, quiet);
                self.outcome.touched.rest = true;
            }
            Input::QuietEnds { by } => {
                self.state.quiet.remove(&by);
                self.outcome.touched.rest = true;
            }
            Input::Note { key, channels, title, text } => self.note(&key, channels, title, text),
            Input::Report(report) => self.report(report),
            Input::Called { title, level, text, caller } => self.called(title, level, text, caller.as_ref()),
            Input::Acknowledge { incident, by } => self.acknowledge(incident, &by),
            Input::Escalate { incident, level, caller } => self.called_by(incident, level, &caller),
            Input::Close { incident, by } => {
                let at = self.now;
                self.close_incident(incident, &End::Hand { at, by });
            }
            Input::CloseAlert { alert, by } => {
                let at = self.now;
                self.close_alert(alert, &End::Hand { at, by });
            }
            Input::Silence { threshold, labels, until, by, why } => {
                self.state.numbers.silence += 1;
                let number = self.state.numbers.silence;
                self.happened(
                    None,
                    None,
                    Happened::Silenced { number: Some(number), until, by: by.clone(), why: why.clone() },
                );
                let silence = Silence { number, threshold, labels, from: self.now, until, by, why };
                self.state.silences.insert(number, silence);
                self.outcome.touched.silences.insert(number);
                self.outcome.touched.rest = true;
            }
            Input::EndSilence { silence, by } => self.end_silence(silence, by),
            Input::Tick => {}
        }
    }

    fn end_silence(&mut self, number: i64, by: Arc<str>) {
        if self.state.silences.remove(&number).is_some() {
            self.outcome.touched.silences.insert(number);
            self.happened(None, None, Happened::SilenceEnded { by });
        }
    }

    /// All that is due. What is long overdue happens once and now: the time that the machine was away is not made up
    /// for by pages in a row.
    fn timers(&mut self) {
        let over: Vec<i64> =
            self.state.silences.values().filter(|one| one.until <= self.now).map(|one| one.number).collect();
        for number in over {
            self.end_silence(number, "its end".into());
        }
        self.undeclared();
        self.tell_moved();
        let now = self.now;
        let running = self.state.quiet.len();
        self.state.quiet.retain(|_, quiet| quiet.until > now);
        self.outcome.touched.rest |= self.state.quiet.len() != running;
        self.blind();
        self.gathered = true;
        _ = self.tell_of_groups();
        for number in self.open_alerts(|alert| alert.levels_due().iter().any(|(at, _)| *at <= now)) {
            self.escalate_late(number);
        }
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let incidents: Vec<i64> = self
            .state
            .incidents
            .values()
            .filter(|incident| due(incident.respond_due) || due(incident.next_due))
            .map(|incident| incident.number)
            .collect();
        for number in incidents {
            self.incident_due(number);
        }
    }

    pub(super) fn open_alerts(&self, which: impl Fn(&super::state::Alert) -> bool) -> Vec<i64> {
        self.state.alerts.values().filter(|alert| which(alert)).map(|alert| alert.number).collect()
    }

    pub(super) fn threshold(&self, title: &str) -> Option<&'e Threshold> {
        let definitions: &'e Definitions = self.definitions;
        definitions.thresholds.get(title)
    }

    /// What something is named to the outside.
    pub(super) fn named(&self, title: &str, labels: &Labels) -> Arc<str> {
        wording::about(&self.definitions.runbook, &self.definitions.ledger, title, labels)
    }

    pub(super) fn after(&self, delay: SignedDuration) -> Timestamp {
        self.now.checked_add(delay).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn happened(&mut self, alert: Option<i64>, incident: Option<i64>, what: Happened) {
        self.outcome.happened.push(Happening { at: self.now, alert, incident, what });
    }

    /// Writes a message down for a channel.
    pub(super) fn tell(&mut self, channel: &Arc<str>, message: &Arc<Message>, alert: Option<i64>) {
        let incident = message.incident.as_ref().map(|incident| incident.number);
        let told = Happened::Told {
            channel: Arc::clone(channel),
            occasion: message.occasion,
            title: Arc::clone(&message.title),
            key: Some(Arc::clone(&message.key)),
        };
        self.happened(alert, incident, told);
        let message = self.addressed(channel, message);
        self.outcome.tell.push(Tell { channel: Arc::clone(channel), message });
    }

    /// A message of an incident with those who are told by name: whoever was told of it on a channel, being on call, hears
    /// there how it goes on, whoever is on call by then.
    fn addressed(&mut self, channel: &Arc<str>, message: &Arc<Message>) -> Arc<Message> {
        let number = message.incident.as_ref().map(|incident| incident.number);
        let Some(incident) = number.and_then(|number| self.state.incident_mut(number)) else {
            return Arc::clone(message);
        };
        if message.occasion.is_for_all() {
            let called = incident.called.get(channel).filter(|called| !called.is_empty()).cloned();
            return called
                .map_or_else(|| Arc::clone(message), |called| Arc::new(Message { called, ..Message::clone(message) }));
        }
        if let Some(person) = &message.on_call {
            let called = incident.called.entry(Arc::clone(channel)).or_default();
            if !called.contains(person) {
                called.push(Arc::clone(person));
                self.outcome.touched.incidents.insert(incident.number);
            }
        }
        Arc::clone(message)
    }

    fn note(&mut self, key: &str, channels: Vec<Arc<str>>, title: Arc<str>, text: String) {
        let about = self.named(&title, &Labels::new());
        let key = wording::key(self.definitions, &title, key);
        let message = wording::blank(self.definitions, Occasion::Note, about, self.now);
        let message = Arc::new(Message { key, title, text, ..message });
        for channel in channels {
            self.tell(&channel, &message, None);
        }
    }

    fn report(&mut self, report: Report) {
        let Report { key, channels, title, doc, severity, text, parts } = report;
        // A threshold of the same title is something else.
        let about = self.named(&format!("report {title}"), &Labels::new());
        let key = wording::key(self.definitions, &title, &key);
        let message = wording::blank(self.definitions, Occasion::Report, about, self.now);
        let message = Arc::new(Message { key, severity, title, text, parts, doc, ..message });
        for channel in channels {
            self.tell(&channel, &message, None);
        }
    }

    fn acknowledge(&mut self, number: i64, by: &Arc<str>) {
        let now = self.now;
        let Some(incident) = self.state.incident_mut(number) else { return };
        // Whoever says it twice is heard once.
        if incident.acknowledged.as_ref().is_some_and(|before| before.by == *by) {
            return;
        }
        incident.acknowledged = Some(Acknowledged { by: Arc::clone(by), at: now });
        incident.respond_due = None;
        if incident.policy.next(incident.level, incident.round).is_none_or(|(_, unless)| unless) {
            incident.next_due = None;
        }
        self.withdraw_pages(number);
        self.happened(None, Some(number), Happened::Acknowledged { by: Arc::clone(by) });
        self.tell_incident(number, Occasion::Acknowledged, &format!("{by} has taken it on"), None);
    }
}
