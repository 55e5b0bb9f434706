//! The changes that a runbook makes: which, on what, behind which guards and within which bounds.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::around::often;
use super::bounds::{Moved, Said, weigh, weighed};
use super::conditions::Conditions;
use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Row, Rows, Seen, Side, recovery, schedules, worst};
use crate::check::program::foregone::Foregone;
use crate::check::program::walk;
use crate::check::program::{CallArg, Change, Expr, ExprKind, Program, StatementKind};
use crate::plan::{self, Guard, Plan, PlannedChange, text};
use crate::source::Span;
use crate::types::Value;

/// A change as it is planned, and as it is in the program.
struct Made<'p> {
    planned: &'p PlannedChange,
    change: &'p Change,
    program: &'p Program,
    names: &'p Foregone<'p>,
    /// The call without comments and layout.
    call: String,
    /// Whether it is made with nobody there.
    unattended: bool,
}

fn made<'p>(program: &'p Program, plan: &'p Plan, seen: &'p Seen<'p>) -> Vec<Made<'p>> {
    let names = &seen.names;
    let changes: BTreeMap<Span, &Change> = seen
        .placed
        .iter()
        .filter_map(|one| match &one.statement.kind {
            StatementKind::Change(change) => Some((one.statement.span, &**change)),
            _ => None,
        })
        .collect();
    // Each of them is a statement of the program.
    let found = plan.changes.iter().filter_map(|planned| {
        let change = *changes.get(&planned.span)?;
        let mut sections = program.sections.iter().filter(|one| one.title == planned.section);
        let unattended = sections.any(schedules::begins_by_itself);
        Some(Made { planned, change, program, names, call: text::expr(program, &change.call), unattended })
    });
    found.collect()
}

