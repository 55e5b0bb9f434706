//! What sections, commands and reports do, statement by statement, in the order and the nesting in which they do it.
//! Checks and changes are compared on their own as well; here it matters where among the others they stand.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use similar::{ChangeTag, TextDiff};

use super::depends::{self, Depends};
use super::{Chapter, Finding, Kind, Place, Seen, Side, telling};
use crate::catalog::Effect;
use crate::check::program::foregone::Foregone;
use crate::check::program::walk;
use crate::check::program::{Command, CommandId, Member, Program, StatementKind};
use crate::plan::meaning::Meaning;
use crate::plan::outline::{Outline, shown};
use crate::plan::text;
use crate::source::Span;

/// How many lines of one block are shown.
const SHOWN: usize = 40;

pub(super) fn compare(before: Side<'_>, after: Side<'_>, was: &Seen<'_>, is: &Seen<'_>) -> Vec<Finding> {
    let (old, new) = (all(before.program, &was.meaning), all(after.program, &is.meaning));
    let idle = LazyCell::new(|| idle(before.program, &was.names));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let nothing = Unit::default();
    // What holds changes back, in parts that are called otherwise now, or new.
    let held_there: BTreeSet<&str> = {
        let others = new.iter().filter(|(name, _)| !old.contains_key(*name));
        others.flat_map(|(_, unit)| unit.shown.iter().map(|line| line.trim())).collect()
    };
    let changes_there = new.values().any(|unit| unit.changes);
    let mut findings = Vec::new();
    for name in names {
        let (was, is) = (old.get(name).unwrap_or(&nothing), new.get(name).unwrap_or(&nothing));
        if was.means == is.means {
            continue;
        }
        let edits = edits(&was.shown, &is.shown);
        let is_command = name.starts_with("command ");
        // All that is different in it is said of the statement itself.
        if !is_command && is_said(&edits) {
            continue;
        }
        let changes = was.changes || is.changes;
        let is_gone = is.span.is_none();
        let holds = |line: &str| {
            let elsewhere = is_gone && (!changes_there || held_there.contains(line));
            changes && !elsewhere && !idle.contains(line)
        };
        let (mut chapter, kind, headline) = judge(&edits, changes, &holds);
        // Whoever measures by it measures something else.
        let depends = name.strip_prefix("command ").map(|name| {
            let side = if new.contains_key(&format!("command {name}")) { after } else { before };
            depends::on_command(side.program, name)
        });
        if chapter == Chapter::Reads && depends.as_ref().is_some_and(|depends| !depends.is_empty()) {
            chapter = Chapter::Blindness;
        }
        let mut finding = Finding::new(chapter, kind, name.clone(), headline);
        if edits.iter().all(|(tag, _)| *tag == ChangeTag::Equal) {
            finding.notes.push("a name in it stands for something else than before".to_owned());
        }
        finding.notes.extend(around(&edits));
        let more = finding.notes.len().saturating_sub(SHOWN);
        finding.notes.truncate(SHOWN);
        if more > 0 {
            finding.notes.push(format!("and {more} more"));
        }
        finding.notes.extend(depends.iter().flat_map(Depends::notes));
        let place = |side: Side<'_>, unit: &Unit| -> Option<Place> { unit.span.map(|span| side.place(span)) };
        findings.push(finding.at(place(before, was), place(after, is)));
    }
    findings
}

/// A block that is compared by itself.
#[derive(Default)]
struct Unit {
    /// What it does: see [`crate::plan::meaning`].
    means: Vec<String>,
    /// As people read it.
    shown: Vec<String>,
    /// Whether it changes anything.
    changes: bool,
    span: Option<Span>,
}

impl Unit {
    fn add(&mut self, means: Vec<String>, shown: Vec<String>, changes: bool, span: Span) {
        self.means.extend(means);
        self.shown.extend(shown);
        self.changes |= changes;
        self.span.get_or_insert(span);
    }
}

