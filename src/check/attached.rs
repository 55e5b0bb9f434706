//! Files that declarations name, such as the template of a channel: they are there, and right, before they are used.
//!
//! Only what is written as a plain text can be looked at, and only in the folder of the runbook or below it.

use std::collections::HashMap;

use super::modules::{Read, beside};
use super::{Modules, modules};
use crate::catalog::{Accepts, Catalog, JudgeFile, in_folder};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::{FileId, Sources, Span, TextProblem, decode};
use crate::syntax::ast::{Driver, ExprKind, File, ItemKind, Template};

/// Reads the files that declarations name into the sources, and says what is wrong with them.
pub fn attached(sources: &mut Sources, modules: &Modules, catalog: &Catalog, read: Read<'_>) -> Vec<Diagnostic> {
    let mut seen = Seen { known: HashMap::new(), found: Vec::new() };
    for (index, file) in modules.files.iter().enumerate() {
        let from = modules.name(index).to_owned();
        for (path, judge) in named(file, catalog) {
            seen.look(sources, &from, path, judge, read);
        }
    }
    seen.found
}

struct Seen {
    /// What has been read, by its name; `None` where it could not be.
    known: HashMap<String, Option<FileId>>,
    found: Vec<Diagnostic>,
}

impl Seen {
    fn look(&mut self, sources: &mut Sources, from: &str, path: &Template, judge: JudgeFile, read: Read<'_>) {
        let Some(text) = path.constant() else { return };
        let path_in_folder = match in_folder(text) {
            Ok(path) => path,
            Err(misplaced) => {
                let message = format!("`{text}` {}", misplaced.words());
                let help = "name a file beside the runbook, such as `\"mail.html\"` or `\"templates/mail.html\"`";
                return self.found.push(Diagnostic::new(Code::FileMissing, path.span, message).help(help));
            }
        };
        let name = beside(from, &path_in_folder);
        if let Some(Some(id)) = self.known.get(&name) {
            // Another channel may make something else of it.
            return self.judge(sources, *id, judge);
        }
        let id = match self.known.get(&name) {
            Some(_) => None,
            None => self.read(sources, &name, path.span, read),
        };
        self.known.insert(name, id);
        if let Some(id) = id {
            self.judge(sources, id, judge);
        }
    }

    fn read(&mut self, sources: &mut Sources, name: &str, span: Span, read: Read<'_>) -> Option<FileId> {
        let bytes = match read(name) {
            Ok(bytes) => bytes,
            Err(why) => {
                let message = format!("`{name}` cannot be read: {why}");
                let help = "the path starts from the folder of the runbook";
                self.found.push(Diagnostic::new(Code::FileMissing, span, message).help(help));
                return None;
            }
        };
        match decode(&bytes) {
            Ok(text) => Some(sources.add(name.to_owned(), text)),
            Err(faults) => {
                self.found.extend(faults.first().map(|fault| {
                    let (code, why) = modules::no_text(&fault.problem);
                    let line = modules::line(&bytes, fault.offset);
                    let diagnostic = Diagnostic::new(code, span, format!("`{name}` {why}, in line {line}"));
                    match fault.problem {
                        TextProblem::TooLarge(_) | TextProblem::NotUtf8 => diagnostic,
                        _ => diagnostic.help("write it so that it can be seen: `&#x200D;` in HTML, `\\u200d` in JSON"),
                    }
                }));
                None
            }
        }
    }

    fn judge(&mut self, sources: &Sources, id: FileId, judge: JudgeFile) {
        let file = sources.file(id);
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.found.extend(judge(&file.name, &file.text).into_iter().map(|problem| {
            let span = Span::new(id, offset(problem.at.start), offset(problem.at.end));
            let diagnostic = Diagnostic::new(Code::TemplateMistake, span, problem.message);
            match problem.help {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            }
        }));
    }
}

/// The files that the declarations of a runbook name, and what is known of each.
fn named<'f>(file: &'f File, catalog: &'f Catalog) -> impl Iterator<Item = (&'f Template, JudgeFile)> {
    let drivers = file.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Channel(channel) => Some(&channel.driver),
        ItemKind::Connect(connect) => Some(&connect.driver),
        ItemKind::Secret(secret) => Some(&secret.source),
        _ => None,
    });
    drivers.flat_map(move |driver| of_driver(driver, catalog))
}

fn of_driver<'f>(written: &'f Driver, catalog: &Catalog) -> Vec<(&'f Template, JudgeFile)> {
    let name = written.path.iter().map(crate::syntax::ast::Name::as_str).collect::<Vec<_>>().join(".");
    let Some(driver) = catalog.driver(&name) else { return Vec::new() };
    let mut places = driver.params.iter();
    let files = written.args.items.iter().filter_map(|arg| {
        let info = match &arg.name {
            Some(name) => driver.params.iter().find(|info| info.name == name.as_str()),
            None => places.next(),
        };
        match (info?.accepts, &arg.value.kind) {
            (Accepts::File(judge), ExprKind::Template(path)) => Some((path, judge)),
            _ => None,
        }
    });
    files.collect()
}
