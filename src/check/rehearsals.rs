//! Tests: whether what they speak of is there.

use super::calls::Position;
use super::checker::Checker;
use super::convert::Want;
use super::placement::Place;
use super::program::Program;
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::syntax::ast::{
    self, Expect, Fact, Given, ItemKind, SectionMember, Statement, StatementKind, TestStatement, TestStatementKind,
};
use crate::types::Type;

/// The titles that a test may name.
#[derive(Default)]
struct Titles<'a> {
    sections: Vec<&'a str>,
    checks: Vec<&'a str>,
    roles: Vec<&'a str>,
    questions: Vec<&'a str>,
    /// Whether titles with values in them are there: then any title may be one of theirs.
    checks_open: bool,
    questions_open: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn check_rehearsals(&mut self, program: &Program) {
        let names = self.names;
        self.module = 0;
        let Some(root) = names.modules.first() else { return };
        if root.file.items.iter().all(|item| !matches!(item.kind, ItemKind::Test(_))) {
            return;
        }
        let mut titles = Titles::default();
        for module in &names.modules {
            titles.collect(module.file);
        }
        let mut own: std::collections::HashMap<&str, Span> = std::collections::HashMap::new();
        for item in &root.file.items {
            if let ItemKind::Test(test) = &item.kind {
                if let Some(first) = own.insert(test.title.as_str(), test.title.span) {
                    self.report(super::names::duplicate(test.title.as_str(), test.title.span, first));
                }
                for statement in &test.statements {
                    self.rehearsed(statement, &titles, program);
                }
            }
        }
    }

    fn rehearsed(&mut self, statement: &'a TestStatement, titles: &Titles<'a>, program: &Program) {
        match &statement.kind {
            TestStatementKind::Given(given) => self.given(given, titles),
            TestStatementKind::Run { section, args } => {
                self.check_title(section, &titles.sections, "section", false);
                for arg in args.iter().flat_map(|args| &args.items) {
                    self.run_argument(arg);
                }
            }
            TestStatementKind::After { time } => {
                let time = self.expr_as(time, &Type::Duration, "`after`");
                self.constant_duration(&time, "`after`");
            }
            TestStatementKind::Expect(expect) => self.expected(expect, titles, program),
        }
    }

    /// `run "Section" (name: value)` sets a param.
    fn run_argument(&mut self, arg: &'a ast::Arg) {
        let Some(name) = &arg.name else {
            let message = "a param is given by its name";
            self.report(Diagnostic::new(Code::ImpossibleTest, arg.span, message).help("write `name: value`"));
            self.touch(&arg.value);
            return;
        };
        let what = self.names.find(0, &name.text).map(|declaration| declaration.what);
        if let Some(what @ super::names::What::Param(_)) = what {
            let ty = self.type_of_declared(what);
            let value = self.expr(&arg.value);
            let place = format!("`{name}`");
            self.coerce(value, &Want::new(&ty, &place));
            return;
        }
        self.report(Diagnostic::new(Code::ImpossibleTest, name.span, format!("there is no param `{name}`")));
        self.touch(&arg.value);
    }

    fn given(&mut self, given: &'a Given, titles: &Titles<'a>) {
        match given {
            Given::Approves { role } => self.check_title(role, &titles.roles, "role that approves anything,", false),
            Given::Answers { question, answer } => {
                self.check_title(question, &titles.questions, "`manual`", titles.questions_open);
                self.text_expr(answer);
            }
            Given::Unreachable { target } => {
                self.mentioned(target);
            }
            Given::Is { target, value } => {
                let target = self.mentioned(target);
                let value = self.expr(value);
                self.coerce(value, &Want::new(&target.ty, "what is given"));
            }
            Given::Takes { target, duration } => {
                self.mentioned(target);
                let duration = self.expr_as(duration, &Type::Duration, "`takes`");
                self.constant_duration(&duration, "`takes`");
            }
            Given::Fails { target, message } => {
                self.mentioned(target);
                self.text_expr(message);
            }
        }
    }

    /// A call, a connection or a metric that a test speaks of without asking it.
    fn mentioned(&mut self, target: &'a ast::Expr) -> super::program::Expr {
        let outer = std::mem::replace(&mut self.place, Place::Threshold);
        let bare = target.bare();
        let found = if bare.as_call().is_some() { self.call(bare, Position::Mention) } else { self.expr(bare) };
        self.place = outer;
        found
    }

    fn expected(&mut self, expect: &'a Expect, titles: &Titles<'a>, program: &Program) {
        match &expect.fact {
            Fact::Alert { title: Some(title), severity } => {
                let Some(id) = self.names.threshold(title.as_str()) else {
                    let known: Vec<&str> = self.names.threshold_titles().collect();
                    self.check_title(title, &known, "threshold", false);
                    return;
                };
                let Some(threshold) = self.names.thresholds.get(id.index()) else { return };
                if let Some(severity) = severity.as_ref().filter(|severity| severity.node != threshold.severity.node) {
                    let message = format!(
                        "`{}` is {}, never {}",
                        title.as_str(),
                        threshold.severity.node.name(),
                        severity.node.name()
                    );
                    let diagnostic = Diagnostic::new(Code::ImpossibleTest, severity.span, message);
                    self.report(diagnostic.label(threshold.severity.span, "declared here"));
                }
            }
            Fact::Alert { title: None, .. } | Fact::Run { .. } => {}
            Fact::Notified { channel } => {
                self.channels(std::slice::from_ref(channel));
            }
            Fact::Level { level } => {
                let Some(number) = self.count(level, 1, "a level") else { return };
                let known = program.escalations.iter().flat_map(|escalation| &escalation.levels);
                if known.into_iter().all(|known| known.number != number) {
                    let message = format!("there is no level {number}");
                    self.report(Diagnostic::new(Code::ImpossibleTest, level.span, message));
                }
            }
            Fact::Change { call } => {
                self.mentioned(call);
            }
            Fact::Check { title, .. } => self.check_title(title, &titles.checks, "check", titles.checks_open),
        }
    }

    fn check_title(&mut self, title: &ast::Title, known: &[&str], noun: &str, open: bool) {
        if open || known.contains(&title.as_str()) || self.names.is_in_junk(0, title.as_str()) {
            return;
        }
        let message = format!("there is no {noun} `{}`", title.as_str());
        let diagnostic = match nearest(title.as_str(), known.iter().copied()) {
            Some(meant) => {
                Diagnostic::new(Code::ImpossibleTest, title.span, format!("{message}; did you mean `{meant}`?"))
                    .help(format!("write `\"{meant}\"`"))
                    .fix(title.span, format!("\"{meant}\""))
            }
            None => Diagnostic::new(Code::ImpossibleTest, title.span, message),
        };
        self.report(diagnostic);
    }
}

