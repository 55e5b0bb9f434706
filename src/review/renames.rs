//! Names that stand for the same on both sides, and are written otherwise. The earlier side is compared as if it had the
//! later names, so that a renaming is said once and not wherever the name stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Side, inputs, lines, schedules};
use crate::check::program::walk;
use crate::check::program::{Expr, Member, Program, Statement, StatementKind};
use crate::plan::text::Names as _;
use crate::plan::{outline, text};
use crate::source::{FileId, Span};
use crate::syntax::ast::{Item, ItemKind};
use crate::syntax::rename::{Other, Use, rename};

/// A name that is another one now.
#[derive(Clone, Debug)]
pub struct Renamed {
    word: &'static str,
    /// The part of the runbook that it belongs to; empty where that is all of it.
    part: String,
    pub old: String,
    pub new: String,
    /// The part of the earlier side in which it can be used.
    within: Span,
    used: Use,
    before: Span,
    after: Span,
}

/// What is called otherwise and is the same. What else is different in it keeps it from being found: then it is another one.
#[must_use]
pub fn renamed(before: Side<'_>, after: Side<'_>) -> Vec<Renamed> {
    let (old, new) = (all(before), all(after));
    let key = |one: &Named| (one.word, one.part.clone(), one.name.clone());
    let alike = |a: &Named, b: &Named| a.word == b.word && a.part == b.part && a.says == b.says;
    let both = pairs(&old, &new, key, alike).into_iter().filter_map(|pair| match pair {
        Pair::Both(a, b) if a.name != b.name => Some(Renamed {
            word: a.word,
            part: a.part.clone(),
            old: a.name.clone(),
            new: b.name.clone(),
            within: a.within,
            used: match a.word {
                "tool" | "command" => Use::Call,
                "section" | "report" => Use::Section,
                "step" => Use::Step,
                _ => Use::Value,
            },
            before: a.span,
            after: b.span,
        }),
        _ => None,
    });
    both.collect()
}

/// The texts of a side's files with other names; `None` where one of them cannot be put in, or is nowhere.
#[must_use]
pub fn written(side: Side<'_>, names: &[Renamed]) -> Option<Vec<Arc<str>>> {
    let texts = side.sources.ids().map(|id| {
        let text = &side.sources.file(id).text;
        let own = names.iter().filter(|one| one.within.file == id);
        let own: Vec<_> =
            own.map(|one| Other { within: one.within, old: &one.old, new: &one.new, used: one.used }).collect();
        if own.is_empty() { Some(Arc::clone(text)) } else { rename(text, &own).map(Arc::from) }
    });
    if names.is_empty() { None } else { texts.collect() }
}

impl Renamed {
    /// What people have to know of it; nothing of names that nobody outside ever uses.
    #[must_use]
    pub fn finding(&self, before: Side<'_>, after: Side<'_>, now: Timestamp) -> Option<Finding> {
        let (old, new) = (&self.old, &self.new);
        let mut subject = format!("{} {new}", self.word);
        let (chapter, note) = match self.word {
            "section" | "report" | "step" => {
                subject = format!("{} \"{new}\"", self.word);
                if !self.part.is_empty() {
                    subject = format!("{} / \"{new}\"", self.part);
                }
                (Chapter::Schedules, Some(format!("`--only \"{old}\"` is refused from now on: it is \"{new}\"")))
            }
            "param" => (Chapter::Inputs, Some(format!("`--set {old}=…` is refused from now on: it is `{new}`"))),
            "metric" => (
                Chapter::Blindness,
                Some(format!(
                    "`history({new}, …)` reads what was recorded as `{new}`, and no longer what was as `{old}`"
                )),
            ),
            "channel" => (
                Chapter::Told,
                Some(format!(
                    "what still waits for `{old}` is not delivered, and nobody there hears that an alert closed"
                )),
            ),
            "connection" => (
                Chapter::Inputs,
                Some(format!(
                    "a standing approval names it, as `--approve HASH@PLACES` does: give them for `{new}` again"
                )),
            ),
            "tool" => (Chapter::Inputs, None),
            _ => return None,
        };
        let headline = format!("only called otherwise: it was `{old}`");
        let mut finding = Finding::new(chapter, Kind::Changed, subject, headline);
        finding.notes.extend(note);
        if matches!(self.word, "section" | "report") {
            finding.rows.extend(schedules::by_title(before, after, (old, new), now));
            let raises = "an alert that it raised is over, and is told anew where it is raised again";
            finding.notes.extend(raises_in(before.program, old).then(|| raises.to_owned()));
        }
        Some(finding.at(Some(before.place(self.before)), Some(after.place(self.after))))
    }

    /// The name of a metric, before and now.
    #[must_use]
    pub fn metric(&self) -> Option<(&str, &str)> {
        (self.word == "metric").then_some((&*self.old, &*self.new))
    }
}

fn whole(file: FileId, text: &str) -> Span {
    Span::new(file, 0, u32::try_from(text.len()).unwrap_or(u32::MAX))
}

