//! The log of several containers as one: by the time that the cluster gives each line, in constant memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;

use crate::builtins::line_time::Moment;
use crate::builtins::lines::{Buffer, Row, too_long};
use crate::builtins::scan::{self, Block, Blocks, Known, NotPlain};
use crate::builtins::spool::{Spool, unreadable};
use crate::types::{Answer, Fault, Line, LogReader, Query, Scanner};

/// How much all readers of a log take of the memory for what they read at once.
const READING: usize = 4 << 20;
/// About how much is searched at once.
const BLOCK: usize = 128 << 10;

/// What was read of the containers.
pub(super) struct Merged {
    pub(super) streams: Vec<Stream>,
    /// From when on lines are asked for: the API knows whole seconds only.
    pub(super) from: Option<Timestamp>,
}

/// What one container logged.
pub(super) struct Stream {
    /// Its pod, and itself where the pod has several.
    pub(super) source: Arc<str>,
    /// What it logged before it was last restarted, and since.
    pub(super) parts: Vec<Spool>,
}

impl LogReader for Merged {
    fn lines(self: Arc<Self>) -> Box<dyn Iterator<Item = Result<Line, Fault>> + Send> {
        let chunk = (READING / self.streams.len().max(1)).clamp(16 << 10, 256 << 10);
        let heads = self.streams.iter().map(|_| Head::new(chunk)).collect();
        let mut walk = Walk { log: self, heads, order: BinaryHeap::new() };
        (0..walk.heads.len()).for_each(|index| walk.advance(index));
        Box::new(walk)
    }

    fn scanner(self: Arc<Self>) -> Option<Arc<dyn Scanner>> {
        Some(Arc::new(Asked(self)))
    }
}

/// The log, to be asked several things at once. The lines are merged once for all of them.
struct Asked(Arc<Merged>);

impl Scanner for Asked {
    fn scan(&self, queries: &[Query], unwanted: &AtomicBool) -> Vec<Answer> {
        scan::scan(InTurn(Arc::clone(&self.0).lines()), self, queries, unwanted)
    }
}

/// Each line says itself what is to be known of it.
impl scan::Lines for Asked {
    fn source(&self, _: usize) -> Arc<str> {
        "".into()
    }

    fn time(&self, _: usize, _: &[u8]) -> Option<Moment> {
        None
    }

    fn size(&self) -> u64 {
        self.0.streams.iter().flat_map(|stream| &stream.parts).map(|part| part.length).sum()
    }
}

/// The lines one after the other, put together into blocks.
struct InTurn(Box<dyn Iterator<Item = Result<Line, Fault>> + Send>);

impl Blocks for InTurn {
    fn fill(&mut self, block: &mut Block) -> Result<bool, NotPlain> {
        block.clear();
        while block.used < BLOCK
            && let Some(line) = self.0.next()
        {
            let line = line.map_err(|_| NotPlain)?;
            // What belongs to the end of a line was taken off, and one more would be.
            let end = if line.text.ends_with('\r') { "\r\n" } else { "\n" };
            for bytes in [line.text.as_bytes(), end.as_bytes()] {
                block.room(bytes.len()).copy_from_slice(bytes);
                block.used += bytes.len();
            }
            block.known.push(Known { number: line.number, source: line.source, time: line.time });
        }
        Ok(block.used > 0)
    }
}

/// Reading all streams once, the earliest line first.
struct Walk {
    log: Arc<Merged>,
    heads: Vec<Head>,
    /// The streams that have a line, by its time. Of two at one time that of the earlier stream comes first.
    order: BinaryHeap<Reverse<(Timestamp, usize)>>,
}

impl Iterator for Walk {
    type Item = Result<Line, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((_, index)) = self.order.pop()?;
        let line = self.heads.get_mut(index)?.next.take()?;
        self.advance(index);
        Some(line)
    }
}

impl Walk {
    /// Reads the next line of a stream.
    fn advance(&mut self, index: usize) {
        let (Some(head), Some(stream)) = (self.heads.get_mut(index), self.log.streams.get(index)) else { return };
        head.next = head.read(stream, self.log.from);
        if head.next.is_some() {
            self.order.push(Reverse((head.at, index)));
        }
    }
}

