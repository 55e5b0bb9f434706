//! Scans: all that is asked of a log in one pass over its bytes, on a few threads, in bounded memory.
//!
//! A block of whole lines is read, searched for all queries while it is in the processor's cache, and let go. What the
//! queries keep of it says where it was, so the threads' shares are put together in the order of the log. Whatever is not
//! plain (a line that is too long, a file that ends early) is left to the stages, which go item by item.

mod cut;
mod finder;
mod kept;
mod pass;
mod sweep;
mod table;
mod words;

use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::line_time::{self, Moment};

pub(super) use self::cut::{Cut, Stretch};
pub(super) use self::pass::{by_entry, scan};

/// Whole lines of one part of a log.
#[derive(Default)]
pub(super) struct Block {
    /// The bytes from `begin` to `used` are the lines. The rest is room to read into, kept for the next block.
    pub(super) bytes: Vec<u8>,
    begin: usize,
    pub(super) used: usize,
    /// Where its lines begin, where they were not read yet: whoever takes the block reads them, beside others.
    pub(super) unread: Option<Stretch>,
    /// Which part of the log it is of.
    pub(super) part: usize,
    /// Whether lines before the first that has a time are asked for.
    pub(super) inside: bool,
    /// Whether its first lines may belong to an entry that began in a block before, and has a time.
    pub(super) continues: bool,
    /// What is known of each line, where it is not in the line.
    pub(super) known: Vec<Known>,
}

/// A line of a log whose lines come from several places.
pub(super) struct Known {
    pub(super) number: i64,
    pub(super) source: Arc<str>,
    pub(super) time: Option<Timestamp>,
}

impl Block {
    pub(super) fn lines(&self) -> &[u8] {
        self.bytes.get(self.begin..self.used).unwrap_or_default()
    }

    /// Takes all lines away.
    pub(super) fn clear(&mut self) {
        (self.begin, self.used, self.unread) = (0, 0, None);
        self.continues = false;
        self.known.clear();
    }

    /// Room to read into behind what is there.
    pub(super) fn room(&mut self, wanted: usize) -> &mut [u8] {
        let end = self.used + wanted;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes.get_mut(self.used..end).unwrap_or_default()
    }
}

/// A log as blocks, from its first line to its last.
pub(super) trait Blocks: Send {
    /// Fills in the next block. It is the last where `false` comes back, which has no lines.
    fn fill(&mut self, block: &mut Block) -> Result<bool, NotPlain>;
}

/// There is something among the lines whose place decides what follows from it.
#[derive(Debug)]
pub(super) struct NotPlain;

/// What is known of the lines of a log beside their bytes.
pub(super) trait Lines: Sync {
    /// Where the lines of a part come from.
    fn source(&self, part: usize) -> Arc<str>;

    /// The time that a line of a part begins with.
    fn time(&self, part: usize, text: &[u8]) -> Option<Moment>;

    /// Whether a line of a part begins with a time.
    fn is_dated(&self, _part: usize, text: &[u8]) -> bool {
        line_time::is_dated(text, false)
    }

    /// Whether only lines of some times are asked for.
    fn has_window(&self) -> bool {
        false
    }

    /// Whether lines of such a time are asked for.
    fn holds(&self, _time: Timestamp) -> bool {
        true
    }

    /// About how many bytes there are.
    fn size(&self) -> u64;

    /// Reads a part at any place of it, where blocks are handed out unread.
    fn read_at(&self, _part: usize, _into: &mut [u8], _offset: u64) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
