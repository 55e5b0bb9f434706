//! What a run told, in short lines.

use runbook::store::event::{ChangeOutcome, Event, Outcome, ShownBody, Withheld};

use super::Ran;

impl Ran {
    /// A line for each event that says how something went, in the order of the source.
    pub fn told(&self) -> Vec<String> {
        let mut lines: Vec<(Vec<u32>, String)> = self.events.iter().filter_map(line).collect();
        lines.sort_by(|(a, _), (b, _)| a.cmp(b));
        lines.into_iter().map(|(_, line)| line).collect()
    }

    pub fn told_as_told(&self) -> Vec<String> {
        self.events.iter().filter_map(line).map(|(_, line)| line).collect()
    }
}

fn line(event: &Event) -> Option<(Vec<u32>, String)> {
    let (place, text) = match event {
        Event::Checked(checked) => {
            let fault = checked.fault.as_ref().map(|fault| format!(": {} {}", fault.kind.name(), fault.message));
            (&checked.place, format!("{} {}{}", outcome(checked.outcome), checked.title, fault.unwrap_or_default()))
        }
        Event::Shown { place, shown, .. } => {
            let text = match &shown.body {
                ShownBody::Value { cell } => cell.text.clone(),
                ShownBody::Lines { lines, total } => format!("{} of {total}", lines.join(", ")),
                ShownBody::Record { fields } => {
                    let fields: Vec<String> =
                        fields.iter().map(|(name, cell)| format!("{name}: {}", cell.text)).collect();
                    fields.join(", ")
                }
                ShownBody::Table { columns, rows, total } => {
                    format!("{} × {} of {total}", columns.join(" "), rows.len())
                }
            };
            let partial = shown.partial.as_ref().map(|why| format!(" (partial: {why})"));
            (place, format!("shown {text}{}", partial.unwrap_or_default()))
        }
        Event::NotShown { place, fault, .. } => (place, format!("not shown: {} {}", fault.kind.name(), fault.message)),
        Event::NotMeasured { place, what, fault } => {
            (place, format!("not measured {what}: {} {}", fault.kind.name(), fault.message))
        }
        Event::ChangeIntended { place, change, title, .. } => (place, format!("intends {change} {title}")),
        Event::ChangeEnded(ended) => {
            let outcome = match ended.outcome {
                ChangeOutcome::Done => "done",
                ChangeOutcome::Failed => "failed",
                ChangeOutcome::Unknown => "unknown",
            };
            let verified = ended.verified.map(|verified| format!(" verified={verified}")).unwrap_or_default();
            (&ended.place, format!("change {outcome} {}{verified}", ended.title))
        }
        Event::ChangeWithheld { place, title, reason, .. } => {
            let why = match reason {
                Withheld::Guard { title, outcome } => format!("guard {title} {outcome:?}"),
                Withheld::EarlierChange { title } => format!("after {title}"),
                Withheld::ReadOnly => "read-only".to_owned(),
                Withheld::NotApproved => "not approved".to_owned(),
                Withheld::NotMeasured { fault } => format!("not measured: {}", fault.message),
                Withheld::TooMany { found, at_most } => format!("{found} > {at_most}"),
                Withheld::Stopped { reason } => format!("stopped: {reason}"),
            };
            (place, format!("withheld {title}: {why}"))
        }
        Event::Waited { place, outcome: how, polls, .. } => (place, format!("waited {} {polls}", outcome(*how))),
        Event::Retried { place, round, of, .. } => (place, format!("retried {round} of {of}")),
        Event::Manual { place, text, answer, .. } => (place, format!("manual {text} {answer:?}")),
        Event::Unsupported { place, what, .. } => (place, format!("unsupported {what}")),
        Event::NotReached { place, what, .. } => (place, format!("not reached {what}")),
        _ => return None,
    };
    Some((place.path.clone(), text))
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::NotMeasured => "unknown",
    }
}
