//! `runbook check`: all that is wrong with runbooks, before anything is opened.

use clap::{Args, ValueEnum};

use super::checking;
use super::console::{Console, Failure};
use super::inputs;
use super::policy;
use crate::builtins;
use crate::diagnostics::render::{github, json, sarif, terminal};
use crate::diagnostics::{Diagnostic, has_errors};
use crate::source::Sources;

/// Check runbooks: names, types, units, effects, and the policy of the repository (`runbook.policy.toml`). Nothing is opened and
/// nothing is run.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Files, folders (all `.runbook` files below them), or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// How findings are written.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Terminal,
    /// One object a line.
    Json,
    /// Workflow commands, shown beside the lines of a pull request.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

pub(super) fn run(args: &Check, console: &Console) -> Result<u8, Failure> {
    let catalog = builtins::catalog();
    let mut sources = Sources::new();
    let mut found = Vec::new();
    let files = inputs::expand(&args.files, &mut sources, &mut found);
    for (index, name) in files.iter().enumerate() {
        let input = inputs::read(name, &mut sources, &mut found);
        if input.is_text {
            let (checked, modules) = checking::check(input.id, &mut sources, &catalog);
            let valid = !has_errors(&checked.diagnostics);
            found.extend(checked.diagnostics);
            let policy = policy::read(&mut sources, Some(input.id), &catalog, &mut found);
            if valid {
                found.extend(policy::judge(&checked.program, policy.as_deref()));
            }
            if index + 1 == files.len() {
                // The process ends soon, and gives back all at once.
                std::mem::forget((checked.program, modules));
            }
        }
    }
    let found = each_once(found, &sources);
    let text = render(&found, &sources, args.format, console)?;
    console.print(&text)?;
    if args.format == Format::Terminal {
        console.say(&format!("{}\n", verdict(&found, files.len())));
    }
    Ok(policy::exit(&found))
}

fn render(found: &[Diagnostic], sources: &Sources, format: Format, console: &Console) -> Result<String, Failure> {
    Ok(match format {
        Format::Terminal => terminal::render(found, sources, console.diagnostics_look()),
        Format::Json => json::render(found, sources),
        Format::Github => github::render(found, sources),
        Format::Sarif => sarif::render(found, sources)
            .map_err(|error| Failure::new(format!("cannot write the findings: {error}")))?,
    })
}

fn verdict(found: &[Diagnostic], files: usize) -> String {
    let plural = if files == 1 { "file" } else { "files" };
    if found.is_empty() { format!("{files} {plural} checked, nothing found") } else { terminal::summary(found) }
}

/// A library that several runbooks use is checked with each of them; what is wrong with it is said once.
pub(super) fn each_once(found: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
    let mut seen = std::collections::HashSet::new();
    let key = |one: &Diagnostic| {
        let span = one.span();
        (sources.file(span.file).name.clone(), span.start, one.code, one.message.clone())
    };
    found.into_iter().filter(|one| seen.insert(key(one))).collect()
}
