//! Logs: files of lines, read as a snapshot in constant memory.

mod blocks;
mod file;
mod input;
mod journal;
mod packed;
mod snapshot;
mod window;

use crate::catalog::Builtin;

pub(super) static ALL: &[&Builtin] = &[&file::BUILTIN, &journal::BUILTIN];
