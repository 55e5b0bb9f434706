//! TLS: the certificate that a server shows.

mod certificate;
pub(super) mod own;

use crate::catalog::Builtin;

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[&certificate::BUILTIN];
