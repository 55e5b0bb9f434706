//! Snapshots: the lines of files as they were when the log was opened.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::blocks::FileBlocks;
use super::packed::{self, Packing, Unpacked};
use super::window::Window;
use crate::builtins::line_time::{self, Clock, Lost, Moment, Name, Reading, Times};
use crate::builtins::lines::{Broken, Buffer, Chunks, Extent, too_long};
use crate::builtins::{files, scan};
use crate::types::{Answer, Fault, FaultKind, Line, LogReader, Query, Scanner};
use crate::units;

/// How far into a file its first time is looked for when the log is opened.
const PROBED: usize = 1 << 20;
/// How much of it is read at once for that: most begin with it.
const PROBED_AT_ONCE: usize = 16 << 10;

/// What tells a file from all others of a machine: its device, and its number there.
pub(super) type Identity = (u64, u64);

/// Which file has a name now.
pub(super) fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

fn modified(metadata: &Metadata) -> Option<Timestamp> {
    metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok())
}

/// Whether its size says nothing of what is in it: files of `/proc` say 0, those of `/sys` a page, and neither takes room
/// on a disk.
fn says_no_size(metadata: &Metadata) -> bool {
    const PAGE: u64 = 64 << 10;
    metadata.len() == 0 || (metadata.blocks() == 0 && metadata.len() <= PAGE)
}

