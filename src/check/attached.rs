//! Files that declarations name, such as the template of a channel: they are there, and right, before they are used.
//!
//! Only what is written as a plain text can be looked at, and only in the folder of the runbook or below it.

use std::collections::HashMap;
use std::sync::Arc;

use super::modules::{Read, beside};
use super::program::{Escalation, Program, Roster};
use super::{Modules, modules, roster};
use crate::catalog::{Accepts, Catalog, JudgeFile, Problem, in_folder};
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::source::{FileId, Sources, Span, TextProblem, decode};
use crate::syntax::ast::{Driver, ExprKind, File, ItemKind, Template};

/// Reads the files that declarations name into the sources, and says what is wrong with them.
///
/// The roster of an escalation becomes part of the program.
pub fn attached(
    sources: &mut Sources,
    modules: &Modules,
    catalog: &Catalog,
    program: &mut Program,
    read: Read<'_>,
) -> Vec<Diagnostic> {
    let mut seen = Seen { known: HashMap::new(), found: Vec::new() };
    for (index, file) in modules.files.iter().enumerate() {
        let from = modules.name(index).to_owned();
        for (path, judge) in named(file, catalog) {
            let Some(text) = path.constant() else { continue };
            if let Some(id) = seen.look(sources, &from, text, path.span, read) {
                let problems = judge(&sources.file(id).name, &sources.file(id).text);
                seen.report(Code::TemplateMistake, id, problems);
            }
        }
    }
    let zone = program.header.timezone.clone();
    for escalation in &mut program.escalations {
        let Some((path, span)) = &escalation.roles else { continue };
        let from = sources.file(span.file).name.clone();
        if let Some(id) = seen.look(sources, &from, path, *span, read) {
            let (roster, problems) = roster::read(&sources.file(id).text, &zone);
            seen.report(Code::RolesMistake, id, problems);
            seen.compare(escalation, &roster, *span);
            escalation.roster = Some(Arc::new(roster));
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
    /// A file that is named, read once.
    fn look(&mut self, sources: &mut Sources, from: &str, text: &str, span: Span, read: Read<'_>) -> Option<FileId> {
        let path_in_folder = match in_folder(text) {
            Ok(path) => path,
            Err(misplaced) => {
                let message = format!("`{text}` {}", misplaced.words());
                let help = "name a file beside the runbook, such as `\"mail.html\"` or `\"templates/mail.html\"`";
                self.found.push(Diagnostic::new(Code::FileMissing, span, message).help(help));
                return None;
            }
        };
        let name = beside(from, &path_in_folder);
        if let Some(known) = self.known.get(&name) {
            return *known;
        }
        let id = self.read(sources, &name, span, read);
        self.known.insert(name, id);
        id
    }

    /// The roles of a roster are levels: another one is nobody's.
    fn compare(&mut self, escalation: &Escalation, roster: &Roster, span: Span) {
        for role in roster.roles.keys() {
            if escalation.levels.iter().any(|level| level.role == *role) {
                continue;
            }
            let message = format!("no level is called `{role}`, so nobody is told what stands there");
            let levels = escalation.levels.iter().map(|level| &*level.role);
            let help = match nearest(role, levels.clone()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("the levels are {}", levels.collect::<Vec<_>>().join(", ")),
            };
            self.found.push(Diagnostic::new(Code::RolesMistake, span, message).help(help));
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

    fn report(&mut self, code: Code, id: FileId, problems: Vec<Problem>) {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.found.extend(problems.into_iter().map(|problem| {
            let span = Span::new(id, offset(problem.at.start), offset(problem.at.end));
            let diagnostic = Diagnostic::new(code, span, problem.message);
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
