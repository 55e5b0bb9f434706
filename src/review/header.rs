//! What another title, time zone or folder of a runbook means: under the title all is kept that outlives a run.

use std::path::Path;

use super::history::History;
use super::{Chapter, Finding, Kind, Row, Side};
use crate::plan::Plan;

pub(super) fn compare(
    (before, was): (Side<'_>, &Plan),
    (after, is): (Side<'_>, &Plan),
    history: Option<&History>,
) -> Vec<Finding> {
    let place = |side: Side<'_>| side.program.header.span.map(|span| side.place(span));
    let found = title(before, after, was, history).into_iter().chain(zone(before, after));
    let found = found.map(|finding| finding.at(place(before), place(after)));
    found.chain(folder((before, was), (after, is))).collect()
}

/// The name of the runbook's own file; nothing of a side on which there is none.
fn file(side: Side<'_>) -> Option<&str> {
    let name = side.sources.ids().next().map(|id| side.sources.file(id).name.as_str());
    name.filter(|name| !name.is_empty())
}

fn title(before: Side<'_>, after: Side<'_>, was: &Plan, history: Option<&History>) -> Option<Finding> {
    let (old, new) = (&before.program.header.title, &after.program.header.title);
    let row = Row::of("is", &**old, &**new)?;
    let subject = "title of the runbook";
    if file(before).is_none() || file(after).is_none() {
        return Some(Finding::new(Chapter::Inputs, Kind::Changed, subject, "changed").rows([row]));
    }
    let open = history.map(|history| history.open(old)).unwrap_or_default();
    let (program, mut notes) = (before.program, Vec::new());
    if !program.thresholds.is_empty() || !open.is_empty() {
        notes.push(
            "alerts that are open stay open under the old title, and nobody hears that they are over; what is still so \
             is told anew, also where somebody is at it or has silenced it"
                .to_owned(),
        );
    }
    if !open.is_empty() {
        notes.push(format!("open under the old title: {}", open.join(", ")));
    }
    if !program.metrics.is_empty() {
        notes.push(
            "samples stay behind: what has to be so for a time is counted anew, and `history(…)` is empty at first"
                .to_owned(),
        );
    }
    if program.sections.iter().any(|section| section.schedule.is_some()) {
        notes.push("due times stay behind: what was due and is not made yet is not made up for".to_owned());
    }
    if was.hash.is_some() {
        notes.push("standing approvals stay behind: changes wait until they are approved anew".to_owned());
    }
    let chapter = if program.thresholds.is_empty() { Chapter::Inputs } else { Chapter::Told };
    // What is open now is over for nobody.
    let kind = if open.is_empty() { Kind::Changed } else { Kind::Loosened };
    let headline = "another one: what is kept under the old one stays behind";
    let mut finding = Finding::new(chapter, kind, subject, headline).rows([row]);
    finding.notes = notes;
    Some(finding)
}

fn zone(before: Side<'_>, after: Side<'_>) -> Option<Finding> {
    let row = Row::of("is", &*before.program.header.timezone_name, &*after.program.header.timezone_name)?;
    let finding = Finding::new(Chapter::Inputs, Kind::Changed, "time zone of the runbook", "changed").rows([row]);
    let note = "dates and times that it computes, reads and shows are those of this zone; what runs at other times stands \
                under Schedules";
    let both = file(before).is_some() && file(after).is_some();
    Some(if both { finding.note(note) } else { finding })
}

/// A standing approval of what starts programs is for one folder.
fn folder((before, was): (Side<'_>, &Plan), (after, is): (Side<'_>, &Plan)) -> Option<Finding> {
    let folder = |side| -> Option<String> {
        let folder = Path::new(file(side)?).parent()?.to_string_lossy().into_owned();
        Some(if folder.is_empty() { ".".to_owned() } else { folder })
    };
    let row = Row::of("is", folder(before)?, folder(after)?)?;
    if was.programs.is_empty() || is.programs.is_empty() {
        return None;
    }
    let subject = "the folder in which programs are started";
    let finding = Finding::new(Chapter::Changes, Kind::Changed, subject, "another one").rows([row]);
    Some(finding.note("standing approvals hold in one folder: changes wait until they are approved anew"))
}
