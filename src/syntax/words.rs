//! The words of the language.

/// All words that mean something somewhere: for editors, and for "did you mean".
pub const KEYWORDS: &[&str] = &[
    "after",
    "alert",
    "always",
    "and",
    "answers",
    "approve",
    "approves",
    "as",
    "at",
    "by",
    "change",
    "changes",
    "channel",
    "check",
    "command",
    "connect",
    "critical",
    "cron",
    "daily",
    "day",
    "deprecated",
    "do",
    "else",
    "ends",
    "escalate",
    "escalation",
    "every",
    "expect",
    "fails",
    "failure",
    "false",
    "fires",
    "for",
    "from",
    "given",
    "group",
    "hand",
    "idempotent",
    "if",
    "in",
    "info",
    "is",
    "it",
    "let",
    "level",
    "library",
    "link",
    "manual",
    "measure",
    "metric",
    "monthly",
    "most",
    "no",
    "not",
    "notified",
    "notify",
    "null",
    "on",
    "or",
    "otherwise",
    "param",
    "quiet",
    "raise",
    "repeat",
    "report",
    "require",
    "respond",
    "retry",
    "return",
    "roles",
    "run",
    "runbook",
    "secret",
    "section",
    "send",
    "show",
    "step",
    "takes",
    "test",
    "then",
    "threshold",
    "to",
    "tool",
    "true",
    "try",
    "type",
    "undo",
    "unless",
    "unreachable",
    "until",
    "use",
    "verify",
    "wait",
    "warning",
    "weekly",
    "when",
    "while",
    "within",
];

/// The words that no declaration may take as its name. Fields, keys and arguments may.
pub const RESERVED: &[&str] = &[
    "and",
    "change",
    "check",
    "do",
    "else",
    "escalate",
    "false",
    "for",
    "if",
    "in",
    "it",
    "let",
    "manual",
    "measure",
    "not",
    "notify",
    "null",
    "or",
    "otherwise",
    "raise",
    "require",
    "retry",
    "return",
    "show",
    "then",
    "true",
    "try",
    "wait",
];

/// What a declaration begins with.
pub const ITEMS: &[&str] = &[
    "channel",
    "command",
    "connect",
    "escalation",
    "library",
    "metric",
    "param",
    "report",
    "runbook",
    "secret",
    "section",
    "test",
    "threshold",
    "tool",
    "type",
    "use",
];

/// What a statement begins with.
pub const STATEMENTS: &[&str] = &[
    "change", "check", "do", "escalate", "for", "if", "let", "manual", "measure", "notify", "raise", "require",
    "retry", "return", "send", "show", "wait",
];

/// Whether a word may not be a declaration's name.
#[must_use]
pub fn is_reserved(word: &str) -> bool {
    RESERVED.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{ITEMS, KEYWORDS, RESERVED, STATEMENTS};

    const GRAMMAR: &str = include_str!("../../grammar/runbook.pest");

    /// The words in a rule's text: `"a" | "b"`.
    fn quoted(text: &str) -> Vec<&str> {
        text.split('"').skip(1).step_by(2).collect()
    }

    #[test]
    fn the_lists_are_sorted_and_known() {
        for list in [KEYWORDS, RESERVED, ITEMS, STATEMENTS] {
            assert!(list.is_sorted(), "{list:?}");
            assert!(list.iter().all(|word| KEYWORDS.contains(word)), "{list:?}");
        }
    }

    #[test]
    fn the_lists_are_the_grammar_s() {
        let words: Vec<&str> = GRAMMAR
            .lines()
            .filter(|line| {
                ["kw_", "boolean", "null", "it ", "severity", "header_kind"].iter().any(|start| line.starts_with(start))
            })
            .flat_map(quoted)
            .chain(["and", "or", "not", "in"])
            .collect();
        let mut words = words;
        words.sort_unstable();
        words.dedup();
        assert_eq!(words, KEYWORDS);

        let start = GRAMMAR.find("reserved = _{").unwrap();
        let rule = &GRAMMAR[start..start + GRAMMAR[start..].find('}').unwrap()];
        // The single letters are looks ahead.
        let mut reserved: Vec<&str> = quoted(rule).into_iter().filter(|word| word.len() > 1).collect();
        reserved.sort_unstable();
        assert_eq!(reserved, RESERVED);
    }
}
