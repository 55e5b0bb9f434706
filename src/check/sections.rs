//! Sections, steps and reports.

use super::checker::Checker;
use super::declarations::doc;
use super::placement::{BlockOf, Place};
use super::program::{Member, Section, SectionKind, Step};
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast::{self, Docs, SectionMember};

impl<'a> Checker<'a> {
    pub(super) fn section(&mut self, written: &'a ast::Section, docs: &'a Docs) -> Section {
        let (schedule, on_alert) = self.runs(written.schedule.as_ref());
        let within = written.within.as_ref().map(|within| self.limit(within, "a time limit"));
        let quiet = written.quiet.iter().filter_map(|title| self.threshold_named(title)).collect();
        self.place = Place::block(BlockOf::Section);
        let mark = self.enter();
        let mut titles = std::collections::HashMap::new();
        let members = written
            .members
            .iter()
            .filter_map(|member| match member {
                SectionMember::Statement(statement) => self.statement(statement).map(Member::Statement),
                SectionMember::Step(step) => {
                    if let Some(first) = titles.insert(step.title.as_str(), step.title.span) {
                        self.report(super::names::duplicate(step.title.as_str(), step.title.span, first));
                    }
                    Some(Member::Step(self.step(step)))
                }
            })
            .collect();
        let on_failure = self.closing(written.on_failure.as_ref(), BlockOf::Section);
        let always = self.closing(written.always.as_ref(), BlockOf::Section);
        self.leave(mark);
        self.place = Place::Declaration;
        Section {
            kind: SectionKind::Section,
            title: written.title.text.clone(),
            doc: doc(docs),
            span: written.title.span,
            schedule,
            on_alert,
            within,
            quiet,
            members,
            on_failure,
            always,
        }
    }

    fn step(&mut self, written: &'a ast::Step) -> Step {
        let mark = self.enter();
        let each = written.label.as_ref().map(|label| self.label(label));
        let within = written.within.as_ref().map(|within| self.limit(within, "a time limit"));
        let outer = std::mem::replace(&mut self.place, Place::block(BlockOf::Step));
        let before = self.changes_seen;
        let body = self.statements(&written.body.statements);
        let on_failure = self.closing(written.body.on_failure.as_ref(), BlockOf::Step);
        let always = self.closing(written.body.always.as_ref(), BlockOf::Step);
        self.place = outer;
        self.leave(mark);
        if let Some(label) = &each {
            let from_outside = !super::constants::is_from_here(&label.list) && !label.list.ty.is_unknown();
            if self.changes_seen > before && from_outside {
                let message = format!(
                    "{} comes from outside, and every item of it leads to a change",
                    self.quoted(label.list.span)
                );
                let help = "change inside of `for … in … at most 3 { … }`; with more, nothing is changed";
                self.report(Diagnostic::new(Code::UnboundedChange, label.list.span, message).help(help));
            }
        }
        Step {
            title: written.title.text.clone(),
            doc: doc(&written.docs),
            span: written.title.span,
            each: each.map(|label| (label.local, label.list)),
            within,
            body,
            on_failure,
            always,
        }
    }

    pub(super) fn report_item(&mut self, written: &'a ast::Report, docs: &'a Docs) -> Section {
        let (schedule, on_alert) = self.runs(written.schedule.as_ref());
        self.place = Place::block(BlockOf::Report);
        let body = self.block(&written.body);
        self.place = Place::Declaration;
        Section {
            kind: SectionKind::Report,
            title: written.title.text.clone(),
            doc: doc(docs),
            span: written.title.span,
            schedule,
            on_alert,
            within: None,
            quiet: Vec::new(),
            members: body.into_iter().map(Member::Statement).collect(),
            on_failure: None,
            always: None,
        }
    }
}
