//! Kinds: entries of a log that differ only in what varies, counted. An entry is a line that begins with a time, with the
//! lines below it that do not: the frames of a stack trace, the rest of a statement. Other lines are entries by themselves.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::mask;
use crate::builtins::line_time;
use crate::types::{Fault, FaultKind, Line, Percent, Value, records};

/// The most kinds that are kept: more of them are no summary.
const MOST_KINDS: usize = 10_000;

/// How much of an entry is looked at, in bytes. With the cap on kinds it bounds the memory: about 80 MB.
const LOOKED_AT: usize = 4096;

records! {
    /// Entries that differ only in numbers, ids, addresses, times and quoted values.
    struct KindOfEntry "pattern" {
        /// What they share: `<n>`, `<id>`, `<uuid>`, `<ip>`, `<time>` and `"<text>"` stand for what varies, ` ⏎ ` for the end of a line.
        pattern: String,
        /// How many there are.
        count: i64,
        /// Their part of all entries.
        share: Percent,
        /// The earliest time of one, where lines have times.
        first: Option<Timestamp>,
        /// The latest time of one, where lines have times.
        last: Option<Timestamp>,
        /// The first one, with all its lines.
        example: Arc<str>,
    }
}

struct Kind {
    count: i64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    example: Arc<str>,
    /// Where the example is: of equally frequent kinds the earlier comes first.
    place: u64,
}

impl Kind {
    /// More entries of the same kind. Those of several sources come to their ends in another order than they began.
    fn join(
        &mut self,
        count: i64,
        (first, last): (Option<Timestamp>, Option<Timestamp>),
        place: u64,
        example: impl FnOnce() -> Arc<str>,
    ) {
        self.count += count;
        self.first = [self.first, first].into_iter().flatten().min();
        self.last = [self.last, last].into_iter().flatten().max();
        if place < self.place {
            (self.example, self.place) = (example(), place);
        }
    }
}

/// The kinds of entries that were seen.
#[derive(Default)]
pub(in crate::builtins) struct Kinds {
    by_mask: HashMap<String, Kind>,
    /// The mask of an entry on its way.
    mask: String,
    entries: i64,
}

impl Kinds {
    /// One more entry.
    pub(in crate::builtins) fn add(&mut self, text: &str, time: Option<Timestamp>, place: u64) -> Result<(), Fault> {
        self.mask.clear();
        mask::entry(head(text), &mut self.mask);
        self.entries += 1;
        if let Some(kind) = self.by_mask.get_mut(&self.mask) {
            kind.join(1, (time, time), place, || shortened(text));
            return Ok(());
        }
        self.room()?;
        let kind = Kind { count: 1, first: time, last: time, example: shortened(text), place };
        self.by_mask.insert(self.mask.clone(), kind);
        Ok(())
    }

    /// Those of other lines of the same log as well.
    pub(in crate::builtins) fn take_over(&mut self, others: Self) -> Result<(), Fault> {
        self.entries += others.entries;
        for (pattern, other) in others.by_mask {
            if let Some(kind) = self.by_mask.get_mut(&pattern) {
                kind.join(other.count, (other.first, other.last), other.place, || other.example);
            } else {
                self.room()?;
                self.by_mask.insert(pattern, other);
            }
        }
        Ok(())
    }

    fn room(&self) -> Result<(), Fault> {
        if self.by_mask.len() < MOST_KINDS {
            return Ok(());
        }
        Err(Fault::new(FaultKind::TooLarge, format!("there are more than {MOST_KINDS} kinds of lines"))
            .help("write `where(…)` before `patterns` to look at fewer lines"))
    }

    /// The kinds, the most frequent first.
    pub(in crate::builtins) fn into_value(self) -> Value {
        let entries = self.entries;
        let mut kinds: Vec<(String, Kind)> = self.by_mask.into_iter().collect();
        kinds.sort_unstable_by_key(|(_, kind)| (Reverse(kind.count), kind.place));
        Value::list(kinds.into_iter().map(|(pattern, kind)| record(pattern, kind, entries).into()).collect())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of counts is as exact as a double")]
fn record(pattern: String, kind: Kind, entries: i64) -> KindOfEntry {
    let share = Percent(kind.count as f64 / entries as f64);
    KindOfEntry { pattern, count: kind.count, share, first: kind.first, last: kind.last, example: kind.example }
}

fn head(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LOOKED_AT)).unwrap_or(text)
}

fn shortened(text: &str) -> Arc<str> {
    if text.len() <= LOOKED_AT { text.into() } else { format!("{}…", head(text)).into() }
}

/// An entry whose end was not seen yet.
struct Open {
    head: Arc<str>,
    /// What stands below its first line, with that in front.
    more: Option<String>,
    time: Option<Timestamp>,
    place: u64,
    /// The number of its last line so far.
    number: i64,
}

/// Lines that come one by one, put together to entries.
#[derive(Default)]
pub(super) struct Entries {
    kinds: Kinds,
    /// The lines of several sources may come in turn.
    open: HashMap<Arc<str>, Open>,
}

impl Entries {
    /// One more line. Lines come in the order of their places.
    pub(super) fn line(&mut self, line: &Line, place: u64) -> Result<(), Fault> {
        let dated = line_time::begins_entry(line.text.as_bytes(), line.time);
        if !dated
            && let Some(open) = self.open.get_mut(&line.source)
            // What stands between was left out, and this is the rest of something else.
            && open.number + 1 == line.number
        {
            join(open.more.get_or_insert_with(|| head_of(&open.head).to_owned()), &line.text);
            open.number = line.number;
            return Ok(());
        }
        if let Some(open) = self.open.remove(&line.source) {
            self.close(&open)?;
        }
        let (head, time) = (Arc::clone(&line.text), line.time);
        if !dated {
            return self.kinds.add(&head, time, place);
        }
        let open = Open { head, more: None, time, place, number: line.number };
        self.open.insert(Arc::clone(&line.source), open);
        Ok(())
    }

    /// One more text, which is an entry by itself.
    pub(super) fn text(&mut self, text: &str, place: u64) -> Result<(), Fault> {
        self.kinds.add(text, None, place)
    }

    pub(super) fn into_kinds(mut self) -> Result<Kinds, Fault> {
        for open in std::mem::take(&mut self.open).into_values() {
            self.close(&open)?;
        }
        Ok(self.kinds)
    }

    fn close(&mut self, open: &Open) -> Result<(), Fault> {
        self.kinds.add(open.more.as_deref().unwrap_or(&open.head), open.time, open.place)
    }
}

/// One more line of an entry, as far as it is looked at.
pub(in crate::builtins) fn join(entry: &mut String, line: &str) {
    if entry.len() <= LOOKED_AT {
        entry.push('\n');
        entry.push_str(head_of(line));
    }
}

/// So much of a line that it shows whether there is more than is looked at.
fn head_of(line: &str) -> &str {
    line.get(..line.floor_char_boundary(LOOKED_AT + 4)).unwrap_or(line)
}
