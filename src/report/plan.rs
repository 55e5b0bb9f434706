//! What a runbook would change, for a person to agree to or not.

use super::looked::{Counted, Looked, Reached};
use super::terminal::short;
use crate::plan::{Around, Guard, Plan, PlannedChange, Wait};
use crate::run::VERIFY_WITHIN;
use crate::shown::look::{Look, Tone, clean, columns, counted, pad};
use crate::source::Sources;
use crate::store::event::Outcome;
use crate::types::Value;

/// Where what stands behind a heading begins.
const ITEMS: usize = 11;

/// The plan as text. `next` is what to type next, a line each.
#[must_use]
pub fn lines(plan: &Plan, sources: &Sources, next: &[String], looked: Option<&Looked>, look: Look) -> Vec<String> {
    let reads = counted(u64::from(plan.reads), "read");
    let changes = counted(plan.changes.len() as u64, "change");
    let title = look.paint(Tone::Strong, &clean(&plan.runbook));
    let how = looked.map_or_else(
        || "offline: no connection was opened".to_owned(),
        |looked| {
            let connections = counted(looked.connections.len() as u64, "connection");
            let unmeasured = if looked.unmeasured() == 0 {
                String::new()
            } else {
                format!(", {} of them not measured", looked.unmeasured())
            };
            format!("made the reads over {connections}{unmeasured}, and no change")
        },
    );
    let mut lines = vec![format!("{title} · {reads}, {changes} · {how}"), String::new()];
    if plan.changes.is_empty() {
        lines.push(format!("{}  nothing: it only looks", heading("CHANGES", look)));
    } else {
        lines.push(heading("CHANGES", look));
        for change in &plan.changes {
            lines.extend(self::change(change, plan, sources, looked, look));
        }
    }
    lines.extend(looked.into_iter().flat_map(|looked| not_seen(looked, look)));
    for text in &plan.manual {
        lines.push(format!("{}   {}", heading("A PERSON DOES", look), clean(text)));
    }
    for wait in &plan.waits {
        let line = format!("{}, for up to {}", clean(&wait.condition), clean(&wait.within));
        lines.push(format!("{}   {line}", heading("WAITS UNTIL", look)));
    }
    if !plan.connections.is_empty() {
        lines.push(heading("CONNECTIONS", look));
        for target in &plan.connections {
            lines.push(format!("    {} = {}", target.name, clean(&target.declared)));
            lines.extend(reached(&target.name, looked, look).map(|reached| format!("      {reached}")));
        }
    }
    if !plan.tells.is_empty() {
        let tells: Vec<String> = plan.tells.iter().map(|told| format!("{} ({})", told.channel, told.driver)).collect();
        lines.extend(joined("MAY TELL", &tells, " · ", look));
    }
    if !plan.needs.is_empty() {
        let needs: Vec<String> = plan.needs.iter().map(|(who, needs)| format!("{who}: {}", needs.join(", "))).collect();
        lines.extend(joined("NEEDS", &needs, "; ", look));
    }
    if let Some(hash) = &plan.hash {
        let short = short(hash);
        lines.push(format!("plan {short} · valid until a change, its guards, its targets or its bounds are edited"));
        lines.extend(next.iter().map(|line| clean(line)));
    }
    lines
}

fn heading(text: &str, look: Look) -> String {
    look.paint(Tone::Strong, text)
}

/// A heading with its items in one line, or in one line each where the terminal has no room for that.
fn joined(title: &str, items: &[String], between: &str, look: Look) -> Vec<String> {
    let line = items.join(between);
    if look.width.is_none_or(|width| ITEMS + columns(&line) <= width) {
        return vec![format!("{}{line}", heading(&pad(title, ITEMS), look))];
    }
    let items = items.iter().map(|item| format!("    {item}"));
    std::iter::once(heading(title, look)).chain(items).collect()
}

/// What could not be looked at, and why, and what no plan can look at.
fn not_seen(looked: &Looked, look: Look) -> Vec<String> {
    let mut lines = Vec::new();
    if looked.unmeasured() > 0 {
        lines.push(heading("COULD NOT LOOK", look));
    }
    for one in &looked.not_measured {
        let place = look.paint(Tone::Faint, &format!("{}:{}", clean(&one.file), one.line));
        lines.push(format!("    {}   {place}", clean(&one.what)));
        lines.push(format!("      {}", look.paint(Tone::Doubtful, &clean(&one.why))));
    }
    if looked.after_changes > 0 {
        let (checks, ask) = if looked.after_changes == 1 {
            ("1 check".to_owned(), "asks")
        } else {
            (format!("{} checks", looked.after_changes), "ask")
        };
        let line = format!("{checks} {ask} for what a change gives: that is known in the run");
        lines.push(look.paint(Tone::Faint, &line));
    }
    lines
}

/// What a connection leads to now.
fn reached(name: &str, looked: Option<&Looked>, look: Look) -> Option<String> {
    Some(match looked?.connections.get(name)? {
        Reached::Target(target) => format!("now {}", clean(target)),
        Reached::Fault(fault) => look.paint(Tone::Bad, &format!("could not be reached: {}", clean(fault))),
    })
}

