//! Which files a runbook is made of: the one that was named, and those that it uses.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostics::{Code, Diagnostic};
use crate::source::{FileId, Sources, TextFault, TextProblem, decode};
use crate::syntax::ast::{File, HeaderKind, Item, ItemKind, Use};

/// The end of every source file's name.
const EXTENSION: &str = ".runbook";

/// The trees of all files, and how they use each other.
#[derive(Debug)]
pub struct Modules {
    /// The one that was named first, then those that it uses, directly and through others; each once.
    pub files: Vec<File>,
    /// For each file, the file that each of its `use`s leads to, in the order of the text. `None` where it could not
    /// be had, which is among the diagnostics.
    pub uses: Vec<Vec<Option<usize>>>,
    names: Vec<String>,
}

impl Modules {
    /// A file whose `use`s, if it has any, are not followed.
    #[must_use]
    pub fn of(file: File) -> Self {
        let uses = vec![vec![None; uses(&file).count()]];
        Self { files: vec![file], uses, names: vec![String::new()] }
    }

    /// The name of a file.
    pub(super) fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }

    /// What the names of a used file are told apart by: `care`, or `team/care` where there is another `care`.
    pub(super) fn stem(&self, index: usize) -> Arc<str> {
        let path = |name: &str| name.strip_suffix(EXTENSION).unwrap_or(name).to_owned();
        let own = path(self.name(index));
        let others: Vec<String> = self
            .names
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(other, _)| *other != index)
            .map(|(_, name)| path(name))
            .collect();
        let ends = own.match_indices('/').rev().map(|(slash, _)| slash + 1).chain([0]);
        let mut ends = ends.filter_map(|start| own.get(start..));
        let is_in = |end: &str, other: &String| {
            other.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        ends.find(|end| !others.iter().any(|other| is_in(end, other))).unwrap_or(&own).into()
    }
}

/// How the text of a file becomes a tree: [`crate::syntax::parse`], said from outside so that a tool can keep its trees.
pub type Parse<'p> = &'p mut dyn FnMut(&Sources, FileId) -> (File, Vec<Diagnostic>);

/// How a used file is read: its name, relative to where the first file's name is, gives its bytes, or why there are none.
pub type Read<'r> = &'r mut dyn FnMut(&str) -> Result<Vec<u8>, String>;

/// Follows the `use`s of a file. What cannot be had is reported where it is used.
pub fn load(sources: &mut Sources, root: FileId, parse: Parse<'_>, read: Read<'_>) -> (Modules, Vec<Diagnostic>) {
    let name = sources.file(root).name.clone();
    let mut loader = Loader {
        sources,
        parse,
        read,
        modules: Modules { files: Vec::new(), uses: Vec::new(), names: Vec::new() },
        known: HashMap::new(),
        path: Vec::new(),
        diagnostics: Vec::new(),
    };
    loader.add(root, normalised(&name));
    (loader.modules, loader.diagnostics)
}

struct Loader<'l> {
    sources: &'l mut Sources,
    parse: Parse<'l>,
    read: Read<'l>,
    modules: Modules,
    known: HashMap<String, usize>,
    /// The files that are being followed, each used by the one before it.
    path: Vec<usize>,
    diagnostics: Vec<Diagnostic>,
}

/// How many files may use each other in a row: deeper is a mistake, and following them must not overflow the stack.
const MAX_CHAIN: usize = 32;

