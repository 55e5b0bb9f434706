//! The language, tested by its specification: every heading of `tests/spec/**/*.md` with fences is a test.
//!
//! A case has one `runbook` fence, more with a name for the files that it uses, and what it gives: `diagnostics`,
//! `plan` (as `runbook plan --offline` prints it), `events`, `log` (what went outside when) and `report` (as a terminal of
//! 100 columns shows the run), each compared as text. So are `tests`: what `runbook test --timeline` says of its tests. `UPDATE_SPEC=1 cargo test --test spec` writes what is given now in
//! place of what was expected: read the difference before it is committed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where something is not as it should be")]

#[path = "support/document.rs"]
mod document;
mod rehearsal;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use runbook::catalog::Catalog;
use runbook::check::{self, Checked};
use runbook::diagnostics::Diagnostic;
use runbook::shown::look::Look;
use runbook::source::{FileId, Sources};
use runbook::syntax;

use document::{Case, Fence, Page};
use rehearsal::Ran;

#[test]
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test is told by its environment, and tells"
)]
fn the_language_is_as_it_is_specified() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec");
    let update = std::env::var_os("UPDATE_SPEC").is_some_and(|value| value == "1");
    assert!(!(update && std::env::var_os("CI").is_some()), "expectations are never rewritten in CI");
    let catalog = runbook::builtins::catalog();
    let (mut cases, mut failures) = (0, Vec::new());
    for page in document::pages(&folder) {
        let mut replaced = Vec::new();
        for case in &page.cases {
            cases += 1;
            compare(&page, case, &catalog, &mut replaced, &mut failures);
        }
        if update && !replaced.is_empty() {
            page.rewrite(&replaced);
        }
    }
    assert!(cases > 0, "the specification has cases");
    println!("{cases} cases of the specification");
    assert!(update || failures.is_empty(), "{} of {cases} cases differ\n{}", failures.len(), failures.join("\n"));
}

fn compare<'p>(
    page: &Page,
    case: &'p Case,
    catalog: &Catalog,
    replaced: &mut Vec<(&'p Fence, String)>,
    failures: &mut Vec<String>,
) {
    let place = format!("{}:{}: {}", page.path.display(), case.line, case.title);
    let source = Source::read(case, catalog).unwrap_or_else(|why| panic!("{place}: {why}"));
    let mut compared = false;
    let diagnostics = source.diagnostics();
    let plan = case.fence("plan").map(|_| source.plan(&place));
    let runs = ["events", "log", "report"].iter().any(|kind| case.fence(kind).is_some());
    let (mut ran, mut tests) = (None, None);
    if runs {
        ran = Some(source.rehearse(case.fence("world").map_or("", |fence| &fence.text), &place));
    } else if case.fence("tests").is_some() {
        tests = Some(source.tests(&place));
    }
    for fence in &case.fences {
        let given = match (fence.kind.as_str(), &ran) {
            ("runbook" | "world" | "text" | "sh", _) => continue,
            ("tests", _) => tests.clone().unwrap_or_default(),
            ("diagnostics", _) => diagnostics.clone(),
            ("plan", _) => plan.clone().unwrap_or_default(),
            ("events", Some(ran)) => ran.events_text(),
            ("log", Some(ran)) => ran.log_text(),
            ("report", Some(ran)) => ran.report(),
            (other, _) => panic!("{place}: there is no fence `{other}`"),
        };
        compared = true;
        if given != fence.text {
            failures.push(format!("--- {place}\nexpected {}:\n{}given:\n{given}", fence.kind, fence.text));
            replaced.push((fence, given));
        }
    }
    assert!(compared, "{place}: nothing is expected");
}

/// A case's files, parsed and checked.
struct Source {
    sources: Sources,
    root: FileId,
    diagnostics: Vec<Diagnostic>,
    checked: Checked,
}

impl Source {
    fn read(case: &Case, catalog: &Catalog) -> Result<Self, String> {
        let first = case.fence("runbook").ok_or("no `runbook` fence")?;
        let mut sources = Sources::new();
        let name = if first.info.is_empty() { "case.runbook" } else { &first.info };
        let root = sources.add(name, first.text.as_str());
        let (modules, mut diagnostics) = check::load(
            &mut sources,
            root,
            &mut |sources, id| {
                let parsed = syntax::parse(id, &sources.file(id).text);
                (parsed.file, parsed.diagnostics)
            },
            &mut |name| {
                let found = case.all("runbook").find(|fence| fence.info == name);
                found.map(|fence| fence.text.clone().into_bytes()).ok_or_else(|| "no such file".to_owned())
            },
        );
        let checked = check::check(&sources, &modules, catalog);
        diagnostics.extend(checked.diagnostics.iter().cloned());
        diagnostics.sort_by_key(Diagnostic::span);
        Ok(Self { sources, root, diagnostics, checked })
    }

    /// A case that is planned or run has no errors.
    fn assert_valid(&self, place: &str) {
        let found = self.diagnostics();
        assert!(!runbook::diagnostics::has_errors(&self.diagnostics), "{place} is not valid:\n{found}");
    }

    fn plan(&self, place: &str) -> String {
        self.assert_valid(place);
        rehearsal::planned(&self.checked.program, &self.sources)
    }

    /// Runs it in its world.
    fn rehearse(self, world: &str, place: &str) -> Ran {
        self.assert_valid(place);
        rehearsal::of(self.checked.program, self.sources).fenced(world).run()
    }

    /// Its tests, each with its story.
    fn tests(self, place: &str) -> String {
        self.assert_valid(place);
        let (program, sources) = (Arc::new(self.checked.program), Arc::new(self.sources));
        let tests: Vec<_> = program.tests.iter().collect();
        let rehearsed = runbook::rehearsal::rehearse(&program, &sources, &tests);
        rehearsed.iter().map(|(test, _)| runbook::rehearsal::told(test, &sources, None, true, Look::PLAIN)).collect()
    }

    /// A line a finding: where, which code, what; then its labels, its help and its fix, each indented.
    fn diagnostics(&self) -> String {
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            let place = self.place(diagnostic.span());
            let (code, message) = (diagnostic.code.name(), &diagnostic.message);
            let _ = writeln!(text, "{place} {code}: {message}");
            for (index, label) in diagnostic.labels.iter().enumerate() {
                if index > 0 || !label.text.is_empty() {
                    let written = self.sources.text(label.span).lines().next().unwrap_or("");
                    let _ = writeln!(text, "  {} `{written}` {}", self.place(label.span), label.text);
                }
            }
            if let Some(help) = &diagnostic.help {
                let _ = writeln!(text, "  help: {}", help.replace('\n', "\n    "));
            }
            if let Some(fix) = &diagnostic.fix {
                let _ = writeln!(text, "  fix: {} `{}`", self.place(fix.span), fix.replacement);
            }
        }
        if text.is_empty() { "none\n".to_owned() } else { text }
    }

    fn place(&self, span: runbook::source::Span) -> String {
        let position = self.sources.position(span);
        let file = if span.file == self.root { "" } else { &self.sources.file(span.file).name };
        let colon = if file.is_empty() { "" } else { ":" };
        format!("{file}{colon}{}:{}", position.line, position.column)
    }
}
