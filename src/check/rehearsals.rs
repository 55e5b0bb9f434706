//! Tests: whether what they speak of is there.

use std::sync::Arc;

use indexmap::IndexSet;

use super::calls::Position;
use super::checker::Checker;
use super::convert::Want;
use super::declarations::doc;
use super::made::Made;
use super::placement::Place;
use super::program::{self, Expr, ExprKind, ParamId, Program, Target, Test, TestKind};
use crate::diagnostics::{Code, Diagnostic, has_errors, nearest};
use crate::source::Span;
use crate::syntax::ast::{
    self, Expect, Fact, Given, ItemKind, SectionMember, Statement, StatementKind, TestStatement, TestStatementKind,
};
use crate::types::{Field, RecordType, Type, Value};

/// What a test may speak of.
#[derive(Default)]
struct Titles<'a, 'p> {
    sections: Vec<&'a str>,
    checks: Vec<&'a str>,
    roles: Vec<&'a str>,
    questions: Vec<&'a str>,
    /// Whether titles with values in them are there: then any title may be one of theirs.
    checks_open: bool,
    questions_open: bool,
    /// What the program asks and changes; `None` where nobody knows.
    made: Option<Made<'p>>,
}

impl<'a> Checker<'a> {
    /// The tests of the root file.
    pub(super) fn rehearsals(&mut self, program: &Program) -> Vec<Test> {
        let names = self.names;
        let mut tests = Vec::new();
        self.module = 0;
        let Some(root) = names.modules.first() else { return tests };
        if root.file.items.iter().all(|item| !matches!(item.kind, ItemKind::Test(_))) {
            return tests;
        }
        // Of what could not be read nobody knows what it makes.
        let made = (!has_errors(&self.diagnostics)).then(|| Made::of(program));
        let mut titles = Titles { made, ..Titles::default() };
        for module in &names.modules {
            titles.collect(module.file);
        }
        let mut own: std::collections::HashMap<&str, Span> = std::collections::HashMap::new();
        for item in &root.file.items {
            if let ItemKind::Test(test) = &item.kind {
                if let Some(first) = own.insert(test.title.as_str(), test.title.span) {
                    self.report(super::names::duplicate(test.title.as_str(), test.title.span, first));
                }
                if !test.statements.iter().any(|one| matches!(one.kind, TestStatementKind::Expect(_))) {
                    let message = format!("nothing is expected of `{}`", test.title.as_str());
                    let help = "say what is to come of it, e.g. `expect no alert`";
                    self.report(Diagnostic::new(Code::ProvesNothing, test.title.span, message).help(help));
                }
                let statements = test.statements.iter().filter_map(|statement| {
                    let kind = self.rehearsed(statement, &titles, program)?;
                    Some(program::TestStatement { kind, span: statement.span })
                });
                let statements = statements.collect();
                let (title, span) = (test.title.text.clone(), test.title.span);
                tests.push(Test { title, doc: doc(&item.docs), span, statements });
            }
        }
        tests
    }

    /// `None` for what was a mistake.
    fn rehearsed(
        &mut self,
        statement: &'a TestStatement,
        titles: &Titles<'a, '_>,
        program: &Program,
    ) -> Option<TestKind> {
        Some(match &statement.kind {
            TestStatementKind::Given(given) => TestKind::Given(self.given(given, titles)?),
            TestStatementKind::Run { section, args } => {
                self.check_title(section, &titles.sections, "section or report", false);
                let args = args.iter().flat_map(|args| &args.items);
                let set = args.filter_map(|arg| self.run_argument(arg)).collect();
                TestKind::Run { section: section.text.clone(), set }
            }
            TestStatementKind::After { time } => {
                let time = self.expr_as(time, &Type::Duration, "`after`");
                TestKind::After(self.constant_duration(&time, "`after`")?)
            }
            TestStatementKind::Posted { name, labels, firing } => {
                let labels = labels.as_ref().map(|labels| self.labels_of(labels)).unwrap_or_default();
                self.check_taken(name, program)?;
                TestKind::Posted { name: name.text.clone(), labels, firing: *firing }
            }
            TestStatementKind::Expect(expect) => {
                let fact = self.expected(expect, titles, program)?;
                TestKind::Expect { negated: expect.negated, fact }
            }
        })
    }

