//! Tests.

use pest::iterators::Pair;

use super::{Builder, Built, Children, Lost};
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::source::Spanned;
use crate::syntax::ast::{Expect, Fact, Given, Outcome, Test, TestStatement, TestStatementKind};
use crate::syntax::grammar::Rule;

impl Builder<'_> {
    pub(super) fn test(&mut self, children: &mut Children<'_>) -> Built<Test> {
        let mut test = self.test_head(children.need(Rule::test_head)?)?;
        let statements = std::iter::from_fn(|| children.any().ok());
        test.statements = self.each(statements, Self::test_statement);
        Ok(test)
    }

    /// A test without its statements.
    pub(in crate::syntax) fn test_head(&mut self, pair: Pair<'_, Rule>) -> Built<Test> {
        let title = self.title(Children::new(pair).need(Rule::name)?);
        Ok(Test { title, statements: Vec::new() })
    }

    pub(in crate::syntax) fn test_statement(&mut self, pair: Pair<'_, Rule>) -> Built<TestStatement> {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut children = Children::new(pair);
        let kind = match rule {
            Rule::given => TestStatementKind::Given(self.given(children.any()?)?),
            Rule::run_s => TestStatementKind::Run {
                section: self.title(children.need(Rule::name)?),
                args: match children.take(Rule::args) {
                    Some(args) => Some(self.args_node(args)?.0),
                    None => None,
                },
            },
            Rule::after_s => TestStatementKind::After { time: self.next_pipeline(&mut children)? },
            Rule::posted => self.posted(&mut children)?,
            Rule::expect => TestStatementKind::Expect(self.expect(&mut children)?),
            _ => return Err(Lost),
        };
        Ok(TestStatement { docs: self.docs(span.start), kind, span })
    }

    fn posted(&mut self, children: &mut Children<'_>) -> Built<TestStatementKind> {
        let name = self.title(children.need(Rule::name)?);
        let labels = match children.take(Rule::record) {
            Some(record) => Some(self.record_expr(record)?),
            None => None,
        };
        Ok(TestStatementKind::Posted { name, labels, firing: children.take(Rule::fires).is_some() })
    }

    fn given(&mut self, pair: Pair<'_, Rule>) -> Built<Given> {
        let person = pair.as_rule() == Rule::given_person;
        let mut children = Children::new(pair);
        if person {
            let title = self.title(children.need(Rule::name)?);
            return Ok(match self.maybe_template(&mut children)? {
                Some(answer) => Given::Answers { question: title, answer },
                None => Given::Approves { role: title },
            });
        }
        let target = self.next_pipeline(&mut children)?;
        if let Some(takes) = children.take(Rule::takes) {
            return Ok(Given::Takes { target, duration: self.next_pipeline(&mut Children::new(takes))? });
        }
        if let Some(fails) = children.take(Rule::fails) {
            return Ok(Given::Fails { target, message: self.next_template(&mut Children::new(fails))? });
        }
        if children.peek().is_none() {
            return Ok(Given::Unreachable { target });
        }
        Ok(Given::Is { target, value: self.next_expr(&mut children)? })
    }

    fn expect(&mut self, children: &mut Children<'_>) -> Built<Expect> {
        children.keyword(Rule::kw_expect);
        let negated = children.keyword(Rule::kw_no).is_some();
        let pair = children.any()?;
        Ok(Expect { negated, fact: self.fact(pair)? })
    }

    fn fact(&mut self, pair: Pair<'_, Rule>) -> Built<Fact> {
        let rule = pair.as_rule();
        let mut children = Children::new(pair);
        let children = &mut children;
        Ok(match rule {
            Rule::alert_fact => Fact::Alert {
                title: children.take(Rule::name).map(|title| self.title(title)),
                severity: match children.take(Rule::severity) {
                    Some(severity) => Some(self.severity(&severity)?),
                    None => None,
                },
            },
            Rule::notified_fact => Fact::Notified { channel: self.next_name(children)? },
            Rule::level_fact => Fact::Level { level: self.next_number(children)? },
            Rule::change_fact => Fact::Change { call: self.next_operand(children)? },
            Rule::run_fact => {
                let outcome = children.need(Rule::outcome)?;
                Fact::Run { outcome: self.outcome(&outcome)? }
            }
            Rule::check_fact => {
                let title = self.title(children.need(Rule::name)?);
                let outcome = children.need(Rule::outcome)?;
                Fact::Check { title, outcome: self.outcome(&outcome)? }
            }
            _ => return Err(Lost),
        })
    }

    fn outcome(&mut self, pair: &Pair<'_, Rule>) -> Built<Spanned<Outcome>> {
        let span = self.span(pair);
        let words: Vec<&str> = pair.clone().into_inner().map(|inner| inner.as_str()).collect();
        let written = words.join(" ");
        if let Some(found) = Outcome::ALL.into_iter().find(|outcome| outcome.name() == written) {
            return Ok(Spanned::new(found, span));
        }
        let fault = Diagnostic::new(Code::Syntax, span, format!("nothing ends as `{written}`"));
        Err(self.fault(match nearest(&written, Outcome::ALL.map(Outcome::name)) {
            Some(near) => fault.help(format!("did you mean `{near}`?")).fix(span, near),
            None => fault.help("write `passed`, `failed` or `not measured`"),
        }))
    }
}
