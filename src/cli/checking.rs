//! A runbook with all that it uses, parsed and checked.

use crate::catalog::Catalog;
use crate::check::{self, Checked, Modules, Read};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::{FileId, Sources, Span};
use crate::syntax;

use super::inputs;

/// Checks a file. The diagnostics are those of every file that it uses, too. The trees are handed on for whoever ends
/// with them: giving them back piece by piece takes a tenth of the time that the check of a long file takes.
pub(super) fn check(root: FileId, sources: &mut Sources, catalog: &Catalog) -> (Checked, Modules) {
    let folder = inputs::folder(&sources.file(root).name);
    let mut read = |name: &str| inputs::bytes_of_file(name.as_ref()).map_err(|error| error.to_string());
    let mut read_below = |name: &str| inputs::bytes_below(&folder, name).map_err(|error| error.to_string());
    check_with(root, sources, catalog, &mut read, &mut read_below)
}

/// The same, where the files are not on this machine's disk: what it uses, and what declarations name.
pub(super) fn check_with(
    root: FileId,
    sources: &mut Sources,
    catalog: &Catalog,
    read: Read<'_>,
    read_below: Read<'_>,
) -> (Checked, Modules) {
    let mut parse = |sources: &Sources, id: FileId| {
        let parsed = syntax::parse(id, &sources.file(id).text);
        (parsed.file, parsed.diagnostics)
    };
    let is_empty = sources.file(root).text.trim_start_matches('\u{FEFF}').trim().is_empty();
    let (modules, mut diagnostics) = check::load(sources, root, &mut parse, read);
    let mut checked = check::check(sources, &modules, catalog);
    diagnostics.extend(check::attached(sources, &modules, catalog, &mut checked.program, read_below));
    diagnostics.extend(checked.diagnostics);
    // What was cut off or never written must not look like what was checked and found well.
    if is_empty {
        let fault = Diagnostic::new(Code::FileUnreadable, Span::new(root, 0, 0), "there is nothing in this file");
        diagnostics.push(fault.help("a runbook has a section: `section \"title\" { … }`"));
    }
    diagnostics.sort_by_key(Diagnostic::span);
    (Checked { program: checked.program, diagnostics }, modules)
}
