//! `--only "Section or step"`: which part of a runbook is meant.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::program::{Member, MetricId, Program, Section, Statement, StatementKind};
use crate::diagnostics::nearest;

/// The sections and steps that were asked for.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `None`: everything. Else, by section: its members, or `None` for all of them.
    sections: Option<BTreeMap<usize, Option<BTreeSet<usize>>>>,
    /// The metrics that are sampled beside them.
    metrics: Vec<MetricId>,
}

/// A title that no section and no step has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectFault {
    pub title: String,
    pub nearest: Option<String>,
    /// All titles there are.
    pub known: Vec<String>,
}

impl Selection {
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The sections and steps of these titles: as they are written, else without regard to capitals. A title that
    /// several have means them all. No titles mean everything.
    ///
    /// # Errors
    /// For the first title that nothing has.
    pub fn of(program: &Program, titles: &[String]) -> Result<Self, SelectFault> {
        if titles.is_empty() {
            return Ok(Self::all());
        }
        let mut selection = BTreeMap::new();
        for title in titles {
            let exact = take(program, &mut selection, |own| own == title);
            if !exact && !take(program, &mut selection, |own| own.to_lowercase() == title.to_lowercase()) {
                return Err(unknown(program, title));
            }
        }
        Ok(Self { sections: Some(selection), metrics: Vec::new() })
    }

    /// One section or report as a whole, and no step elsewhere that is called the same; `None` where there is none.
    #[must_use]
    pub fn whole_section(program: &Program, title: &str) -> Option<Self> {
        let index = program.sections.iter().position(|section| *section.title == *title)?;
        Some(Self { sections: Some(BTreeMap::from([(index, None)])), metrics: Vec::new() })
    }

    /// No section, but a sample of each of these metrics.
    #[must_use]
    pub const fn metrics(metrics: Vec<MetricId>) -> Self {
        Self { sections: Some(BTreeMap::new()), metrics }
    }

    /// The metrics that are sampled.
    #[must_use]
    pub fn sampled(&self) -> &[MetricId] {
        &self.metrics
    }

    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.sections.is_none()
    }

    /// Whether anything of a section was asked for.
    #[must_use]
    pub fn section(&self, section: usize) -> bool {
        self.sections.as_ref().is_none_or(|sections| sections.contains_key(&section))
    }

    /// Whether a section is run: what has a time or an alert of its own is not, where everything was asked for.
    #[must_use]
    pub fn runs(&self, index: usize, section: &Section) -> bool {
        self.section(index) && (section.runs_with_all() || !self.is_all())
    }

    /// Whether a section was asked for as a whole.
    #[must_use]
    pub fn whole(&self, section: usize) -> bool {
        self.sections.as_ref().is_none_or(|sections| matches!(sections.get(&section), Some(None)))
    }

    /// Whether a step was asked for, by itself or with its section.
    #[must_use]
    pub fn step(&self, section: usize, member: usize) -> bool {
        self.sections.as_ref().is_none_or(|sections| match sections.get(&section) {
            Some(Some(members)) => members.contains(&member),
            Some(None) => true,
            None => false,
        })
    }

    /// The members of a section that belong to what was asked for, with their places.
    pub fn members<'p>(
        &self,
        number: usize,
        section: &'p Section,
    ) -> impl Iterator<Item = (usize, &'p Member)> + Clone {
        section.members.iter().enumerate().filter(move |(at, _)| self.member(number, section, *at))
    }

    /// Whether a member of a section belongs to what was asked for. With a step that was asked for alone comes what it needs
    /// from above it: values and guards, and before a step that changes something what else holds that back.
    fn member(&self, number: usize, section: &Section, at: usize) -> bool {
        let Some(member) = section.members.get(at) else { return false };
        let Member::Statement(statement) = member else { return self.step(number, at) };
        let mut below = section.members.iter().enumerate().skip(at + 1).filter(|(below, _)| self.step(number, *below));
        self.whole(number)
            || match statement.kind {
                StatementKind::Let { .. } | StatementKind::Require { .. } => below.next().is_some(),
                _ => holds_back(statement) && below.any(|(_, step)| step.changes()),
            }
    }
}

/// Whether a statement holds back what follows, by itself or by what stands in it, and changes nothing.
fn holds_back(statement: &Statement) -> bool {
    statement.barrier && !statement.changes() && !matches!(statement.kind, StatementKind::Send { .. })
}

fn take(
    program: &Program,
    selection: &mut BTreeMap<usize, Option<BTreeSet<usize>>>,
    is_meant: impl Fn(&str) -> bool,
) -> bool {
    let mut found = false;
    for (index, section) in program.sections.iter().enumerate() {
        if is_meant(&section.title) {
            selection.insert(index, None);
            found = true;
        }
        for (member, step) in section.members.iter().enumerate() {
            let Member::Step(step) = step else { continue };
            if is_meant(&step.title) {
                if let Some(members) = selection.entry(index).or_insert_with(|| Some(BTreeSet::new())) {
                    members.insert(member);
                }
                found = true;
            }
        }
    }
    found
}

fn unknown(program: &Program, title: &str) -> SelectFault {
    let mut known = Vec::new();
    for section in &program.sections {
        known.push(section.title.to_string());
        known.extend(section.members.iter().filter_map(|member| match member {
            Member::Step(step) => Some(step.title.to_string()),
            Member::Statement(_) => None,
        }));
    }
    let nearest = nearest(title, known.iter().map(String::as_str)).map(str::to_owned);
    SelectFault { title: title.to_owned(), nearest, known }
}
