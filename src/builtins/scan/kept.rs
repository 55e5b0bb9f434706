//! What a query keeps of the lines that are as asked, and what becomes of it in the end.

use std::sync::Arc;

use hashbrown::DefaultHashBuilder;
use jiff::Timestamp;
use regex::bytes::{CaptureLocations, Regex};

use super::finder::{Span, View};
use super::table::{self, Table};
use super::{Known, Lines};
use crate::builtins::line_time::Moment;
use crate::builtins::lists::{Kinds, MOST_KEPT, counted, join};
use crate::types::{Answer, End, Line, Part, Percent, Value};

/// How many lines a query keeps in memory, and how many bytes of them. Where there are more, they pass one by one.
const MOST_LINES: usize = 100_000;
const MOST_BYTES: usize = 8 << 20;

/// A block, and what was found in it.
pub(super) struct Found<'a> {
    pub(super) lines: &'a dyn Lines,
    pub(super) view: &'a View<'a>,
    pub(super) part: usize,
    pub(super) known: &'a [Known],
    /// Which block it is.
    pub(super) number: u32,
    pub(super) total: u64,
    /// The lines that are left by the filters.
    pub(super) spans: &'a [Span],
    /// How many of them are as the end asks.
    pub(super) holding: u64,
    /// Whether some were left out.
    pub(super) filtered: bool,
    /// Whether the first lines of the block may belong to an entry that began before it.
    pub(super) continues: bool,
}

impl Found<'_> {
    /// Where a line is: lines of the log are in the order of their places.
    fn place(&self, span: Span) -> u64 {
        u64::from(self.number) << 32 | u64::from(span.start)
    }

    /// The lines that are left, each with its place among what is known of the lines: they are counted only where
    /// something is known.
    fn noted(&self) -> impl Iterator<Item = (Span, usize)> {
        let (plain, noted) = if self.known.is_empty() {
            (Some(self.spans.iter().map(|span| (*span, 0))), None)
        } else {
            (None, Some(self.numbered()))
        };
        plain.into_iter().flatten().chain(noted.into_iter().flatten())
    }

    /// The lines that are left, each with its number in the block.
    fn numbered(&self) -> impl Iterator<Item = (Span, usize)> {
        let (mut counted, mut number) = (0, 0);
        self.spans.iter().map(move |span| {
            let between = self.view.bytes.get(counted..span.start as usize).unwrap_or_default();
            number += memchr::memchr_iter(b'\n', between).count();
            counted = span.start as usize;
            (*span, number)
        })
    }

    fn source(&self, number: usize) -> Arc<str> {
        let known = self.known.get(number).map(|known| Arc::clone(&known.source));
        known.unwrap_or_else(|| self.lines.source(self.part))
    }

    /// The time of a line. Which of two is meant is known to whoever has read the lines before.
    fn time(&self, number: usize, text: &[u8]) -> Result<Option<Timestamp>, GivesUp> {
        if let Some(known) = self.known.get(number) {
            return Ok(known.time);
        }
        match self.lines.time(self.part, text) {
            None => Ok(None),
            Some(Moment::At(at)) => Ok(Some(at)),
            Some(Moment::Twice(..)) => Err(GivesUp),
        }
    }

    /// The entries of the lines that are left.
    fn entries(&self, kinds: &mut Kinds, entry: &mut String) -> Result<(), GivesUp> {
        // Where lines come from several places, each place has its entries.
        if !self.known.is_empty() {
            return Err(GivesUp);
        }
        let mut head: Option<(Span, &str)> = None;
        // Where the line begins that would go on with the entry before it.
        let mut next = self.continues.then_some(0);
        entry.clear();
        for span in self.spans {
            let text = std::str::from_utf8(self.view.text(*span)).map_err(|_| GivesUp)?;
            let dated = self.lines.is_dated(self.part, text.as_bytes());
            if next == Some(span.start) && !dated {
                next = Some(span.end + 1);
                match head {
                    Some((_, head)) if entry.is_empty() => {
                        entry.push_str(head);
                        join(entry, text);
                    }
                    Some(_) => join(entry, text),
                    // It goes on for so long that nobody looks at this any more, if the lines before are left at all.
                    None if self.filtered => return Err(GivesUp),
                    None => {}
                }
                continue;
            }
            self.entry(head.take(), kinds, entry)?;
            next = dated.then_some(span.end + 1);
            head = Some((*span, text));
        }
        self.entry(head, kinds, entry)
    }

    fn entry(&self, head: Option<(Span, &str)>, kinds: &mut Kinds, entry: &mut String) -> Result<(), GivesUp> {
        let Some((span, first)) = head else { return Ok(()) };
        let text = if entry.is_empty() { first } else { entry.as_str() };
        kinds.add(text, self.time(0, first.as_bytes())?, self.place(span)).map_err(|_| GivesUp)?;
        entry.clear();
        Ok(())
    }

    /// The lines that are left, to be kept.
    fn rows(&self) -> impl Iterator<Item = Result<Row, GivesUp>> {
        self.numbered().map(|(span, number)| {
            let text = self.view.text(span);
            let (time, source) = (self.time(number, text)?, self.source(number));
            let text = String::from_utf8_lossy(text).into();
            let in_log = self.known.get(number).map(|known| known.number);
            let number = in_log.unwrap_or_else(|| i64::try_from(number + 1).unwrap_or(i64::MAX));
            Ok(Row { place: self.place(span), line: Line { text, number, source, time } })
        })
    }
}