/// Whether a guard holds now.
fn holds(guard: &Guard, sources: &Sources, looked: Option<&Looked>, look: Look) -> String {
    let Some(looked) = looked else { return String::new() };
    let in_block = guard.is_in_block();
    match looked.guard(&guard.at, sources) {
        None if in_block => ": not asked now".to_owned(),
        None => ": not asked, something above it could not be had".to_owned(),
        Some(asked) => match asked.outcome {
            Outcome::Failed if guard.after_manual => {
                look.paint(Tone::Doubtful, ": does not hold now, and is asked when a person has done that")
            }
            Outcome::Failed if guard.after_wait => {
                look.paint(Tone::Doubtful, ": does not hold now, and is asked when that has come true")
            }
            Outcome::Passed => look.paint(Tone::Good, ": holds now"),
            Outcome::Failed => look.paint(Tone::Bad, ": does not hold now, so the change would be refused"),
            Outcome::NotMeasured if asked.after_change => {
                ": is asked when the change above it has been made".to_owned()
            }
            Outcome::NotMeasured => {
                let why = asked.fault.as_deref().unwrap_or("it was not measured");
                look.paint(Tone::Doubtful, &format!(": could not be looked at: {}", clean(why)))
            }
        },
    }
}

/// What is waited for, and whether it is so now.
fn waits(wait: &Wait, sources: &Sources, looked: Option<&Looked>, look: Look) -> String {
    let maybe = if wait.in_block { " (where its block is reached)" } else { "" };
    let now = match looked.map(|looked| looked.wait(&wait.at, sources)) {
        None => String::new(),
        Some(None) if wait.in_block => ": not looked at now".to_owned(),
        Some(None) => ": not looked at, something above it could not be had".to_owned(),
        Some(Some(Outcome::Passed)) => look.paint(Tone::Good, ": is so now"),
        Some(Some(Outcome::Failed)) => look.paint(Tone::Doubtful, ": is not so now"),
        Some(Some(Outcome::NotMeasured)) => look.paint(Tone::Doubtful, ": is not known now"),
    };
    format!("waits until {}{maybe}, for up to {}{now}", clean(&wait.condition), clean(&wait.within))
}

/// How often a change would be made as things are.
fn rounds(change: &PlannedChange, sources: &Sources, looked: Option<&Looked>) -> Option<String> {
    let listed = change
        .around
        .iter()
        .any(|around| matches!(around, Around::Each { .. } | Around::If { .. } | Around::Else { .. }));
    let looked = looked?;
    let why_unknown = || change.blocks.iter().find_map(|at| looked.why_unknown(at, sources));
    match looked.rounds(change, sources) {
        None if why_unknown().is_some() => {
            Some(format!("now: not known: {}", clean(why_unknown().unwrap_or_default())))
        }
        None if listed => Some("now: not at all".to_owned()),
        None | Some(Counted { ready: 1, guarded: 0, after_manual: 0, after_wait: 0, too_many: None, unknown: 0 })
            if !listed =>
        {
            None
        }
        None => None,
        Some(Counted { ready, guarded, after_manual, after_wait, too_many, unknown }) => {
            let parts = [
                (ready, "to agree to"),
                (guarded, "refused by a guard"),
                (after_manual, "reached only when a person has done that"),
                (after_wait, "reached only when that has come true"),
                (unknown, "not known: something above could not be had"),
            ];
            let parts =
                parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
            let refused = too_many.map(|(found, at_most)| {
                format!("refused where the list is longer than it may be: it has {found} items, more than {at_most}")
            });
            Some(format!("now: {}", parts.chain(refused).collect::<Vec<_>>().join(", ")))
        }
    }
}

fn change(change: &PlannedChange, plan: &Plan, sources: &Sources, looked: Option<&Looked>, look: Look) -> Vec<String> {
    let position = sources.position(change.span);
    let file = &sources.file(change.span.file).name;
    let place = format!("{}:{}", clean(file), position.line);
    let within = change.within.as_ref().or(change.limit.as_ref());
    let within = within.map_or_else(|| "no time limit".to_owned(), |within| format!("≤{}", clean(within)));
    let mut lines =
        vec![format!("{:>2}  {}   {within}   {}", change.number, clean(&change.text), look.paint(Tone::Faint, &place))];
    let mut add = |text: String| lines.push(format!("    {text}"));
    let step = change.step.as_ref().map_or_else(String::new, |step| format!(" / {}", clean(step)));
    add(format!("in {}{step}", clean(&change.section)));
    for (name, value) in &change.given {
        add(format!("with {name} = {}", clean(value)));
    }
    for name in &change.on {
        if let Some(target) = plan.connections.iter().find(|target| target.name == *name) {
            add(format!("on {name} = {}", clean(&target.declared)));
            if let Some(reached) = reached(name, looked, look) {
                add(format!("  {reached}"));
            }
        }
    }
    for around in &change.around {
        add(clean(&around.words()));
    }
    for text in &change.manual {
        add(format!("after a person does: {}", clean(text)));
    }
    for wait in &change.waits {
        add(waits(wait, sources, looked, look));
    }
    for guard in &change.guards {
        let condition =
            if guard.title == guard.condition { String::new() } else { format!(": {}", clean(&guard.condition)) };
        let holds = holds(guard, sources, looked, look);
        add(format!("guard: {}{condition}{holds}, read again right before the call", clean(&guard.title)));
    }
    if let Some(rounds) = rounds(change, sources, looked) {
        add(rounds);
    }
    if let Some(role) = &change.approve_by {
        add(format!("approve by {}", clean(role)));
    }
    let or_none = |clause: &Option<String>| clause.as_deref().map_or_else(|| "none".to_owned(), clean);
    let patience = match (&change.verify, &change.within) {
        (None, _) => String::new(),
        (Some(_), Some(_)) => ", within the same time".to_owned(),
        (Some(_), None) => format!(", within {}", Value::Duration(VERIFY_WITHIN)),
    };
    add(format!("undo {} · verify {}{patience}", or_none(&change.undo), or_none(&change.verify)));
    lines
}
