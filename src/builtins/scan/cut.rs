//! Blocks of whole lines, cut from bytes as they come, or from any stretch of what can be read at any place.

use std::io;
use std::ops::Range;

use memchr::{memchr, memrchr};

use super::{Block, NotPlain};
use crate::builtins::line_time;
use crate::builtins::lines::{Chunks, LONGEST_LINE};

/// How much is read at once: it stays in the cache of a core while it is searched, beside the same in small letters.
const CHUNK: usize = 128 << 10;

/// How much is read beyond a stretch for the end of its last line: most lines are shorter.
const BEYOND: usize = 512;
/// How much more of it is read at once where that is not enough.
const FURTHER: usize = 16 << 10;

/// The most that one thread takes at once of a part. What is written at the same time is alike: the longer it stays with
/// one thread, the fewer texts are counted by several of them.
const LONGEST_STRETCH: u64 = 4 << 20;
/// In how many stretches a part is shared out at least, so that no thread is long without one.
const STRETCHES: u64 = 64;

/// A stretch of a part, with all lines that begin in it.
pub(in crate::builtins) struct Stretch {
    bytes: Range<u64>,
    /// How many bytes the part has.
    size: u64,
}

impl Stretch {
    /// The one that begins at a place of a part; none at its end.
    pub(in crate::builtins) fn at(start: u64, size: u64) -> Option<Self> {
        let chunks = (size / STRETCHES).min(LONGEST_STRETCH) / CHUNK as u64;
        let end = start.saturating_add(chunks.max(1) * CHUNK as u64).min(size);
        (start < size).then_some(Self { bytes: start..end, size })
    }

    /// How many blocks it is read in.
    pub(super) fn blocks(&self) -> u32 {
        u32::try_from((self.bytes.end - self.bytes.start).div_ceil(CHUNK as u64)).unwrap_or(u32::MAX)
    }

    /// Takes off what is read as its next block.
    pub(super) fn next(&mut self) -> Option<Self> {
        let start = self.bytes.start;
        self.bytes.start = start.saturating_add(CHUNK as u64).min(self.bytes.end);
        (start < self.bytes.end).then_some(Self { bytes: start..self.bytes.start, size: self.size })
    }

    /// Where the next one begins.
    pub(in crate::builtins) const fn end(&self) -> u64 {
        self.bytes.end
    }

    /// Reads its lines.
    pub(super) fn read(
        &self,
        block: &mut Block,
        read_at: impl Fn(&mut [u8], u64) -> io::Result<usize>,
    ) -> Result<(), NotPlain> {
        // The byte before says whether a line begins with the stretch.
        let from = self.bytes.start.saturating_sub(1);
        let length = |until: u64| usize::try_from(until - from).map_err(|_| NotPlain);
        let (end, whole) = (length(self.bytes.end)?, length(self.size)?);
        let fill = |block: &mut Block, wanted: usize| {
            while block.used < wanted {
                let at = from + block.used as u64;
                match read_at(block.room(wanted - block.used), at) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(read) if read > 0 => block.used += read,
                    // There is less than there was, or it cannot be read.
                    _ => return Err(NotPlain),
                }
            }
            Ok(())
        };
        block.clear();
        fill(block, whole.min(end + BEYOND))?;
        if from < self.bytes.start {
            match memchr(b'\n', block.bytes.get(..end).unwrap_or_default()) {
                Some(before) if before + 1 < end => block.begin = before + 1,
                // All of it belongs to a line that began before, or ends with it.
                _ => {
                    block.used = 0;
                    return Ok(());
                }
            }
        }
        let last = memrchr(b'\n', block.bytes.get(block.begin..end - 1).unwrap_or_default());
        let last = last.map_or(block.begin, |before| block.begin + before + 1);
        let mut searched = end - 1;
        loop {
            let rest = block.bytes.get(searched..block.used).unwrap_or_default();
            let found = memchr(b'\n', rest).map(|at| searched + at);
            if found.unwrap_or(block.used) - last > LONGEST_LINE {
                return Err(NotPlain);
            }
            if let Some(found) = found {
                block.used = found + 1;
                return Ok(());
            }
            searched = block.used;
            if block.used == whole {
                return Ok(());
            }
            fill(block, whole.min(block.used + FURTHER))?;
        }
    }
}

