//! What decides whether, and how often, a statement is come to: the conditions, loops and retries around it.

use std::collections::BTreeMap;

use super::bounds::{Moved, Said, moved};
use super::pairs::{Pair, pairs};
use super::schedules::begins_by_itself;
use crate::check::program::foregone::Foregone;
use crate::check::program::walk;
use crate::check::program::{Expr, LocalId, Program, Statement, StatementKind};
use crate::plan::outline;

/// One of them.
#[derive(Clone)]
pub(super) struct Around<'p> {
    pub(super) kind: Kind,
    /// `if load > 3`, `for pod in cluster.pods()`
    pub(super) says: String,
    /// The condition, or the list; `None` of a retry.
    pub(super) said: Option<Said<'p>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    If,
    /// None of the conditions before it: what holds more often makes it rarer.
    Unless,
    Each,
    Retry(u32),
}

/// A statement, and where it stands.
pub(super) struct Placed<'p> {
    pub(super) statement: &'p Statement,
    /// What people call the section, step or command.
    pub(super) within: String,
    /// Whether nobody has to begin it.
    pub(super) by_itself: bool,
    /// From the outside.
    pub(super) around: Vec<Around<'p>>,
    /// What it is, where it holds back what stands below it: a change, a wait, a message.
    pub(super) holds: Option<String>,
    /// How many of those stand above it in its part.
    pub(super) above: usize,
}

/// The same with the constants that `let` gave to the names in it.
pub(super) fn knowing<'p>(around: &[Around<'p>], names: &'p Foregone<'p>) -> Vec<Around<'p>> {
    let one = |one: &Around<'p>| {
        let Some(said) = one.said else { return one.clone() };
        let known = said.knowing(names);
        let says = one.says.strip_suffix(&said.text()).map(|head| format!("{head}{}", known.text()));
        Around { kind: one.kind, says: says.unwrap_or_else(|| one.says.clone()), said: Some(known) }
    };
    around.iter().map(one).collect()
}

/// `section "Care" / "Pods", if load > 3`
pub(super) fn path(within: &str, around: &[Around<'_>]) -> String {
    std::iter::once(within).chain(around.iter().map(|one| one.says.as_str())).collect::<Vec<_>>().join(", ")
}

/// All statements of a program.
pub(super) fn placed(program: &Program) -> Vec<Placed<'_>> {
    let mut found = Vec::new();
    // The statements of a section stand behind one another, each in a part of its own.
    let (mut above, mut title) = (0, String::new());
    for part in walk::blocks_of(program) {
        let own = part.title();
        if own != title {
            (above, title) = (0, own);
        }
        let by_itself = part.section.is_none_or(begins_by_itself);
        // The loop of a step is one around what stands in it.
        let of = part.step.and_then(|step| step.each.as_ref()).map(|(local, list)| each(program, *local, list));
        let around = of.into_iter().collect();
        Finder { program, within: &title, by_itself, around, above: &mut above, found: &mut found }.block(part.block);
    }
    found
}

fn each<'p>(program: &'p Program, local: LocalId, list: &'p Expr) -> Around<'p> {
    let name = program.locals.get(local.index()).map_or("?", |one| &*one.name);
    let said = Said::new(program, list);
    Around { kind: Kind::Each, says: format!("for {name} in {}", said.text()), said: Some(said) }
}

struct Finder<'p, 'f> {
    program: &'p Program,
    within: &'f str,
    by_itself: bool,
    around: Vec<Around<'p>>,
    above: &'f mut usize,
    found: &'f mut Vec<Placed<'p>>,
}

