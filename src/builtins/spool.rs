//! What comes in from outside and is read more than once: in memory while it is short, in an unnamed file where it is
//! long.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::line_time::{self, Clock, Moment, Reading};
use super::lines::{Broken, Buffer, Extent, ReadAt, too_long};
use super::scan::{self, Block, Blocks, Cut, NotPlain, Stretch};
use crate::types::{Answer, Fault, FaultKind, Line, Log, LogReader, Query, Scanner};

/// Up to this many bytes stay in memory.
const IN_MEMORY: usize = 4 << 20;

/// Bytes as they come in.
pub(super) struct Spool {
    memory: Vec<u8>,
    in_memory: usize,
    file: Option<File>,
    pub(super) length: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self::keeping(IN_MEMORY)
    }
}

impl Spool {
    /// One that keeps so much in memory, for where there are many.
    pub(super) const fn keeping(in_memory: usize) -> Self {
        Self { memory: Vec::new(), in_memory, file: None, length: 0 }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        if let Some(file) = &mut self.file {
            return file.write_all(bytes);
        }
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > self.in_memory {
            // Unnamed: nothing is left behind, however the process ends.
            let mut file = tempfile::tempfile()?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        Ok(())
    }

    /// All of it.
    pub(super) fn into_bytes(self) -> io::Result<Vec<u8>> {
        let Some(file) = self.file else { return Ok(self.memory) };
        let mut bytes = vec![0; usize::try_from(self.length).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Its lines, to be read as often as wanted.
    pub(super) fn into_log(self, name: &str, reading: Reading) -> Log {
        let name: Arc<str> = name.into();
        Log { name: name.clone(), reader: Arc::new(Printed { name, spool: self, reading }), partial: None }
    }
}

impl ReadAt for Spool {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        if let Some(file) = &self.file {
            return ReadAt::read_at(file, into, offset);
        }
        let rest = usize::try_from(offset).ok().and_then(|offset| self.memory.get(offset..)).unwrap_or_default();
        let read = rest.len().min(into.len());
        if let (Some(into), Some(from)) = (into.get_mut(..read), rest.get(..read)) {
            into.copy_from_slice(from);
        }
        Ok(read)
    }
}

/// What a program printed.
struct Printed {
    name: Arc<str>,
    spool: Spool,
    reading: Reading,
}

impl LogReader for Printed {
    fn lines(self: Arc<Self>) -> Box<dyn Iterator<Item = Result<Line, Fault>> + Send> {
        let mut buffer = Buffer::default();
        let mut numbers = 1..;
        let mut clock = Clock::default();
        Box::new(std::iter::from_fn(move || {
            let row = buffer.next_line(&self.spool, self.spool.length)?;
            let number = numbers.next()?;
            Some(match row {
                Err(broken) => Err(unreadable(&self.name, &broken)),
                Ok(row) if !row.whole => Err(too_long(&self.name, number)),
                Ok(row) => {
                    let text: Arc<str> = String::from_utf8_lossy(row.bytes).into();
                    let moment = line_time::moment(text.as_bytes(), &self.reading, false);
                    let time = moment.map(|moment| clock.settled(moment));
                    Ok(Line { text, number, source: self.name.clone(), time })
                }
            })
        }))
    }

    fn scanner(self: Arc<Self>) -> Option<Arc<dyn Scanner>> {
        Some(self)
    }
}

impl Scanner for Printed {
    fn scan(&self, queries: &[Query], unwanted: &AtomicBool) -> Vec<Answer> {
        if scan::by_entry(queries) {
            let chunks = Extent::new(&self.spool, self.spool.length);
            return scan::scan(InTurn { chunks, cut: Cut::new(true) }, self, queries, unwanted);
        }
        scan::scan(Stretches { at: 0, size: self.spool.length }, self, queries, unwanted)
    }
}

impl scan::Lines for Printed {
    fn source(&self, _: usize) -> Arc<str> {
        Arc::clone(&self.name)
    }

    fn time(&self, _: usize, text: &[u8]) -> Option<Moment> {
        line_time::moment(text, &self.reading, false)
    }

    fn size(&self) -> u64 {
        self.spool.length
    }

    fn read_at(&self, _: usize, into: &mut [u8], offset: u64) -> io::Result<usize> {
        ReadAt::read_at(&self.spool, into, offset)
    }
}

/// Reading it once from its beginning to its end.
struct InTurn<'a> {
    chunks: Extent<&'a Spool>,
    cut: Cut,
}

impl Blocks for InTurn<'_> {
    fn fill(&mut self, block: &mut Block) -> Result<bool, NotPlain> {
        self.cut.next(&mut self.chunks, block)
    }
}

/// Reading it once, by whoever has time.
struct Stretches {
    at: u64,
    size: u64,
}

impl Blocks for Stretches {
    fn fill(&mut self, block: &mut Block) -> Result<bool, NotPlain> {
        block.clear();
        let Some(stretch) = Stretch::at(self.at, self.size) else { return Ok(false) };
        self.at = stretch.end();
        block.unread = Some(stretch);
        Ok(true)
    }
}

/// The fault of what was kept and cannot be read again.
pub(super) fn unreadable(name: &str, broken: &Broken) -> Fault {
    let why = match broken {
        Broken::Io(error) => error.to_string(),
        Broken::Short { at } | Broken::Cut { at } => format!("the file that it was kept in ends at byte {at}"),
        Broken::TooMuch { most } => format!("it is more than {most} bytes"),
    };
    Fault::new(FaultKind::Failed, format!("what was kept of `{name}` cannot be read again: {why}"))
}
