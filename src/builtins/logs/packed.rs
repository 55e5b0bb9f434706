//! Packed files: gzip and zstd, unpacked while they are read, in constant memory and up to a declared size.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::builtins::lines::{Broken, Chunks};

/// How much a packed file may unpack to where nobody said `at_most`.
pub(super) const MOST: u64 = 64 << 30;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

/// What a file begins with, and how it is packed; `Err` with a name where that is not read.
pub(super) fn packing(begin: &[u8]) -> Result<Option<Packing>, &'static str> {
    match begin {
        [0x1f, 0x8b, ..] => Ok(Some(Packing::Gzip)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Some(Packing::Zstd)),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Err("bzip2"),
        [0xfd, b'7', b'z', b'X', ..] => Err("xz"),
        _ => Ok(None),
    }
}

/// Whether a file begins with the mark of UTF-16: nothing in it would be found.
pub(super) const fn is_utf16(begin: &[u8]) -> bool {
    matches!(begin, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

/// The bytes of a packed file.
pub(super) struct Unpacked {
    decoder: Box<dyn Read + Send>,
    /// How many packed bytes were read.
    packed: Arc<AtomicU64>,
    pub(super) left: u64,
    most: u64,
    begun: bool,
}

impl Unpacked {
    /// Those of the first `end` bytes of a file, up to `left` of the `most` that are taken in all.
    pub(super) fn new(file: Arc<File>, end: u64, packing: Packing, left: u64, most: u64) -> io::Result<Self> {
        let packed = Arc::new(AtomicU64::new(0));
        let input = BufReader::with_capacity(64 << 10, Input { file, end, at: Arc::clone(&packed) });
        let decoder: Box<dyn Read + Send> = match packing {
            Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
            Packing::Zstd => Box::new(zstd::Decoder::with_buffer(input)?),
        };
        Ok(Self { decoder, packed, left, most, begun: false })
    }
}

impl Chunks for Unpacked {
    fn chunk(&mut self, into: &mut [u8]) -> Result<usize, Broken> {
        let read = loop {
            match self.decoder.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(Broken::Cut { at: self.packed.load(Ordering::Relaxed) });
                }
                read => break read.map_err(Broken::Io)?,
            }
        };
        if !std::mem::replace(&mut self.begun, true) && is_utf16(into.get(..read).unwrap_or_default()) {
            return Err(Broken::Io(io::Error::new(io::ErrorKind::InvalidData, "what is packed is UTF-16 text")));
        }
        self.left = self.left.checked_sub(read as u64).ok_or(Broken::TooMuch { most: self.most })?;
        Ok(read)
    }
}

/// The packed bytes.
struct Input {
    file: Arc<File>,
    end: u64,
    at: Arc<AtomicU64>,
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let at = self.at.load(Ordering::Relaxed);
        let left = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX).min(into.len());
        let read = self.file.read_at(into.get_mut(..left).unwrap_or_default(), at)?;
        self.at.store(at + read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
