//! Source files as they are named on the command line: read, decoded, or the reason why not as a diagnostic.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::diagnostics::{Code, Diagnostic};
use crate::source::input::{Taker, take};
use crate::source::{FileId, MAX_BYTES, Sources, Span, TextFault, TextProblem, decode};
use crate::store::beside::opened;

/// The name of standard input.
pub(super) const STDIN: &str = "-";
const EXTENSION: &str = "runbook";
/// Folders nested deeper than this are a circle of links.
const MAX_DEPTH: usize = 64;

/// A file, with its text in the sources; without it where it is no source text, which is among the diagnostics.
pub(super) struct Input {
    pub(super) id: FileId,
    pub(super) is_text: bool,
}

/// The files below what was named, each once, in their order.
pub(super) fn expand(named: &[String], sources: &mut Sources, found: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut files = Vec::new();
    for name in named {
        if name == STDIN || !Path::new(name).is_dir() {
            files.push(name.clone());
            continue;
        }
        let mut below = Vec::new();
        if let Err(error) = walk(Path::new(name), 0, &mut below) {
            found.push(unreadable(sources, name, &format!("this folder cannot be read: {error}"), None));
        } else if below.is_empty() {
            let message = format!("there is no `.{EXTENSION}` file in this folder");
            found.push(unreadable(sources, name, &message, Some("name a file, or another folder")));
        }
        files.extend(below);
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|name| seen.insert(name.clone()));
    files
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<String>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type()?;
        // A linked folder may lead back up; what it holds is checked where it really is.
        if kind.is_dir() && depth < MAX_DEPTH {
            walk(&path, depth + 1, files)?;
        } else if !kind.is_dir() && path.extension().is_some_and(|own| own == EXTENSION) {
            let name = path.to_str().ok_or_else(|| not_text(&path))?;
            // A pipe would be waited for, and a device has no end.
            if fs::metadata(&path).is_ok_and(|own| !own.is_file() && !own.is_dir()) {
                return Err(io::Error::other(format!("`{name}` in it is no file")));
            }
            // Below `.` a file is named as everybody names it: what annotates lines of a repository looks for that.
            files.push(name.strip_prefix("./").unwrap_or(name).to_owned());
        }
    }
    Ok(())
}

/// A name that cannot be written cannot be opened by what is written.
fn not_text(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the name `{}` in it is not UTF-8", path.display()))
}

/// Reads a file into the sources.
pub(super) fn read(name: &str, sources: &mut Sources, found: &mut Vec<Diagnostic>) -> Input {
    match bytes(name) {
        Ok(bytes) => add(name, &bytes, sources, found),
        Err(error) => {
            let is_folder = Path::new(name).is_dir();
            let message = match error.kind() {
                io::ErrorKind::NotFound => "there is no such file".to_owned(),
                _ if is_folder => "this is a folder".to_owned(),
                _ => format!("the file cannot be read: {error}"),
            };
            let help = is_folder.then_some("name a file in it");
            let diagnostic = unreadable(sources, name, &message, help);
            let id = diagnostic.span().file;
            found.push(diagnostic);
            Input { id, is_text: false }
        }
    }
}

/// At most one byte more than a source file may have, so that an endless file ends.
pub(super) fn bytes(name: &str) -> io::Result<Vec<u8>> {
    let limit = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if name == STDIN {
        take(Taker::Source);
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        File::open(name)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The same of a file that nobody named on the command line.
pub(super) fn bytes_of_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    opened(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The folder of a file, as it was named.
pub(super) fn folder(name: &str) -> PathBuf {
    let parent = Path::new(name).parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or_else(|| Path::new(".")).to_owned()
}

/// The bytes of a file in a folder or below it, also where links lead there.
pub(super) fn bytes_below(folder: &Path, name: &str) -> io::Result<Vec<u8>> {
    let real = fs::canonicalize(name)?;
    if !real.starts_with(fs::canonicalize(folder)?) {
        return Err(io::Error::other("a link leads out of the runbook's folder"));
    }
    bytes_of_file(&real)
}

/// Takes the bytes of a file into the sources.
pub(super) fn add(name: &str, bytes: &[u8], sources: &mut Sources, found: &mut Vec<Diagnostic>) -> Input {
    match decode(bytes) {
        Ok(text) => Input { id: sources.add(name, text), is_text: true },
        Err(faults) => {
            let too_large = matches!(faults.first(), Some(TextFault { problem: TextProblem::TooLarge(_), .. }));
            // What stands before the first bad byte is the same in both, so the place is right.
            let text = if too_large { String::new() } else { String::from_utf8_lossy(bytes).into_owned() };
            let id = sources.add(name, text);
            found.extend(faults.iter().take(MAX_FAULTS).map(|fault| diagnostic(id, fault)));
            Input { id, is_text: false }
        }
    }
}

/// A binary file has a fault in every other byte.
const MAX_FAULTS: usize = 20;

fn diagnostic(id: FileId, fault: &TextFault) -> Diagnostic {
    let to_u32 = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    let span = |len: usize| Span::new(id, to_u32(fault.offset), to_u32(fault.offset + len));
    let remove = "remove it, or write it as `\\u{…}` inside a string";
    let hidden = |character: char, what: &str| {
        let message = format!("U+{:04X} is {what}", u32::from(character));
        Diagnostic::new(Code::HiddenCharacter, span(fault.len), message).help(remove)
    };
    match fault.problem {
        TextProblem::TooLarge(_) => {
            let message = format!("the file is larger than {}MiB", MAX_BYTES / 1024 / 1024);
            Diagnostic::new(Code::FileTooLarge, span(0), message).help("split it into a runbook and libraries")
        }
        TextProblem::NotUtf8 => {
            // The lossy text shows U+FFFD there.
            let span = span('\u{FFFD}'.len_utf8());
            Diagnostic::new(Code::NotUtf8, span, "the file is not UTF-8 text from here on")
                .help("save it as UTF-8, for example with `iconv -f latin1 -t utf-8`")
        }
        TextProblem::Control(character) => hidden(character, "a control character, which no editor shows"),
        TextProblem::Bidirectional(character) => {
            hidden(character, "a character that changes the direction of the text around it")
        }
        TextProblem::Invisible(character) => hidden(character, "a character that cannot be seen"),
    }
}

fn unreadable(sources: &mut Sources, name: &str, message: &str, help: Option<&str>) -> Diagnostic {
    let id = sources.add(name, "");
    let diagnostic = Diagnostic::new(Code::FileUnreadable, Span::new(id, 0, 0), message);
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}
