//! What an edit of a runbook changes, and for whom: two checked programs to findings, in the order in which a reviewer
//! reads them. What was only moved, renamed inside, reformatted or commented is no finding.
//!
//! Programs are compared, not texts. Everything in a program is looked at by one of the parts here, so that no finding
//! means that the runbook does the same as before.

mod actions;
mod around;
mod bounds;
mod conditions;
mod depends;
mod elsewhere;
mod escalation;
mod header;
pub mod history;
mod inputs;
mod libraries;
mod lines;
pub mod markdown;
mod on_call;
mod pairs;
mod permissions;
mod policy;
mod reached;
mod reading;
mod recovery;
mod renames;
mod schedules;
mod telling;
pub mod text;
mod thresholds;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use self::around::Placed;
pub use self::elsewhere::{Named, moved, named};
use self::history::History;
pub use self::policy::{policy, void};
pub use self::renames::{Renamed, renamed, written};

use crate::check::program::Program;
use crate::check::program::foregone::Foregone;
use crate::plan::Selection;
use crate::plan::meaning::Meaning;
use crate::plan::outline::Of;
use crate::shown::look::counted;
use crate::source::{Sources, Span};
use crate::syntax::ast::File;
use crate::types::Fault;

/// What is different in one runbook, or in all of them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Review {
    pub runbooks: Vec<Reviewed>,
    /// From when to when the samples are that numbers come from; no number comes from any where `None`.
    pub history: Option<String>,
}

/// One runbook.
#[derive(Clone, Debug, Serialize)]
pub struct Reviewed {
    /// The file before; `None` where it is new.
    pub before: Option<String>,
    /// The file now; `None` where it is gone.
    pub after: Option<String>,
    pub findings: Vec<Finding>,
    pub remarks: Vec<Remark>,
    /// Lines of text that are different, the files that it uses included.
    pub lines: usize,
}

impl Review {
    /// Whether any runbook does something else than before.
    #[must_use]
    pub fn is_different(&self) -> bool {
        self.runbooks.iter().any(|one| !one.findings.is_empty())
    }

    /// All findings, in the order in which they are read. What several runbooks have from a library is one.
    fn ordered(&self) -> Vec<Finding> {
        let mut findings = libraries::together(&self.runbooks);
        findings.sort_by_key(|finding| (finding.chapter, finding.kind));
        findings
    }

    /// The runbooks that do the same as before.
    fn unchanged(&self) -> impl Iterator<Item = &Reviewed> {
        self.runbooks.iter().filter(|one| one.findings.is_empty())
    }

    /// What tests and the check say.
    pub fn remarks(&self, about: About) -> impl Iterator<Item = &Remark> {
        self.runbooks.iter().flat_map(|one| &one.remarks).filter(move |remark| remark.about == about)
    }

    /// How many findings there are of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> usize {
        self.ordered().iter().filter(|finding| finding.kind == kind).count()
    }
}

impl Reviewed {
    /// What it is called now, or was.
    fn name(&self) -> &str {
        self.after.as_ref().or(self.before.as_ref()).map_or("", String::as_str)
    }

    /// What it was called, where that was something else.
    fn former(&self) -> Option<&str> {
        self.before.as_deref().filter(|_| self.after.is_some() && self.after != self.before)
    }
}

/// One side of a comparison.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub program: &'a Arc<Program>,
    /// The trees of all its files.
    pub files: &'a [File],
    pub sources: &'a Sources,
}

/// What is different.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub chapter: Chapter,
    pub kind: Kind,
    /// What it is about: `threshold "High Error Rate" (critical)`.
    pub subject: String,
    /// In a few words: `loosened`, `new`, `gone`.
    pub headline: String,
    /// What was so before, and what is so now.
    pub rows: Vec<Row>,
    /// What follows from it.
    pub notes: Vec<String>,
    pub before: Option<Place>,
    pub after: Option<Place>,
}

/// One property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub what: &'static str,
    pub before: String,
    pub after: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    pub file: String,
    pub line: u32,
}

/// What does not do something else, and is to be read before it is taken over all the same.
#[derive(Clone, Debug, Serialize)]
pub struct Remark {
    pub about: About,
    /// The title of the test, the code of the warning.
    pub subject: String,
    pub message: String,
    /// What was found instead, or what to type.
    pub more: Vec<String>,
    pub place: Place,
    /// Whether it was so before.
    pub before: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A test of the runbook fails.
    Test,
    /// The check warns, and did not before.
    Warning,
}

impl About {
    pub const ALL: [Self; 2] = [Self::Test, Self::Warning];

    /// As `--fail-on` takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Warning => "warning",
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Test => "❌",
            Self::Warning => "⚠",
        }
    }

    /// `2 tests fail`, `1 new warning`.
    fn counted(self, count: usize) -> String {
        match (self, count) {
            (Self::Test, 1) => "1 test fails".to_owned(),
            (Self::Test, _) => format!("{count} tests fail"),
            (Self::Warning, _) => counted(count as u64, "new warning"),
        }
    }
}

impl Remark {
    /// What is said of its subject.
    const fn headline(&self) -> &'static str {
        match (self.about, self.before) {
            (About::Test, false) => "fails",
            (About::Test, true) => "fails, and did before",
            (About::Warning, _) => "new warning",
        }
    }
}

