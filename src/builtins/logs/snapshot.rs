//! Snapshots: the lines of files as they were when the log was opened.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;

use super::blocks::FileBlocks;
use super::packed::{self, Packing, Unpacked};
use super::window::Window;
use crate::builtins::line_time::{self, Reading};
use crate::builtins::lines::{Broken, Buffer, Chunks, Extent, too_long};
use crate::builtins::{files, scan};
use crate::types::{Answer, Fault, FaultKind, Line, LogReader, Query, Scanner};
use crate::units;

/// How far into a file its first time is looked for when the log is opened.
const PROBED: usize = 1 << 20;

/// What tells a file from all others of a machine: its device, and its number there.
pub(super) type Identity = (u64, u64);

/// Which file has a name now.
pub(super) fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// One file of a log, open, with the size that it had.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    source: Arc<str>,
    file: Arc<File>,
    pub(super) size: u64,
    pub(super) modified: Option<Timestamp>,
    /// Which file it is, by whichever name.
    pub(super) identity: Identity,
    packing: Option<Packing>,
}

/// The bytes of a file.
pub(super) enum Stream {
    Plain(Extent<Arc<File>>),
    Packed(Unpacked),
}

impl Stream {
    /// How much may still be unpacked.
    pub(super) const fn left(&self, before: u64) -> u64 {
        match self {
            Self::Plain(_) => before,
            Self::Packed(unpacked) => unpacked.left,
        }
    }
}

impl Chunks for Stream {
    fn chunk(&mut self, into: &mut [u8]) -> Result<usize, Broken> {
        match self {
            Self::Plain(extent) => extent.chunk(into),
            Self::Packed(unpacked) => unpacked.chunk(into),
        }
    }
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
        Self::of(path, &path.to_string_lossy(), Arc::new(File::open(path).map_err(failed)?))
    }

    /// A file that is open, under the name that its lines say.
    pub(super) fn of(path: &Path, source: &str, file: Arc<File>) -> Result<Self, Fault> {
        let metadata = file.metadata().map_err(|error| files::fault("read", path, &error))?;
        let mut part = Self {
            path: path.to_owned(),
            source: source.into(),
            file,
            size: metadata.len(),
            modified: metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok()),
            identity: identity(&metadata),
            packing: None,
        };
        part.packing = part.begins()?;
        Ok(part)
    }

    pub(super) const fn is_packed(&self) -> bool {
        self.packing.is_some()
    }

    /// Its bytes; of a packed one up to `left` of the `most` that are unpacked in all.
    pub(super) fn stream(&self, left: u64, most: u64) -> Result<Stream, Broken> {
        Ok(match self.packing {
            None => Stream::Plain(Extent::new(Arc::clone(&self.file), self.size)),
            Some(packing) => Stream::Packed(
                Unpacked::new(Arc::clone(&self.file), self.size, packing, left, most).map_err(Broken::Io)?,
            ),
        })
    }

    /// The first time that a line near the beginning has.
    pub(super) fn first_time(&self, reading: &Reading) -> Result<Option<Timestamp>, Fault> {
        let mut stream = self.stream(packed::MOST, packed::MOST).map_err(|why| broken(self, &why))?;
        let (mut buffer, mut looked_at) = (Buffer::default(), 0);
        while let Some(line) = buffer.next_of(&mut stream) {
            let row = line.map_err(|why| broken(self, &why))?;
            if let Some(time) = line_time::of_line(String::from_utf8_lossy(row.bytes).as_bytes(), reading) {
                return Ok(Some(time));
            }
            looked_at += row.bytes.len();
            if looked_at > PROBED {
                break;
            }
        }
        Ok(None)
    }

    fn begins(&self) -> Result<Option<Packing>, Fault> {
        let mut magic = [0; 4];
        let read = self.file.read_at(&mut magic, 0).map_err(|error| files::fault("read", &self.path, &error))?;
        packed::packing(magic.get(..read).unwrap_or_default()).map_err(|name| {
            let message =
                format!("`{}` is packed by {name}, and logs are read plain, by gzip or by zstd", self.path.display());
            Fault::new(FaultKind::Unsupported, message).help("leave it out of the pattern: `app.log.[0-9]`")
        })
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
    /// How much may be unpacked.
    pub(super) most: u64,
}