fn all(program: &Program, meaning: &Meaning<'_>) -> BTreeMap<String, Unit> {
    let (means, reads) = (meaning.outline(), shown(program));
    let of = |say: &dyn Fn(&Outline<'_>) -> Vec<String>| (say(&means), say(&reads));
    let mut found: BTreeMap<String, Unit> = BTreeMap::new();
    for section in &program.sections {
        let (own, lines) = of(&|outline| outline.members(section));
        let own_changes = section.members.iter().any(Member::changes);
        found.entry(section.name()).or_default().add(own, lines, own_changes, section.span);
        for member in &section.members {
            let Member::Step(step) = member else { continue };
            let (own, lines) = of(&|outline| outline.in_step(step));
            found.entry(section.name_of(step)).or_default().add(own, lines, step.changes(), step.span);
        }
    }
    for (index, command) in (0..).zip(&program.commands) {
        let lines = shown_command(program, &reads, command);
        let own = meaning.command(CommandId(index), command);
        let changes = command.effect == Effect::Changes;
        found.entry(format!("command {}", command.name)).or_default().add(own, lines, changes, command.span);
    }
    found
}

/// A command without its name.
pub(super) fn shown_command(program: &Program, reads: &Outline<'_>, command: &Command) -> Vec<String> {
    let params = text::parameters(program, &command.params);
    let returns = command.returns.as_ref().map_or_else(String::new, |ty| format!(" -> {ty}"));
    let idempotent = if command.idempotent { " idempotent" } else { "" };
    let mut lines = vec![format!("({params}){returns}{idempotent}")];
    lines.extend(reads.of_command(&command.body));
    lines
}

/// The guards of a program that hold whatever is found, as they are shown: without them as much is held back.
fn idle(program: &Program, names: &Foregone<'_>) -> BTreeSet<String> {
    let reads = shown(program);
    let mut found = BTreeSet::new();
    for part in walk::blocks_of(program) {
        walk::statements(part.block, &mut |statement| {
            if let StatementKind::Require { condition, .. } = &statement.kind
                && names.holds(condition) == Some(true)
            {
                found.extend(reads.statement(statement));
            }
        });
    }
    found
}

type Edit = (ChangeTag, String);

fn edits(was: &[String], is: &[String]) -> Vec<Edit> {
    let (was, is): (Vec<&str>, Vec<&str>) =
        (was.iter().map(String::as_str).collect(), is.iter().map(String::as_str).collect());
    let diff = TextDiff::from_slices(&was, &is);
    diff.iter_all_changes().map(|change| (change.tag(), change.value().to_owned())).collect()
}

/// The lines that are different, each under those that it stands in.
fn around(edits: &[Edit]) -> Vec<String> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    let mut above: Vec<(&str, bool)> = Vec::new();
    for (tag, line) in edits {
        while above.last().is_some_and(|(last, _)| depth(last) >= depth(line)) {
            above.pop();
        }
        let sign = match tag {
            ChangeTag::Equal => {
                above.push((line, false));
                continue;
            }
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        for (head, said) in &mut above {
            if !std::mem::replace(said, true) {
                found.push(format!("  {head}"));
            }
        }
        found.push(format!("{sign} {line}"));
    }
    found
}

/// Whether all of it is said where statements are compared by themselves: none of them stands elsewhere.
fn is_said(edits: &[Edit]) -> bool {
    let edited = || edits.iter().filter(|(tag, _)| *tag != ChangeTag::Equal).map(|(tag, line)| (*tag, line.trim()));
    let is_moved = |(tag, line): (ChangeTag, &str)| edited().any(|(other, text)| other != tag && text == line);
    edited().next().is_some() && edited().all(|(tag, line)| telling::is_said(line) && !is_moved((tag, line)))
}

/// What the edits of a block mean, as far as its lines say it. `holds`: whether a line that is gone held changes back
/// that are still made.
fn judge(edits: &[Edit], changes: bool, holds: &dyn Fn(&str) -> bool) -> (Chapter, Kind, &'static str) {
    let with = |tag: ChangeTag| edits.iter().filter(move |(own, _)| *own == tag).map(|(_, line)| line.trim());
    let is_there = |line: &str| with(ChangeTag::Insert).any(|other| other == line);
    let gone: Vec<&str> = with(ChangeTag::Delete).filter(|line| !is_there(line)).collect();
    let moved: Vec<&str> = with(ChangeTag::Delete).filter(|line| is_there(line)).collect();
    let begins = |line: &&str, words: &[&str]| words.iter().any(|word| line.starts_with(word));
    let held = ["require ", "manual ", "wait until "];
    // Of two lines that are exchanged, one is said to have moved, and nobody knows which.
    let exchanged = moved.iter().any(|line| begins(line, &["change ", "do "]))
        && edits.iter().any(|(_, line)| begins(&line.trim(), &held));
    if changes && exchanged || gone.iter().chain(&moved).any(|line| begins(line, &held) && holds(line)) {
        return (Chapter::Changes, Kind::Dangerous, "what holds changes back is less, or elsewhere");
    }
    let chapter = if changes { Chapter::Changes } else { Chapter::Reads };
    let headline = if gone.is_empty() && !moved.is_empty() { "in another order, or elsewhere" } else { "changed" };
    (chapter, Kind::Changed, headline)
}
