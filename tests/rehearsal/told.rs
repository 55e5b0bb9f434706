//! What a run told, in lines that can be compared.

use std::fmt::Write as _;

use runbook::report::terminal::Terminal;
use runbook::shown::again::Again;
use runbook::shown::look::Look;
use runbook::shown::{Shown, ShownBody};
use runbook::store::event::{Checked, Counts, Event, ManualAnswer, Outcome, Place, Withheld};
use runbook::types::Fault;

use super::Ran;

/// Everything is as wide as a terminal of 100 columns, without colours.
pub const LOOK: Look = Look { colour: false, width: Some(100) };

impl Ran {
    /// A line for each statement that says how it went, in the order of the source.
    pub fn told(&self) -> Vec<String> {
        let mut lines: Vec<(&Place, String)> = self.placed().collect();
        lines.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// The same in the order in which it was told.
    pub fn told_as_told(&self) -> Vec<String> {
        self.placed().map(|(_, line)| line).collect()
    }

    fn placed(&self) -> impl Iterator<Item = (&Place, String)> {
        self.events().filter_map(told).filter_map(|(place, line)| Some((place?, line)))
    }

    /// A line for each statement behind its line in the source, in their order, and what is said of the whole run.
    pub fn events_text(&self) -> String {
        let mut placed: Vec<(&Place, String)> = self.placed().collect();
        placed.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
        let mut text = String::new();
        for (place, line) in placed {
            let _ = writeln!(text, "{} {line}", place.line);
        }
        for (_, line) in self.events().filter_map(told).filter(|(place, _)| place.is_none()) {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// What went outside, in the order in which it began: `0s to 3s api.get(path: "/a")`.
    pub fn log_text(&self) -> String {
        let mut text = String::new();
        for went in self.world.went() {
            let seconds = |at: std::time::Duration| at.as_secs_f64().round();
            let ended = went.ended.map_or_else(|| "never".to_owned(), |ended| format!("{}s", seconds(ended)));
            let cut = if went.cut { ", cut off" } else { "" };
            let _ = writeln!(text, "{}s to {ended} {}{cut}", seconds(went.began), went.what);
        }
        if text.is_empty() { "nothing\n".to_owned() } else { text }
    }

    /// What a person sees of it.
    pub fn report(&self) -> String {
        let mut out = Vec::new();
        let mut terminal = Terminal::new(&mut out, LOOK, false, Again::default());
        for record in &self.records {
            terminal.record(record).unwrap();
        }
        terminal.finish().unwrap();
        drop(terminal);
        String::from_utf8(out).unwrap()
    }
}

/// An event that says how something went, in a few words, and where that stands: nowhere, if it is about the whole run.
fn told(event: &Event) -> Option<(Option<&Place>, String)> {
    let at = |place, line: String| Some((Some(place), line));
    match event {
        Event::Checked(checked) => at(&checked.place, told_check(checked)),
        Event::Shown { place, title, shown } => at(place, format!("show \"{title}\": {}", told_shown(shown))),
        Event::NotShown { place, title, fault } => {
            at(place, format!("show \"{title}\": {}: {fault}", fault.kind.name()))
        }
        Event::NotMeasured { place, what, fault } | Event::Unsupported { place, what, fault } => {
            at(place, format!("{what}: {}: {fault}", fault.kind.name()))
        }
        Event::NoItems { place, list } => at(place, format!("nothing to do: no items in {list}")),
        Event::ChangeIntended { place, change, title, .. } => {
            at(place, format!("change {change} \"{title}\": intended"))
        }
        Event::ChangeEnded(ended) => {
            let fault = told_fault(ended.fault.as_ref());
            let verified = ended.verified.map_or("", |held| if held { ", verified" } else { ", not verified" });
            let undo = ended.undo.as_ref().map_or_else(String::new, |undo| format!(", undo {undo}"));
            let evidence = told_evidence(&ended.evidence);
            let outcome = format!("{:?}", ended.outcome).to_lowercase();
            let title = format!("change {} \"{}\"", ended.change, ended.title);
            at(&ended.place, format!("{title}: {outcome}{verified}{fault}{evidence}{undo}"))
        }
        Event::ChangeWithheld { place, title, reason, .. } => {
            at(place, format!("change \"{title}\": withheld, {}", told_reason(reason)))
        }
        Event::Waited { place, what, outcome, polls, seconds, fault, evidence } => {
            let fault = told_fault(fault.as_ref());
            let evidence = told_evidence(evidence);
            let outcome = told_outcome(*outcome);
            at(place, format!("wait {what}: {outcome} after {polls} polls in {seconds:.0}s{fault}{evidence}"))
        }
        Event::ChangeWaits { place, title, target, holder } => {
            at(place, format!("change \"{title}\" waits: {target} is held by {holder}"))
        }
        Event::ChangeTakesOver { place, title, target, holder } => {
            at(place, format!("change \"{title}\" takes over: {target} was held by {holder}"))
        }
        Event::Retried { place, round, of, fault } => {
            let fault = told_fault(fault.as_ref());
            at(place, format!("retry: round {round} of {of} did not do{fault}"))
        }
        Event::Manual { place, text, answer, .. } => at(place, format!("manual \"{text}\": {}", told_answer(*answer))),
        Event::NotReached { place, what, reason } => at(place, format!("{what}: not reached, {reason}")),
        Event::ApprovalNeeded { changes, .. } => Some((None, format!("approval needed for {} changes", changes.len()))),
        Event::ConnectionFailed { name, fault, .. } => {
            Some((None, format!("connection {name}: {}: {fault}", fault.kind.name())))
        }
        Event::Interrupted { signal } => Some((None, format!("interrupted by {signal}"))),
        Event::RunFinished(finished) => {
            Some((None, format!("exit {}{}", finished.exit, told_counts(&finished.counts))))
        }
        _ => None,
    }
}

fn told_check(checked: &Checked) -> String {
    let mut line =
        format!("{:?} \"{}\": {}", checked.kind, checked.title, told_outcome(checked.outcome)).to_lowercase();
    line = line.replacen(&checked.title.to_lowercase(), &checked.title, 1);
    line + &told_fault(checked.fault.as_ref()) + &told_evidence(&checked.evidence)
}

fn told_fault(fault: Option<&Fault>) -> String {
    fault.map_or_else(String::new, |fault| format!(", {}: {fault}", fault.kind.name()))
}

fn told_evidence(evidence: &[Shown]) -> String {
    evidence.iter().map(|shown| format!(", {}", told_shown(shown))).collect::<Vec<_>>().concat()
}

fn told_shown(shown: &Shown) -> String {
    let title = shown.title.as_ref().map_or_else(String::new, |title| format!("{title} = "));
    let partial = shown.partial.as_ref().map_or_else(String::new, |why| format!(" (not whole: {why})"));
    let body = match &shown.body {
        ShownBody::Value { cell } => cell.text.clone(),
        ShownBody::Record { fields } => {
            let given = fields.iter().filter(|(_, cell)| cell.text != "(left out)");
            given.map(|(name, cell)| format!("{name}={}", cell.text)).collect::<Vec<_>>().join(" ")
        }
        ShownBody::Table { columns, rows, total } => {
            let rows: Vec<String> = rows
                .iter()
                .map(|row| row.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join("|"))
                .collect();
            format!("{} [{}] of {total}", columns.join("|"), rows.join("; "))
        }
        ShownBody::Lines { lines, total } => format!("[{}] of {total}", lines.join("; ")),
    };
    format!("{title}{body}{partial}")
}

fn told_outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::NotMeasured => "not measured",
    }
}

fn told_answer(answer: ManualAnswer) -> &'static str {
    match answer {
        ManualAnswer::Done => "done",
        ManualAnswer::Problem => "a problem",
        ManualAnswer::Skipped => "skipped",
        ManualAnswer::NotAnswered => "nobody answered",
    }
}