impl LogReader for Lines {
    fn lines(self: Arc<Self>) -> Box<dyn Iterator<Item = Result<Line, Fault>> + Send> {
        Box::new(Walk {
            inside: self.starts_inside,
            left: self.most,
            log: self,
            part: 0,
            at: None,
            seen: Seen::default(),
            done: false,
        })
    }

    fn scanner(self: Arc<Self>) -> Option<Arc<dyn Scanner>> {
        Some(self)
    }
}

impl Scanner for Lines {
    fn scan(&self, queries: &[Query], unwanted: &AtomicBool) -> Vec<Answer> {
        scan::scan(FileBlocks::new(self, scan::by_entry(queries)), self, queries, unwanted)
    }
}

impl scan::Lines for Lines {
    fn source(&self, part: usize) -> Arc<str> {
        self.parts.get(part).map_or_else(|| Arc::clone(&self.name), |part| Arc::clone(&part.source))
    }

    fn time(&self, text: &[u8]) -> Option<Timestamp> {
        line_time::of_line(text, &self.reading)
    }

    fn has_window(&self) -> bool {
        self.window.is_some()
    }

    fn holds(&self, time: Timestamp) -> bool {
        self.window.is_none_or(|window| window.holds(time))
    }

    fn size(&self) -> u64 {
        self.parts.iter().map(|part| part.size).sum()
    }

    fn read_at(&self, part: usize, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.parts.get(part).map_or_else(|| Err(io::ErrorKind::NotFound.into()), |part| part.file.read_at(into, offset))
    }
}

/// Reading a log once.
struct Walk {
    log: Arc<Lines>,
    part: usize,
    at: Option<Place>,
    inside: bool,
    /// How much may still be unpacked.
    left: u64,
    seen: Seen,
    done: bool,
}

/// Where in a file.
struct Place {
    stream: Stream,
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
            let place = match &mut self.at {
                Some(place) => place,
                none => match part.stream(self.left, log.most) {
                    Ok(stream) => none.insert(Place { stream, buffer: Buffer::default(), number: 0 }),
                    Err(why) => {
                        self.part += 1;
                        return Some(Err(broken(part, &why)));
                    }
                },
            };
            let Some(line) = place.buffer.next_of(&mut place.stream) else {
                self.left = place.stream.left(self.left);
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
                    return Some(Err(broken(part, &why)));
                }
            };
            let text = String::from_utf8_lossy(row.bytes);
            let time = line_time::of_line(text.as_bytes(), &log.reading);
            self.seen.line = true;
            self.seen.time |= time.is_some();
            if let (Some(window), Some(time)) = (log.window, time) {
                self.inside = window.holds(time);
            }
            if log.window.is_none() || self.inside {
                if !row.whole {
                    return Some(Err(too_long(&part.source, number)));
                }
                return Some(Ok(Line { text: text.into(), number, source: Arc::clone(&part.source), time }));
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

/// Why a file ended before its end.
fn broken(part: &Part, broken: &Broken) -> Fault {
    match broken {
        Broken::Io(error) => files::fault(if part.is_packed() { "unpack" } else { "read" }, &part.path, error),
        Broken::Short { at } => Fault::new(
            FaultKind::Partial,
            format!("`{}` was cut short while it was read: it ends at byte {at} of {}", part.source, part.size),
        ),
        Broken::Cut { at } => Fault::new(
            FaultKind::Partial,
            format!("`{}` is cut off: its packed data ends at byte {at}, in the middle", part.source),
        ),
        Broken::TooMuch { most } => {
            let most = units::size(i64::try_from(*most).unwrap_or(i64::MAX));
            Fault::new(FaultKind::TooLarge, format!("`{}` unpacks to more than the {most} that are taken", part.source))
                .help("write how much is to be read: `at_most: 100GiB`")
        }
    }
}
