//! Steps and what they show, in the order of the source, whichever is done first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::finding::Verdict;
use crate::shown::look::{Look, Tone, clean, counted, pad, seconds};
use crate::store::event::{Counts, Path, Status};

/// Of a step that is made for each item, this many passed ones are told one by one; the others are counted.
const ROUNDS: usize = 10;

/// What is not printed yet, and what is needed to print it.
#[derive(Debug, Default)]
pub(super) struct Order {
    blocks: BTreeMap<Path, Block>,
    sections: BTreeMap<u32, Arc<str>>,
    /// Sections that are not over: those behind them wait, since they may still begin a step.
    open: BTreeSet<u32>,
    /// Parts of a section that are not over: nothing behind them is printed before they are.
    parts: BTreeSet<Path>,
    /// What the checks of each section came to that stand in no step.
    own: BTreeMap<u32, (Status, Counts)>,
    /// The section whose title was printed last.
    printed: Option<u32>,
    /// The step for each item that is being printed: its path without the round, and how many passed ones there were.
    rounds: Option<(Path, usize)>,
}

#[derive(Debug)]
enum Block {
    Step(Step),
    /// Shown by a section itself.
    Loose(Vec<String>),
    /// The end of a section, behind all that it shows: what its own checks came to, if it has any.
    End(Option<String>),
}

#[derive(Debug)]
struct Step {
    title: Arc<str>,
    label: Option<String>,
    end: Option<(Status, f64, Counts)>,
    shown: Vec<(Path, Vec<String>)>,
}

impl Order {
    pub(super) fn section(&mut self, path: &[u32], title: &Arc<str>) {
        if let Some(section) = path.first() {
            self.sections.insert(*section, title.clone());
            self.open.insert(*section);
        }
    }

    pub(super) fn begin(&mut self, path: &Path, title: &Arc<str>, label: Option<&String>) {
        let step = Step { title: title.clone(), label: label.cloned(), end: None, shown: Vec::new() };
        self.blocks.insert(path.clone(), Block::Step(step));
    }

    pub(super) fn end(&mut self, path: &Path, status: Status, seconds: f64, counts: Counts) {
        if let Some(Block::Step(step)) = self.blocks.get_mut(path) {
            step.end = Some((status, seconds, counts));
        }
    }

    pub(super) fn show(&mut self, path: &Path, lines: Vec<String>) {
        // Steps do not nest, so the last thing that begins before a statement is its step, if it has one.
        match self.blocks.range_mut(..=path.clone()).next_back() {
            Some((key, Block::Step(step))) if path.starts_with(key) => step.shown.push((path.clone(), lines)),
            _ => match self.blocks.entry(path.clone()).or_insert_with(|| Block::Loose(Vec::new())) {
                Block::Loose(all) => all.extend(lines),
                Block::Step(step) => step.shown.push((path.clone(), lines)),
                Block::End(_) => {}
            },
        }
    }

    pub(super) fn begin_part(&mut self, path: &Path) {
        self.parts.insert(path.clone());
    }

    pub(super) fn end_part(&mut self, path: &Path) {
        self.parts.remove(path);
    }

    /// Counts what a section looks at itself; the looks of a step are counted by their step.
    pub(super) fn looked(&mut self, path: &Path, verdict: Verdict) {
        let in_step = self.blocks.range(..=path.clone()).next_back();
        if in_step.is_some_and(|(key, block)| matches!(block, Block::Step(_)) && path.starts_with(key)) {
            return;
        }
        if let Some(section) = path.first() {
            let (worst, counts) = self.own.entry(*section).or_insert((Status::Passed, Counts::default()));
            let (count, status) = match verdict {
                Verdict::Passed => (&mut counts.passed, Status::Passed),
                Verdict::Failed => (&mut counts.failed, Status::Failed),
                Verdict::Unknown => (&mut counts.not_measured, Status::NotMeasured),
                Verdict::Warned => (&mut counts.warned, Status::Warned),
                Verdict::Noted => (&mut counts.noted, Status::Noted),
                Verdict::Refused | Verdict::NotReached => return,
            };
            *count += 1;
            *worst = (*worst).max(status);
        }
    }

    /// Whether something that stands before a block, or is part of it, is not over.
    fn waits(&self, path: &Path, block: &Block) -> bool {
        let section = path.first().is_some_and(|section| self.open.range(..section).next().is_some());
        let part = match block {
            Block::Step(Step { end: None, .. }) => true,
            // A round of a step for each item is a block of its own.
            Block::Step(_) => self.parts.range(..path.clone()).any(|part| !path.starts_with(part)),
            Block::Loose(_) | Block::End(_) => self.parts.range(..=path.clone()).next().is_some(),
        };
        section || part
    }

    /// All lines that nothing unfinished stands before.
    pub(super) fn ready(&mut self, look: Look) -> Vec<String> {
        let mut lines = Vec::new();
        while self.blocks.first_key_value().is_some_and(|(path, block)| !self.waits(path, block)) {
            let Some(entry) = self.blocks.first_entry() else { break };
            let (path, block) = entry.remove_entry();
            self.heading(&path, look, &mut lines);
            match block {
                Block::Loose(shown) => lines.extend(shown.iter().map(|line| format!("  {line}"))),
                Block::Step(step) => self.step(&path, step, look, &mut lines),
                Block::End(line) => lines.extend(line),
            }
        }
        lines
    }

