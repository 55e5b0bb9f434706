//! `runbook test`: rehearses the tests of runbooks. Nothing outside is ever asked.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::checking;
use super::console::{Console, Failure};
use super::inputs;
use crate::builtins;
use crate::catalog::Catalog;
use crate::check::program::Program;
use crate::diagnostics::render::terminal;
use crate::diagnostics::{Diagnostic, has_errors};
use crate::rehearsal::{self, Gap, Reached, Rehearsed, junit};
use crate::shown::look::{Look, Tone, clean, counted};
use crate::source::Sources;

/// Rehearse the tests of runbooks: canned answers, a clock of their own, and no connection at all.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Files, folders (all `.runbook` files below them), or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Only tests with this in their title; can be given several times.
    #[arg(long, value_name = "TITLE")]
    only: Vec<String>,
    /// Tell the story of every test, not only of those that fail.
    #[arg(long)]
    timeline: bool,
    /// Tell which thresholds, levels, changes and checks no test reaches.
    #[arg(long)]
    coverage: bool,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Terminal,
    /// `JUnit` XML, for the test reports of CI.
    Junit,
}

/// The tests of one file.
struct File {
    name: String,
    sources: Arc<Sources>,
    tests: Vec<(Rehearsed, Duration)>,
    /// Of all its tests.
    titles: Vec<Arc<str>>,
    gaps: Vec<Gap>,
}

pub(super) fn run(args: &Test, console: &Console) -> Result<u8, Failure> {
    let catalog = builtins::catalog();
    let mut sources = Sources::new();
    let mut found = Vec::new();
    let names = inputs::expand(&args.files, &mut sources, &mut found);
    let mut broken = Vec::new();
    if has_errors(&found) {
        console.say(&terminal::render(&found, &sources, console.diagnostics_look_err()));
        broken.push((args.files.join(" "), terminal::render(&found, &sources, terminal::Look::PLAIN)));
    }
    let mut files = Vec::new();
    for name in &names {
        match read(name, &catalog) {
            Ok((program, sources)) => files.push(rehearse(name, program, sources, args)),
            Err((found, sources)) => {
                console.say(&terminal::render(&found, &sources, console.diagnostics_look_err()));
                broken.push((name.clone(), terminal::render(&found, &sources, terminal::Look::PLAIN)));
            }
        }
    }
    let invalid = !broken.is_empty();
    let tests: usize = files.iter().map(|file| file.tests.len()).sum();
    let failed = files.iter().flat_map(|file| &file.tests).filter(|(test, _)| test.failure.is_some()).count();
    match args.format {
        Format::Terminal => console.print(&told(&files, args, console.look()))?,
        Format::Junit => {
            console.print(&as_junit(&files, &broken)?)?;
            // The report of CI has no place for what is not a test.
            if args.coverage {
                console.say(&files.iter().map(|file| coverage(file, console.look())).collect::<String>());
            }
        }
    }
    if tests == 0 && !invalid {
        let titles: Vec<String> =
            files.iter().flat_map(|file| &file.titles).map(|title| format!("\"{title}\"")).collect();
        let (what, help) = match titles.as_slice() {
            [] => ("there is no test", "a test begins with `test \"title\" {`; see LANGUAGE.md".to_owned()),
            [..] => ("no test has such a title", format!("there are: {}", titles.join(", "))),
        };
        return Err(Failure::new(format!("{what} in {}", args.files.join(", "))).help(help));
    }
    let others = if invalid { ", and what is not valid was not rehearsed" } else { "" };
    console.say(&format!("{} rehearsed, {failed} failed{others}\n", counted(tests as u64, "test")));
    Ok(match (invalid, failed) {
        (true, _) => 2,
        (false, 0) => 0,
        (false, _) => 4,
    })
}

/// A valid runbook, or what is wrong with it.
fn read(name: &str, catalog: &Catalog) -> Result<(Program, Sources), (Vec<Diagnostic>, Sources)> {
    let mut sources = Sources::new();
    let mut found = Vec::new();
    let input = inputs::read(name, &mut sources, &mut found);
    let program = input.is_text.then(|| {
        let (checked, _) = checking::check(input.id, &mut sources, catalog);
        found.extend(checked.diagnostics);
        checked.program
    });
    match program {
        Some(program) if !has_errors(&found) => Ok((program, sources)),
        _ => Err((found, sources)),
    }
}

fn rehearse(name: &str, program: Program, sources: Sources, args: &Test) -> File {
    let (program, sources) = (Arc::new(program), Arc::new(sources));
    let chosen = |title: &str| args.only.is_empty() || args.only.iter().any(|only| title.contains(only.as_str()));
    let wanted: Vec<_> = program.tests.iter().filter(|test| chosen(&test.title)).collect();
    let tests = rehearsal::rehearse(&program, &sources, &wanted);
    let mut reached = Reached::default();
    for (test, _) in &tests {
        reached.join(&test.reached);
    }
    let gaps = if args.coverage { rehearsal::gaps(&program, &sources, &reached) } else { Vec::new() };
    let titles = program.tests.iter().map(|test| Arc::clone(&test.title)).collect();
    File { name: name.to_owned(), sources, tests, titles, gaps }
}

fn told(files: &[File], args: &Test, look: Look) -> String {
    let mut text = String::new();
    for file in files.iter().filter(|file| !file.tests.is_empty() || !file.gaps.is_empty()) {
        let _ = writeln!(text, "{}", look.paint(Tone::Strong, &clean(&file.name)));
        for (test, took) in &file.tests {
            text += &rehearsal::told(test, &file.sources, Some(*took), args.timeline, look);
        }
        if args.coverage {
            text += &coverage(file, look);
        }
    }
    text
}

/// What no test of a file reaches, or that all is reached.
fn coverage(file: &File, look: Look) -> String {
    let mut text = String::new();
    for gap in &file.gaps {
        let at = file.sources.position(gap.span);
        let name = &file.sources.file(gap.span.file).name;
        let label = look.paint(Tone::Doubtful, "not reached");
        let _ = writeln!(text, "{label} {}:{}: {}", clean(name), at.line, clean(&gap.what));
    }
    if file.gaps.is_empty() && !file.tests.is_empty() {
        let label = look.paint(Tone::Good, "all reached");
        let what = "each threshold opens, each level is told, each change is made and each check fails in a test";
        let _ = writeln!(text, "{label} {}: {what}", clean(&file.name));
    }
    text
}

fn as_junit(files: &[File], broken: &[(String, String)]) -> Result<String, Failure> {
    let suites: Vec<junit::Suite<'_>> = files
        .iter()
        .map(|file| junit::Suite {
            name: file.name.clone(),
            sources: &file.sources,
            tests: file.tests.iter().map(|(test, took)| (test, *took)).collect(),
        })
        .collect();
    let mut out = Vec::new();
    let invalid = broken.iter().map(|(name, found)| junit::Invalid { name, found });
    let invalid: Vec<junit::Invalid<'_>> = invalid.collect();
    junit::write(&mut out, &suites, &invalid)
        .map_err(|error| Failure::new(format!("cannot write the report: {error}")))?;
    String::from_utf8(out).map_err(|error| Failure::new(format!("cannot write the report: {error}")))
}
