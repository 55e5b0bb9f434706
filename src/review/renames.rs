//! Names that stand for the same on both sides, and are written otherwise. The earlier side is compared as if it had the
//! later names, so that a renaming is said once and not wherever the name stands.

use std::sync::Arc;

use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Side, inputs, lines};
use crate::check::program::walk;
use crate::check::program::{CheckElse, Program, Statement, StatementKind};
use crate::plan::{outline, text};
use crate::source::{FileId, Span};
use crate::syntax::ast::ItemKind;
use crate::syntax::rename::{Other, Use, rename};

/// A name that is another one now.
#[derive(Clone, Debug)]
pub struct Renamed {
    word: &'static str,
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
            old: a.name.clone(),
            new: b.name.clone(),
            within: a.within,
            used: if matches!(a.word, "tool" | "command") { Use::Call } else { Use::Value },
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
    pub fn finding(&self, before: Side<'_>, after: Side<'_>) -> Option<Finding> {
        let (old, new) = (&self.old, &self.new);
        let (chapter, note) = match self.word {
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
        let mut finding = Finding::new(chapter, Kind::Changed, format!("{} {new}", self.word), headline);
        finding.notes.extend(note);
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

/// Checks without a title are called as they are written, and so otherwise now. What they raised is closed by its name.
#[must_use]
pub fn raised(before: Side<'_>, renamed: Side<'_>) -> Vec<Finding> {
    let all = |side: Side<'_>| -> Vec<(String, Span)> {
        let mut found = Vec::new();
        for part in walk::blocks_of(side.program) {
            walk::statements(part.block, &mut |statement: &Statement| {
                if let StatementKind::Check { title: None, source, otherwise: CheckElse::Raise { .. }, .. } =
                    &statement.kind
                {
                    found.push((source.to_string(), statement.span));
                }
            });
        }
        found
    };
    let (old, new) = (all(before), all(renamed));
    let others = old.iter().zip(&new).filter(|(a, b)| a.0 != b.0).map(|(a, b)| {
        let note = "an alert that it raised stays open until somebody closes it: give the check a title";
        Finding::new(
            Chapter::Told,
            Kind::Changed,
            format!("check \"{}\"", b.0),
            format!("is called otherwise: it was `{}`", a.0),
        )
        .note(note)
        .at(Some(before.place(a.1)), Some(renamed.place(b.1)))
    });
    others.collect()
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

/// The step, or else the declaration, that something is in.
fn around(side: Side<'_>, span: Span) -> Option<Span> {
    let holds = |outer: Span| outer.file == span.file && outer.start <= span.start && span.end <= outer.end;
    let item = side.files.iter().flat_map(|file| &file.items).find(|item| holds(item.span))?;
    let ItemKind::Section(section) = &item.kind else { return Some(item.span) };
    let step = section.steps().map(|step| step.span).find(|step| holds(*step));
    Some(step.unwrap_or(item.span))
}
