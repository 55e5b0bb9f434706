//! What an event means for the person who reads it: a verdict, what it is about, and why.

use std::sync::Arc;

use crate::shown::Shown;
use crate::shown::items::{named, says};
use crate::shown::look::{counted, seconds};
use crate::store::event::{
    ChangeEnded, ChangeOutcome, CheckKind, Checked, Event, ManualAnswer, Measured, Outcome, Path, Place, Severity,
    Withheld,
};
use crate::types::{Fault, FaultKind};

/// How it went, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Failed,
    /// Could not look, or nobody can say.
    Unknown,
    /// A change that was not begun.
    Refused,
    Warned,
    Noted,
    NotReached,
    Passed,
}

impl Verdict {
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Failed => "FAILED",
            Self::Unknown => "UNKNOWN",
            Self::Refused => "REFUSED",
            Self::Warned => "WARNING",
            Self::Noted => "NOTE",
            Self::NotReached => "NOT REACHED",
            Self::Passed => "PASSED",
        }
    }
}

/// One thing that was looked at, changed or asked for.
#[derive(Clone, Debug)]
pub struct Finding {
    pub verdict: Verdict,
    pub title: String,
    /// `None` for a connection.
    pub place: Option<Place>,
    /// What there is to say, a line each.
    pub says: Vec<String>,
    pub fault: Option<Fault>,
    /// The fault is why something could not be looked at, and not what came of a change.
    pub looks: bool,
    pub evidence: Vec<Shown>,
    pub doc: Arc<str>,
    pub seconds: f64,
}

impl Finding {
    /// Something that went wrong with the run itself.
    #[must_use]
    pub fn failed(title: &str) -> Self {
        Self::new(Verdict::Failed, title, None)
    }

    fn new(verdict: Verdict, title: impl Into<String>, place: Option<&Place>) -> Self {
        Self {
            verdict,
            title: title.into(),
            place: place.cloned(),
            says: Vec::new(),
            fault: None,
            looks: true,
            evidence: Vec::new(),
            doc: Arc::from(""),
            seconds: 0.0,
        }
    }

    /// A change that was begun, in a run whose journal says no more of it.
    pub(super) fn begun(title: &str, place: &Place) -> Self {
        Self::new(Verdict::Unknown, format!("change {title}"), Some(place))
            .say("it was begun, and nothing says how it ended: nobody knows whether it was made")
    }

    /// Its title, with the items of the loops around it that this does not say: `cert good [host=a]`
    pub(super) fn headline(&self) -> String {
        let items = self.place.iter().flat_map(|place| &place.items);
        let is_said = |item: &str| says(&self.title, item.split_once('=').map_or(item, |(_, item)| item));
        let unsaid: Vec<&str> = items.map(|item| &**item).filter(|item| !is_said(item)).collect();
        if unsaid.is_empty() { self.title.clone() } else { format!("{} [{}]", self.title, unsaid.join(", ")) }
    }

    /// Where the round of a `retry` that is over was not the last one, what it came to is an attempt: another one was made
    /// after it, and that one counts.
    pub(super) fn retried(&mut self, event: &Event) {
        let is_within = |round: &Round| self.place.as_ref().is_some_and(|place| round.has(&place.path));
        if self.verdict != Verdict::Passed && Round::retried(event).is_some_and(|round| is_within(&round)) {
            self.verdict = Verdict::Noted;
            self.says = vec!["an attempt: `retry` made another one after it".to_owned()];
        }
    }

    fn say(mut self, text: impl Into<String>) -> Self {
        self.says.push(text.into());
        self
    }

    fn fault(mut self, fault: Option<&Fault>) -> Self {
        self.fault = fault.cloned();
        self
    }

