//! `reads: ["df", "redis-cli info"]`: which commands only look.

use std::sync::Arc;

use crate::builtins::words;
use crate::catalog::{CallFacts, Effect};
use crate::types::{Fault, Piece, Template};

/// The first words of commands that only look.
#[derive(Clone, Debug)]
pub(in crate::builtins::kubernetes) struct Rule(Vec<String>);

impl Rule {
    /// `redis-cli info`
    pub(in crate::builtins::kubernetes) fn parse(text: &str) -> Result<Self, Fault> {
        words::of_text(text).map(Self)
    }

    /// The words are as written, with `*` for what is interpolated: that is never taken for a word of the rule.
    fn allows(&self, command: &[String]) -> bool {
        self.0.len() <= command.len()
            && self.0.iter().zip(command).all(|(own, word)| own == word && !word.contains('*'))
    }
}

/// Whether one of the rules allows a command.
pub(super) fn allowed(rules: &[Rule], command: &Template) -> bool {
    let pieces = command.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => Piece::Text(Arc::clone(text)),
        Piece::Value(_) => Piece::Text("*".into()),
    });
    let written = Template { pieces: pieces.collect() };
    words::of_template(&written).is_ok_and(|words| rules.iter().any(|rule| rule.allows(&words)))
}

/// A command changes unless the connection says that it only looks.
pub(super) fn effect(facts: &CallFacts<'_>) -> Effect {
    let Some(command) = (facts.argument)("command") else { return Effect::Changes };
    let Ok(words) = words::of_text(&command) else { return Effect::Changes };
    let rules = (facts.connection)("reads");
    let reads = rules.iter().any(|rule| Rule::parse(rule).is_ok_and(|rule| rule.allows(&words)));
    if reads { Effect::Reads } else { Effect::Changes }
}

#[cfg(test)]
mod tests {
    use super::{allowed, effect};
    use crate::catalog::{CallFacts, Effect};
    use crate::types::{Piece, Template, Value};

    fn of(command: &'static str, reads: &'static [&'static str]) -> Effect {
        let argument = |name: &str| (name == "command").then(|| command.to_owned());
        let connection = |name: &str| {
            let rules = if name == "reads" { reads } else { &[] };
            rules.iter().map(|rule| (*rule).to_owned()).collect()
        };
        effect(&CallFacts { argument: &argument, connection: &connection })
    }

    #[test]
    fn a_command_reads_where_its_first_words_are_said_to() {
        assert_eq!(of("df -h", &[]), Effect::Changes);
        assert_eq!(of("df -h", &["df"]), Effect::Reads);
        assert_eq!(of("redis-cli info memory", &["df", "redis-cli info"]), Effect::Reads);
        assert_eq!(of("redis-cli flushall", &["redis-cli info"]), Effect::Changes);
        assert_eq!(of("redis-cli", &["redis-cli info"]), Effect::Changes);
        assert_eq!(of("dfx", &["df"]), Effect::Changes);
        assert_eq!(of("redis-cli *", &["redis-cli *"]), Effect::Changes, "who knows what it will be");
        assert_eq!(of("df 'x", &["df"]), Effect::Changes);
    }

    #[test]
    fn what_is_interpolated_is_no_word_of_a_rule() {
        let rules = [super::Rule::parse("redis-cli info").unwrap()];
        let command = |value: &str| Template {
            pieces: vec![Piece::Text("redis-cli ".into()), Piece::Value(Value::string(value))],
        };
        assert!(!allowed(&rules, &command("info")));
        let written = Template { pieces: vec![Piece::Text("redis-cli info ".into()), Piece::Value(Value::Int(1))] };
        assert!(allowed(&rules, &written));
    }
}
