//! `runbook fmt`: the one form of a runbook.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use similar::TextDiff;

use super::console::{Console, Failure};
use super::inputs::{self, STDIN};
use crate::diagnostics::render::terminal;
use crate::format::format;
use crate::shown::look::{Tone, clean};
use crate::source::Sources;
use crate::syntax;

/// Write runbooks in their one form. A file that is not valid is left as it is.
#[derive(Debug, Args)]
pub(super) struct Fmt {
    /// Files, folders (all `.runbook` files below them), or `-` for standard input, which is written to standard output.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Write nothing: name the files that are not in form, and fail if there are any.
    #[arg(long)]
    check: bool,
    /// Write nothing: print what would change, and fail if there is anything.
    #[arg(long, conflicts_with = "check")]
    diff: bool,
}

/// What became of the files.
#[derive(Default)]
struct Tally {
    changed: usize,
    same: usize,
    /// Not valid, or not written.
    left: usize,
}

/// Fails with 2 where a file is left as it is, with 1 where `--check` or `--diff` found something.
pub(super) fn run(args: &Fmt, console: &Console) -> Result<u8, Failure> {
    let mut sources = Sources::new();
    let mut found = Vec::new();
    let mut tally = Tally::default();
    for name in inputs::expand(&args.files, &mut sources, &mut found) {
        let input = inputs::read(&name, &mut sources, &mut found);
        if !input.is_text {
            tally.left += 1;
            continue;
        }
        let text = sources.file(input.id).text.clone();
        let parsed = syntax::parse(input.id, &text);
        if parsed.file.junk.is_empty() && !crate::diagnostics::has_errors(&parsed.diagnostics) {
            one(args, &name, &text, &format(&text, &parsed.file), console, &mut tally)?;
        } else {
            tally.left += 1;
            found.extend(parsed.diagnostics);
        }
    }
    console.say(&terminal::render(&found, &sources, console.diagnostics_look_err()));
    summary(args, &tally, console);
    let looks_only = args.check || args.diff;
    Ok(match (found.is_empty() && tally.left == 0, looks_only && tally.changed > 0) {
        (false, _) => 2,
        (true, true) => 1,
        (true, false) => 0,
    })
}

fn one(
    args: &Fmt,
    name: &str,
    text: &str,
    formatted: &str,
    console: &Console,
    tally: &mut Tally,
) -> Result<(), Failure> {
    if text == formatted {
        tally.same += 1;
    } else {
        tally.changed += 1;
    }
    if args.check {
        return if text == formatted { Ok(()) } else { console.print(&format!("{}\n", clean(name))) };
    }
    if args.diff {
        return console.print(&diff(name, text, formatted, console));
    }
    if name == STDIN {
        return console.print(formatted);
    }
    if text != formatted
        && let Err(error) = write(Path::new(name), formatted)
    {
        tally.changed -= 1;
        tally.left += 1;
        console.complain(&Failure::new(format!("`{name}` cannot be written: {error}")));
    }
    Ok(())
}

fn summary(args: &Fmt, tally: &Tally, console: &Console) {
    let changed = if args.check || args.diff { "not in form" } else { "formatted" };
    let mut parts = Vec::new();
    for (n, what) in [(tally.changed, changed), (tally.same, "already in form"), (tally.left, "left as it is")] {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    }
    if !parts.is_empty() {
        console.say(&format!("{}\n", parts.join(", ")));
    }
}

/// What would change, as `diff -u` shows it.
fn diff(name: &str, text: &str, formatted: &str, console: &Console) -> String {
    let look = console.look();
    let name = clean(name);
    let diff = TextDiff::from_lines(text, formatted);
    let unified = diff.unified_diff().header(&name, &name).to_string();
    let mut shown = String::with_capacity(unified.len());
    for line in unified.lines() {
        let tone = match line.chars().next() {
            Some('+') => Tone::Good,
            Some('-') => Tone::Bad,
            Some('@') => Tone::Faint,
            _ => Tone::Plain,
        };
        shown.push_str(&look.paint(tone, line));
        shown.push('\n');
    }
    shown
}

/// Puts the new text in the place of the old one at once: nobody ever sees half of it. Permissions stay, and a link
/// stays a link.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    // A rename would get around a file that must not be written.
    fs::OpenOptions::new().write(true).open(&path)?;
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    let mut file = tempfile::Builder::new().prefix(".runbook-fmt-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
