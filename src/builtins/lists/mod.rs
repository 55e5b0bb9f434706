//! Lists and logs: what stands behind a `|`.

mod count;

use crate::catalog::Builtin;

pub(super) static ALL: &[&Builtin] = &[&count::BUILTIN];
