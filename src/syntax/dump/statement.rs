//! Statements and tests.

use super::Dump;
use crate::syntax::ast::{
    Block, Change, CheckElse, Expect, Expr, Fact, Given, IfBranch, Label, Statement, StatementKind, Template,
    TestStatement, TestStatementKind,
};

impl Dump {
    pub(super) fn statement(&mut self, statement: &Statement) {
        self.docs(&statement.docs);
        let name = statement.kind.keyword();
        match &statement.kind {
            StatementKind::Let { name: bound, ty, value } => self.node(name, |dump| {
                dump.name(bound);
                if let Some(ty) = ty {
                    dump.node("type", |dump| dump.type_ref(ty));
                }
                dump.expr(value);
            }),
            StatementKind::Show { value, title } | StatementKind::Require { condition: value, title } => {
                self.node(name, |dump| dump.titled(value, title.as_ref()));
            }
            StatementKind::Check(check) => self.node(name, |dump| {
                dump.titled(&check.condition, check.title.as_ref());
                if let Some(otherwise) = &check.otherwise {
                    dump.check_else(otherwise);
                }
            }),
            StatementKind::Measure { metrics } => self.node(name, |dump| dump.names(metrics)),
            StatementKind::Change(change) => self.node(name, |dump| dump.change(change)),
            StatementKind::Manual { text, link, within } => self.node(name, |dump| {
                dump.template(text);
                if let Some(link) = link {
                    dump.node("link", |dump| dump.template(link));
                }
                dump.maybe_expr("limit", within.as_ref());
            }),
            StatementKind::Wait { condition, every, within } => self.node(name, |dump| {
                dump.expr(condition);
                dump.expr(every);
                dump.maybe_expr("limit", Some(within));
            }),
            StatementKind::Retry { times, every, body } => self.node(name, |dump| {
                dump.written(times);
                dump.expr(every);
                dump.block("block", body);
            }),
            StatementKind::For(found) => self.node(name, |dump| {
                dump.name(&found.variable);
                dump.expr(&found.list);
                if let Some(at_most) = &found.at_most {
                    dump.node("at_most", |dump| dump.written(at_most));
                }
                dump.block("block", &found.body);
            }),
            StatementKind::If { branches, otherwise } => self.branches(branches, otherwise.as_ref()),
            StatementKind::Do { call } | StatementKind::Return { value: call } => {
                self.node(name, |dump| dump.expr(call));
            }
            StatementKind::Notify { channels, message } => self.node(name, |dump| {
                dump.node("notify", |dump| dump.names(channels));
                dump.maybe_template(message.as_ref());
            }),
            StatementKind::Raise { threshold, message } => self.node(name, |dump| {
                dump.title(threshold);
                dump.maybe_template(message.as_ref());
            }),
            StatementKind::Escalate { level, message } => self.node(name, |dump| {
                dump.written(level);
                dump.maybe_template(message.as_ref());
            }),
            StatementKind::Send { channels } => self.node(name, |dump| dump.names(channels)),
        }
    }

    pub(super) fn block(&mut self, name: &str, block: &Block) {
        self.node(name, |dump| block.statements.iter().for_each(|statement| dump.statement(statement)));
    }

    pub(super) fn maybe_block(&mut self, name: &str, block: Option<&Block>) {
        if let Some(block) = block {
            self.block(name, block);
        }
    }

    pub(super) fn label(&mut self, label: &Label) {
        self.node("label", |dump| {
            dump.name(&label.name);
            dump.expr(&label.list);
        });
    }

    fn titled(&mut self, value: &Expr, title: Option<&Template>) {
        self.expr(value);
        if let Some(title) = title {
            self.node("title", |dump| dump.template(title));
        }
    }

    fn check_else(&mut self, otherwise: &CheckElse) {
        self.node("orelse", |dump| match otherwise {
            CheckElse::Severity { severity, message } => {
                dump.atom(severity.node.name());
                dump.maybe_template(message.as_ref());
            }
            CheckElse::Raise { threshold, message } => {
                dump.title(threshold);
                dump.maybe_template(message.as_ref());
            }
        });
    }

    fn change(&mut self, change: &Change) {
        if let Some(binding) = &change.binding {
            self.node("binding", |dump| dump.name(binding));
        }
        self.node("target", |dump| dump.expr(&change.call));
        if let Some(title) = &change.title {
            self.node("title", |dump| dump.template(title));
        }
        self.maybe_expr("limit", change.within.as_ref());
        if let Some(role) = &change.approve_by {
            self.node("approve", |dump| dump.title(role));
        }
        self.maybe_expr("verify", change.verify.as_ref());
        self.maybe_expr("undo", change.undo.as_ref());
    }

    fn branches(&mut self, branches: &[IfBranch], otherwise: Option<&Block>) {
        let Some((first, rest)) = branches.split_first() else {
            self.maybe_block("block", otherwise);
            return;
        };
        self.node("if", |dump| {
            dump.expr(&first.condition);
            dump.block("block", &first.body);
            for branch in rest {
                dump.atom("<if");
                dump.expr(&branch.condition);
                dump.block("block", &branch.body);
            }
            dump.maybe_block("block", otherwise);
            for _ in rest {
                dump.out.push('>');
            }
        });
    }

    pub(super) fn test_statement(&mut self, statement: &TestStatement) {
        self.docs(&statement.docs);
        match &statement.kind {
            TestStatementKind::Given(given) => self.node("given", |dump| dump.given(given)),
            TestStatementKind::Run { section, args } => self.node("run", |dump| {
                dump.title(section);
                if let Some(args) = args {
                    dump.args(args);
                }
            }),
            TestStatementKind::After { time } => self.maybe_expr("after", Some(time)),
            TestStatementKind::Posted { name, labels, firing } => self.node("alert", |dump| {
                dump.title(name);
                if let Some(labels) = labels {
                    dump.expr(labels);
                }
                dump.atom(if *firing { "fires" } else { "ends" });
            }),
            TestStatementKind::Expect(expect) => self.node("expect", |dump| dump.expect(expect)),
        }
    }

    fn given(&mut self, given: &Given) {
        match given {
            Given::Approves { role } => {
                self.title(role);
                self.atom("approves");
            }
            Given::Answers { question, answer } => {
                self.title(question);
                self.atom("answers");
                self.template(answer);
            }
            Given::Unreachable { target } => {
                self.expr(target);
                self.atom("unreachable");
            }
            Given::Is { target, value } => {
                self.expr(target);
                self.atom("is");
                self.expr(value);
            }
            Given::Takes { target, duration } => {
                self.expr(target);
                self.atom("takes");
                self.expr(duration);
            }
            Given::Fails { target, message } => {
                self.expr(target);
                self.atom("fails");
                self.template(message);
            }
        }
    }

    fn expect(&mut self, expect: &Expect) {
        if expect.negated {
            self.atom("no");
        }
        match &expect.fact {
            Fact::Alert { title, severity } => {
                self.atom("alert");
                if let Some(title) = title {
                    self.title(title);
                }
                if let Some(severity) = severity {
                    self.atom(severity.node.name());
                }
            }
            Fact::Notified { channel } => {
                self.atom("notified");
                self.name(channel);
            }
            Fact::Level { level } => {
                self.atom("level");
                self.written(level);
            }
            Fact::Change { call } => {
                self.atom("change");
                self.expr(call);
            }
            Fact::Check { title, outcome } => {
                self.title(title);
                self.atom(outcome.node.name());
            }
            Fact::Run { outcome } => {
                self.atom("run");
                self.atom(outcome.node.name());
            }
        }
    }
}