    /// What is left when nothing more comes: also steps that were never finished.
    pub(super) fn rest(&mut self, look: Look) -> Vec<String> {
        self.open.clear();
        self.parts.clear();
        let mut lines = self.ready(look);
        for block in self.blocks.values_mut() {
            if let Block::Step(step) = block {
                step.end.get_or_insert((Status::Stopped, 0.0, Counts::default()));
            }
        }
        lines.extend(self.ready(look));
        self.fold(&[], look, &mut lines);
        lines
    }

    /// A section that is over is told by its title, also where no step of it was begun.
    pub(super) fn finished(&mut self, path: &[u32], took: f64, look: Look) -> Vec<String> {
        if let (Some(section), Some(title)) = (path.first(), path.first().and_then(|one| self.sections.get(one))) {
            self.open.remove(section);
            let own = self.own.remove(section);
            let line = own.map(|(status, counts)| step_line(&clean(title), status, took, counts, look));
            self.blocks.insert(vec![*section, u32::MAX], Block::End(line));
        }
        self.ready(look)
    }

    fn heading(&mut self, path: &[u32], look: Look, lines: &mut Vec<String>) {
        self.fold(path, look, lines);
        let Some(section) = path.first().copied() else { return };
        if self.printed == Some(section) {
            return;
        }
        self.printed = Some(section);
        if let Some(title) = self.sections.get(&section) {
            lines.push(look.paint(Tone::Strong, &clean(title)));
        }
    }

    /// The count of the rounds that were not told, when the step for each item is over.
    fn fold(&mut self, path: &[u32], look: Look, lines: &mut Vec<String>) {
        if self.rounds.as_ref().is_some_and(|(step, _)| !path.starts_with(step))
            && let Some((_, passed)) = self.rounds.take()
            && passed > ROUNDS
        {
            lines.push(look.paint(Tone::Faint, &format!("  … {} more passed", passed - ROUNDS)));
        }
    }

    fn step(&mut self, path: &Path, step: Step, look: Look, lines: &mut Vec<String>) {
        let Some((status, took, counts)) = step.end else { return };
        if step.label.is_some() {
            let parent = path.get(..path.len().saturating_sub(1)).unwrap_or(&[]).to_vec();
            let (_, passed) = self.rounds.get_or_insert((parent, 0));
            if status == Status::Passed {
                *passed += 1;
                if *passed > ROUNDS && step.shown.is_empty() {
                    return;
                }
            }
        }
        let title = match &step.label {
            Some(label) => format!("{} [{}]", clean(&step.title), clean(label)),
            None => clean(&step.title),
        };
        lines.push(step_line(&title, status, took, counts, look));
        let mut shown = step.shown;
        shown.sort_by(|one, other| one.0.cmp(&other.0));
        lines.extend(shown.into_iter().flat_map(|(_, lines)| lines).map(|line| format!("    {line}")));
    }
}

/// Columns of a line: the title, what the checks came to, and the time.
const TITLE: usize = 34;
const SUMMARY: usize = 26;
const TOOK: usize = 8;

fn step_line(title: &str, status: Status, took: f64, counts: Counts, look: Look) -> String {
    let (mark, tone) = match mark(status) {
        // What passed without what it was there for has not been done.
        ("✓", _) if counts.changes_withheld > 0 => ("-", Tone::Doubtful),
        ("✓", _) if counts.warned > 0 => ("!", Tone::Doubtful),
        other => other,
    };
    // On a narrow terminal the title gives way, so that the line stays one.
    let wide = 2 + TITLE + 1 + SUMMARY + 2 + TOOK;
    let over = look.width.map_or(0, |width| wide.saturating_sub(width));
    let title = pad(title, TITLE.saturating_sub(over).max(12));
    let line = format!("{title} {}  {}", pad(&summary(status, counts), SUMMARY), seconds(took));
    format!("{} {}", look.paint(tone, mark), line.trim_end())
}

const fn mark(status: Status) -> (&'static str, Tone) {
    match status {
        Status::Passed | Status::Noted => ("✓", Tone::Good),
        Status::Warned => ("!", Tone::Doubtful),
        Status::NotMeasured => ("?", Tone::Doubtful),
        Status::Failed => ("✗", Tone::Bad),
        Status::Stopped => ("-", Tone::Doubtful),
    }
}

/// `3 checks`, `1 of 4 failed`
fn summary(status: Status, counts: Counts) -> String {
    let checks = counts.passed + counts.failed + counts.warned + counts.noted + counts.not_measured;
    let mut parts: Vec<String> = [
        (counts.failed, "failed"),
        (counts.not_measured, "unknown"),
        (counts.warned, "warned"),
        (counts.noted, "noted"),
    ]
    .iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, what)| format!("{n} of {checks} {what}"))
    .take(1)
    .collect();
    if parts.is_empty() && checks > 0 {
        parts.push(counted(u64::from(checks), "check"));
    }
    let changes = [
        (counts.changes_done, ""),
        (counts.changes_failed, " failed"),
        (counts.changes_partly, " partly done"),
        (counts.changes_unknown, " unknown"),
    ];
    for (n, how) in changes.into_iter().filter(|(n, _)| *n > 0) {
        parts.push(format!("{}{how}", counted(u64::from(n), "change")));
    }
    if counts.changes_withheld > 0 {
        parts.push(format!("{} refused", counts.changes_withheld));
    }
    if status == Status::Stopped {
        parts.push("stopped".to_owned());
    }
    parts.join(", ")
}
