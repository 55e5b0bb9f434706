//! What a piece becomes.

use pest::iterators::Pair;

use super::Place;
use crate::syntax::ast::{
    Block, EscalationClause, Header, HeaderField, Item, LevelClause, SectionMember, Statement, TestStatement,
    ThresholdClause,
};
use crate::syntax::build::{Builder, Built};
use crate::syntax::grammar::Rule;

pub(in crate::syntax) enum Part {
    Header(Header),
    Item(Item),
    HeaderField(HeaderField),
    ThresholdClause(ThresholdClause),
    EscalationClause(EscalationClause),
    LevelClause(LevelClause),
    TestStatement(TestStatement),
    Member(SectionMember),
    OnFailure(Block),
    Always(Block),
}

impl Part {
    pub(super) const fn statement(statement: Statement) -> Self {
        Self::Member(SectionMember::Statement(statement))
    }
}

pub(super) fn build(builder: &mut Builder<'_>, pair: Pair<'_, Rule>, place: Place) -> Built<Part> {
    Ok(match place {
        Place::Item if pair.as_rule() == Rule::header => Part::Header(builder.header(pair)?),
        Place::Item => Part::Item(builder.item(pair)?),
        Place::HeaderField => Part::HeaderField(builder.header_field(pair)?),
        Place::ThresholdClause => Part::ThresholdClause(builder.threshold_clause(pair)?),
        Place::EscalationClause => Part::EscalationClause(builder.escalation_clause(pair)?),
        Place::LevelClause => Part::LevelClause(builder.level_clause(pair)?),
        Place::TestStatement => Part::TestStatement(builder.test_statement(pair)?),
        Place::Member => Part::Member(builder.member(pair)?),
        Place::Body | Place::Block => Part::statement(builder.statement(pair)?),
    })
}

/// The parts of a block, sorted out.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) fields: Vec<HeaderField>,
    pub(super) threshold: Vec<ThresholdClause>,
    pub(super) escalation: Vec<EscalationClause>,
    pub(super) level: Vec<LevelClause>,
    pub(super) test: Vec<TestStatement>,
    pub(super) members: Vec<SectionMember>,
    pub(super) on_failure: Option<Block>,
    pub(super) always: Option<Block>,
}

impl Parts {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        let mut sorted = Self::default();
        for part in parts {
            match part {
                Part::HeaderField(field) => sorted.fields.push(field),
                Part::ThresholdClause(clause) => sorted.threshold.push(clause),
                Part::EscalationClause(clause) => sorted.escalation.push(clause),
                Part::LevelClause(clause) => sorted.level.push(clause),
                Part::TestStatement(statement) => sorted.test.push(statement),
                Part::Member(member) => sorted.members.push(member),
                Part::OnFailure(block) => sorted.on_failure = Some(block),
                Part::Always(block) => sorted.always = Some(block),
                Part::Header(_) | Part::Item(_) => {}
            }
        }
        sorted
    }

    pub(super) fn statements(self) -> Vec<Statement> {
        self.members
            .into_iter()
            .filter_map(|member| match member {
                SectionMember::Statement(statement) => Some(statement),
                SectionMember::Step(_) => None,
            })
            .collect()
    }
}
