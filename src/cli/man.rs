//! `runbook man`: the manual pages.

use std::path::PathBuf;

use clap::Args;

use super::commands;
use super::console::{Console, Failure};

/// Write the manual pages.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Where to write a page for each command; without it, the first page is printed.
    dir: Option<PathBuf>,
}

pub(super) fn run(args: &Man, console: &Console) -> Result<u8, Failure> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(commands::all())
            .render(&mut page)
            .map_err(|error| Failure::new(format!("cannot write the page: {error}")))?;
        console.print(&String::from_utf8_lossy(&page))?;
        return Ok(0);
    };
    let failed = |error: std::io::Error| Failure::new(format!("cannot write to `{}`: {error}", dir.display()));
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(commands::all(), dir).map_err(failed)?;
    Ok(0)
}