    /// What an event says about the systems that were looked at. `None` for one that only tells how the run goes.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        Some(match event {
            Event::Checked(checked) => of_check(checked),
            Event::ChangeEnded(ended) => of_change(ended),
            Event::ChangeWithheld { place, title, items, reason, .. } => {
                of_withheld(place, &named(title, items), reason)
            }
            Event::ConnectionFailed { name, driver, fault } => {
                Self::new(Verdict::Unknown, format!("connection `{name}` ({driver})"), None).fault(Some(fault))
            }
            Event::SecretTooShort { name } => Self::new(Verdict::Warned, format!("secret `{name}`"), None)
                .say("it is too short to be hidden: where something repeats it, it is shown and recorded"),
            Event::NotShown { place, title, fault } => {
                Self::new(Verdict::Unknown, &**title, Some(place)).fault(Some(fault))
            }
            Event::NotMeasured { place, what, fault } => {
                Self::new(Verdict::Unknown, &**what, Some(place)).fault(Some(fault))
            }
            Event::Measured(measured) => of_samples(measured)?,
            Event::Unsupported { place, what, fault } => {
                Self::new(Verdict::Failed, &**what, Some(place)).fault(Some(fault))
            }
            Event::NotReached { place, what, reason } => {
                Self::new(Verdict::NotReached, &**what, Some(place)).say(reason)
            }
            Event::Waited { place, what, outcome, polls, seconds: took, fault, evidence } => {
                let verdict = verdict(*outcome, Severity::Critical);
                let mut finding = Self::new(verdict, format!("wait until {what}"), Some(place)).fault(fault.as_ref());
                let looks = counted(u64::from(*polls), "look");
                if *outcome == Outcome::Failed {
                    finding = finding.say(format!("did not become true in {} ({looks})", seconds(*took)));
                } else if *outcome == Outcome::NotMeasured && *polls > 1 {
                    let seen = if evidence.is_empty() { "" } else { "that was seen last; " };
                    finding = finding.say(format!("{seen}did not become true in {} ({looks})", seconds(*took)));
                }
                Self { evidence: evidence.clone(), seconds: *took, ..finding }
            }
            Event::Manual { place, text, answer, note, .. } => of_manual(place, text, *answer, note.as_deref()),
            _ => return None,
        })
    }
}

/// A round of a `retry`: where it stands, and its number behind that.
pub(super) struct Round(Path);

impl Round {
    /// The one that did not do, so that another was begun.
    pub(super) fn retried(event: &Event) -> Option<Self> {
        let Event::Retried { place, round, .. } = event else { return None };
        Some(Self(place.path.iter().copied().chain([*round]).collect()))
    }

    /// Whether what stands there belongs to it.
    pub(super) fn has(&self, path: &Path) -> bool {
        path.starts_with(&self.0)
    }
}

fn verdict(outcome: Outcome, severity: Severity) -> Verdict {
    match (outcome, severity) {
        (Outcome::Passed, _) => Verdict::Passed,
        (Outcome::NotMeasured, _) => Verdict::Unknown,
        (Outcome::Failed, Severity::Critical) => Verdict::Failed,
        (Outcome::Failed, Severity::Warning) => Verdict::Warned,
        (Outcome::Failed, Severity::Info) => Verdict::Noted,
    }
}

fn of_check(checked: &Checked) -> Finding {
    let mut finding = Finding::new(verdict(checked.outcome, checked.severity), &*checked.title, Some(&checked.place));
    if finding.verdict != Verdict::Passed {
        if *checked.source != *checked.title {
            finding = finding.say(&*checked.source);
        }
        if let (Outcome::Failed, Some(message)) = (checked.outcome, &checked.message) {
            finding = finding.say(message);
        }
        if let Some(threshold) = &checked.raises {
            finding = finding.say(format!("raises \"{threshold}\""));
        }
        if checked.kind == CheckKind::Require {
            finding = finding.say("a guard: none of the changes that it guards was made");
        }
    }
    Finding {
        fault: checked.fault.clone(),
        evidence: checked.evidence.clone(),
        doc: checked.doc.clone(),
        seconds: checked.seconds,
        ..finding
    }
}

/// `None` where every sample could be taken.
fn of_samples(measured: &Measured) -> Option<Finding> {
    let faults: Vec<_> = measured.samples.iter().filter(|sample| sample.fault.is_some()).collect();
    let first = measured.fault.as_ref().or_else(|| faults.first().and_then(|sample| sample.fault.as_ref()))?;
    let title = format!("measure {}", measured.metric);
    let mut finding = Finding::new(Verdict::Unknown, title, Some(&measured.place)).fault(Some(first));
    if measured.fault.is_none() && measured.samples.len() > 1 {
        finding = finding.say(format!("{} of {} samples", faults.len(), measured.samples.len()));
    }
    Some(finding)
}

