//! `reads: ["POST /query"]`: which calls of a changing method only look.

use crate::catalog::{CallFacts, Effect};
use crate::types::{Fault, FaultKind, Piece, Template};

/// A method and a path; `*` stands for one part of the path.
pub(super) struct Rule {
    method: String,
    path: String,
}

impl Rule {
    /// `POST /query`
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let rule = text.split_once(' ').map(|(method, path)| (method.to_uppercase(), path.trim()));
        match rule {
            Some((method, path)) if path.starts_with('/') && !path.contains('?') => {
                Ok(Self { method, path: path.to_owned() })
            }
            _ => Err(Fault::new(FaultKind::Setup, format!("`{text}` is no method with a path"))
                .help("write it as in `reads: [\"POST /query\"]`")),
        }
    }

    /// `path` is as written, with `*` for what is interpolated: that is never taken for a literal part of the rule.
    pub(super) fn allows(&self, method: &str, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        let same = |(own, part): (&str, &str)| own == part || (own == "*" && !part.is_empty());
        self.method == method
            && self.path.split('/').count() == path.split('/').count()
            && self.path.split('/').zip(path.split('/')).all(same)
    }
}

/// The effect of a call of a method that changes, unless the connection says otherwise.
pub(super) fn effect(method: &str, facts: &CallFacts<'_>) -> Effect {
    let Some(path) = (facts.argument)("path") else { return Effect::Changes };
    let rules = (facts.connection)("reads");
    let reads = rules.iter().any(|rule| Rule::parse(rule).is_ok_and(|rule| rule.allows(method, &path)));
    if reads { Effect::Reads } else { Effect::Changes }
}

/// A path as the rules see it.
pub(super) fn pattern(path: &Template) -> String {
    path.pieces.iter().map(|piece| if let Piece::Text(text) = piece { text } else { "*" }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Rule, effect};
    use crate::catalog::{CallFacts, Effect};

    #[test]
    fn a_rule_allows_its_path_only() {
        let rule = Rule::parse("post /indexes/*/search").expect("a rule");
        assert!(rule.allows("POST", "/indexes/*/search"));
        assert!(rule.allows("POST", "/indexes/docs/search?limit=1"));
        assert!(!rule.allows("POST", "/indexes//search"));
        assert!(!rule.allows("POST", "/indexes/docs/extra/search"));
        assert!(!rule.allows("DELETE", "/indexes/docs/search"));
        let literal = Rule::parse("POST /query").expect("a rule");
        assert!(!literal.allows("POST", "/*"), "what is interpolated is not known to be `query`");
        assert!(!literal.allows("POST", "/query/"));
        for text in ["/query", "POST query", "POST", ""] {
            assert!(Rule::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_post_changes_unless_it_is_said_to_read() {
        let path = |name: &str| (name == "path").then(|| "/query".to_owned());
        let says = |name: &str| if name == "reads" { vec!["POST /query".to_owned()] } else { Vec::new() };
        assert_eq!(effect("POST", &CallFacts { argument: &path, connection: &says }), Effect::Reads);
        assert_eq!(effect("PUT", &CallFacts { argument: &path, connection: &says }), Effect::Changes);
        assert_eq!(effect("POST", &CallFacts { argument: &|_| None, connection: &says }), Effect::Changes);
        assert_eq!(effect("POST", &CallFacts { argument: &path, connection: &|_| Vec::new() }), Effect::Changes);
    }
}