/// Where in a stream.
struct Head {
    chunk: usize,
    part: usize,
    buffer: Buffer,
    number: i64,
    /// The time of the next line, or of the last that had one: no line is moved before another of its stream.
    at: Timestamp,
    next: Option<Result<Line, Fault>>,
}

impl Head {
    fn new(chunk: usize) -> Self {
        Self { chunk, part: 0, buffer: Buffer::reading(chunk), number: 0, at: Timestamp::MIN, next: None }
    }

    fn read(&mut self, stream: &Stream, from: Option<Timestamp>) -> Option<Result<Line, Fault>> {
        while let Some(spool) = stream.parts.get(self.part) {
            let (time, row) = match self.buffer.next_line(spool, spool.length) {
                Some(Ok(row)) => stamped(row),
                Some(Err(broken)) => {
                    self.part = stream.parts.len();
                    return Some(Err(unreadable(&stream.source, &broken)));
                }
                None => {
                    self.part += 1;
                    self.buffer = Buffer::reading(self.chunk);
                    continue;
                }
            };
            self.at = self.at.max(time.unwrap_or(self.at));
            if time.zip(from).is_some_and(|(time, from)| time < from) {
                continue;
            }
            self.number += 1;
            if !row.whole {
                return Some(Err(too_long(&stream.source, self.number)));
            }
            let text = String::from_utf8_lossy(row.bytes).into();
            return Some(Ok(Line { text, number: self.number, source: Arc::clone(&stream.source), time }));
        }
        None
    }
}

/// A line without the time that the cluster put before it.
fn stamped(row: Row<'_>) -> (Option<Timestamp>, Row<'_>) {
    match stamp(row.bytes) {
        Some((time, rest)) => (Some(time), Row { bytes: rest, whole: row.whole }),
        None => (None, row),
    }
}

/// `2026-11-25T22:21:03.123456789Z the line`
pub(super) fn stamp(line: &[u8]) -> Option<(Timestamp, &[u8])> {
    const LONGEST: usize = 40;
    let head = line.get(..LONGEST).unwrap_or(line);
    let end = memchr::memchr(b' ', head).unwrap_or(head.len());
    let text = std::str::from_utf8(head.get(..end)?).ok()?;
    let time = text.parse().ok()?;
    Some((time, line.get(end + 1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::{Merged, Stream};
    use crate::builtins::spool::Spool;
    use crate::types::{Line, LogReader};

    fn spool(text: &[u8]) -> Spool {
        let mut spool = Spool::keeping(8);
        spool.push(text).unwrap();
        spool
    }

    fn lines(streams: Vec<Stream>, from: Option<&str>) -> Vec<Line> {
        let from = from.map(|from| from.parse::<Timestamp>().unwrap());
        Arc::new(Merged { streams, from }).lines().map(|line| line.unwrap()).collect()
    }

    #[test]
    fn lines_of_several_pods_come_by_their_times() {
        let a = b"2026-11-25T08:00:01Z one\n2026-11-25T08:00:03.5Z three\n2026-11-25T08:00:03.2Z late\n";
        let b = b"2026-11-25T08:00:02Z two\nwithout a time\n2026-11-25T08:00:04Z \xff four\r\n";
        let streams = vec![
            Stream { source: "a".into(), parts: vec![spool(a)] },
            Stream { source: "b".into(), parts: vec![spool(b"2026-11-25T07:00:00Z before\n"), spool(b)] },
        ];
        let read = lines(streams, Some("2026-11-25T07:59:59Z"));
        let told: Vec<String> =
            read.iter().map(|line| format!("{}{} {}", line.source, line.number, line.text)).collect();
        assert_eq!(told, ["a1 one", "b1 two", "b2 without a time", "a2 three", "a3 late", "b3 \u{fffd} four"]);
        assert_eq!(read.first().unwrap().time, Some("2026-11-25T08:00:01Z".parse().unwrap()));
        assert_eq!(read.get(2).unwrap().time, None);
    }

    #[test]
    fn an_empty_line_is_a_line() {
        let streams =
            vec![Stream { source: "a".into(), parts: vec![spool(b"2026-11-25T08:00:01Z \n2026-11-25T08:00:02Z\n")] }];
        let read = lines(streams, None);
        assert_eq!(
            read.iter().map(|line| (&*line.text, line.time.is_some())).collect::<Vec<_>>(),
            [("", true), ("", true)]
        );
    }
}
