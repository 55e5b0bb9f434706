//! What messages say, and how things are named to the outside.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::definitions::Definitions;
use super::outcome::Happened;
use super::state::{Alert, Cause, End, Incident};
use crate::catalog::{self, Message, Occasion};
use crate::check::program::Roster;
use crate::types::{Labels, Severity};

/// A name of something for other systems: the same from all who share a ledger, and another one from another ledger.
pub(super) fn about(runbook: &str, ledger: &str, title: &str, labels: &Labels) -> Arc<str> {
    const LONGEST: usize = 160;
    let values = labels.iter().map(|(_, value)| &**value);
    let words = [runbook, title].into_iter().chain(values).flat_map(|word| word.bytes().chain([b' ']));
    let mut name = String::with_capacity(LONGEST);
    for letter in words {
        match letter {
            b'a'..=b'z' | b'0'..=b'9' | b'A'..=b'Z' => name.push(char::from(letter.to_ascii_lowercase())),
            _ if name.ends_with('-') || name.is_empty() => {}
            _ => name.push('-'),
        }
        if name.len() >= LONGEST {
            break;
        }
    }
    name.truncate(name.trim_end_matches('-').len());
    name.push_str(&apart(runbook, ledger, title, labels));
    name.into()
}

/// What tells a name from others that look like it.
fn apart(runbook: &str, ledger: &str, title: &str, labels: &Labels) -> String {
    let mut whole = Sha256::new_with_prefix(runbook);
    whole.update("\0");
    whole.update(title);
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        whole.update("\0");
        whole.update(&**text);
    }
    let hash = hex::encode(whole.finalize().get(..4).unwrap_or_default());
    if ledger.is_empty() { format!("-{hash}") } else { format!("-{hash}-{ledger}") }
}

/// The name of a message that is of no alert and no incident: what names it to whoever tells it is one name in another
/// runbook and in another ledger, too.
pub(super) fn key(definitions: &Definitions, title: &str, within: &str) -> Arc<str> {
    let apart = apart(&definitions.runbook, &definitions.ledger, title, &Labels::new());
    [within, &apart].concat().into()
}

/// What every message of a runbook shares.
pub(super) fn blank(definitions: &Definitions, occasion: Occasion, about: Arc<str>, at: Timestamp) -> Message {
    Message {
        key: Arc::clone(&about),
        about,
        occasion,
        severity: Severity::Info,
        title: "".into(),
        text: String::new(),
        parts: Vec::new(),
        facts: Vec::new(),
        doc: "".into(),
        runbook: Arc::clone(&definitions.runbook),
        at,
        timezone: Arc::clone(&definitions.timezone),
        on_call: None,
        called: Vec::new(),
        incident: None,
        link: None,
        acknowledge: None,
    }
}

/// What is said of alerts that are told together.
pub(super) fn of_alerts(message: &mut Message, alerts: &[&Alert]) {
    let Some(first) = alerts.first() else { return };
    message.severity = first.severity;
    message.title = Arc::clone(&first.subject.threshold);
    message.doc = Arc::clone(&first.doc);
    message.link = first.link.as_deref().map(str::to_owned);
    message.text = match alerts {
        [one] => one.text.to_string(),
        several => {
            let mut text = format!("{} alerts:", several.len());
            for alert in several {
                let _ = write!(text, "\n{}", alert.text);
            }
            text
        }
    };
    if let [one] = alerts {
        message.facts.extend(one.subject.labels.iter().map(|(name, value)| (Arc::clone(name), value.to_string())));
    }
    message.facts.push(("alert".into(), numbers(alerts)));
    if first.cause == Cause::Unknown {
        message.facts.push(("cause".into(), "nobody could look".to_owned()));
    }
}

