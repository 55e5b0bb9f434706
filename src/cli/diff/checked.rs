//! A runbook of one side: checked, and its tests rehearsed.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::trees::Tree;
use crate::builtins;
use crate::catalog::Catalog;
use crate::check::Read;
use crate::check::program::Program;
use crate::cli::checking;
use crate::cli::console::{Console, Failure};
use crate::cli::inputs;
use crate::cli::{request, standing};
use crate::diagnostics::render::terminal;
use crate::diagnostics::{Diagnostic, has_errors};
use crate::plan;
use crate::policy::{self, Written};
use crate::rehearsal::{self, Rehearsed};
use crate::review::{self, About, Finding, Place, Remark, Renamed, Side};
use crate::shown::look::clean;
use crate::source::{FileId, Sources, Span};
use crate::store::approval::{Approval, Kept};
use crate::syntax::ast::{File, HeaderKind};

/// How often a side is checked with other names: each time takes as long as it.
const MOST_TRIES: usize = 32;

pub(super) struct Checked {
    program: Arc<Program>,
    files: Vec<File>,
    pub(super) sources: Arc<Sources>,
    warnings: Vec<Diagnostic>,
}

/// A side with the names of the other one.
pub(super) struct Called {
    pub(super) side: Checked,
    pub(super) names: Vec<Renamed>,
    /// What there is to say of the names.
    pub(super) findings: Vec<Finding>,
}

/// What is wrong with a side that is not valid.
pub(super) struct Invalid {
    found: Vec<Diagnostic>,
    sources: Sources,
}

impl Invalid {
    /// The side is named: the text is not where its name says.
    pub(super) fn say(&self, side: &Tree, console: &Console) {
        console.say(&terminal::render(&self.found, &self.sources, console.diagnostics_look_err()));
        console.say(&format!(
            "{} in {}: it cannot be compared\n\n",
            terminal::summary(&self.found),
            clean(&side.called)
        ));
    }
}

impl Checked {
    pub(super) fn of(tree: &mut Tree, name: &str, catalog: &Catalog) -> Result<Result<Self, Invalid>, Failure> {
        let bytes = tree.read(name);
        let failed = |why| Failure::new(format!("{}: `{}` cannot be read: {why}", tree.called, clean(name)));
        let bytes = bytes.map_err(failed)?;
        let mut sources = Sources::new();
        let mut found = Vec::new();
        let input = inputs::add(name, &bytes, &mut sources, &mut found);
        if !input.is_text {
            return Ok(Err(Invalid { found, sources }));
        }
        // Both ways lead to the same files, and are asked one after the other.
        let tree_cell = std::cell::RefCell::new(&mut *tree);
        let mut read = |name: &str| tree_cell.borrow_mut().read(name);
        let mut read_below = |name: &str| tree_cell.borrow_mut().read(name);
        Ok(Self::from(input.id, sources, catalog, &mut read, &mut read_below))
    }

    /// A side by its first file, and by how the others are read.
    fn from(
        root: FileId,
        mut sources: Sources,
        catalog: &Catalog,
        read: Read<'_>,
        read_below: Read<'_>,
    ) -> Result<Self, Invalid> {
        let (checked, modules) = checking::check_with(root, &mut sources, catalog, read, read_below);
        if has_errors(&checked.diagnostics) {
            return Err(Invalid { found: checked.diagnostics, sources });
        }
        let (program, files) = (Arc::new(checked.program), modules.files);
        Ok(Self { program, files, sources: Arc::new(sources), warnings: checked.diagnostics })
    }

    /// What a runbook is compared with that is new, or gone.
    pub(super) fn nothing() -> Self {
        let mut sources = Sources::new();
        let id = sources.add("", "");
        let mut none = |_: &str| Err(String::new());
        let mut neither = |_: &str| Err(String::new());
        let (checked, modules) = checking::check_with(id, &mut sources, &builtins::catalog(), &mut none, &mut neither);
        let (program, files) = (Arc::new(checked.program), modules.files);
        Self { program, files, sources: Arc::new(sources), warnings: Vec::new() }
    }

    /// This side with the names of the other one for what is only called otherwise, and what there is to say of that.
    /// `None` where nothing is.
    pub(super) fn called_like(&self, other: &Self, catalog: &Catalog, now: Timestamp) -> Option<Called> {
        // Others use what a library declares by its name.
        if self.is_library() || other.is_library() {
            return None;
        }
        let mut tries = MOST_TRIES;
        let (mut side, mut names, mut findings) = (None::<Self>, Vec::new(), Vec::new());
        // What another name stands in is the same only after that one is.
        while tries > 0 {
            let before = side.as_ref().unwrap_or(self);
            let all = review::renamed(before.side(), other.side());
            let Some((next, taken)) = before.with_names(&all, &mut tries, catalog) else { break };
            findings.extend(taken.iter().filter_map(|one| one.finding(before.side(), other.side(), now)));
            names.extend(taken);
            side = Some(next);
        }
        side.map(|side| Called { side, names, findings })
    }

    /// The same with other names: with all of them, or else with the first one that leaves it valid.
    fn with_names(&self, names: &[Renamed], tries: &mut usize, catalog: &Catalog) -> Option<(Self, Vec<Renamed>)> {
        std::iter::once(names).chain(names.iter().map(std::slice::from_ref)).find_map(|names| {
            *tries = tries.checked_sub(1)?;
            Some((self.with(&review::written(self.side(), names)?, catalog)?, names.to_vec()))
        })
    }