/// Whether a section raises alerts, or a command that it calls.
fn raises_in(program: &Program, title: &str) -> bool {
    let parts = walk::blocks_of(program);
    let own = parts.iter().filter(|part| part.section.is_some_and(|one| *one.title == *title));
    let mut left: Vec<&[Statement]> = own.map(|part| part.block).collect();
    let mut known = BTreeSet::new();
    let mut raises = false;
    while let Some(block) = left.pop() {
        walk::statements(block, &mut |statement| {
            raises |= statement.raises().is_some();
            if let StatementKind::Do { command, .. } = &statement.kind
                && known.insert(command.index())
            {
                left.extend(program.commands.get(command.index()).map(|command| &*command.body));
            }
        });
    }
    raises
}

/// A name, and what it stands for.
struct Named {
    word: &'static str,
    /// The part of the runbook that it belongs to; empty where that is all of it.
    part: String,
    name: String,
    says: String,
    span: Span,
    within: Span,
}

fn all(side: Side<'_>) -> Vec<Named> {
    let program: &Program = side.program;
    let mut found: Vec<Named> = Vec::new();
    let mut add = |word, name: &str, says, span| {
        let (part, name) = (String::new(), name.to_owned());
        found.push(Named {
            word,
            part,
            name,
            says,
            span,
            within: whole(span.file, &side.sources.file(span.file).text),
        });
    };
    inputs::each(side, &mut add);
    for one in &program.metrics {
        let labels =
            one.labels.iter().map(|label| format!("for {} in {}", label.name, text::expr(program, &label.list)));
        let own = [one.ty.to_string(), format!("{:?}", one.every), text::expr(program, &one.value)];
        add("metric", &one.name, own.into_iter().chain(labels).collect::<Vec<_>>().join(" "), one.span);
    }
    let reads = outline::shown(program);
    for one in &program.commands {
        let says = lines::shown_command(program, &reads, one).join("\n");
        add("command", &one.name, format!("{:?} {says}", one.effect), one.span);
    }
    titled(side, &mut found);
    for part in walk::blocks_of(program) {
        walk::statements(part.block, &mut |statement: &Statement| {
            let StatementKind::Let { local, value } = &statement.kind else { return };
            let Some(local) = program.locals.get(local.index()) else { return };
            found.push(Named {
                word: "let",
                part: part.title(),
                name: local.name.to_string(),
                says: text::expr(program, value),
                span: statement.span,
                within: around(side, statement.span).unwrap_or(statement.span),
            });
        });
    }
    found
}

/// Sections and steps: what they do, when and for how long, and not what they are called.
fn titled(side: Side<'_>, found: &mut Vec<Named>) {
    let program: &Program = side.program;
    let reads = outline::shown(program);
    let limit = |within: &Option<Expr>| within.as_ref().map(|within| text::expr(program, within));
    // What is written with these signs is written in several ways.
    let is_plain = |title: &str| !title.contains(['"', '\\', '{']) && !title.chars().any(char::is_control);
    for section in program.sections.iter().filter(|one| is_plain(&one.title)) {
        let mut says = vec![format!(
            "{:?} {:?}",
            section.schedule.as_ref().map(|one| side.written(one.span)),
            limit(&section.within)
        )];
        says.extend(schedules::titles(side, &section.on_alert));
        says.push("quiet".to_owned());
        says.extend(schedules::titles(side, &section.quiet));
        for member in &section.members {
            match member {
                Member::Statement(statement) => says.extend(reads.statement(statement)),
                Member::Step(step) => {
                    let each = step.each.as_ref().map(|(local, list)| {
                        format!("for {} in {}", program.name(text::Named::Local(*local)), text::expr(program, list))
                    });
                    let mut own = vec![format!("step {each:?} {:?}", limit(&step.within))];
                    own.extend(reads.in_step(step).into_iter().map(|line| format!("  {line}")));
                    says.extend(own.iter().cloned());
                    if is_plain(&step.title) {
                        found.push(Named {
                            word: "step",
                            part: section.name(),
                            name: step.title.to_string(),
                            says: own.join("\n"),
                            span: step.span,
                            within: declared(side, section.span).map_or(section.span, |item| item.span),
                        });
                    }
                }
            }
        }
        for (what, block) in [("on failure", &section.on_failure), ("always", &section.always)] {
            says.extend(block.iter().map(|_| what.to_owned()));
            says.extend(block.iter().flat_map(|block| reads.of_command(block)));
        }
        found.push(Named {
            word: section.kind.name(),
            part: String::new(),
            name: section.title.to_string(),
            says: says.join("\n"),
            span: section.span,
            within: whole(section.span.file, &side.sources.file(section.span.file).text),
        });
    }
}

/// The step, or else the declaration, that something is in.
fn around(side: Side<'_>, span: Span) -> Option<Span> {
    let item = declared(side, span)?;
    let ItemKind::Section(section) = &item.kind else { return Some(item.span) };
    let step = section.steps().map(|step| step.span).find(|step| holds(*step, span));
    Some(step.unwrap_or(item.span))
}

/// The declaration that something is in.
fn declared(side: Side<'_>, span: Span) -> Option<&Item> {
    side.files.iter().flat_map(|file| &file.items).find(|item| holds(item.span, span))
}

fn holds(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end
}
