//! Lines of bytes that are read a chunk at a time: a log of any size takes as much memory as its longest line.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::types::{Fault, FaultKind};

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// The longest line that is taken. A longer one is a fault: half of it would look like a whole one.
pub(super) const LONGEST_LINE: usize = 1 << 20;

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

impl<R: ReadAt> ReadAt for &R {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        (*self).read_at(into, offset)
    }
}

impl ReadAt for Arc<File> {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self.as_ref(), into, offset)
    }
}

/// Bytes from their beginning to their end.
pub(super) trait Chunks {
    /// The next ones; 0 of them at the end.
    fn chunk(&mut self, into: &mut [u8]) -> Result<usize, Broken>;
}

/// The bytes of something up to a place.
pub(super) struct Extent<R> {
    from: R,
    at: u64,
    end: u64,
}

impl<R: ReadAt> Extent<R> {
    pub(super) const fn new(from: R, end: u64) -> Self {
        Self { from, at: 0, end }
    }
}

impl<R: ReadAt> Chunks for Extent<R> {
    fn chunk(&mut self, into: &mut [u8]) -> Result<usize, Broken> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX).min(into.len());
        let into = into.get_mut(..left).unwrap_or_default();
        if into.is_empty() {
            return Ok(0);
        }
        let read = loop {
            match self.from.read_at(into, self.at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(Broken::Io)?,
            }
        };
        if read == 0 {
            return Err(Broken::Short { at: self.at });
        }
        self.at += read as u64;
        Ok(read)
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
    /// What was packed is cut off at this place of the packed bytes.
    Cut {
        at: u64,
    },
    /// It unpacks to more than this.
    TooMuch {
        most: u64,
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
    /// The line that was found last.
    line: Option<Range<usize>>,
    /// Where the next bytes are, where they are read by their place.
    offset: u64,
    /// All bytes were read.
    ended: bool,
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
        Self { bytes: Vec::new(), chunk, start: 0, searched: 0, line: None, offset: 0, ended: false, overlong: false }
    }

    /// The next line of what ends at `end`. What is broken ends it.
    pub(super) fn next_line(&mut self, from: &impl ReadAt, end: u64) -> Option<Result<Row<'_>, Broken>> {
        let mut extent = Extent { from, at: self.offset, end };
        if let Err(broken) = self.find(&mut extent) {
            self.offset = end;
            return Some(Err(broken));
        }
        self.offset = extent.at;
        self.found().map(Ok)
    }

    /// The next line. What is broken ends it.
    pub(super) fn next_of(&mut self, chunks: &mut dyn Chunks) -> Option<Result<Row<'_>, Broken>> {
        match self.find(chunks) {
            Err(broken) => Some(Err(broken)),
            Ok(()) => self.found().map(Ok),
        }
    }

    /// Reads up to the end of the next line.
    fn find(&mut self, chunks: &mut dyn Chunks) -> Result<(), Broken> {
        self.line = None;
        loop {
            let rest = self.bytes.get(self.searched..).unwrap_or_default();
            if let Some(found) = memchr::memchr(b'\n', rest) {
                let line = self.start..self.searched + found;
                self.start = line.end + 1;
                self.searched = self.start;
                if std::mem::take(&mut self.overlong) {
                    continue;
                }
                self.line = Some(line);
                return Ok(());
            }
            self.searched = self.bytes.len();
            let line = self.start..self.bytes.len();
            if self.overlong || self.ended || line.len() > LONGEST_LINE {
                let given = self.overlong || line.is_empty();
                self.start = line.end;
                self.overlong = !self.ended;
                if !given {
                    self.line = Some(line);
                    return Ok(());
                }
            }
            if self.ended {
                return Ok(());
            }
            if let Err(broken) = self.fill(chunks) {
                self.ended = true;
                self.start = self.bytes.len();
                self.searched = self.start;
                return Err(broken);
            }
        }
    }

    /// The line that was found.
    fn found(&mut self) -> Option<Row<'_>> {
        let line = self.line.take()?;
        Some(self.row(line))
    }

    fn row(&self, line: Range<usize>) -> Row<'_> {
        let whole = line.len() <= LONGEST_LINE;
        let bytes = self.bytes.get(line).unwrap_or_default();
        Row { bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes), whole }
    }

    fn fill(&mut self, chunks: &mut dyn Chunks) -> Result<(), Broken> {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        let kept = self.bytes.len();
        self.bytes.resize(kept + self.chunk, 0);
        let read = chunks.chunk(self.bytes.get_mut(kept..).unwrap_or_default());
        self.bytes.truncate(kept + read.as_ref().copied().unwrap_or_default());
        self.ended = read? == 0;
        Ok(())
    }
}

/// The fault of a line that is not taken.
pub(super) fn too_long(source: &str, number: i64) -> Fault {
    let message = format!("line {number} of `{source}` is longer than the {LONGEST_LINE} bytes that are taken");
    Fault::new(FaultKind::TooLarge, message)
}