/// What is in such a file now, in an unnamed one; nothing where nothing is in it.
fn kept(file: &File, path: &Path) -> Result<Option<File>, Fault> {
    const MOST: u64 = 64 << 20;
    let failed = |error: io::Error| files::fault("read", path, &error);
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.len() as u64 > MOST {
        let message = format!("`{}` says no size and does not end within 64MiB", path.display());
        return Err(Fault::new(FaultKind::TooLarge, message));
    }
    let mut kept = tempfile::tempfile().map_err(failed)?;
    kept.write_all(&bytes).map_err(failed)?;
    Ok(Some(kept))
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
    /// Whether a number at the beginning of a line is a time, once somebody asked.
    bare: OnceLock<bool>,
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
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let kept = if says_no_size(&metadata) { kept(&file, path)? } else { None };
        let part = Self::of(path, &path.to_string_lossy(), Arc::new(kept.unwrap_or(file)))?;
        Ok(Self { modified: modified(&metadata), identity: identity(&metadata), ..part })
    }

    /// A file that is open, under the name that its lines say.
    pub(super) fn of(path: &Path, source: &str, file: Arc<File>) -> Result<Self, Fault> {
        let metadata = file.metadata().map_err(|error| files::fault("read", path, &error))?;
        let mut part = Self {
            path: path.to_owned(),
            source: source.into(),
            file,
            size: metadata.len(),
            modified: modified(&metadata),
            identity: identity(&metadata),
            packing: None,
            bare: OnceLock::new(),
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
        self.first(|line| line_time::of_line(line, reading)).map_err(|why| broken(self, &why))
    }

    /// The last time that a line near the end has; nothing where that is not to be had at once.
    pub(super) fn last_time(&self, reading: &Reading) -> Option<Timestamp> {
        if self.is_packed() {
            return None;
        }
        let length = self.size.min(PROBED_AT_ONCE as u64);
        let mut end = vec![0; usize::try_from(length).ok()?];
        let read = self.file.read_at(&mut end, self.size - length).ok()?;
        let end = String::from_utf8_lossy(end.get(..read)?);
        // The first of them may be the end of a line.
        let lines = end.lines().skip(usize::from(length < self.size));
        lines.filter_map(|line| line_time::of_line(line.as_bytes(), reading)).last()
    }

    /// Whether a number at the beginning of a line is a time: where the first time of the file is such a number. Elsewhere
    /// it is a number of something else, below a line that has a time.
    pub(super) fn is_bare(&self) -> bool {
        // What cannot be read is a fault for whoever reads it.
        *self.bare.get_or_init(|| self.first(line_time::is_bare).ok().flatten().unwrap_or_default())
    }

    /// What a line near the beginning says first.
    fn first<T>(&self, says: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, Broken> {
        let mut stream = self.stream(packed::MOST, packed::MOST)?;
        let (mut buffer, mut looked_at) = (Buffer::reading(PROBED_AT_ONCE), 0);
        while let Some(line) = buffer.next_of(&mut stream) {
            let row = line?;
            if let Some(said) = says(String::from_utf8_lossy(row.bytes).as_bytes()) {
                return Ok(Some(said));
            }
            looked_at += row.bytes.len() + 1;
            if looked_at > PROBED {
                break;
            }
        }
        Ok(None)
    }

    fn begins(&self) -> Result<Option<Packing>, Fault> {
        let mut magic = [0; 4];
        let read = self.file.read_at(&mut magic, 0).map_err(|error| files::fault("read", &self.path, &error))?;
        let magic = magic.get(..read).unwrap_or_default();
        let path = self.path.display();
        if packed::is_utf16(magic) {
            let message = format!("`{path}` is UTF-16 text, and logs are read as UTF-8");
            return Err(Fault::new(FaultKind::Unsupported, message)
                .help(format!("`logs(file: \"-\")` reads it from `iconv -f UTF-16 -t UTF-8 {path}`")));
        }
        packed::packing(magic).map_err(|name| {
            let message = format!("`{path}` is packed by {name}, and logs are read plain, by gzip or by zstd");
            Fault::new(FaultKind::Unsupported, message).help(format!("unpack it: `{name} -d {path}`"))
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

impl Lines {
    fn is_bare(&self, part: usize) -> bool {
        self.parts.get(part).is_some_and(Part::is_bare)
    }
}

impl LogReader for Lines {
    fn lines(self: Arc<Self>) -> Box<dyn Iterator<Item = Result<Line, Fault>> + Send> {
        Box::new(Walk { inside: self.starts_inside, left: self.most, log: self, part: 0, at: None })
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

    fn time(&self, part: usize, text: &[u8]) -> Option<Moment> {
        line_time::moment(text, &self.reading, self.is_bare(part))
    }

    fn is_dated(&self, part: usize, text: &[u8]) -> bool {
        line_time::is_dated(text, self.is_bare(part))
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
}

/// Where in a file.
struct Place {
    stream: Stream,
    buffer: Buffer,
    number: i64,
    bare: bool,
    clock: Clock,
    times: Times,
    /// The first line whose time is in a zone that nobody named.
    elsewhere: Option<(i64, Name)>,
}

impl Place {
    fn new(part: &Part, stream: Stream) -> Self {
        Self {
            stream,
            buffer: Buffer::default(),
            number: 0,
            bare: part.is_bare(),
            clock: Clock::default(),
            times: Times::default(),
            elsewhere: None,
        }
    }

    /// The time of the line that comes next in the file.
    fn time(&mut self, line: &[u8], reading: &Reading) -> Option<Timestamp> {
        if let Some(moment) = line_time::moment(line, reading, self.bare) {
            self.times.read();
            return Some(self.clock.settled(moment));
        }
        let zone = self.times.unread(line);
        self.elsewhere = self.elsewhere.or(zone.map(|name| (self.number, name)));
        None
    }
}

impl Iterator for Walk {
    type Item = Result<Line, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let log = Arc::clone(&self.log);
        while let Some(part) = log.parts.get(self.part) {
            let place = match &mut self.at {
                Some(place) => place,
                none => match part.stream(self.left, log.most) {
                    Ok(stream) => none.insert(Place::new(part, stream)),
                    Err(why) => {
                        self.part += 1;
                        return Some(Err(broken(part, &why)));
                    }
                },
            };
            let Some(line) = place.buffer.next_of(&mut place.stream) else {
                self.left = place.stream.left(self.left);
                self.part += 1;
                let place = self.at.take();
                if let Some(lost) = log.window.and(place).and_then(|place| lost(part, &place)) {
                    return Some(Err(lost));
                }
                continue;
            };
            let row = match line {
                Ok(row) => row,
                Err(why) => {
                    self.part += 1;
                    self.at = None;
                    return Some(Err(broken(part, &why)));
                }
            };
            let (text, whole): (Arc<str>, bool) = (String::from_utf8_lossy(row.bytes).into(), row.whole);
            place.number += 1;
            let number = place.number;
            let time = place.time(text.as_bytes(), &log.reading);
            if let (Some(window), Some(time)) = (log.window, time) {
                self.inside = window.holds(time);
            }
            if log.window.is_none() || self.inside {
                if !whole {
                    return Some(Err(too_long(&part.source, number)));
                }
                return Some(Ok(Line { text, number, source: Arc::clone(&part.source), time }));
            }
        }
        None
    }
}

/// A file whose times are not understood cannot say which of its lines were asked for.
fn lost(part: &Part, place: &Place) -> Option<Fault> {
    let (why, help) = match place.times.lost()? {
        Lost::All => (
            "no line begins with a time that is understood".to_owned(),
            "leave out `since` to read all lines; `runbook doc logs` says which times are understood",
        ),
        Lost::Most { read, of } => (
            format!("of {of} lines at the margin, only {read} begin with a time that is understood"),
            "leave out `since` to read all lines; `runbook doc logs` says which times are understood",
        ),
        Lost::Zone => {
            let (number, name) = place.elsewhere?;
            let why =
                format!("line {number} has its time in {name}, which may be several zones and none that is known here");
            (why, "name the zone of the log: `timezone: \"America/New_York\"`")
        }
    };
    Some(Fault::new(FaultKind::Conversion, format!("`{}`: {why}", part.source)).help(help))
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
