//! Arguments to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(runbook::cli::main())
}
