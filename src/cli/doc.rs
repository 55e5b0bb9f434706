//! `runbook doc`: the reference, from the catalogue itself.

use clap::{Args, ValueEnum};

use super::console::{Console, Failure};
use super::{reference, word};
use crate::builtins;
use crate::catalog::{Catalog, elsewhere};
use crate::diagnostics::{Code, nearest};
use crate::syntax::words;
use crate::types::FaultKind;

/// Say what a runbook can ask, compute and change.
#[derive(Debug, Args)]
pub(super) struct Doc {
    /// A built-in, a family of them, a driver, a type or a word of the language; `types`, `drivers`, `units`. Without it, everything is listed.
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
            let page = reference::page(&catalog, name).or_else(|| of_word(name));
            let page = page.ok_or_else(|| unknown(&catalog, name))?;
            if format == Format::Markdown { page } else { super::page::render(&page, console.look()) }
        }
        (None, Format::Terminal) => super::page::folded(&reference::overview(&catalog), console.look()),
        (None, Format::Markdown) => reference::whole(&catalog),
    };
    console.print(&text)?;
    Ok(0)
}

/// What LANGUAGE.md says of a word of the language.
fn of_word(name: &str) -> Option<String> {
    if words::KEYWORDS.contains(&name) { word::page(name) } else { None }
}

fn unknown(catalog: &Catalog, name: &str) -> Failure {
    let failure = Failure::new(format!("there is no `{name}`"));
    if let Some(help) = known_otherwise(catalog, name) {
        return failure.help(help);
    }
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

/// What a word leads to that is no name of the catalogue: a diagnostic, a word of the language, a program of the shell.
fn known_otherwise(catalog: &Catalog, name: &str) -> Option<String> {
    if name.parse::<Code>().is_ok() {
        return Some(format!("it is a diagnostic: `runbook explain {name}`"));
    }
    if FaultKind::from_name(name).is_some() {
        return Some("it is an error of a run: `runbook doc errors`".to_owned());
    }
    let by_hand: Vec<String> = catalog
        .builtins()
        .filter(|one| one.by_hand.split([' ', ';']).next() == Some(name))
        .map(|one| format!("`runbook doc {}`", one.name))
        .collect();
    if let Some((last, others)) = by_hand.split_last() {
        let others = if others.is_empty() { String::new() } else { format!("{} or ", others.join(", ")) };
        return Some(format!("what `{name}` does by hand: {others}{last}"));
    }
    let renamed = elsewhere::name_of(name).map(|here| format!("did you mean `runbook doc {here}`?"));
    renamed.or_else(|| elsewhere::way_of(name).map(str::to_owned))
}
