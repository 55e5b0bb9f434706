//! A source, parsed and checked against the whole catalogue.

use std::sync::LazyLock;

use runbook::builtins;
use runbook::catalog::Catalog;
use runbook::check::{self, Checked, Modules};
use runbook::diagnostics::Diagnostic;
use runbook::source::Sources;
use runbook::syntax;

/// The whole catalogue.
pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(builtins::catalog);
    &CATALOG
}

/// The files, what checking made, and all that was found on the way.
pub(crate) fn checked(text: &str) -> (Sources, Checked, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let id = sources.add("daily.runbook", text);
    let parsed = syntax::parse(id, text);
    let checked = check::check(&sources, &Modules::of(parsed.file), catalog());
    let all = parsed.diagnostics.iter().chain(&checked.diagnostics).cloned().collect();
    (sources, checked, all)
}

/// `code@line:column message`
pub(crate) fn lines(sources: &Sources, diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics
        .iter()
        .map(|diagnostic| {
            let place = sources.position(diagnostic.span());
            format!("{}@{}:{} {}", diagnostic.code.name(), place.line, place.column, diagnostic.message)
        })
        .collect()
}
