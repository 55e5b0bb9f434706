//! What a program printed: in memory while it is short, in an unnamed file where it is long.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::types::{Fault, FaultKind, Line, Log, LogReader};

/// Up to this many bytes stay in memory.
const IN_MEMORY: usize = 4 << 20;

/// Bytes as they come in.
#[derive(Default)]
pub(super) struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    pub(super) length: u64,
}

impl Spool {
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        if let Some(file) = &mut self.file {
            return file.write_all(bytes);
        }
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > IN_MEMORY {
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
        let mut bytes = Vec::new();
        ReadAt { file: Arc::new(file), offset: 0 }.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Its lines, to be read as often as wanted.
    pub(super) fn into_log(self, name: &str) -> Log {
        let name: Arc<str> = name.into();
        let reader = Printed { name: name.clone(), memory: self.memory, file: self.file.map(Arc::new) };
        Log { name, reader: Arc::new(reader), partial: None }
    }
}

struct Printed {
    name: Arc<str>,
    memory: Vec<u8>,
    file: Option<Arc<File>>,
}

impl LogReader for Printed {
    fn lines(self: Arc<Self>) -> Box<dyn Iterator<Item = Result<Line, Fault>> + Send> {
        let name = self.name.clone();
        match &self.file {
            Some(file) => Box::new(lines(name, BufReader::new(ReadAt { file: Arc::clone(file), offset: 0 }))),
            None => Box::new(lines(name, Cursor::new(Memory(self)))),
        }
    }
}

/// The printed bytes that are in memory, shared by their readers.
struct Memory(Arc<Printed>);

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        &self.0.memory
    }
}

fn lines<R: BufRead>(source: Arc<str>, reader: R) -> impl Iterator<Item = Result<Line, Fault>> {
    reader.split(b'\n').zip(1..).map(move |(line, number)| {
        let line = line.map_err(|error| Fault::new(FaultKind::Failed, format!("what `{source}` printed: {error}")))?;
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        Ok(Line { text: String::from_utf8_lossy(line).into(), number, source: source.clone(), time: None })
    })
}

/// A place of its own in a file that others read too.
struct ReadAt {
    file: Arc<File>,
    offset: u64,
}

impl Read for ReadAt {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
