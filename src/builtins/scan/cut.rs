//! Blocks of whole lines, cut from bytes as they come.

use memchr::{memchr, memrchr};

use super::{Block, NotPlain};
use crate::builtins::lines::{Chunks, LONGEST_LINE};

/// How much is read at once: it stays in the cache of a core while it is searched.
const CHUNK: usize = 256 << 10;

/// Cuts one stream of bytes after another.
#[derive(Default)]
pub(in crate::builtins) struct Cut {
    /// The beginning of a line whose end was not read yet.
    rest: Vec<u8>,
    /// The stream came to its end.
    ended: bool,
}

impl Cut {
    /// The next lines of a stream; `false` at its end. Then the next stream can follow.
    pub(in crate::builtins) fn next(&mut self, chunks: &mut dyn Chunks, block: &mut Block) -> Result<bool, NotPlain> {
        block.used = 0;
        if std::mem::take(&mut self.ended) {
            return Ok(false);
        }
        block.room(self.rest.len()).copy_from_slice(&self.rest);
        block.used = self.rest.len();
        self.rest.clear();
        loop {
            let before = block.used;
            let read = chunks.chunk(block.room(CHUNK)).map_err(|_| NotPlain)?;
            block.used += read;
            if read == 0 {
                // What is left is a line without an end.
                self.ended = block.used > 0;
                return Ok(self.ended);
            }
            let new = block.lines().get(before..).unwrap_or_default();
            if let Some(end) = memrchr(b'\n', new) {
                let end = before + end + 1;
                self.rest.extend_from_slice(block.lines().get(end..).unwrap_or_default());
                block.used = end;
                break;
            }
            if block.used > LONGEST_LINE {
                return Err(NotPlain);
            }
        }
        // Only the first line can have begun before.
        let first = memchr(b'\n', block.lines()).unwrap_or(block.used);
        if first > LONGEST_LINE { Err(NotPlain) } else { Ok(true) }
    }
}
