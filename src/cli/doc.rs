//! `runbook doc`: the reference, from the catalogue itself.

use clap::{Args, ValueEnum};

use super::console::{Console, Failure};
use super::reference;
use crate::builtins;
use crate::catalog::Catalog;
use crate::diagnostics::nearest;

/// Say what a runbook can ask, compute and change.
#[derive(Debug, Args)]
pub(super) struct Doc {
    /// A built-in, a family of them, a driver or a type; `types`, `drivers`, `units`. Without it, everything is listed.
    name: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Terminal,
    /// The whole reference, or the page of a name, as Markdown.
    Markdown,
}

pub(super) fn run(args: &Doc, console: &Console) -> Result<u8, Failure> {
    let catalog = builtins::catalog();
    let text = match (&args.name, args.format) {
        (Some(name), format) => {
            let page = reference::page(&catalog, name).ok_or_else(|| unknown(&catalog, name))?;
            if format == Format::Markdown { page } else { super::page::render(&page, console.look()) }
        }
        (None, Format::Terminal) => reference::overview(&catalog),
        (None, Format::Markdown) => reference::whole(&catalog),
    };
    console.print(&text)?;
    Ok(0)
}

fn unknown(catalog: &Catalog, name: &str) -> Failure {
    let failure = Failure::new(format!("there is no `{name}`"));
    let names = reference::names(catalog);
    // `disk` finds `host.disk` as well as `disks` finds `host.disk`.
    let last = |known: &str| known.rsplit('.').next().unwrap_or(known).to_owned();
    let near = nearest(name, names.iter().map(String::as_str)).map(str::to_owned).or_else(|| {
        let lasts: Vec<String> = names.iter().map(|known| last(known)).collect();
        let meant = nearest(name, lasts.iter().map(String::as_str)).unwrap_or(name);
        names.iter().find(|known| last(known) == meant).cloned()
    });
    match near {
        Some(meant) => failure.help(format!("did you mean `runbook doc {meant}`?")),
        None => failure.help("`runbook doc` lists them all"),
    }
}