    /// The labels of an alert that others post, each a text.
    fn labels_of(&mut self, labels: &'a ast::Expr) -> Vec<(Arc<str>, Expr)> {
        let ExprKind::Record(fields) = self.expr(labels).kind else { return Vec::new() };
        let mut kept = Vec::new();
        for (name, value) in fields {
            if &*name == "alertname" {
                let message = "the name of an alert is no label: it stands before them";
                self.report(Diagnostic::new(Code::ImpossibleTest, value.span, message));
                continue;
            }
            let place = format!("the label `{name}`");
            kept.push((name, self.coerce(value, &Want::new(&Type::String, &place))));
        }
        kept
    }

    /// Whether a threshold takes what others post under this name: in a server nobody would be told of one that none takes.
    fn check_taken(&mut self, name: &ast::Title, program: &Program) -> Option<()> {
        let mut taken = program.thresholds.iter().flat_map(|threshold| &threshold.from);
        if taken.clone().any(|own| **own == *name.text) {
            return Some(());
        }
        let message = format!("no threshold takes an alert `{}` from others", name.as_str());
        let diagnostic = Diagnostic::new(Code::ImpossibleTest, name.span, message);
        let near = nearest(name.as_str(), taken.by_ref().map(|own| &**own));
        self.report(match near {
            Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")).fix(name.span, format!("\"{meant}\"")),
            None => diagnostic.help(format!("name it in a threshold: `from alertmanager \"{}\"`", name.as_str())),
        });
        None
    }

    /// `run "Section" (name: value)` sets a param.
    fn run_argument(&mut self, arg: &'a ast::Arg) -> Option<(ParamId, Expr)> {
        let Some(name) = &arg.name else {
            let message = "a param is given by its name";
            self.report(Diagnostic::new(Code::ImpossibleTest, arg.span, message).help("write `name: value`"));
            self.touch(&arg.value);
            return None;
        };
        let what = self.names.find(0, &name.text).map(|declaration| declaration.what);
        if let Some(what @ super::names::What::Param(id)) = what {
            let ty = self.type_of_declared(what);
            let value = self.expr(&arg.value);
            let place = format!("`{name}`");
            return Some((id, self.coerce(value, &Want::new(&ty, &place))));
        }
        self.report(Diagnostic::new(Code::ImpossibleTest, name.span, format!("there is no param `{name}`")));
        self.touch(&arg.value);
        None
    }

    fn given(&mut self, given: &'a Given, titles: &Titles<'a, '_>) -> Option<program::Given> {
        Some(match given {
            Given::Approves { role } => {
                self.check_title(role, &titles.roles, "role that approves anything,", false);
                program::Given::Approves { role: role.text.clone() }
            }
            Given::Answers { question, answer } => {
                self.check_title(question, &titles.questions, "`manual`", titles.questions_open);
                program::Given::Answers { question: question.text.clone(), answer: self.text_expr(answer, true) }
            }
            Given::Unreachable { target } => {
                let mentioned = self.mentioned(target);
                program::Given::Unreachable(self.target(mentioned, titles)?)
            }
            Given::Is { target, value } => {
                let target = self.mentioned(target);
                let value = self.expr(value);
                // What a test does not say of an answer is not given: a record may be left incomplete.
                self.check_given_fields(&target.ty, &value.ty, value.span);
                self.check_given_status(&target, &value);
                let wanted = as_far_as_given(&target.ty, &value.ty);
                let value = self.coerce(value, &Want::new(&wanted, "what is given"));
                program::Given::Is { target: self.target(target, titles)?, value }
            }
            Given::Takes { target, duration } => {
                let target = self.mentioned(target);
                let duration = self.expr_as(duration, &Type::Duration, "`takes`");
                let duration = self.constant_duration(&duration, "`takes`");
                program::Given::Takes { target: self.target(target, titles)?, duration: duration? }
            }
            Given::Fails { target, message } => {
                let target = self.mentioned(target);
                let message = self.text_expr(message, true);
                program::Given::Fails { target: self.target(target, titles)?, message }
            }
        })
    }

    /// The body of an answer over HTTP whose status is an error: no run ever has it.
    fn check_given_status(&mut self, target: &Expr, value: &Expr) {
        let (ExprKind::Call(call), ExprKind::Record(fields)) = (&target.kind, &value.kind) else { return };
        let of = |name: &str| fields.iter().find(|(own, _)| &**own == name).map(|(_, value)| value);
        let status = of("status").and_then(super::constants::constant);
        let own = call.builtin.params.iter().position(|param| param.name == "status");
        let lists_its_own = own.is_some_and(|place| call.args.get(place).is_some_and(Option::is_some));
        let Some(Value::Int(status)) = status.filter(|_| call.builtin.name.starts_with("http.")) else { return };
        if (200..300).contains(status) || lists_its_own {
            return;
        }
        for name in ["json", "text"] {
            if let Some(body) = of(name) {
                let message = format!("no run has the `{name}` of an answer whose status is {status}");
                let help = "leave it out; where the status is a good answer, the call says so: `status: [404]`";
                self.report(Diagnostic::new(Code::ImpossibleTest, body.span, message).help(help));
            }
        }
    }

    /// A field that the answer does not have: nothing would ever read it.
    fn check_given_fields(&mut self, wanted: &Type, given: &Type, span: Span) {
        match (wanted.present(), given.present()) {
            (Type::List(wanted), Type::List(given)) => self.check_given_fields(wanted, given, span),
            (Type::Record(wanted), Type::Record(given)) => {
                for (name, field) in &given.fields {
                    if let Some(own) = wanted.fields.get(name) {
                        self.check_given_fields(&own.ty, &field.ty, span);
                        continue;
                    }
                    let message = format!(
                        "{} has no field `.{name}`, so nothing would read it",
                        super::wording::a(&Type::Record(Arc::clone(wanted)))
                    );
                    let meant = self.meant(name, wanted.fields.keys().map(|known| &**known));
                    let diagnostic = Diagnostic::new(Code::ImpossibleTest, span, message);
                    self.report(match meant {
                        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
                        None => diagnostic,
                    });
                }
            }
            _ => {}
        }
    }

    /// What a test can put something else in the place of.
    fn target(&mut self, mentioned: Expr, titles: &Titles<'a, '_>) -> Option<Target> {
        match mentioned.kind {
            ExprKind::Metric(id) => Some(Target::Metric(id)),
            ExprKind::Connection(id) => Some(Target::Connection(id)),
            ExprKind::Call(_) | ExprKind::Tool { .. } => {
                self.check_asked(&mentioned, titles);
                Some(Target::Call(mentioned))
            }
            ExprKind::Command { .. } => {
                let message = format!("{} is a command: it asks nobody by itself", self.quoted(mentioned.span));
                let help = "give what the command reads";
                self.report(Diagnostic::new(Code::ImpossibleTest, mentioned.span, message).help(help));
                None
            }
            ExprKind::Broken => None,
            _ => {
                let message = format!("{} is not asked of anybody", self.quoted(mentioned.span));
                let help = "name a connection, a metric, or a call";
                self.report(Diagnostic::new(Code::ImpossibleTest, mentioned.span, message).help(help));
                None
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

    fn expected(&mut self, expect: &'a Expect, titles: &Titles<'a, '_>, program: &Program) -> Option<program::Fact> {
        Some(match &expect.fact {
            Fact::Alert { title: Some(title), severity } => {
                let Some(id) = self.names.threshold(title.as_str()) else {
                    let known: Vec<&str> = self.names.threshold_titles().collect();
                    self.check_title(title, &known, "threshold", false);
                    return None;
                };
                let threshold = self.names.thresholds.get(id.index())?;
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
                program::Fact::Alert(Some((id, severity.as_ref().map(|severity| severity.node))))
            }
            Fact::Alert { title: None, .. } => program::Fact::Alert(None),
            Fact::Run { outcome } => program::Fact::Run(outcome.node),
            Fact::Notified { channel } => {
                program::Fact::Notified(self.channels(std::slice::from_ref(channel)).first().copied()?)
            }
            Fact::Level { level } => {
                let number = self.count(level, 1, "a level")?;
                let known = program.escalations.iter().flat_map(|escalation| &escalation.levels);
                if known.into_iter().all(|known| known.number != number) {
                    let message = format!("there is no level {number}");
                    self.report(Diagnostic::new(Code::ImpossibleTest, level.span, message));
                }
                program::Fact::Level(number)
            }
            Fact::Change { call } => {
                let call = self.mentioned(call);
                self.check_changed(&call, titles);
                program::Fact::Change(call)
            }
            Fact::Check { title, outcome } => {
                self.check_title(title, &titles.checks, "check", titles.checks_open);
                program::Fact::Check { title: title.text.clone(), outcome: outcome.node }
            }
        })
    }

    /// Whether the runbook has such a change: that one was not made that nobody makes proves nothing.
    fn check_changed(&mut self, call: &Expr, titles: &Titles<'a, '_>) {
        let Some(made) = &titles.made else { return };
        let message = format!("nothing of the runbook makes the change {}", self.quoted(call.span));
        self.check_made(call, &made.changes, message, "it makes");
    }

    /// Whether the runbook asks what a test gives the answer of: nothing would ever hear it.
    fn check_asked(&mut self, call: &Expr, titles: &Titles<'a, '_>) {
        let Some(made) = &titles.made else { return };
        let message = format!("nothing of the runbook asks {}", self.quoted(call.span));
        self.check_made(call, &made.asked, message, "it asks");
    }

    fn check_made(&mut self, call: &Expr, made: &[&Expr], message: String, help: &str) {
        if matches!(call.kind, ExprKind::Broken) || made.iter().any(|made| super::made::may_be(call, made)) {
            return;
        }
        let diagnostic = Diagnostic::new(Code::ImpossibleTest, call.span, message);
        let near = made.iter().filter(|made| super::made::is_same_call(call, made));
        let near: IndexSet<String> = near.map(|made| self.quoted(made.span)).collect();
        let near: Vec<&str> = near.iter().map(String::as_str).take(4).collect();
        self.report(if near.is_empty() { diagnostic } else { diagnostic.help(format!("{help} {}", near.join(", "))) });
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

/// The type that is wanted, of the fields that are there.
fn as_far_as_given(wanted: &Type, given: &Type) -> Type {
    match (wanted, given) {
        // One record of a list may leave out what another one has, where that may be missing.
        (Type::Optional(wanted), given) => as_far_as_given(wanted, given.present()).optional(),
        (Type::List(wanted), Type::List(given)) => Type::list(as_far_as_given(wanted, given)),
        (Type::Record(wanted), Type::Record(given)) => {
            let kept = wanted.fields.iter().filter(|(name, _)| given.fields.contains_key(*name));
            let fields = kept.map(|(name, field)| {
                let inner = given.fields.get(name).map_or(&field.ty, |given| &given.ty);
                (name.clone(), Field { ty: as_far_as_given(&field.ty, inner), doc: field.doc.clone() })
            });
            Type::Record(RecordType { name: wanted.name.clone(), fields: fields.collect() }.into())
        }
        (wanted, _) => wanted.clone(),
    }
}

impl<'a> Titles<'a, '_> {
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
                ItemKind::Report(report) => {
                    self.sections.push(report.title.as_str());
                    self.statements(&report.body.statements);
                }
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