    /// The same with other texts of its files; nothing where that is not valid.
    fn with(&self, texts: &[Arc<str>], catalog: &Catalog) -> Option<Self> {
        let names = || self.names().zip(texts);
        let mut read = |name: &str| {
            let known = names().find(|(own, _)| *own == name).map(|(_, text)| text.as_bytes().to_vec());
            known.ok_or_else(|| "it is not there".to_owned())
        };
        let mut read_below = read;
        let (name, text) = names().next()?;
        let mut sources = Sources::new();
        let id = sources.add(name, Arc::clone(text));
        Self::from(id, sources, catalog, &mut read, &mut read_below).ok()
    }

    pub(super) fn side(&self) -> Side<'_> {
        Side { program: &self.program, files: &self.files, sources: &self.sources }
    }

    pub(super) fn is_library(&self) -> bool {
        let header = self.files.first().and_then(|file| file.header.as_ref());
        header.is_some_and(|header| header.kind.node == HeaderKind::Library)
    }

    /// The names of all files that it is made of.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.ids().map(|id| self.sources.file(id).name.as_str())
    }

    fn place(&self, span: Span) -> Place {
        self.side().place(span)
    }

    /// The tests that fail, rehearsed: nothing outside is asked.
    fn failing(&self, chosen: impl Fn(&str) -> bool) -> Vec<Rehearsed> {
        let tests: Vec<_> = self.program.tests.iter().filter(|test| chosen(&test.title)).collect();
        let rehearsed = rehearsal::rehearse(&self.program, &self.sources, &tests).into_iter();
        rehearsed.map(|(test, _)| test).filter(|test| test.failure.is_some()).collect()
    }
}

/// The standing approvals that stand for one side and not for the other.
pub(super) fn voided(before: &Checked, after: &Checked, approvals: &[Kept], now: Timestamp) -> Vec<Finding> {
    let hash = |side: &Checked, approval: &Approval| {
        let set: Vec<String> = approval.set.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let selection = request::select(&side.program, &approval.only, "only").ok()?;
        let (_, typed) = request::settings(&side.program, &set).ok()?;
        plan::plan(&side.program, &selection, &typed).ok()?.hash
    };
    let (old, new) = (&before.program.header.title, &after.program.header.title);
    standing_of(before, approvals, now)
        .filter(|approval| hash(before, approval).as_ref() == Some(&approval.plan))
        .filter_map(|approval| {
            let why = if hash(after, approval).as_ref() != Some(&approval.plan) {
                "what it covers was edited"
            } else if old != new {
                "it is for the old title of the runbook, which has another one now"
            } else {
                return None;
            };
            Some(review::void(&standing::words(approval), why))
        })
        .collect()
}

/// The approvals of a runbook that stand.
fn standing_of<'a>(side: &'a Checked, approvals: &'a [Kept], now: Timestamp) -> impl Iterator<Item = &'a Approval> {
    let stands =
        move |kept: &&Kept| kept.revoked.is_none() && kept.approval.until > now && kept.approval.undoes.is_none();
    let own = approvals.iter().filter(stands).map(|kept| &kept.approval);
    own.filter(|approval| *approval.runbook == *side.program.header.title)
}

/// The standing approvals of programs that are other ones now.
pub(super) fn elsewhere(side: &Checked, files: &[Finding], approvals: &[Kept], now: Timestamp) -> Vec<Finding> {
    let names = || files.iter().filter_map(|finding| finding.after.as_ref().or(finding.before.as_ref()));
    let is_edited = |program: &str| {
        let program = Path::new(program.trim_start_matches("./"));
        names().any(|place| Path::new(&place.file).ends_with(program))
    };
    let own = standing_of(side, approvals, now);
    own.filter(|approval| approval.targets.iter().any(|(name, at)| at.starts_with("sha256:") && is_edited(name)))
        .map(|approval| review::void(&standing::words(approval), "a program that it is for was edited"))
        .collect()
}

/// A policy of a side, with its text.
pub(super) fn policy(tree: &mut Tree, name: &str) -> Result<Result<(Arc<str>, Written), Invalid>, Failure> {
    let bytes = tree.read(name);
    let failed = |why| Failure::new(format!("{}: `{}` cannot be read: {why}", tree.called, clean(name)));
    let bytes = bytes.map_err(failed)?;
    let (mut sources, mut found) = (Sources::new(), Vec::new());
    let input = inputs::add(name, &bytes, &mut sources, &mut found);
    if input.is_text {
        let (written, problems) = policy::read(&sources, input.id, &builtins::catalog());
        found.extend(problems);
        if !has_errors(&found) {
            return Ok(Ok((sources.file(input.id).text.clone(), written)));
        }
    }
    Ok(Err(Invalid { found, sources }))
}

/// The tests of the later side that fail, and the warnings that it has and the earlier one does not.
pub(super) fn remarks(before: &Checked, after: &Checked) -> Vec<Remark> {
    let failing = after.failing(|_| true);
    let former = before.failing(|title| failing.iter().any(|test| *test.title == *title));
    let mut remarks = Vec::new();
    for test in failing {
        let Some(failure) = test.failure else { continue };
        remarks.push(Remark {
            about: About::Test,
            subject: test.title.to_string(),
            message: failure.message,
            more: failure.found,
            place: after.place(failure.span),
            before: former.iter().any(|other| other.title == test.title),
        });
    }
    let mut known: Vec<&Diagnostic> = before.warnings.iter().collect();
    for warning in &after.warnings {
        // One that is there twice now and was there once is one more.
        let same = known.iter().position(|old| old.code == warning.code && old.message == warning.message);
        if let Some(same) = same {
            known.swap_remove(same);
            continue;
        }
        remarks.push(Remark {
            about: About::Warning,
            subject: warning.code.name().to_owned(),
            message: warning.message.clone(),
            more: warning.help.iter().cloned().collect(),
            place: after.place(warning.span()),
            before: false,
        });
    }
    remarks
}
