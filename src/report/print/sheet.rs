//! The blocks of a page as they are written: lines to type that follow one another stand together, and so do boxes to tick.

use std::collections::{BTreeSet, HashSet};

use super::fill::{Left, Typed};
use super::known::{Blank, Knowledge, variable};
use super::page::{Block, Inline, Line, Sign, code, prose, text};
use crate::check::program::LocalId;
use crate::shown::look::clean;

#[derive(Default)]
pub(super) struct Sheet {
    blocks: Vec<Block>,
    lines: Vec<String>,
    /// Whether the last of them stand under a title.
    titled: bool,
    boxes: Vec<Line>,
    /// What is typed already since the last thing that changes something.
    typed: HashSet<String>,
    blanks: Vec<Blank>,
    explained: Vec<Blank>,
    /// What the lines do not say.
    left: Vec<Left>,
    /// What has to be known of the lines, and what is said of those of the step already.
    notes: Vec<String>,
    said: HashSet<String>,
    /// In the order in which they are first needed.
    pub(super) programs: Vec<String>,
    /// Whether a line asks kubectl for the logs of all pods at once, which it knows since 1.32.
    pub(super) all_pods: bool,
    /// The loops around, from the outside: a name with its items.
    pub(super) loops: Vec<(LocalId, Vec<String>)>,
}

impl Sheet {
    /// Lines to type, under a title. `false` where all of it was printed already.
    pub(super) fn commands(&mut self, knowledge: &Knowledge<'_>, title: Option<&str>, typed: Vec<Typed>) -> bool {
        let mut title = title.map(|title| format!("# {}", clean(title)));
        let mut any = false;
        for typed in typed {
            let lines = self.looped(knowledge, &typed);
            // A line with blanks is the same where these are to be had in the same way.
            let from = typed.blanks.iter().map(|blank| blank.from.as_str());
            if !self.typed.insert(lines.iter().map(String::as_str).chain(from).collect::<Vec<_>>().join("\n")) {
                continue;
            }
            if !any {
                self.end_boxes();
                if title.is_none() && self.titled {
                    self.lines.push(String::new());
                }
                self.titled = title.is_some();
                self.lines.extend(title.take());
            }
            any = true;
            self.lines.extend(lines);
            self.note(&typed);
        }
        any
    }

    fn note(&mut self, typed: &Typed) {
        self.all_pods |= typed.line.contains("--all-pods");
        for program in &typed.programs {
            if !self.programs.contains(program) {
                self.programs.push(program.clone());
            }
        }
        for left in &typed.left {
            if !self.left.contains(left) {
                self.left.push(left.clone());
            }
        }
        for note in &typed.notes {
            if self.said.insert(note.clone()) {
                self.notes.push(note.clone());
            }
        }
        for blank in &typed.blanks {
            if !self.blanks.contains(blank) && !self.explained.contains(blank) {
                self.blanks.push(blank.clone());
            }
        }
    }

    /// A line that names variables is done for each of their items.
    fn looped(&self, knowledge: &Knowledge<'_>, typed: &Typed) -> Vec<String> {
        let used = |local: &LocalId| typed.variables.contains(local);
        let mut lines = vec![typed.line.clone()];
        for (local, items) in self.loops.iter().rev().filter(|(local, _)| used(local)) {
            let name = variable(knowledge.program, *local);
            let mut inner = vec![format!("for {name} in {}; do", items.join(" ")), format!("  echo \"== ${name}\"")];
            inner.extend(lines.iter().map(|line| format!("  {line}")));
            inner.push("done".to_owned());
            lines = inner;
        }
        lines
    }

    /// What changes something is typed for one item after the other, by whoever knows what they do.
    pub(super) fn change(&mut self, knowledge: &Knowledge<'_>, typed: Vec<Typed>) {
        for one in typed {
            self.end_boxes();
            let used = self.loops.iter().filter(|(local, _)| one.variables.contains(local));
            let said: Vec<Line> = used
                .map(|(local, items)| {
                    let (first, others) = items.split_first().map_or(("", items.as_slice()), |(one, rest)| (one, rest));
                    let set = format!("{}={first}", variable(knowledge.program, *local));
                    let mut line = of([text("First "), code(set)]);
                    if !others.is_empty() {
                        line.extend([text(", then the same once more for each of "), code(others.join(" "))]);
                    }
                    line
                })
                .collect();
            for line in said {
                self.say(line);
            }
            self.lines.push(one.line.clone());
            self.note(&one);
        }
        self.barrier();
    }

    /// After it, the same question may have another answer.
    pub(super) fn barrier(&mut self) {
        self.typed.clear();
    }

    pub(super) fn tick(&mut self, line: Line) {
        self.end_lines();
        self.boxes.push(line);
    }

    pub(super) fn heading(&mut self, level: u8, title: &str) {
        self.end();
        self.blocks.push(Block::Heading(level, vec![text(title)]));
    }

    pub(super) fn say(&mut self, line: Line) {
        self.end();
        self.blocks.push(Block::Text(line));
    }

    pub(super) fn sign(&mut self, sign: Sign, line: Line) {
        self.end();
        self.blocks.push(Block::Sign(sign, line));
    }

    pub(super) fn block(&mut self, block: Block) {
        self.end();
        self.blocks.push(block);
    }

    /// A comment of the runbook: its paragraphs.
    pub(super) fn doc(&mut self, doc: &str) {
        for paragraph in doc.split("\n\n") {
            let paragraph = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
            if !paragraph.is_empty() {
                self.say(prose(&paragraph));
            }
        }
    }

    /// Begins anew: what was typed in another step is not in front of whoever does this one.
    pub(super) fn step(&mut self) {
        self.end();
        self.typed.clear();
        self.explained.clear();
        self.said.clear();
    }

    fn end_lines(&mut self) {
        self.titled = false;
        if !self.lines.is_empty() {
            self.blocks.push(Block::Commands(std::mem::take(&mut self.lines)));
        }
        let blanks = std::mem::take(&mut self.blanks);
        let known: BTreeSet<String> = self.explained.iter().map(|blank| blank.name.clone()).collect();
        let left = std::mem::take(&mut self.left).into_iter().map(|left| {
            let mut line =
                of([code(left.said), text(" of "), code(left.of), text(" is in no line above, so see to it: ")]);
            line.extend(prose(left.doc));
            line
        });
        let points: Vec<Line> = blanks
            .iter()
            .filter(|blank| !known.contains(&blank.name))
            .map(|blank| {
                let mut line: Line = vec![code(format!("<{}>", blank.name)), text(": ")];
                line.extend(prose(&blank.from));
                line
            })
            .chain(left)
            .chain(std::mem::take(&mut self.notes).iter().map(|note| prose(note)))
            .collect();
        if !points.is_empty() {
            self.blocks.push(Block::Points(points));
        }
        self.explained.extend(blanks);
    }

    fn end_boxes(&mut self) {
        if !self.boxes.is_empty() {
            self.blocks.push(Block::Boxes(std::mem::take(&mut self.boxes)));
        }
    }

    pub(super) fn end(&mut self) {
        self.end_lines();
        self.end_boxes();
    }

    pub(super) fn finish(mut self) -> Vec<Block> {
        self.end();
        self.blocks
    }
}

/// A line of parts.
pub(super) fn of<const N: usize>(parts: [Inline; N]) -> Line {
    parts.into()
}