fn told_reason(reason: &Withheld) -> String {
    match reason {
        Withheld::Guard { title, outcome } => format!("guard \"{title}\" {}", told_outcome(*outcome)),
        Withheld::EarlierChange { title, .. } => format!("earlier change \"{title}\""),
        Withheld::ReadOnly => "read-only".to_owned(),
        Withheld::NotApproved => "not approved".to_owned(),
        Withheld::Policy { says } => says.clone(),
        Withheld::NotMeasured { fault } => format!("{}: {fault}", fault.kind.name()),
        Withheld::TooMany { found, at_most } => format!("{found} found, at most {at_most}"),
        Withheld::Busy { target, holder } => format!("{target} is held by {holder}"),
        Withheld::Stopped { reason } => reason.clone(),
    }
}

fn told_counts(counts: &Counts) -> String {
    let all = [
        ("passed", counts.passed),
        ("failed", counts.failed),
        ("warned", counts.warned),
        ("noted", counts.noted),
        ("not measured", counts.not_measured),
        ("done", counts.changes_done),
        ("changes failed", counts.changes_failed),
        ("partly", counts.changes_partly),
        ("unknown", counts.changes_unknown),
        ("withheld", counts.changes_withheld),
        ("not reached", counts.not_reached),
    ];
    all.iter()
        .filter(|(_, count)| *count > 0)
        .fold(String::new(), |text, (name, count)| format!("{text}, {count} {name}"))
}