impl<'a> Titles<'a> {
    fn collect(&mut self, file: &'a ast::File) {
        for item in &file.items {
            match &item.kind {
                ItemKind::Section(section) => {
                    self.sections.push(section.title.as_str());
                    for member in &section.members {
                        match member {
                            SectionMember::Statement(statement) => self.statement(statement),
                            SectionMember::Step(step) => {
                                self.statements(&step.body.statements);
                                let closing = step.body.on_failure.iter().chain(&step.body.always);
                                closing.for_each(|block| self.statements(&block.statements));
                            }
                        }
                    }
                    let closing = section.on_failure.iter().chain(&section.always);
                    closing.for_each(|block| self.statements(&block.statements));
                }
                ItemKind::Command(command) => {
                    if let Some(block) = &command.body {
                        self.statements(&block.statements);
                    }
                }
                ItemKind::Report(report) => self.statements(&report.body.statements),
                _ => {}
            }
        }
    }

    fn statements(&mut self, statements: &'a [Statement]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'a Statement) {
        match &statement.kind {
            StatementKind::Check(check) => self.check_title(check.title.as_ref()),
            StatementKind::Require { title, .. } => self.check_title(title.as_ref()),
            StatementKind::Change(change) => {
                self.roles.extend(change.approve_by.as_ref().map(ast::Title::as_str));
            }
            StatementKind::Manual { text, .. } => match text.constant() {
                Some(text) => self.questions.push(text),
                None => self.questions_open = true,
            },
            StatementKind::For(each) => self.statements(&each.body.statements),
            StatementKind::Retry { body, .. } => self.statements(&body.statements),
            StatementKind::If { branches, otherwise } => {
                for branch in branches {
                    self.statements(&branch.body.statements);
                }
                if let Some(block) = otherwise {
                    self.statements(&block.statements);
                }
            }
            _ => {}
        }
    }

    fn check_title(&mut self, title: Option<&'a ast::Template>) {
        match title.map(ast::Template::constant) {
            Some(Some(text)) => self.checks.push(text),
            Some(None) => self.checks_open = true,
            None => {}
        }
    }
}
