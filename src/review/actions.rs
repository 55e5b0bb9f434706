//! The changes that a runbook makes: which, on what, behind which guards and within which bounds.

use jiff::Timestamp;

use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Row, Rows, Side, schedules, worst};
use crate::plan::{Around, Plan, PlannedChange};

pub(super) fn compare(before: Side<'_>, after: Side<'_>, was: &Plan, is: &Plan, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let key = |change: &PlannedChange| (change.section.clone(), change.step.clone(), change.text.clone());
    // The same call that was moved, or another call at the same place with the same targets.
    let alike = |old: &PlannedChange, new: &PlannedChange| {
        old.text == new.text || (old.section == new.section && old.step == new.step && head(old) == head(new))
    };
    let mut order = Vec::new();
    for pair in pairs(&was.changes, &is.changes, key, alike) {
        match pair {
            Pair::Both(old, new) => {
                order.push(old.number);
                let mut finding = changed(before, after, old, new, was, is);
                if let Some(finding) = finding.as_mut().filter(|finding| finding.kind == Kind::Dangerous) {
                    finding.notes.extend(schedules::unattended(after, &new.section, new.within.as_deref(), now));
                }
                findings.extend(finding);
            }
            Pair::Gone(old) => {
                let finding = Finding::new(Chapter::Changes, Kind::Safer, subject(old), "gone: it is no longer made");
                findings.push(finding.at(Some(before.place(old.span)), None));
            }
            Pair::New(new) => {
                let rows = [
                    Row::of("within", "", bound(new.within.as_ref())),
                    Row::of("on", "", targets(new, is)),
                    Row::of("guards", "", guards(new)),
                    Row::of("verify", "", clause(new.verify.as_ref())),
                    Row::of("undo", "", clause(new.undo.as_ref())),
                ];
                let rows = rows.into_iter().flatten();
                let mut finding =
                    Finding::new(Chapter::Changes, Kind::Dangerous, subject(new), "new change").rows(rows);
                finding.notes.extend(schedules::unattended(after, &new.section, new.within.as_deref(), now));
                finding.notes.extend(consequence(&new.text).map(str::to_owned));
                findings.push(finding.at(None, Some(after.place(new.span))));
            }
        }
    }
    if order.windows(2).any(|two| two.first() > two.last()) {
        let finding = Finding::new(Chapter::Changes, Kind::Changed, "the order of the changes", "changed");
        findings.push(finding);
    }
    if let Some(hash) = &was.hash
        && was.hash != is.hash
    {
        let short = |hash: &String| hash.chars().take(12).collect::<String>();
        let now = is.hash.as_ref().map_or_else(|| "nothing to agree to".to_owned(), short);
        let row = Row::of("plan", short(hash), now);
        let finding = Finding::new(Chapter::Changes, Kind::Changed, "the consent", "void: it has to be given again");
        findings.push(
            finding.rows(row).note("a run that names the former plan stops before its first change, with exit 5"),
        );
    }
    findings
}

fn subject(change: &PlannedChange) -> String {
    let step = change.step.as_ref().map_or_else(String::new, |step| format!(" / {step}"));
    format!("change {} in {}{step}", change.text, change.section)
}

/// What is called, without its arguments.
fn head(change: &PlannedChange) -> &str {
    change.text.split_once('(').map_or(&*change.text, |(head, _)| head)
}

fn bound(within: Option<&String>) -> String {
    within.cloned().unwrap_or_else(|| "no time limit".to_owned())
}

fn clause(clause: Option<&String>) -> String {
    clause.cloned().unwrap_or_else(|| "none".to_owned())
}

fn guards(change: &PlannedChange) -> String {
    let guards: Vec<&str> = change.guards.iter().map(|guard| guard.title.as_str()).collect();
    if guards.is_empty() { "none".to_owned() } else { guards.join("; ") }
}

fn targets(change: &PlannedChange, plan: &Plan) -> String {
    let of = |name: &str| {
        let found = plan.connections.iter().find(|target| *target.name == *name);
        found.map_or_else(|| name.to_owned(), |target| format!("{name} = {}", target.declared))
    };
    change.on.iter().map(|name| of(name)).collect::<Vec<_>>().join(", ")
}