impl Loader<'_> {
    fn add(&mut self, id: FileId, name: String) -> usize {
        let (file, found) = (self.parse)(self.sources, id);
        self.diagnostics.extend(found);
        let used: Vec<Use> = uses(&file).cloned().collect();
        let index = self.modules.files.len();
        self.known.insert(name.clone(), index);
        self.modules.files.push(file);
        self.modules.uses.push(Vec::new());
        self.modules.names.push(name);
        self.path.push(index);
        let followed: Vec<Option<usize>> = used.iter().map(|used| self.follow(index, used)).collect();
        self.path.pop();
        if let Some(own) = self.modules.uses.get_mut(index) {
            *own = followed;
        }
        index
    }

    fn follow(&mut self, from: usize, used: &Use) -> Option<usize> {
        let name = resolved(self.modules.names.get(from).map_or("", String::as_str), used.path.as_str());
        if let Some(known) = self.known.get(&name).copied() {
            if let Some(start) = self.path.iter().position(|index| *index == known) {
                self.report_cycle(start, used);
                return None;
            }
            return self.library(known, used);
        }
        if self.path.len() >= MAX_CHAIN {
            let message = format!("more than {MAX_CHAIN} files use each other in a row");
            self.diagnostics.push(Diagnostic::new(Code::ModuleCycle, used.path.span, message));
            return None;
        }
        let text = match (self.read)(&name) {
            Ok(bytes) => match decode(&bytes) {
                Ok(text) => Arc::<str>::from(text),
                Err(faults) => {
                    self.diagnostics.extend(faults.first().map(|fault| unfit(used, &name, &bytes, fault)));
                    return None;
                }
            },
            Err(reason) => {
                self.diagnostics.push(missing(used, &name, &format!("cannot be read: {reason}")));
                return None;
            }
        };
        let id = self.sources.add(name.clone(), text);
        let index = self.add(id, name);
        self.library(index, used)
    }

    /// A used file, if it is a library.
    fn library(&mut self, index: usize, used: &Use) -> Option<usize> {
        let file = self.modules.files.get(index)?;
        let is_library = file.header.as_ref().is_some_and(|header| header.kind.node == HeaderKind::Library);
        // A header that could not be read is no second mistake.
        if is_library || (file.header.is_none() && file.is_in_junk("library")) || !file.junk.is_empty() {
            return Some(index);
        }
        let message = format!("`{}` is not a library", used.path.as_str());
        let diagnostic = Diagnostic::new(Code::ModuleMissing, used.path.span, message)
            .help("a file that others use begins with `library \"…\" { edition 1 }`");
        self.diagnostics.push(diagnostic);
        None
    }

    fn report_cycle(&mut self, start: usize, used: &Use) {
        let circle = self.path.get(start..).unwrap_or(&[]);
        let names: Vec<&str> = circle
            .iter()
            .chain(circle.first())
            .filter_map(|index| self.modules.names.get(*index))
            .map(String::as_str)
            .collect();
        let message = format!("files use each other in a circle: {}", names.join(" → "));
        let diagnostic = Diagnostic::new(Code::ModuleCycle, used.path.span, message)
            .help("move what both need into a library of its own");
        self.diagnostics.push(diagnostic);
    }
}

fn missing(used: &Use, name: &str, why: &str) -> Diagnostic {
    Diagnostic::new(Code::ModuleMissing, used.path.span, format!("`{name}` {why}"))
        .help("the path starts from the folder of this file, without `.runbook`")
}

/// A used file that is no source text, under the code that it has where it is checked itself.
fn unfit(used: &Use, name: &str, bytes: &[u8], fault: &TextFault) -> Diagnostic {
    let (code, why) = no_text(&fault.problem);
    let line = line(bytes, fault.offset);
    Diagnostic::new(code, used.path.span, format!("`{name}` {why}, in line {line}"))
        .help(format!("`runbook check {name}` shows where"))
}

/// Why bytes are no text that people can review.
pub(super) const fn no_text(problem: &TextProblem) -> (Code, &'static str) {
    match problem {
        TextProblem::TooLarge(_) => (Code::FileTooLarge, "is larger than a page that people review"),
        TextProblem::NotUtf8 => (Code::NotUtf8, "is not UTF-8 text"),
        TextProblem::Control(_) | TextProblem::Bidirectional(_) | TextProblem::Invisible(_) => {
            (Code::HiddenCharacter, "has a character that a reader cannot see")
        }
    }
}

/// The line of a byte, from 1.
pub(super) fn line(bytes: &[u8], offset: usize) -> usize {
    bytes.get(..offset).unwrap_or_default().split(|byte| *byte == b'\n').count()
}

fn uses(file: &File) -> impl Iterator<Item = &Use> {
    file.items.iter().filter_map(|item: &Item| match &item.kind {
        ItemKind::Use(used) => Some(used),
        _ => None,
    })
}

/// `care` of `./lib/care`.
pub(super) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(EXTENSION).unwrap_or(name)
}

/// The name of the file that a path in another file leads to.
fn resolved(from: &str, path: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = path.strip_suffix(EXTENSION).unwrap_or(path);
    let joined = if path.starts_with('/') || (folder.is_empty() && !from.starts_with('/')) {
        format!("{path}{EXTENSION}")
    } else {
        format!("{folder}/{path}{EXTENSION}")
    };
    normalised(&joined)
}

/// The name of a file beside another one, or below its folder.
pub(super) fn beside(from: &str, path: &str) -> String {
    normalised(&from.rsplit_once('/').map_or_else(|| path.to_owned(), |(folder, _)| format!("{folder}/{path}")))
}

/// Without `.`, and without `..` where a folder stands before it: one file has one name.
fn normalised(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::{resolved, stem};

    #[test]
    fn paths_start_from_the_folder_of_the_file() {
        assert_eq!(resolved("daily.runbook", "./care"), "care.runbook");
        assert_eq!(resolved("ops/daily.runbook", "./care"), "ops/care.runbook");
        assert_eq!(resolved("ops/daily.runbook", "../lib/care"), "lib/care.runbook");
        assert_eq!(resolved("daily.runbook", "../care"), "../care.runbook");
        assert_eq!(resolved("/ops/daily.runbook", "./care.runbook"), "/ops/care.runbook");
        assert_eq!(stem("./lib/care"), "care");
    }
}
