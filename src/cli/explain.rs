//! `runbook explain`: the page of a diagnostic.

use clap::Args;

use super::console::{Console, Failure};
use super::page;
use crate::diagnostics::{Code, nearest};
use crate::types::FaultKind;

/// Say why a diagnostic is raised and how it is mended.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The name in brackets, such as `unit-mismatch`; without it, all of them are listed.
    code: Option<String>,
}

pub(super) fn run(args: &Explain, console: &Console) -> Result<u8, Failure> {
    let Some(name) = &args.code else {
        let width = Code::ALL.iter().map(|code| code.name().len()).max().unwrap_or(0);
        let line = |code: &Code| format!("{:width$}  {:7}  {}", code.name(), code.level().name(), code.summary());
        let lines: Vec<String> = Code::ALL.iter().map(line).collect();
        return console.print_lines(&lines).map(|()| 0);
    };
    let Ok(code) = name.parse::<Code>() else {
        let failure = Failure::new(format!("there is no diagnostic `{name}`"));
        if FaultKind::from_name(name).is_some() {
            return Err(failure.help("it is an error of a run: `runbook doc errors`"));
        }
        return Err(match nearest(name, Code::ALL.iter().map(|code| code.name())) {
            Some(meant) => failure.help(format!("did you mean `runbook explain {meant}`?")),
            None => failure.help("`runbook explain` lists them all"),
        });
    };
    // Its tests tell the mended example from the other by a word that is nothing to a reader.
    let shown = code.page().replace("```runbook fixed", "```runbook");
    console.print(&page::render(&shown, console.look()))?;
    Ok(0)
}
