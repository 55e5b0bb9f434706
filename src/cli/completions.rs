//! `runbook completions`: what a shell needs to complete our commands.

use clap::Args;
use clap_complete::Shell;

use super::commands;
use super::console::{Console, Failure};

/// Print a completion script for a shell.
#[derive(Debug, Args)]
pub(super) struct Completions {
    shell: Shell,
}

pub(super) fn run(args: &Completions, console: &Console) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut commands::all(), "runbook", &mut script);
    console.print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
