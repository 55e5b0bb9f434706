//! Snapshots: the lines of files as they were when the log was opened.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::window::Window;
use crate::builtins::files;
use crate::builtins::line_time::{self, Reading};
use crate::builtins::lines::{Broken, Buffer, Row, too_long};
use crate::types::{Fault, FaultKind, Line, LogReader};

/// How far into a file its first time is looked for when the log is opened.
const PROBED: u64 = 1 << 20;

/// One file of a log, open, with the size that it had.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    source: Arc<str>,
    file: File,
    pub(super) size: u64,
    pub(super) modified: Option<Timestamp>,
}

impl Part {
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        let failed = |error: std::io::Error| files::fault("read", path, &error);
        // Asked before it is opened: opening a pipe waits for somebody to write.
        let kind = std::fs::metadata(path).map_err(failed)?.file_type();
        if kind.is_dir() {
            return Err(files::fault("read", path, &std::io::ErrorKind::IsADirectory.into())
                .help(format!("name the log in it, or all of them: `{}/*.log`", path.display())));
        }
        if !kind.is_file() {
            return Err(Fault::new(FaultKind::Setup, format!("`{}` is no regular file", path.display())));
        }
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let part = Self {
            path: path.to_owned(),
            source: path.to_string_lossy().into(),
            file,
            size: metadata.len(),
            modified: metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok()),
        };
        part.refuse_compressed()?;
        Ok(part)
    }

    /// The first time that a line near the beginning has.
    pub(super) fn first_time(&self, reading: &Reading) -> Result<Option<Timestamp>, Fault> {
        let mut scan = Scan::new(self, self.size.min(PROBED));
        while let Some(line) = scan.next_line() {
            if let Some(time) = line_time::of_line(line?.bytes, reading) {
                return Ok(Some(time));
            }
        }
        Ok(None)
    }

    fn refuse_compressed(&self) -> Result<(), Fault> {
        let mut magic = [0; 4];
        let read = self.file.read_at(&mut magic, 0).map_err(|error| files::fault("read", &self.path, &error))?;
        let packed = [&[0x1f, 0x8b][..], &[0x28, 0xb5, 0x2f, 0xfd], b"BZh", &[0xfd, b'7', b'z', b'X']];
        if packed.iter().any(|begin| magic.get(..read).is_some_and(|magic| magic.starts_with(begin))) {
            let message = format!("`{}` is compressed, and compressed logs are not read", self.path.display());
            return Err(
                Fault::new(FaultKind::Unsupported, message).help("leave it out of the pattern: `app.log.[0-9]`")
            );
        }
        Ok(())
    }
}

/// The lines of all files of a log.
pub(super) struct Lines {
    pub(super) name: Arc<str>,
    /// From the oldest to the newest.
    pub(super) parts: Vec<Part>,
    pub(super) reading: Reading,
    pub(super) window: Option<Window>,
    /// Whether lines before the first time are in the window.
    pub(super) starts_inside: bool,
}

impl LogReader for Lines {
    fn lines(self: Arc<Self>) -> Box<dyn Iterator<Item = Result<Line, Fault>> + Send> {
        Box::new(Walk { inside: self.starts_inside, log: self, part: 0, at: None, seen: Seen::default(), done: false })
    }
}

/// Reading a log once.
struct Walk {
    log: Arc<Lines>,
    part: usize,
    at: Option<Place>,
    inside: bool,
    seen: Seen,
    done: bool,
}

/// Where in a file.
struct Place {
    buffer: Buffer,
    number: i64,
}

#[derive(Default)]
struct Seen {
    line: bool,
    time: bool,
}

impl Iterator for Walk {
    type Item = Result<Line, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let log = Arc::clone(&self.log);
        while let Some(part) = log.parts.get(self.part) {
            let place = self.at.get_or_insert_with(|| Place { buffer: Buffer::default(), number: 0 });
            let Some(line) = place.buffer.next_line(&part.file, part.size) else {
                self.part += 1;
                self.at = None;
                continue;
            };
            place.number += 1;
            let number = place.number;
            let row = match line {
                Ok(row) => row,
                Err(why) => {
                    self.part += 1;
                    self.at = None;
                    return Some(Err(broken(part, part.size, &why)));
                }
            };
            let time = line_time::of_line(row.bytes, &log.reading);
            self.seen.line = true;
            self.seen.time |= time.is_some();
            if let (Some(window), Some(time)) = (log.window, time) {
                self.inside = window.holds(time);
            }
            if log.window.is_none() || self.inside {
                if !row.whole {
                    return Some(Err(too_long(&part.source, number)));
                }
                let text: Arc<str> = String::from_utf8_lossy(row.bytes).into();
                return Some(Ok(Line { text, number, source: Arc::clone(&part.source), time }));
            }
        }
        self.at_the_end()
    }
}

impl Walk {
    /// A log without times cannot say which of its lines were asked for.
    fn at_the_end(&mut self) -> Option<Result<Line, Fault>> {
        let untimed = self.log.window.is_some() && self.seen.line && !self.seen.time;
        if self.done || !untimed {
            return None;
        }
        self.done = true;
        let message = format!("`{}`: no line begins with a time that is understood", self.log.name);
        Some(Err(Fault::new(FaultKind::Conversion, message).help("leave out `since` to read all lines")))
    }
}

/// The lines at the beginning of one file.
struct Scan<'a> {
    part: &'a Part,
    end: u64,
    buffer: Buffer,
}

impl<'a> Scan<'a> {
    fn new(part: &'a Part, end: u64) -> Self {
        Self { part, end, buffer: Buffer::default() }
    }

    fn next_line(&mut self) -> Option<Result<Row<'_>, Fault>> {
        let line = self.buffer.next_line(&self.part.file, self.end)?;
        Some(line.map_err(|why| broken(self.part, self.end, &why)))
    }
}

/// Why a file ended before its end.
fn broken(part: &Part, end: u64, broken: &Broken) -> Fault {
    match broken {
        Broken::Io(error) => files::fault("read", &part.path, error),
        Broken::Short { at } => Fault::new(
            FaultKind::Partial,
            format!("`{}` was cut short while it was read: it ends at byte {at} of {end}", part.source),
        ),
    }
}
