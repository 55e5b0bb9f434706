//! `runbook print`: a page for whoever does it by hand.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::console::{Console, Failure};
use super::request::{self, Settings};
use crate::check::program::Program;
use crate::report::print::{Set, html, markdown, page};

/// Write a page that a person can follow by hand: every step with the commands to type, what to expect, whom to tell.
/// Opens no connection and no file but those of the runbook.
#[derive(Debug, Args)]
pub(super) struct Print {
    /// The runbook, or `-` for standard input.
    file: String,
    /// Only this section or step; can be given several times.
    #[arg(long, value_name = "TITLE", visible_alias = "only")]
    section: Vec<String>,
    /// A value for a `param`; can be given several times. One that has none is a blank on the page.
    #[arg(long = "set", value_name = "NAME=VALUE", visible_alias = "param")]
    set: Vec<String>,
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    format: Format,
    /// Write it into this file.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Markdown,
    /// One page to print: no script, nothing from elsewhere.
    Html,
}

pub(super) fn run(args: &Print, console: &Console) -> Result<u8, Failure> {
    let Some((program, sources)) = request::checked(&args.file, console) else { return Ok(2) };
    let selection = request::select(&program, &args.section, "section")?;
    let (values, typed) = settings(&program, &args.set)?;
    let page = page(&program, &sources, &selection, Set { values: &values, typed: &typed }, &args.file);
    let text = match args.format {
        Format::Markdown => markdown(&page),
        Format::Html => html(&page),
    };
    match &args.output {
        None => console.print(&text)?,
        Some(path) => std::fs::write(path, text)
            .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", path.display())))?,
    }
    Ok(0)
}

/// The values that are given. What is needed for a run and not given is a blank.
fn settings(program: &Program, given: &[String]) -> Result<Settings, Failure> {
    let (mut values, mut typed) = (HashMap::new(), BTreeMap::new());
    request::given(program, given, &mut values, &mut typed)?;
    Ok((values, typed))
}
