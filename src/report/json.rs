//! Events as JSON Lines: the records as they are. The first one says the version of the format.

use std::io::{self, Write};

use crate::store::event::Record;

/// Writes one record, at once, for whoever reads along.
///
/// # Errors
/// Where it cannot be written.
pub fn write(out: &mut dyn Write, record: &Record) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")?;
    out.flush()
}