/// The title above all remarks.
const REMARKS: &str = "Tests and warnings";

/// In the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Chapter {
    Told,
    Changes,
    Permissions,
    Blindness,
    Schedules,
    Inputs,
    Reads,
}

impl Chapter {
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Told => "Who is told",
            Self::Changes => "What changes",
            Self::Permissions => "Permissions",
            Self::Blindness => "Blindness",
            Self::Schedules => "Schedules",
            Self::Inputs => "Connections, params and secrets",
            Self::Reads => "What is read and shown",
        }
    }
}

/// What a finding means, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody is told later, less often or not at all.
    Loosened,
    /// A failure or an unknown is seen less.
    Blind,
    /// More is changed, or with fewer guards and bounds.
    Dangerous,
    /// More rights are needed.
    Permissions,
    /// It is different, and nobody can say for the better or worse.
    Changed,
    /// The opposite of the first four.
    Safer,
}

impl Kind {
    pub const ALL: [Self; 6] =
        [Self::Loosened, Self::Blind, Self::Dangerous, Self::Permissions, Self::Changed, Self::Safer];

    /// As `--fail-on` takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loosened => "loosened",
            Self::Blind => "blind",
            Self::Dangerous => "dangerous",
            Self::Permissions => "permissions",
            Self::Changed => "changed",
            Self::Safer => "safer",
        }
    }
}

/// All that is different between two runbooks.
///
/// # Errors
/// Where one of them cannot be planned.
pub fn compare(
    before: Side<'_>,
    after: Side<'_>,
    history: Option<&History>,
    now: Timestamp,
) -> Result<Vec<Finding>, Fault> {
    let set = BTreeMap::<Arc<str>, String>::new();
    let plan = |side: Side<'_>| crate::plan::plan(side.program, &Selection::all(), &set);
    let (plan_before, plan_after) = (plan(before)?, plan(after)?);
    let (was, is) = (Seen::of(before.program, &set), Seen::of(after.program, &set));
    let mut findings = thresholds::compare(before, after);
    findings.extend(escalation::compare(before, after, now));
    findings.extend(actions::compare((before, &plan_before, &was), (after, &plan_after, &is), now));
    findings.extend(permissions::compare(before, after, &set));
    findings.extend(reading::compare(before, after, &was, &is));
    findings.extend(telling::compare(before, after, &was, &is));
    findings.extend(schedules::compare(before, after, now));
    findings.extend(header::compare((before, &plan_before), (after, &plan_after), history));
    findings.extend(inputs::compare(before, after));
    findings.extend(lines::compare(before, after, &was, &is));
    findings.extend(elsewhere::compare(before, after));
    if let Some(history) = history {
        history::add(&mut findings, history, before, after, &set);
    }
    findings.sort_by_key(|finding| (finding.chapter, finding.kind));
    Ok(findings)
}

/// What several of the comparisons look at of a side.
struct Seen<'p> {
    placed: Vec<Placed<'p>>,
    /// With the names of all commands.
    meaning: Meaning<'p>,
    names: Foregone<'p>,
}

impl<'p> Seen<'p> {
    fn of(program: &'p Program, set: &'p BTreeMap<Arc<str>, String>) -> Self {
        Self {
            placed: around::placed(program),
            meaning: Meaning::new(program, Of::Behaviour, set).with_commands(),
            names: Foregone::of(program),
        }
    }
}

impl Side<'_> {
    /// Where something is.
    #[must_use]
    pub fn place(self, span: Span) -> Place {
        Place { file: self.sources.file(span.file).name.clone(), line: self.sources.position(span).line }
    }

    /// What was written, in one line.
    fn written(self, span: Span) -> String {
        crate::syntax::one_line(self.sources.text(span))
    }
}

impl Finding {
    fn new(chapter: Chapter, kind: Kind, subject: impl Into<String>, headline: impl Into<String>) -> Self {
        Self {
            chapter,
            kind,
            subject: subject.into(),
            headline: headline.into(),
            rows: Vec::new(),
            notes: Vec::new(),
            before: None,
            after: None,
        }
    }

    fn at(mut self, before: Option<Place>, after: Option<Place>) -> Self {
        (self.before, self.after) = (before, after);
        self
    }

    fn rows(mut self, rows: impl IntoIterator<Item = Row>) -> Self {
        self.rows.extend(rows);
        self
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

impl Row {
    /// `None` where nothing is different.
    fn of(what: &'static str, before: impl Into<String>, after: impl Into<String>) -> Option<Self> {
        let (before, after) = (before.into(), after.into());
        (before != after).then_some(Self { what, before, after })
    }
}

/// Rows with what each of them means.
#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    kinds: Vec<Kind>,
}

impl Rows {
    fn add(&mut self, row: Option<Row>, kind: Kind) {
        if let Some(row) = row {
            self.rows.push(row);
            self.kinds.push(kind);
        }
    }
}

/// The worst of what several rows mean, and `Changed` where none says it.
fn worst(kinds: impl IntoIterator<Item = Kind>) -> Kind {
    kinds.into_iter().min().unwrap_or(Kind::Changed)
}