fn around(change: &PlannedChange) -> String {
    let one = |around: &Around| match around {
        Around::Each { name, list, items, at_most } => {
            let most = at_most.map_or_else(String::new, |most| format!(", at most {most}"));
            let items = items.map_or_else(String::new, |items| format!(" ({items} items)"));
            format!("for each {name} in {list}{items}{most}")
        }
        Around::If { condition } => format!("if {condition}"),
        Around::Else { conditions } => format!("unless {}", conditions.join(" or ")),
        Around::Retry { times } => format!("up to {times} times"),
        Around::OnFailure => "on failure".to_owned(),
        Around::Always => "always".to_owned(),
        Around::Command { name } => format!("in command {name}"),
    };
    change.around.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn most(change: &PlannedChange) -> Option<u32> {
    change.around.iter().find_map(|around| if let Around::Each { at_most, .. } = around { *at_most } else { None })
}

fn changed(
    before: Side<'_>,
    after: Side<'_>,
    old: &PlannedChange,
    new: &PlannedChange,
    was: &Plan,
    is: &Plan,
) -> Option<Finding> {
    let mut found = Rows::default();
    let mut add = |row, kind| found.add(row, kind);
    let calls = |change: &PlannedChange| change.text.to_string();
    let danger = consequence(&new.text).filter(|_| consequence(&old.text) != consequence(&new.text));
    add(Row::of("calls", calls(old), calls(new)), if danger.is_some() { Kind::Dangerous } else { Kind::Changed });
    add(Row::of("on", targets(old, was), targets(new, is)), Kind::Dangerous);
    let section = |change: &PlannedChange| {
        change.step.as_ref().map_or_else(|| change.section.to_string(), |step| format!("{} / {step}", change.section))
    };
    add(Row::of("in", section(old), section(new)), Kind::Changed);
    let wider = match (most(old), most(new)) {
        (Some(_), None) => true,
        (Some(a), Some(b)) => b > a,
        _ => false,
    };
    add(Row::of("made", around(old), around(new)), if wider { Kind::Dangerous } else { Kind::Changed });
    let given = |change: &PlannedChange| {
        change.given.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
    };
    add(Row::of("with", given(old), given(new)), Kind::Changed);
    let longer = match (&old.within, &new.within) {
        (Some(_), None) => Kind::Dangerous,
        (None, Some(_)) => Kind::Safer,
        _ => Kind::Changed,
    };
    add(Row::of("within", bound(old.within.as_ref()), bound(new.within.as_ref())), longer);
    let fewer = old.guards.iter().any(|guard| !new.guards.iter().any(|other| other.condition == guard.condition));
    let conditions = |change: &PlannedChange| {
        change.guards.iter().map(|guard| guard.condition.as_str()).collect::<Vec<_>>().join("; ")
    };
    if conditions(old) != conditions(new) {
        let row = Row { what: "guards", before: guards(old), after: guards(new) };
        add(Some(row), if fewer { Kind::Dangerous } else { Kind::Safer });
    }
    for (what, a, b) in [("verify", &old.verify, &new.verify), ("undo", &old.undo, &new.undo)] {
        let kind = match (a, b) {
            (Some(_), None) => Kind::Dangerous,
            (None, Some(_)) => Kind::Safer,
            _ => Kind::Changed,
        };
        add(Row::of(what, clause(a.as_ref()), clause(b.as_ref())), kind);
    }
    let role = |change: &PlannedChange| {
        change.approve_by.as_ref().map_or_else(|| "nobody by name".to_owned(), ToString::to_string)
    };
    let approved = if new.approve_by.is_none() { Kind::Dangerous } else { Kind::Changed };
    add(Row::of("approved by", role(old), role(new)), approved);
    if found.rows.is_empty() {
        return None;
    }
    let kind = worst(found.kinds);
    let headline = match kind {
        Kind::Dangerous => "more dangerous",
        Kind::Safer => "safer",
        _ => "changed",
    };
    let mut finding = Finding::new(Chapter::Changes, kind, subject(new), headline).rows(found.rows);
    finding.notes.extend(danger.map(str::to_owned));
    if kind == Kind::Dangerous && new.undo.is_none() {
        finding.notes.push(format!("undo: none · verify: {}", clause(new.verify.as_ref())));
    }
    Some(finding.at(Some(before.place(old.span)), Some(after.place(new.span))))
}

/// What statements and commands do to others that are dangerous, by what they begin with. What is not here is not
/// harmless: it is not known.
const CONSEQUENCES: &[(&str, &str)] = &[
    (
        "vacuum full",
        "`VACUUM FULL` locks each table exclusively while it is rewritten: nobody reads or writes it meanwhile",
    ),
    (
        "vacuum (full",
        "`VACUUM FULL` locks each table exclusively while it is rewritten: nobody reads or writes it meanwhile",
    ),
    ("cluster", "`CLUSTER` locks the table exclusively while it is rewritten"),
    ("reindex", "`REINDEX` holds up writes to the table, unless it is `CONCURRENTLY`"),
    ("truncate", "`TRUNCATE` removes all rows at once, and locks the table exclusively"),
    ("drop ", "`DROP` cannot be taken back"),
    ("alter table", "`ALTER TABLE` locks the table exclusively, and may rewrite it"),
    ("delete from", "`DELETE` removes rows: without a `WHERE` all of them"),
    ("flushall", "`FLUSHALL` removes every key of every database"),
    ("flushdb", "`FLUSHDB` removes every key of the database"),
    ("shutdown", "`SHUTDOWN` ends the server"),
];

fn consequence(call: &str) -> Option<&'static str> {
    let (_, argument) = call.split_once("(\"")?;
    let argument = argument.to_lowercase();
    CONSEQUENCES.iter().find(|(start, _)| argument.starts_with(start)).map(|(_, says)| *says)
}
