//! Programs of this machine: what a `tool` declaration starts, and the shell as the last resort.

mod argv;
mod options;
mod output;
mod process;
mod program;
mod shell;
mod table;

use crate::catalog::Builtin;

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[&argv::BUILTIN, &shell::BUILTIN];
