//! The conditions and lists that plans name by their texts, as they stand in a program.

use std::collections::BTreeMap;

use super::Seen;
use super::around::{self, Around};
use super::bounds::Said;
use crate::check::program::foregone::Foregone;
use crate::check::program::{Member, Program, StatementKind};
use crate::plan::{self, Guard, PlannedChange};
use crate::source::Span;

/// What stands above changes and around them.
pub(super) struct Conditions<'p> {
    /// By their texts. Two that read the same may have names in them that do not stand for the same.
    said: BTreeMap<String, Vec<Said<'p>>>,
    names: &'p Foregone<'p>,
}

impl<'p> Conditions<'p> {
    pub(super) fn of(program: &'p Program, seen: &'p Seen<'p>) -> Self {
        let names = &seen.names;
        let guards = seen.placed.iter().filter_map(|one| match &one.statement.kind {
            StatementKind::Require { condition, .. } => Some(Said::new(program, condition)),
            _ => None,
        });
        let around = seen.placed.iter().flat_map(|one| &one.around).filter_map(|one| one.said);
        let lists = program.sections.iter().flat_map(|section| &section.members).filter_map(|member| match member {
            Member::Step(step) => step.each.as_ref().map(|(_, list)| Said::new(program, list)),
            Member::Statement(_) => None,
        });
        let mut said: BTreeMap<String, Vec<Said<'p>>> = BTreeMap::new();
        for one in guards.chain(around).chain(lists) {
            said.entry(one.plain()).or_default().push(one.knowing(names));
        }
        Self { said, names }
    }

    /// The one that stands in the innermost of some statements, or else right above the outermost.
    fn said(&self, text: &str, within: &[Span]) -> Option<Said<'p>> {
        let all = self.said.get(text)?;
        let inside = within.iter().rev().find_map(|outer| {
            let holds = |one: &Span| one.file == outer.file && outer.start <= one.start && one.end <= outer.end;
            all.iter().find(|one| holds(&one.span()))
        });
        let above = || {
            let first = within.first()?;
            let above = all.iter().filter(|one| one.span().file == first.file && one.span().end <= first.start);
            above.max_by_key(|one| one.span().start)
        };
        inside.or_else(above).or_else(|| all.first()).copied()
    }

    pub(super) fn guard(&self, guard: &Guard) -> Option<Said<'p>> {
        self.said(&guard.condition, &[guard.at.span])
    }

    /// Whether a guard holds whatever is found, and so nothing back.
    pub(super) fn is_foregone(&self, guard: &Guard) -> bool {
        self.guard(guard).is_some_and(|said| said.holds(self.names) == Some(true))
    }

    /// What stands around a change.
    pub(super) fn around(&self, change: &PlannedChange) -> Vec<Around<'p>> {
        let within: Vec<Span> = change.blocks.iter().map(|at| at.span).collect();
        let of = |kind, text: &str| {
            let said = self.said(text, &within);
            Around { kind, says: said.map_or_else(|| text.to_owned(), Said::text), said }
        };
        let each = |one: &plan::Around| match one {
            plan::Around::Each { list, .. } => vec![of(around::Kind::Each, list)],
            plan::Around::If { condition } => vec![of(around::Kind::If, condition)],
            plan::Around::Else { conditions } => conditions.iter().map(|one| of(around::Kind::Unless, one)).collect(),
            plan::Around::Retry { times } => {
                vec![Around { kind: around::Kind::Retry(*times), says: times.to_string(), said: None }]
            }
            plan::Around::OnFailure | plan::Around::Always | plan::Around::Command { .. } => Vec::new(),
        };
        change.around.iter().flat_map(each).collect()
    }
}
