//! What can stand where.

use crate::syntax::grammar::Rule;
use crate::syntax::words;

/// Where a piece stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::syntax) enum Place {
    /// At the top of a file.
    Item,
    HeaderField,
    ThresholdClause,
    EscalationClause,
    LevelClause,
    TestStatement,
    /// In a section.
    Member,
    /// In a step: statements, then `on failure` and `always`.
    Body,
    /// In any other block of statements.
    Block,
}

const BODY: &[&str] = &[
    "always", "change", "check", "do", "escalate", "for", "if", "let", "manual", "measure", "notify", "on", "raise",
    "require", "retry", "return", "send", "show", "wait",
];
const MEMBER: &[&str] = &[
    "always", "change", "check", "do", "escalate", "for", "if", "let", "manual", "measure", "notify", "on", "raise",
    "require", "retry", "return", "send", "show", "step", "wait",
];
const THRESHOLD: &[&str] = &["escalate", "from", "group", "link", "notify", "quiet", "until", "when"];
const ESCALATION: &[&str] = &["by", "level", "repeat", "roles"];
const LEVEL: &[&str] = &["escalate", "notify", "respond"];
const TEST: &[&str] = &["after", "alert", "expect", "given", "run"];

impl Place {
    /// What a piece here begins with.
    pub(in crate::syntax) const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Item => words::ITEMS,
            Self::HeaderField => &[],
            Self::ThresholdClause => THRESHOLD,
            Self::EscalationClause => ESCALATION,
            Self::LevelClause => LEVEL,
            Self::TestStatement => TEST,
            Self::Member => MEMBER,
            Self::Body => BODY,
            Self::Block => words::STATEMENTS,
        }
    }

    /// The strict rule of a piece here.
    pub(super) const fn rule(self) -> Rule {
        match self {
            Self::Item => Rule::one_item,
            Self::HeaderField => Rule::one_header_field,
            Self::ThresholdClause => Rule::one_threshold_clause,
            Self::EscalationClause => Rule::one_escalation_clause,
            Self::LevelClause => Rule::one_level_clause,
            Self::TestStatement => Rule::one_test_statement,
            Self::Member => Rule::one_member,
            Self::Body | Self::Block => Rule::one_statement,
        }
    }

    /// What a piece here is called.
    pub(in crate::syntax) const fn noun(self) -> &'static str {
        match self {
            Self::Item => "declaration",
            Self::HeaderField => "field",
            Self::ThresholdClause | Self::LevelClause => "clause",
            Self::EscalationClause => "part of an escalation",
            Self::TestStatement => "statement of a test",
            Self::Member | Self::Body | Self::Block => "statement",
        }
    }
}

/// Whether a word begins a statement wherever it stands: it is reserved, and no clause has it behind a value.
pub(super) fn always_begins(word: &str) -> bool {
    words::is_reserved(word) && words::STATEMENTS.contains(&word) && !matches!(word, "if" | "for")
}

/// Whether a word goes on what stands before it.
pub(super) fn goes_on(word: &str) -> bool {
    words::KEYWORDS.contains(&word)
        && !words::ITEMS.contains(&word)
        && !words::STATEMENTS.contains(&word)
        && !matches!(word, "step" | "given" | "expect" | "respond")
}

/// Whether a word can be, or end, a value or a clause.
pub(super) fn is_value_word(word: &str) -> bool {
    !words::KEYWORDS.contains(&word)
        || matches!(
            word,
            "approves"
                | "changes"
                | "critical"
                | "ends"
                | "false"
                | "fires"
                | "idempotent"
                | "info"
                | "it"
                | "null"
                | "true"
                | "unreachable"
                | "warning"
        )
}