/// A line that is kept, with its number in its block where it does not say its own.
pub(super) struct Row {
    place: u64,
    line: Line,
}

/// Why a query gives up: it goes item by item.
pub(super) struct GivesUp;

pub(super) enum Kept {
    Counts { total: u64, holding: u64 },
    Rows { rows: Vec<Row>, most: usize, bytes: usize },
    Last(Option<Row>),
    Tally { table: Table, part: Taken },
    Kinds { kinds: Kinds, entry: String },
}

/// What is taken of a line to be counted.
pub(super) enum Taken {
    Text,
    Source,
    Capture { regex: Regex, found: CaptureLocations, otherwise: Option<Arc<str>>, key: Vec<u8> },
}

impl Kept {
    pub(super) fn new(end: &End, hasher: &DefaultHashBuilder, memory: usize) -> Self {
        let rows = |most| Self::Rows { rows: Vec::new(), most, bytes: 0 };
        match end {
            End::Count | End::IsEmpty | End::Share(_) | End::Any(_) | End::All(_) | End::None(_) => {
                Self::Counts { total: 0, holding: 0 }
            }
            End::First => rows(1),
            End::Take(most) => rows(*most),
            End::Lines => rows(usize::MAX),
            End::Last => Self::Last(None),
            End::CountBy(part) | End::Top(_, part) => {
                Self::Tally { table: Table::new(hasher.clone(), memory), part: Taken::new(part) }
            }
            End::Patterns => Self::Kinds { kinds: Kinds::default(), entry: String::new() },
        }
    }

    pub(super) fn add(&mut self, found: &Found<'_>) -> Result<(), GivesUp> {
        match self {
            Self::Counts { total, holding } => {
                *total += found.total;
                *holding += found.holding;
            }
            Self::Rows { rows, most, bytes } => {
                let wanted = most.saturating_sub(rows.len());
                for row in found.rows().take(wanted) {
                    let row = row?;
                    *bytes += row.line.text.len();
                    rows.push(row);
                    if rows.len() > MOST_LINES || *bytes > MOST_BYTES {
                        return Err(GivesUp);
                    }
                }
            }
            Self::Last(last) => {
                if let Some(row) = found.rows().last().transpose()? {
                    *last = Some(row);
                }
            }
            Self::Tally { table, part } => {
                for (span, number) in found.noted() {
                    let add = |key: &[u8]| table.add(key, 1, found.place(span)).map_err(|_| GivesUp);
                    part.with(found.view.text(span), || found.source(number), add)?;
                }
            }
            Self::Kinds { kinds, entry } => found.entries(kinds, entry)?,
        }
        Ok(())
    }
}

impl Taken {
    fn new(part: &Part) -> Self {
        match part {
            Part::Text => Self::Text,
            Part::Source => Self::Source,
            Part::Capture(regex, otherwise) => Self::Capture {
                regex: regex.clone(),
                found: regex.capture_locations(),
                otherwise: match otherwise {
                    Value::String(text) => Some(Arc::clone(text)),
                    _ => None,
                },
                key: Vec::new(),
            },
        }
    }

    /// The bytes that stand for it: a text as it is, what may be missing with a byte before it that says whether.
    fn with(
        &mut self,
        text: &[u8],
        source: impl FnOnce() -> Arc<str>,
        add: impl FnOnce(&[u8]) -> Result<(), GivesUp>,
    ) -> Result<(), GivesUp> {
        match self {
            Self::Text => add(text),
            Self::Source => add(source().as_bytes()),
            Self::Capture { regex, found, otherwise, key } => {
                let group = usize::from(found.len() > 1);
                let part = match regex.captures_read(found, text) {
                    Some(_) => found.get(group).and_then(|(start, end)| text.get(start..end)),
                    None => None,
                };
                key.clear();
                if let Some(part) = part.or_else(|| otherwise.as_ref().map(|text| text.as_bytes())) {
                    // Half a character is a fault, and whoever goes item by item says so.
                    std::str::from_utf8(part).map_err(|_| GivesUp)?;
                    key.push(1);
                    key.extend_from_slice(part);
                }
                add(key)
            }
        }
    }
}

/// The value that such bytes stand for.
fn value(part: &Part, key: &[u8]) -> Value {
    let text = String::from_utf8_lossy;
    match part {
        Part::Text => Value::part(text(key)),
        Part::Source => Value::string(text(key)),
        Part::Capture(..) => key.split_first().map_or(Value::Null, |(_, rest)| Value::part(text(rest))),
    }
}

