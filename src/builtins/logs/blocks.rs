//! The blocks of a log of files, for scans.

use memchr::memrchr;

use super::snapshot::{Lines, Stream};
use crate::builtins::line_time;
use crate::builtins::scan::{Block, Blocks, Cut, NotPlain, Stretch};

/// Reading all files of a log once, the oldest first.
pub(super) struct FileBlocks<'a> {
    log: &'a Lines,
    part: usize,
    /// How much of the part was handed out.
    at: u64,
    stream: Option<Stream>,
    cut: Cut,
    left: u64,
    /// Whether the line that comes next is in the window, as long as it has no time.
    inside: bool,
}

impl<'a> FileBlocks<'a> {
    /// `by_entry`: each entry is in one block.
    pub(super) fn new(log: &'a Lines, by_entry: bool) -> Self {
        Self { log, part: 0, at: 0, stream: None, cut: Cut::new(by_entry), left: log.most, inside: log.starts_inside }
    }

    /// What the next block has to know of the window.
    fn look_back(&mut self, block: &Block, bare: bool) -> Result<(), NotPlain> {
        let Some(window) = self.log.window else { return Ok(()) };
        let mut lines = block.lines();
        lines = lines.strip_suffix(b"\n").unwrap_or(lines);
        loop {
            let start = memrchr(b'\n', lines).map_or(0, |end| end + 1);
            let line = String::from_utf8_lossy(lines.get(start..).unwrap_or_default());
            if let Some(moment) = line_time::moment(line.as_bytes(), &self.log.reading, bare) {
                self.inside = moment.is_held(|at| window.holds(at)).ok_or(NotPlain)?;
                return Ok(());
            }
            if start == 0 {
                return Ok(());
            }
            lines = lines.get(..start - 1).unwrap_or_default();
        }
    }
}

impl Blocks for FileBlocks<'_> {
    fn fill(&mut self, block: &mut Block) -> Result<bool, NotPlain> {
        while let Some(part) = self.log.parts.get(self.part) {
            // Where nobody has to know the lines before, whoever takes a block reads it.
            if self.log.window.is_none() && !self.cut.is_by_entry() && !part.is_packed() {
                let Some(stretch) = Stretch::at(self.at, part.size) else {
                    self.part += 1;
                    self.at = 0;
                    continue;
                };
                block.clear();
                self.at = stretch.end();
                block.part = self.part;
                block.inside = self.inside;
                block.unread = Some(stretch);
                return Ok(true);
            }
            let stream = match &mut self.stream {
                Some(stream) => stream,
                none => {
                    self.cut.bare = (self.log.window.is_some() || self.cut.is_by_entry()) && part.is_bare();
                    none.insert(part.stream(self.left, self.log.most).map_err(|_| NotPlain)?)
                }
            };
            if self.cut.next(stream, block)? {
                block.part = self.part;
                block.inside = self.inside;
                self.look_back(block, self.cut.bare)?;
                return Ok(true);
            }
            self.left = stream.left(self.left);
            self.stream = None;
            self.part += 1;
        }
        Ok(false)
    }
}