/// How much of an entry is left to the next block, so that it is in one. Nobody looks at more of it than this.
const LONGEST_ENTRY: usize = 32 << 10;

/// Cuts one stream of bytes after another.
#[derive(Default)]
pub(in crate::builtins) struct Cut {
    /// Where blocks end between two entries.
    entries: Option<Entries>,
    /// Whether a number at the beginning of a line of the stream is a time.
    pub(in crate::builtins) bare: bool,
    /// The lines of an entry and the beginning of a line whose end was not read yet.
    rest: Vec<u8>,
    /// The stream came to its end.
    ended: bool,
}

/// What is known of the entries of a stream so far.
#[derive(Default)]
struct Entries {
    /// Some line had a time: those that have none belong to one.
    dated: bool,
    /// The next block begins within an entry.
    continues: bool,
}

impl Cut {
    pub(in crate::builtins) fn new(by_entry: bool) -> Self {
        Self { entries: by_entry.then(Entries::default), ..Self::default() }
    }

    pub(in crate::builtins) const fn is_by_entry(&self) -> bool {
        self.entries.is_some()
    }

    /// The next lines of a stream; `false` at its end. Then the next stream can follow.
    pub(in crate::builtins) fn next(&mut self, chunks: &mut dyn Chunks, block: &mut Block) -> Result<bool, NotPlain> {
        while self.lines(chunks, block)? {
            if self.ended || self.leaves_last_entry(block) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn lines(&mut self, chunks: &mut dyn Chunks, block: &mut Block) -> Result<bool, NotPlain> {
        block.clear();
        if std::mem::take(&mut self.ended) {
            self.forget_entries();
            return Ok(false);
        }
        block.room(self.rest.len()).copy_from_slice(&self.rest);
        block.used = self.rest.len();
        block.continues = self.entries.as_ref().is_some_and(|entries| entries.continues);
        self.rest.clear();
        // Where the line begins whose end was not read.
        let open = memrchr(b'\n', block.lines()).map_or(0, |end| end + 1);
        loop {
            let before = block.used;
            let read = chunks.chunk(block.room(CHUNK)).map_err(|_| NotPlain)?;
            block.used += read;
            if read == 0 {
                // What is left are lines without an end.
                self.ended = block.used > 0;
                if !self.ended {
                    self.forget_entries();
                }
                return Ok(self.ended);
            }
            let new = block.lines().get(before..).unwrap_or_default();
            if let Some(end) = memrchr(b'\n', new) {
                let end = before + end + 1;
                self.rest.extend_from_slice(block.lines().get(end..).unwrap_or_default());
                block.used = end;
                break;
            }
            if block.used - open > LONGEST_LINE {
                return Err(NotPlain);
            }
        }
        // Only that line can have begun before.
        let rest = block.lines().get(open..).unwrap_or_default();
        if memchr(b'\n', rest).unwrap_or(rest.len()) > LONGEST_LINE {
            return Err(NotPlain);
        }
        Ok(true)
    }

    /// The next stream has entries of its own.
    fn forget_entries(&mut self) {
        self.entries = self.entries.take().map(|_| Entries::default());
    }

    /// Leaves the last entry to the next block, where entries matter: its other lines may be there. `false` where nothing
    /// else is left.
    fn leaves_last_entry(&mut self, block: &mut Block) -> bool {
        let Some(entries) = &mut self.entries else { return true };
        let last = last_entry(block.lines(), self.bare);
        entries.dated |= last.is_some();
        match last {
            Some(start) if block.used - start <= LONGEST_ENTRY => {
                let entry = block.lines().get(start..).unwrap_or_default();
                self.rest.splice(..0, entry.iter().copied());
                block.used = start;
                entries.continues = false;
                start > 0
            }
            _ => {
                entries.continues = entries.dated;
                true
            }
        }
    }
}

/// Where the last line begins that has a time.
fn last_entry(lines: &[u8], bare: bool) -> Option<usize> {
    let mut lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    loop {
        let start = memrchr(b'\n', lines).map_or(0, |end| end + 1);
        let line = lines.get(start..).unwrap_or_default();
        if line_time::is_dated(String::from_utf8_lossy(line).as_bytes(), bare) {
            return Some(start);
        }
        lines = lines.get(..start.checked_sub(1)?).unwrap_or_default();
    }
}
