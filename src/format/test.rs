//! Tests.

use super::doc::Doc;
use super::printer::Printer;
use super::statement::Line;
use crate::syntax::ast::{Expect, Fact, Given, TestStatement, TestStatementKind};

impl Printer<'_> {
    pub(super) fn test_block(&mut self, statements: &[TestStatement], end: u32) -> Vec<Doc> {
        self.lines_of(statements, |statement| statement.span, Self::test_statement, end)
    }

    fn test_statement(&mut self, statement: &TestStatement) -> Doc {
        let mut line = match &statement.kind {
            TestStatementKind::Given(given) => self.given(given),
            TestStatementKind::Run { section, args } => {
                let mut line = Line::new("run");
                line.value(self.title(section));
                if let Some(args) = args {
                    line.value(self.args(args));
                }
                line
            }
            TestStatementKind::After { time } => {
                let mut line = Line::new("after");
                line.value(self.expr(time));
                line
            }
            TestStatementKind::Posted { name, labels, firing } => {
                let mut line = Line::new("alert");
                line.value(self.title(name));
                if let Some(labels) = labels {
                    line.value(self.expr(labels));
                }
                line.word(if *firing { "fires" } else { "ends" });
                line
            }
            TestStatementKind::Expect(expect) => self.expect(expect),
        };
        self.leftover(statement.span.end, &mut line.rest);
        line.doc()
    }

    fn given(&mut self, given: &Given) -> Line {
        let mut line = Line::new("given");
        match given {
            Given::Approves { role } => {
                line.value(self.title(role));
                line.word("approves");
            }
            Given::Answers { question, answer } => {
                line.value(self.title(question));
                self.clause(&mut line, "answers", answer.span, |printer| printer.template(answer));
            }
            Given::Unreachable { target } => {
                line.value(self.expr(target));
                line.word("is unreachable");
            }
            Given::Is { target, value } => {
                line.value(self.expr(target));
                self.clause(&mut line, "is", value.span, |printer| printer.expr(value));
            }
            Given::Takes { target, duration } => {
                line.value(self.expr(target));
                self.clause(&mut line, "takes", duration.span, |printer| printer.expr(duration));
            }
            Given::Fails { target, message } => {
                line.value(self.expr(target));
                self.clause(&mut line, "fails", message.span, |printer| printer.template(message));
            }
        }
        line
    }

    fn expect(&mut self, expect: &Expect) -> Line {
        let mut line = Line::new(if expect.negated { "expect no" } else { "expect" });
        match &expect.fact {
            Fact::Alert { title, severity } => {
                line.word("alert");
                if let Some(title) = title {
                    line.value(self.title(title));
                }
                if let Some(severity) = severity {
                    line.word(severity.node.name());
                }
            }
            Fact::Notified { channel } => line.word(&format!("notified {channel}")),
            Fact::Level { level } => line.word(&format!("level {}", level.node)),
            Fact::Change { call } => {
                line.word("change");
                line.value(self.expr(call));
            }
            Fact::Check { title, outcome } => {
                line.value(self.title(title));
                line.word(outcome.node.name());
            }
            Fact::Run { outcome } => line.word(&format!("run {}", outcome.node.name())),
        }
        line
    }
}
