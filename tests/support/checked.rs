//! Programs out of texts, for tests that go on with them in their own process.
#![allow(clippy::allow_attributes, dead_code, reason = "each test takes what it needs of it")]

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use runbook::catalog::RunFacts;
use runbook::check::program::Program;
use runbook::check::{self, Modules};
use runbook::source::Sources;

/// The program of a text that has no mistakes.
pub(crate) fn program(text: &str) -> Arc<Program> {
    let mut sources = Sources::new();
    let id = sources.add("a.runbook", text);
    let parsed = runbook::syntax::parse(id, text);
    let checked = check::check(&sources, &Modules::of(parsed.file), &runbook::builtins::catalog());
    let found: Vec<_> = parsed.diagnostics.into_iter().chain(checked.diagnostics).collect();
    assert!(!runbook::diagnostics::has_errors(&found), "{found:#?}");
    Arc::new(checked.program)
}

/// What a run of it knows of itself that begins now.
pub(crate) fn facts(program: &Program, now: Timestamp, directory: &Path) -> Arc<RunFacts> {
    let (timezone, directory) = (program.header.timezone.clone(), directory.to_owned());
    Arc::new(RunFacts { id: "7f3a".into(), started_at: now, scheduled_at: now, timezone, directory })
}
