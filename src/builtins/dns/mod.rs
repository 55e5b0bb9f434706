//! DNS: what a name server says, and whether this machine resolves a name.

mod lookup;
mod resolves;

use crate::catalog::Builtin;

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[&lookup::BUILTIN, &resolves::BUILTIN];
