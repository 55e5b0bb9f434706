//! Lines of bytes that are read a chunk at a time: a log of any size takes as much memory as its longest line.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::types::{Fault, FaultKind};

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// The longest line that is taken. A longer one is a fault: half of it would look like a whole one.
const LONGEST_LINE: usize = 1 << 20;

/// Bytes that do not change while they are read, at any place of them.
pub(super) trait ReadAt {
    /// As [`FileExt::read_at`].
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, into, offset)
    }
}

/// A line without its end, or the beginning of one that is too long.
pub(super) struct Row<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) whole: bool,
}

/// Why lines ended before their end.
#[derive(Debug)]
pub(super) enum Broken {
    Io(io::Error),
    /// There is less than there was.
    Short {
        at: u64,
    },
}

/// What was read and not yet given as lines.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    chunk: usize,
    /// Where the next line begins in the bytes.
    start: usize,
    /// Up to where there is no end of a line from there on.
    searched: usize,
    /// How much was read.
    offset: u64,
    /// The rest of a line that is too long is passed over.
    overlong: bool,
}

impl Default for Buffer {
    fn default() -> Self {
        Self::reading(CHUNK)
    }
}

impl Buffer {
    /// One that reads so much at once, for where many are read side by side.
    pub(super) fn reading(chunk: usize) -> Self {
        Self { bytes: Vec::new(), chunk, start: 0, searched: 0, offset: 0, overlong: false }
    }

    /// The next line of what ends at `end`. What is broken ends it.
    pub(super) fn next_line(&mut self, from: &impl ReadAt, end: u64) -> Option<Result<Row<'_>, Broken>> {
        loop {
            let rest = self.bytes.get(self.searched..).unwrap_or_default();
            if let Some(found) = memchr::memchr(b'\n', rest) {
                let line = self.start..self.searched + found;
                self.start = line.end + 1;
                self.searched = self.start;
                if std::mem::take(&mut self.overlong) {
                    continue;
                }
                return Some(Ok(self.row(line)));
            }
            self.searched = self.bytes.len();
            let line = self.start..self.bytes.len();
            if self.overlong || self.offset >= end || line.len() > LONGEST_LINE {
                let given = self.overlong || line.is_empty();
                self.start = line.end;
                self.overlong = self.offset < end;
                if !given {
                    return Some(Ok(self.row(line)));
                }
            }
            if self.offset >= end {
                return None;
            }
            if let Err(broken) = self.fill(from, end) {
                self.offset = end;
                self.start = self.bytes.len();
                return Some(Err(broken));
            }
        }
    }

    fn row(&self, line: Range<usize>) -> Row<'_> {
        let whole = line.len() <= LONGEST_LINE;
        let bytes = self.bytes.get(line).unwrap_or_default();
        Row { bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes), whole }
    }

    fn fill(&mut self, from: &impl ReadAt, end: u64) -> Result<(), Broken> {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        let kept = self.bytes.len();
        let wanted = usize::try_from(end - self.offset).unwrap_or(self.chunk).min(self.chunk);
        self.bytes.resize(kept + wanted, 0);
        let into = self.bytes.get_mut(kept..).unwrap_or_default();
        let read = loop {
            match from.read_at(into, self.offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let read = read.map_err(Broken::Io)?;
        self.bytes.truncate(kept + read);
        if read == 0 {
            return Err(Broken::Short { at: self.offset });
        }
        self.offset += read as u64;
        Ok(())
    }
}

/// The fault of a line that is not taken.
pub(super) fn too_long(source: &str, number: i64) -> Fault {
    let message = format!("line {number} of `{source}` is longer than the {LONGEST_LINE} bytes that are taken");
    Fault::new(FaultKind::TooLarge, message)
}
