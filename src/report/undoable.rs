//! What can be typed after a run that changed something: how its changes are undone, and how it is gone on with.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::finding::{Finding, Round};
use crate::shown::again::Again;
use crate::shown::items::named;
use crate::shown::look::{Look, Tone, clean};
use crate::store::event::{ChangeOutcome, Event, Path, Place};

/// So many changes are offered to be undone; more are found by their numbers.
const MOST: usize = 20;

/// A change that can be undone.
struct Change {
    /// What undoes it, as it is written.
    undo: Arc<str>,
    title: String,
    /// The run that made it, and its number there; `None` for the run that is read.
    run: Option<Arc<str>>,
    number: u32,
}

/// Reads along what can be undone and what is left.
#[derive(Default)]
pub(super) struct Undoable {
    changes: Vec<Change>,
    /// Those that were begun and are not over: by their numbers.
    begun: BTreeMap<u32, (String, Place)>,
    /// Where a change failed, is unknown or was withheld, and whether nobody knows if it was made, or all of it.
    left: Vec<(Path, bool)>,
    /// Nothing was begun without consent.
    waits: bool,
    /// It has changes at all, and is no undo itself, and its file is there.
    can_go_on: bool,
}

impl Undoable {
    pub(super) fn note(&mut self, event: &Event) {
        use crate::store::definition::Continues;
        match event {
            Event::RunStarted(started) => {
                let undoes = matches!(started.continues, Some(Continues::Undoes { .. }));
                self.can_go_on = started.changes > 0 && !started.read_only && !undoes && &*started.file != "-";
            }
            // What a command makes is written down part by part.
            Event::ChangeIntended { change, title, items, place, parts: false, .. } => {
                self.begun.insert(*change, (named(title, items), place.clone()));
            }
            Event::ChangeEnded(ended) => {
                self.begun.remove(&ended.change);
                if ended.outcome != ChangeOutcome::Done {
                    let is_doubtful = matches!(ended.outcome, ChangeOutcome::Unknown | ChangeOutcome::Partly);
                    self.left.push((ended.place.path.clone(), is_doubtful));
                }
                if let (true, Some(undo)) = (ended.is_made(), &ended.undo) {
                    let (undo, title) = (Arc::clone(undo), named(&ended.title, &ended.items));
                    self.changes.push(Change { undo, title, run: None, number: ended.change });
                }
            }
            Event::ChangeKept(kept) => {
                if let Some(undo) = &kept.undo {
                    let (undo, run) = (Arc::clone(undo), Some(Arc::clone(&kept.run)));
                    let title = named(&kept.title, &kept.items);
                    self.changes.push(Change { undo, title, run, number: kept.of });
                }
            }
            Event::ChangeWithheld { place, .. } => self.left.push((place.path.clone(), false)),
            Event::ApprovalNeeded { .. } => self.waits = true,
            event => {
                // What another round has tried again is left by that one, or by none.
                if let Some(round) = Round::retried(event) {
                    self.left.retain(|(path, _)| !round.has(path));
                }
            }
        }
    }

    pub(super) fn is_doubtful(&self) -> bool {
        self.left.iter().any(|(_, is_doubtful)| *is_doubtful)
    }

    /// The changes of which a run that came to no end says nothing more.
    pub(super) fn unknown(&self) -> impl Iterator<Item = Finding> {
        self.begun.values().map(|(title, place)| Finding::begun(title, place))
    }

    /// The last one first: that is the order in which they are taken back.
    pub(super) fn lines(&self, run: &str, again: &Again, look: Look) -> Vec<String> {
        if self.changes.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![look.paint(Tone::Faint, "CAN BE UNDONE, the last one first")];
        let command = again.command("undo");
        for Change { undo, title, run: other, number } in self.changes.iter().rev().take(MOST) {
            let run = other.as_deref().unwrap_or(run);
            lines.push(format!("  {command} {} {number}   {}   undoes {}", clean(run), clean(undo), clean(title)));
        }
        let more = self.changes.len().saturating_sub(MOST);
        if more > 0 {
            lines.push(format!(
                "  and {more} before these, by their numbers: {} {} --format json",
                again.of_runs("show"),
                clean(run)
            ));
        }
        lines
    }

    pub(super) fn go_on(&self, run: &str, again: &Again, was_stopped: bool) -> Option<String> {
        let goes_on = self.can_go_on && (self.waits || !self.left.is_empty() || was_stopped);
        goes_on.then(|| format!("continue:  {} {}", again.command("resume"), clean(run)))
    }
}
