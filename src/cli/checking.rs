//! A runbook with all that it uses, parsed and checked.

use crate::catalog::Catalog;
use crate::check::{self, Checked};
use crate::source::{FileId, Sources};
use crate::syntax;

use super::inputs;

/// Checks a file. The diagnostics are those of every file that it uses, too.
pub(super) fn check(root: FileId, sources: &mut Sources, catalog: &Catalog) -> Checked {
    let mut parse = |sources: &Sources, id: FileId| {
        let parsed = syntax::parse(id, &sources.file(id).text);
        (parsed.file, parsed.diagnostics)
    };
    let mut read = |name: &str| inputs::bytes(name).map_err(|error| error.to_string());
    let (modules, mut diagnostics) = check::load(sources, root, &mut parse, &mut read);
    let checked = check::check(sources, &modules, catalog);
    diagnostics.extend(checked.diagnostics);
    diagnostics.sort_by_key(crate::diagnostics::Diagnostic::span);
    Checked { program: checked.program, diagnostics }
}