impl<'p> Made<'p> {
    fn said(&self, expr: &'p Expr) -> Said<'p> {
        Said::new(self.program, expr).knowing(self.names)
    }
}

pub(super) fn compare(
    (before, was, olds): (Side<'_>, &Plan, &Seen<'_>),
    (after, is, news): (Side<'_>, &Plan, &Seen<'_>),
    now: Timestamp,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (from, to) = (Conditions::of(before.program, olds), Conditions::of(after.program, news));
    let (old, new) = (made(before.program, was, olds), made(after.program, is, news));
    let key = |one: &Made<'_>| (one.planned.section.clone(), one.planned.step.clone(), one.call.clone());
    // The same call that was moved, or another call at the same place with the same targets.
    let alike = |old: &Made<'_>, new: &Made<'_>| {
        let (a, b) = (old.planned, new.planned);
        old.call == new.call || (a.section == b.section && a.step == b.step && head(a) == head(b))
    };
    let mut order = Vec::new();
    let both = pairs(&old, &new, key, alike);
    let kept = both.iter().filter_map(|pair| if let Pair::Both(old, _) = pair { Some(old.planned) } else { None });
    let kept: Vec<&PlannedChange> = kept.collect();
    for pair in both {
        match pair {
            Pair::Both(old, new) => {
                order.push(old.planned.number);
                let mut found = rows((old, was), (new, is));
                let moved = moved_around(&from, &to, old.planned, new.planned);
                let said = |all: &Conditions<'_>, change| {
                    let around = all.around(change).into_iter();
                    around.map(|one| one.said.map_or(one.says, Said::text)).collect::<Vec<_>>().join(", ")
                };
                let made = Row::of("made", around(old.planned), around(new.planned));
                let made = made.or_else(|| Row::of("made", said(&from, old.planned), said(&to, new.planned)));
                // What puts others right is missed where it is made more rarely.
                let less = if recovery::is_one(old.planned) { Kind::Dangerous } else { Kind::Safer };
                found.add(made, weigh(&moved, Kind::Dangerous, less).unwrap_or(Kind::Changed));
                guarded(&mut found, &from, &to, old.planned, new.planned);
                let mut finding = changed(before, after, old, new, found);
                if let Some(finding) = finding.as_mut().filter(|finding| finding.kind == Kind::Dangerous) {
                    let planned = new.planned;
                    finding.notes.extend(schedules::unattended(
                        after,
                        &planned.section,
                        planned.within.as_deref(),
                        now,
                    ));
                }
                findings.extend(finding);
            }
            Pair::Gone(old) => {
                let hidden = looks(after.program, old) > looks(before.program, old);
                let (kind, headline) = if hidden {
                    (Kind::Dangerous, "made without consent from now on: it is taken for a look")
                } else if let Some(missed) = recovery::missed(old.planned, &kept, after.program) {
                    (Kind::Dangerous, missed)
                } else {
                    (Kind::Safer, "gone: it is no longer made")
                };
                let finding = Finding::new(Chapter::Changes, kind, subject(old.planned), headline);
                findings.push(finding.at(Some(before.place(old.planned.span)), None));
            }
            Pair::New(made) => {
                let new = made.planned;
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
                finding.notes.extend(consequence(made).map(str::to_owned));
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
    let of = |guard: &Guard| {
        let Guard { title, condition, .. } = guard;
        if title == condition { title.clone() } else { format!("{title}: {condition}") }
    };
    let guards: Vec<String> = change.guards.iter().map(of).collect();
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
    let one = |around: &plan::Around| match around {
        plan::Around::Each { name, list, items, at_most } => {
            let most = at_most.map_or_else(String::new, |most| format!(", at most {most}"));
            let items = items.map_or_else(String::new, |items| format!(" ({items} items)"));
            format!("for each {name} in {list}{items}{most}")
        }
        plan::Around::If { condition } => format!("if {condition}"),
        plan::Around::Else { conditions } => format!("unless {}", conditions.join(" or ")),
        plan::Around::Retry { times } => format!("up to {times} times"),
        plan::Around::OnFailure => "on failure".to_owned(),
        plan::Around::Always => "always".to_owned(),
        plan::Around::Command { name, .. } => format!("in command {name}"),
    };
    change.around.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn most(change: &PlannedChange) -> Option<u32> {
    change
        .around
        .iter()
        .find_map(|around| if let plan::Around::Each { at_most, .. } = around { *at_most } else { None })
}

/// Whether it is made more often, or of more.
fn moved_around(from: &Conditions<'_>, to: &Conditions<'_>, old: &PlannedChange, new: &PlannedChange) -> Vec<Moved> {
    let mut moved = often(&from.around(old), &to.around(new), Moved::More);
    moved.extend(recovery::moved(old, new));
    match (most(old), most(new)) {
        (Some(a), Some(b)) if a != b => moved.push(if b > a { Moved::More } else { Moved::Less }),
        (Some(_), None) => moved.push(Moved::More),
        (None, Some(_)) => moved.push(Moved::Less),
        _ => {}
    }
    moved
}

/// The guards above it: the more they hold, the less they hold back.
fn guarded(found: &mut Rows, from: &Conditions<'_>, to: &Conditions<'_>, old: &PlannedChange, new: &PlannedChange) {
    let mut kinds = Vec::new();
    for pair in pairs(&old.guards, &new.guards, |guard| guard.condition.clone(), |a, b| a.title == b.title) {
        match pair {
            Pair::Both(a, b) => {
                if let Some((a, b)) = from.guard(a).zip(to.guard(b)) {
                    kinds.extend(weighed(a, b, Kind::Dangerous, Kind::Safer));
                }
            }
            // The guard itself is a finding of its own.
            Pair::Gone(a) if from.is_foregone(a) => {}
            Pair::New(b) if to.is_foregone(b) => {}
            Pair::Gone(_) => kinds.push(Kind::Dangerous),
            Pair::New(_) => kinds.push(Kind::Safer),
        }
    }
    if !kinds.is_empty() {
        let with = |all: &Conditions<'_>, change: &PlannedChange| {
            let said = |guard: &Guard| all.guard(guard).map_or_else(|| guard.condition.clone(), Said::text);
            guards(&PlannedChange {
                guards: change.guards.iter().map(|guard| Guard { condition: said(guard), ..guard.clone() }).collect(),
                ..change.clone()
            })
        };
        found.add(Some(Row { what: "guards", before: with(from, old), after: with(to, new) }), worst(kinds));
    }
}

/// A clause, and what it means that it is gone, new, or holds more often.
fn clause_row(
    what: &'static str,
    (a, b): (&Made<'_>, &Made<'_>),
    of: fn(&Change) -> Option<&Expr>,
    none: &str,
    more: Kind,
) -> (Option<Row>, Kind) {
    let (old, new) = (of(a.change).map(|it| a.said(it)), of(b.change).map(|it| b.said(it)));
    let kind = match (old, new) {
        (Some(old), Some(new)) => weighed(old, new, more, Kind::Safer).unwrap_or(Kind::Changed),
        (Some(_), None) => Kind::Dangerous,
        (None, _) => Kind::Safer,
    };
    let text = |clause: Option<Said<'_>>| clause.map_or_else(|| none.to_owned(), Said::text);
    (Row::of(what, text(old), text(new)), kind)
}

fn rows((a, was): (&Made<'_>, &Plan), (b, is): (&Made<'_>, &Plan)) -> Rows {
    let (old, new) = (a.planned, b.planned);
    let mut found = Rows::default();
    let mut add = |row, kind| found.add(row, kind);
    let title = |one: &Made<'_>| one.change.title.as_ref().map_or_else(String::new, |it| text::plain(one.program, it));
    add(Row::of("is called", title(a), title(b)), Kind::Changed);
    let worse = consequence(b).is_some() && consequence(b) != consequence(a) || unbounded(b) && !unbounded(a);
    if a.call != b.call {
        let written = Row::of("calls", &*old.text, &*new.text);
        let calls = written.or_else(|| Row::of("calls", &*a.call, &*b.call));
        add(calls, if worse { Kind::Dangerous } else { Kind::Changed });
    }
    add(Row::of("on", targets(old, was), targets(new, is)), Kind::Dangerous);
    let section = |change: &PlannedChange| {
        change.step.as_ref().map_or_else(|| change.section.to_string(), |step| format!("{} / {step}", change.section))
    };
    let moved = if b.unattended && !a.unattended { Kind::Dangerous } else { Kind::Changed };
    add(Row::of("in", section(old), section(new)), moved);
    let given = |change: &PlannedChange| {
        change.given.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
    };
    add(Row::of("with", given(old), given(new)), Kind::Changed);
    let (row, kind) = clause_row("within", (a, b), |change| change.within.as_ref(), "no time limit", Kind::Dangerous);
    add(row, limited(a, b).map_or(kind, |(kind, _)| kind));
    let (row, kind) = clause_row("verify", (a, b), |change| change.verify.as_ref(), "none", Kind::Dangerous);
    let fails = |one: &Made<'_>| one.change.verify.as_ref().is_some_and(|verify| one.names.holds(verify) != Some(true));
    // One that holds whatever is found is none.
    let kind = match (fails(a), fails(b)) {
        (true, true) => kind,
        (true, false) => Kind::Dangerous,
        (false, true) => Kind::Safer,
        (false, false) => Kind::Changed,
    };
    add(row, kind);
    let (row, kind) = clause_row("undo", (a, b), |change| change.undo.as_ref(), "none", Kind::Changed);
    add(row, kind);
    let role = |change: &PlannedChange| {
        change.approve_by.as_ref().map_or_else(|| "nobody by name".to_owned(), ToString::to_string)
    };
    // Another role is other people: who had to agree no longer has to.
    let approved = if old.approve_by.is_none() { Kind::Safer } else { Kind::Dangerous };
    add(Row::of("approved by", role(old), role(new)), approved);
    found
}

/// Within less than this hardly anything outside answers.
const SOONEST: SignedDuration = SignedDuration::from_millis(100);

/// What less time for a change means, and why: what is not done by then is not known to be done.
fn limited(old: &Made<'_>, new: &Made<'_>) -> Option<(Kind, &'static str)> {
    let of = |one: &Made<'_>| match one.said(one.change.within.as_ref()?).constant() {
        Some(Value::Duration(within)) => Some(*within),
        _ => None,
    };
    let (was, is) = (of(old), of(new)?);
    if was.is_some_and(|was| was <= is) || was.is_none() && is >= SOONEST {
        return None;
    }
    Some(if is < SOONEST {
        (Kind::Dangerous, "hardly anything is done so soon: it would end as unknown, and hold back all below it")
    } else {
        (Kind::Changed, "what is not done by then ends as unknown, and holds back all below it")
    })
}

fn changed(before: Side<'_>, after: Side<'_>, old: &Made<'_>, new: &Made<'_>, found: Rows) -> Option<Finding> {
    if found.rows.is_empty() {
        return None;
    }
    let kind = worst(found.kinds);
    let headline = match kind {
        Kind::Dangerous => "more dangerous",
        Kind::Safer => "safer",
        _ => "changed",
    };
    let planned = new.planned;
    let mut finding = Finding::new(Chapter::Changes, kind, subject(planned), headline).rows(found.rows);
    finding.notes.extend(consequence(new).filter(|_| consequence(old) != consequence(new)).map(str::to_owned));
    finding.notes.extend(limited(old, new).map(|(_, note)| note.to_owned()));
    if kind == Kind::Dangerous && planned.undo.is_none() {
        finding.notes.push(format!("undo: none · verify: {}", clause(planned.verify.as_ref())));
    }
    Some(finding.at(Some(before.place(old.planned.span)), Some(after.place(planned.span))))
}

/// How often what a change calls is called outside of changes, where nobody is asked for consent.
fn looks(program: &Program, of: &Made<'_>) -> usize {
    let name = |program: &Program, expr: &Expr| match &expr.uncovered().kind {
        ExprKind::Call(call) => Some(call.builtin.name.to_owned()),
        ExprKind::Tool { tool, .. } => program.tools.get(tool.index()).map(|tool| format!("tool {}", tool.name)),
        ExprKind::Command { command, .. } => {
            program.commands.get(command.index()).map(|one| format!("command {}", one.name))
        }
        _ => None,
    };
    let wanted = name(of.program, &of.change.call);
    let mut count = 0;
    for part in walk::blocks_of(program) {
        walk::statements(part.block, &mut |statement| {
            if matches!(statement.kind, StatementKind::Change(_)) {
                return;
            }
            for root in walk::own_exprs(statement) {
                walk::expr(root, &mut |expr| count += usize::from(wanted.is_some() && name(program, expr) == wanted));
            }
        });
    }
    count
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

fn consequence(made: &Made<'_>) -> Option<&'static str> {
    let statement = statement(made)?;
    CONSEQUENCES.iter().find(|(start, _)| statement.starts_with(start)).map(|(_, says)| *says)
}

/// Whether a statement is for all rows of a table.
fn unbounded(made: &Made<'_>) -> bool {
    let is =
        |text: String| ["delete from", "update "].iter().any(|it| text.starts_with(it)) && !text.contains(" where ");
    statement(made).is_some_and(is)
}

/// The first text that is handed to what is called, in small letters and one line.
fn statement(made: &Made<'_>) -> Option<String> {
    let args: Vec<&Expr> = match &made.change.call.uncovered().kind {
        ExprKind::Call(call) => {
            let values = call.args.iter().flatten();
            values.filter_map(|arg| if let CallArg::Value(value) = arg { Some(value) } else { None }).collect()
        }
        ExprKind::Tool { args, .. } | ExprKind::Command { args, .. } => args.iter().collect(),
        _ => Vec::new(),
    };
    let text = args.into_iter().find_map(|arg| made.said(arg).words())?;
    Some(text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" "))
}
