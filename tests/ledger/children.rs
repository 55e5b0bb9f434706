//! This test program, started again as another process that writes.

use std::path::Path;
use std::process::{Command, Stdio};

/// Says in which folder the process that was started again works.
const FOLDER: &str = "RUNBOOK_TEST_LEDGER";

/// The folder, where this is the process that was started again.
#[expect(clippy::disallowed_methods, reason = "the variable says that this is the test that was started again")]
pub(crate) fn folder() -> Option<std::path::PathBuf> {
    std::env::var_os(FOLDER).map(Into::into)
}

/// Starts one test again, alone, by `program`: this one, or one that sets limits and goes on as this one.
pub(crate) fn again(program: &[&str], test: &str, folder: &Path) -> Command {
    let own = std::env::current_exe().unwrap();
    let mut words = program.iter().map(std::convert::AsRef::as_ref).chain([own.as_os_str()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["--exact", test, "--nocapture", "--test-threads", "1"]);
    command.env(FOLDER, folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Where a program of the machine is not there, that is said, and is a failure where all tests are wanted.
#[expect(clippy::disallowed_methods, reason = "a test asks the real environment what it is to do")]
pub(crate) fn not_run(why: &str) {
    assert!(std::env::var_os("RUNBOOK_TESTS").is_none_or(|wanted| wanted != "all"), "{why}");
    eprintln!("not run: {why}");
}