/// What is said of an incident.
pub(super) fn of_incident(message: &mut Message, incident: &Incident, roster: Option<&Roster>) {
    message.severity = incident.severity;
    message.title = Arc::clone(&incident.title);
    message.doc = Arc::clone(&incident.doc);
    message.link = incident.link.as_deref().map(str::to_owned);
    if message.text.is_empty() {
        message.text = incident.text.to_string();
    }
    let role = incident.policy.level(incident.level).map_or_else(|| "".into(), |level| Arc::clone(&level.role));
    message.facts.push(("incident".into(), format!("#{}", incident.number)));
    message.facts.push(("level".into(), format!("{} {role}", incident.level)));
    if let Some(on_call) = roster.and_then(|roster| roster.on_call(&role, message.at)) {
        let who = on_call.map_or_else(|| "nobody".to_owned(), ToString::to_string);
        message.facts.push(("on call".into(), who));
        message.on_call = on_call.cloned();
    }
    message.incident = Some(catalog::Incident { number: incident.number, level: incident.level, role });
}

fn numbers(alerts: &[&Alert]) -> String {
    alerts.iter().map(|alert| format!("#{}", alert.number)).collect::<Vec<_>>().join(", ")
}

/// How it ended, in a sentence.
pub(super) fn ended(end: &End) -> String {
    match end {
        End::Over { .. } => "it is over".to_owned(),
        End::Gone { .. } => "what it was about is not there any more".to_owned(),
        End::Undeclared { .. } => "its threshold is gone from the runbook".to_owned(),
        End::Hand { by, .. } => format!("closed by {by}"),
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlertOpened { title, severity, text, .. } => {
                write!(f, "alert \"{title}\" ({}) opens: {text}", severity.name())
            }
            Self::AlertClosed { title, end } => write!(f, "alert \"{title}\" closes: {}", ended(end)),
            Self::Quiet { title, by } => write!(f, "\"{title}\" is kept quiet by {by}"),
            Self::IncidentOpened { title, level, role } => {
                write!(f, "incident \"{title}\" opens at level {level}, {role}")
            }
            Self::Level { level, role, round: 1 } => write!(f, "level {level}, {role}"),
            Self::Level { level, role, round } => write!(f, "level {level}, {role}, round {round}"),
            Self::CalledBy { by, level, text: None } => write!(f, "{by} calls level {level}"),
            Self::CalledBy { by, level, text: Some(text) } => write!(f, "{by} calls level {level}: {text}"),
            Self::NobodyOnCall { level, role } => write!(f, "nobody is on call for level {level}, {role}"),
            Self::Late { level, role } => write!(f, "level {level}, {role}, has not answered in time"),
            Self::Handed { channel } => write!(f, "{channel} has it already and escalates by itself"),
            Self::Acknowledged { by } => write!(f, "{by} takes it on"),
            Self::Exhausted => write!(f, "everybody has been told, and nobody is left"),
            Self::IncidentClosed { title, end } => write!(f, "incident \"{title}\" closes: {}", ended(end)),
            Self::Told { channel, occasion, title, .. } => write!(f, "→ {channel}: {title} ({})", occasion.name()),
            Self::Silenced { number, until, by, why } => {
                if let Some(number) = number {
                    write!(f, "silence #{number}: ")?;
                }
                write!(f, "{by} silences it until {until:.0}: {why}")
            }
            Self::SilenceEnded { by } => write!(f, "the silence ends: {by}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::about;
    use crate::types::Labels;

    #[test]
    fn names_are_short_stable_and_different() {
        let labels = |name: &str| Labels::from([(name.into(), "a-1".into())]);
        let one = about("Daily operations", "", "Service Down", &labels("pod"));
        assert_eq!(&*one, "daily-operations-service-down-a-1-6a4e39eb");
        let long = about("Täglich", "0123456789abcdef", &"x".repeat(500), &Labels::new());
        assert!(long.len() < 200 && long.is_ascii());
        assert_ne!(one, about("Daily operations", "", "Service Down", &labels("service")));
        let kept = about("Daily operations", "5f2c", "Service Down", &labels("pod"));
        assert_eq!(&*kept, "daily-operations-service-down-a-1-6a4e39eb-5f2c");
    }
}