impl<'p> Finder<'p, '_> {
    fn block(&mut self, block: &'p [Statement]) {
        for statement in block {
            let (within, around) = (self.within.to_owned(), self.around.clone());
            let is_leaf = walk::blocks(statement).is_empty();
            let holds = is_leaf && (statement.barrier || matches!(statement.kind, StatementKind::Send { .. }));
            let holds = holds.then(|| outline::shown(self.program).statement(statement).join(" "));
            let (above, by_itself) = (*self.above, self.by_itself);
            *self.above += usize::from(holds.is_some());
            self.found.push(Placed { statement, within, by_itself, around, holds, above });
            let outside = self.around.len();
            match &statement.kind {
                StatementKind::Retry { times, every, body } => {
                    let says = format!("up to {times} times, every {}", Said::new(self.program, every).text());
                    self.around.push(Around { kind: Kind::Retry(*times), says, said: None });
                    self.block(body);
                }
                StatementKind::For(one) => {
                    self.around.push(each(self.program, one.local, &one.list));
                    self.block(&one.body);
                }
                StatementKind::If { branches, otherwise } => {
                    for branch in branches {
                        self.around.push(self.condition(Kind::If, &branch.condition));
                        self.block(&branch.body);
                        self.around.pop();
                        self.around.push(self.condition(Kind::Unless, &branch.condition));
                    }
                    if let Some(block) = otherwise {
                        self.block(block);
                    }
                }
                _ => {}
            }
            self.around.truncate(outside);
        }
    }

    fn condition(&self, kind: Kind, condition: &'p Expr) -> Around<'p> {
        let said = Said::new(self.program, condition);
        let word = if kind == Kind::If { "if" } else { "unless" };
        Around { kind, says: format!("{word} {}", said.text()), said: Some(said) }
    }
}

/// What holds back others, by the part that it is in, in its order.
pub(super) fn holding<'s>(placed: &'s [Placed<'_>]) -> BTreeMap<&'s str, Vec<&'s str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in placed {
        if let Some(holds) = &one.holds {
            found.entry(&one.within).or_default().push(holds);
        }
    }
    found
}

/// Of what is on both sides equally often: what stands above one of two, and not above the other.
pub(super) fn passed<'s>((old, was): (&[&'s str], usize), (new, is): (&[&'s str], usize)) -> [Vec<&'s str>; 2] {
    let count = |all: &[&str], one: &str| all.iter().filter(|other| **other == one).count();
    let (above, now) = (old.get(..was).unwrap_or(old), new.get(..is).unwrap_or(new));
    let more = |these: &[&'s str], others: &[&str]| -> Vec<&'s str> {
        let mut found: Vec<&str> = these.to_vec();
        found.retain(|one| count(these, one) > count(others, one) && count(old, one) == count(new, one));
        found.dedup();
        found
    };
    [more(above, now), more(now, above)]
}

/// What another place says of how often something is come to. What it means that it is repeated around there, `repeated`
/// says: a change is made more often, and a check may see nothing, or pass in the end.
pub(super) fn often(old: &[Around<'_>], new: &[Around<'_>], repeated: Moved) -> Vec<Moved> {
    let alike = |a: &Around<'_>, b: &Around<'_>| std::mem::discriminant(&a.kind) == std::mem::discriminant(&b.kind);
    let mut found = Vec::new();
    for pair in pairs(old, new, |one| one.says.clone(), alike) {
        match pair {
            Pair::Both(a, b) => match (a.kind, b.kind, a.said.zip(b.said)) {
                (Kind::Retry(a), Kind::Retry(b), _) if a != b => {
                    found.push(if b > a { repeated } else { repeated.turned() });
                }
                (Kind::Unless, _, Some((a, b))) => found.extend(moved(a, b).into_iter().map(Moved::turned)),
                (_, _, Some((a, b))) => found.extend(moved(a, b)),
                _ => {}
            },
            Pair::New(one) => found.push(match one.kind {
                Kind::If | Kind::Unless => Moved::Less,
                Kind::Each | Kind::Retry(_) => repeated,
            }),
            Pair::Gone(one) => found.push(match one.kind {
                Kind::If | Kind::Unless => Moved::More,
                Kind::Each | Kind::Retry(_) => repeated.turned(),
            }),
        }
    }
    found
}