fn of_change(ended: &ChangeEnded) -> Finding {
    let (verdict, says) = match (ended.outcome, ended.verified) {
        (ChangeOutcome::Done, _) if ended.is_warned() => (Verdict::Warned, Some("it was made, with a warning")),
        (ChangeOutcome::Done, _) => (Verdict::Passed, None),
        // What was made, and what is wrong with it.
        (ChangeOutcome::Failed, Some(false)) => (Verdict::Failed, ended.fault.as_ref().map(|fault| &*fault.message)),
        (ChangeOutcome::Failed, _) => (Verdict::Failed, Some("it was not made")),
        (ChangeOutcome::Partly, _) => {
            (Verdict::Failed, Some("a part of it was made, and a part was not: look before you repeat it"))
        }
        // A program that was started and failed.
        (ChangeOutcome::Unknown, _) if ended.fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Failed) => {
            (Verdict::Unknown, Some("it failed, and may have done a part of it: look before you repeat it"))
        }
        (ChangeOutcome::Unknown, _) => {
            (Verdict::Unknown, Some("nobody can say whether it was made: look before you repeat it"))
        }
    };
    let title = format!("change {}", named(&ended.title, &ended.items));
    // What is wrong with what was made is said below.
    let fault = ended.fault.as_ref().filter(|_| ended.verified != Some(false));
    let mut finding = Finding::new(verdict, title, Some(&ended.place)).fault(fault);
    finding.says.extend(says.map(str::to_owned));
    // What the fault says already is said once.
    let message = fault.map_or("", |fault| &*fault.message);
    let told = |line: &str| line.split_once(": ").is_some_and(|(_, line)| message.contains(line));
    finding.says.extend(ended.said.iter().filter(|line| !told(line)).map(ToString::to_string));
    // What was not made leaves nothing to be undone, and undoing it may undo what somebody else has done.
    let may_be_made = ended.is_made() || ended.outcome == ChangeOutcome::Unknown;
    if let (true, Some(undo)) = (verdict != Verdict::Passed && may_be_made, &ended.undo) {
        finding = finding.say(format!("to undo it: {undo}"));
    }
    let evidence = ended.result.iter().chain(&ended.evidence).cloned().collect();
    Finding { evidence, looks: false, seconds: ended.seconds, ..finding }
}

fn of_withheld(place: &Place, title: &str, reason: &Withheld) -> Finding {
    let finding = Finding::new(Verdict::Refused, format!("change {title}"), Some(place));
    let finding = match reason {
        Withheld::NotMeasured { fault } => finding.fault(Some(fault)),
        other => finding.say(why_withheld(other)),
    };
    finding.say("nothing was changed")
}

/// Why a change was not begun.
pub(crate) fn why_withheld(reason: &Withheld) -> String {
    match reason {
        Withheld::Guard { title, outcome: Outcome::NotMeasured } => {
            format!("guard \"{title}\" could not be measured")
        }
        Withheld::Guard { title, .. } => format!("guard \"{title}\" is false"),
        Withheld::EarlierChange { title, items } => {
            format!("an earlier change did not succeed: {}", named(title, items))
        }
        Withheld::ReadOnly => "the run is read-only".to_owned(),
        Withheld::NotApproved => "it was not approved".to_owned(),
        Withheld::Policy { says } => says.clone(),
        Withheld::NotMeasured { fault } => fault.to_string(),
        Withheld::TooMany { found, at_most } => {
            format!("the list has {found} items, more than `at most {at_most}`")
        }
        Withheld::Busy { target, holder } => format!("{target} is being changed by {holder}"),
        Withheld::Stopped { reason } => reason.clone(),
    }
}

fn of_manual(place: &Place, text: &str, answer: ManualAnswer, note: Option<&str>) -> Finding {
    let (verdict, says) = match answer {
        ManualAnswer::Done => (Verdict::Passed, "done"),
        ManualAnswer::Problem => (Verdict::Failed, "a person reported a problem"),
        ManualAnswer::Skipped => (Verdict::Noted, "a person skipped it"),
        ManualAnswer::NotAnswered => (Verdict::Unknown, "nobody answered"),
    };
    let finding = Finding::new(verdict, text, Some(place)).say(says);
    match note {
        Some(note) => finding.say(format!("note: {note}")),
        None => finding,
    }
}