/// What the threads kept of one query, put together. `before` says how many lines of its part are before a block.
pub(super) fn answer(end: &End, kept: Vec<Kept>, before: impl Fn(u32) -> i64) -> Answer {
    finished(end, kept, before).map_or(Answer::ItemByItem, Answer::Value)
}

fn finished(end: &End, kept: Vec<Kept>, before: impl Fn(u32) -> i64) -> Option<Value> {
    let numbered = |row: Row| {
        let block = u32::try_from(row.place >> 32).ok()?;
        Some(Value::Line(Arc::new(Line { number: before(block) + row.line.number, ..row.line })))
    };
    match end {
        End::Count | End::IsEmpty | End::Share(_) | End::Any(_) | End::All(_) | End::None(_) => counts(end, &kept),
        End::First | End::Take(_) | End::Lines => {
            let mut rows: Vec<Row> = kept.into_iter().filter_map(rows).flatten().collect();
            rows.sort_unstable_by_key(|row| row.place);
            match end {
                End::First => rows.into_iter().next().map_or(Some(Value::Null), numbered),
                End::Take(most) => rows.into_iter().take(*most).map(numbered).collect::<Option<_>>().map(Value::list),
                _ if rows.len() > MOST_LINES => None,
                _ => rows.into_iter().map(numbered).collect::<Option<_>>().map(Value::list),
            }
        }
        End::Last => {
            let last = |kept| if let Kept::Last(row) = kept { row } else { None };
            let last = kept.into_iter().filter_map(last).max_by_key(|row| row.place);
            last.map_or(Some(Value::Null), numbered)
        }
        End::CountBy(part) | End::Top(_, part) => {
            let table = |kept| if let Kept::Tally { table, .. } = kept { Some(table) } else { None };
            let tables = kept.into_iter().filter_map(table).collect();
            let (most, at_most) = match end {
                End::Top(most, _) => (*most, usize::MAX),
                _ => (MOST_KEPT, MOST_KEPT),
            };
            let frequent = table::most_frequent(tables, most, at_most).ok()??;
            let record = |one: table::Counted| Some(counted(value(part, &one.text), i64::try_from(one.count).ok()?));
            frequent.into_iter().map(record).collect::<Option<_>>().map(Value::list)
        }
        End::Patterns => {
            let mut all = Kinds::default();
            for kept in kept {
                if let Kept::Kinds { kinds, .. } = kept {
                    all.take_over(kinds).ok()?;
                }
            }
            Some(all.into_value())
        }
    }
}

fn rows(kept: Kept) -> Option<Vec<Row>> {
    if let Kept::Rows { rows, .. } = kept { Some(rows) } else { None }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of counts is as exact as a double")]
fn counts(end: &End, kept: &[Kept]) -> Option<Value> {
    let (mut total, mut holding) = (0, 0);
    for kept in kept {
        if let Kept::Counts { total: own, holding: as_asked } = kept {
            total += own;
            holding += as_asked;
        }
    }
    // A claim about no lines is a fault.
    let some = total > 0;
    match end {
        End::Count => i64::try_from(total).ok().map(Value::Int),
        End::IsEmpty => Some(Value::Bool(!some)),
        End::Share(_) => some.then(|| Percent(holding as f64 / total as f64).into()),
        End::Any(_) => Some(Value::Bool(holding > 0)),
        End::All(_) => some.then_some(Value::Bool(holding == total)),
        End::None(_) => some.then_some(Value::Bool(holding == 0)),
        _ => None,
    }
}

/// How many lines have to be seen until nothing more can change, of those that count for it.
pub(super) const fn enough(end: &End) -> Option<u64> {
    match end {
        End::IsEmpty | End::First | End::Any(_) | End::All(_) | End::None(_) => Some(1),
        End::Take(most) => Some(*most as u64),
        _ => None,
    }
}

/// How many of these lines count for it.
pub(super) const fn counts_for(end: &End, total: u64, holding: u64) -> u64 {
    match end {
        End::Any(_) | End::None(_) => holding,
        End::All(_) => total - holding,
        _ => total,
    }
}

/// Whether it keeps lines, which have numbers.
pub(super) const fn has_rows(end: &End) -> bool {
    matches!(end, End::First | End::Last | End::Take(_) | End::Lines)
}

/// What of a line is asked beside the filters.
pub(super) const fn asks(end: &End) -> Option<&crate::types::Condition> {
    match end {
        End::Share(condition) | End::Any(condition) | End::All(condition) | End::None(condition) => Some(condition),
        _ => None,
    }
}

/// Whether it counts texts, which takes memory.
pub(super) const fn has_table(end: &End) -> bool {
    matches!(end, End::CountBy(_) | End::Top(..))
}

/// Whether it looks at entries, which may have several lines.
pub(super) const fn has_entries(end: &End) -> bool {
    matches!(end, End::Patterns)
}

/// Whether only the number of lines matters, and not which they are.
pub(super) const fn only_counts(end: &End) -> bool {
    matches!(end, End::Count | End::IsEmpty | End::Share(_) | End::Any(_) | End::All(_) | End::None(_))
}
