//! The code blocks of a page of Markdown, and checking one as `runbook check` does.

use runbook::catalog::Catalog;
use runbook::check;
use runbook::diagnostics::Diagnostic;
use runbook::format::format;
use runbook::source::{FileId, Sources};
use runbook::syntax;

/// A fenced block of code.
#[derive(Debug)]
pub(crate) struct Fence {
    /// The words behind the fence: `["runbook", "ignore"]`.
    pub(crate) info: Vec<String>,
    pub(crate) text: String,
    /// The line of the fence in the page, from 1.
    pub(crate) line: usize,
}

/// The fenced blocks of a page, in their order.
pub(crate) fn fences(page: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut open: Option<Fence> = None;
    for (index, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(info), None) => {
                let info = info.split_whitespace().map(str::to_owned).collect();
                open = Some(Fence { info, text: String::new(), line: index + 1 });
            }
            (Some(_), Some(fence)) => found.push(fence),
            (None, Some(mut fence)) => {
                fence.text.push_str(line);
                fence.text.push('\n');
                open = Some(fence);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block of code is not closed: {open:?}");
    found
}

/// A source with all that was found in it.
pub(crate) struct Seen {
    pub(crate) sources: Sources,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Seen {
    /// What was found, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.diagnostics
            .iter()
            .map(|found| {
                let at = self.sources.position(found.span());
                format!("{}:{} {}: {}", at.line, at.column, found.code.name(), found.message)
            })
            .collect()
    }
}

/// Reads and checks a source; `others` are the files beside it, by the names that `use` asks for.
pub(crate) fn look(catalog: &Catalog, text: &str, others: &[(&str, &[u8])]) -> Seen {
    let mut sources = Sources::new();
    let root = sources.add("page.runbook", text);
    let mut parse = |sources: &Sources, file: FileId| {
        let parsed = syntax::parse(file, &sources.file(file).text);
        (parsed.file, parsed.diagnostics)
    };
    let mut read = |name: &str| {
        let own = others.iter().find(|(other, _)| *other == name);
        own.map(|(_, bytes)| bytes.to_vec()).ok_or_else(|| "no such file".to_owned())
    };
    let (modules, mut diagnostics) = check::load(&mut sources, root, &mut parse, &mut read);
    let checked = check::check(&sources, &modules, catalog);
    diagnostics.extend(checked.diagnostics);
    Seen { sources, diagnostics }
}

/// A source as `runbook fmt` writes it.
pub(crate) fn formatted(text: &str) -> String {
    let file = Sources::new().add("page.runbook", text);
    format(text, &syntax::parse(file, text).file)
}
