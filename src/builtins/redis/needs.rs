//! What the calls of Redis need: rules of an ACL.

use super::command::COMMAND as WORDS;
use super::key::KEY;
use super::key_words;
use crate::builtins::words;
use crate::catalog::need::{Argument, Need, Right, Written};

/// Needs of one rule each, whatever is written in the call.
macro_rules! rules {
    ($($name:ident = $rule:literal;)*) => {$(
        pub(super) const $name: Need =
            Need::Granted { words: concat!("ACL ", $rule), rights: |_| vec![rule($rule)] };
    )*};
}

rules! {
    INFO = "+info";
    PING = "+ping";
    COUNT = "+dbsize";
    SCAN = "+scan";
    SLOW_LOG = "+slowlog|get";
    SETTING = "+config|get";
    DOCTOR = "+memory|doctor";
}

/// Of the connection itself, where it is about another database than the first.
pub(super) const SELECT: Need = Need::Granted {
    words: "ACL +select, where `database` is given",
    rights: |written| match (written.argument)("database") {
        Argument::Absent => Vec::new(),
        _ => vec![rule("+select")],
    },
};

pub(super) const GET: Need =
    Need::Granted { words: "ACL +get, and ~PATTERN for the key", rights: |written| of_key(written, &["+get"]) };

pub(super) const KEY_FACTS: Need = Need::Granted {
    words: "ACL +type +pttl +memory|usage, and ~PATTERN for the key",
    rights: |written| of_key(written, &["+type", "+pttl", "+memory|usage"]),
};

pub(super) const COMMAND: Need =
    Need::Granted { words: "ACL + the command, and ~PATTERN for its keys", rights: of_command };

pub(super) const READ: Need = Need::Granted {
    words: "ACL +command|info + the command, and ~PATTERN for its keys",
    rights: |written| std::iter::once(rule("+command|info")).chain(of_command(written)).collect(),
};

fn rule(rule: &str) -> Right {
    Right::Redis { rule: rule.to_owned() }
}

fn of_key(written: &Written<'_>, commands: &[&str]) -> Vec<Right> {
    let keys = (written.argument)(KEY.name());
    let known = matches!(keys, Argument::Texts(_));
    let keys = keys.patterns().iter().map(|key| of_word(key, known));
    commands.iter().map(|command| rule(command)).chain(keys).collect()
}

/// A key, or a part of one with `*` for what is not known: any other sign of a pattern in it stands for itself. A blank
/// is any sign there, since no rule may have one.
fn of_word(key: &str, known: bool) -> Right {
    let mut pattern = String::from("~");
    for c in key.chars() {
        if c.is_ascii_whitespace() {
            pattern.push('?');
            continue;
        }
        if matches!(c, '?' | '[' | ']' | '\\') || c == '*' && known {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    rule(&pattern)
}

/// The command itself, and its keys, as far as it is known which words are keys.
fn of_command(written: &Written<'_>) -> Vec<Right> {
    let mut rights = Vec::new();
    let texts = (written.argument)(WORDS.name());
    let known = matches!(texts, Argument::Texts(_));
    for text in texts.patterns() {
        let unclear = |what: String| Right::Unclear { words: what };
        let one_line = || text.split_whitespace().collect::<Vec<_>>().join(" ");
        // What is no command is refused before it is sent.
        let Ok(words) = words::of_written(text) else { continue };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some(first) = words.first().map(|word| word.to_lowercase()) else { continue };
        if !known && first.contains('*') {
            rights.push(unclear(format!("what `{}` wants", one_line())));
            continue;
        }
        let second = words.get(1).map(|word| word.to_lowercase()).filter(|_| key_words::is_container(&first));
        match second {
            Some(second) if known || !second.contains('*') => rights.push(rule(&format!("+{first}|{second}"))),
            _ => rights.push(rule(&format!("+{first}"))),
        }
        let of = key_words::of(&first, &words);
        rights.extend(of.keys.into_iter().map(|key| of_word(key, known)));
        rights.extend(of.channels.into_iter().map(|channel| rule(&format!("&{channel}"))));
        rights.extend(of.unclear.map(|what| unclear(format!("{what}, in `{}`", one_line()))));
    }
    rights
}

#[cfg(test)]
mod tests {
    use super::of_command;
    use crate::catalog::need::{Argument, Right, Written};

    fn rules(text: &Argument) -> Vec<String> {
        let argument = |_: &str| text.clone();
        let one = |right| match right {
            Right::Redis { rule } => rule,
            Right::Unclear { words } => format!("? {words}"),
            other => panic!("{other:?}"),
        };
        of_command(&Written { argument: &argument }).into_iter().map(one).collect()
    }

    #[test]
    fn words_are_those_that_a_run_sends_and_only_keys_are_keys() {
        let of = |text: &str| rules(&Argument::Texts(vec![text.to_owned()]));
        assert_eq!(of("SET jobs:count \"a b * c\""), ["+set", "~jobs:count"]);
        assert_eq!(of("del 'a b' c"), ["+del", "~a?b", "~c"]);
        assert_eq!(of("GET a*[1]"), ["+get", r"~a\*\[1\]"]);
        assert_eq!(of("MSET a 1 b 2"), ["+mset", "~a", "~b"]);
        assert_eq!(of("BLPOP a b 0"), ["+blpop", "~a", "~b"]);
        assert_eq!(of("ZUNIONSTORE to 2 a b WEIGHTS 1 2"), ["+zunionstore", "~to", "~a", "~b"]);
        assert_eq!(of("XREADGROUP GROUP g c STREAMS s t > >"), ["+xreadgroup", "~s", "~t"]);
        assert_eq!(of("XGROUP CREATE s g $"), ["+xgroup|create", "~s"]);
        assert_eq!(of("OBJECT FREQ k"), ["+object|freq", "~k"]);
        assert_eq!(of("MEMORY PURGE"), ["+memory|purge"]);
        assert_eq!(of("MEMORY USAGE k SAMPLES 5"), ["+memory|usage", "~k"]);
        assert_eq!(of("SCAN 0 MATCH *"), ["+scan"]);
        assert_eq!(of("PUBLISH news \"* *\""), ["+publish", "&news"]);
        assert_eq!(rules(&Argument::Pattern("DEL session:*".to_owned())), ["+del", "~session:*"]);
    }

    #[test]
    fn what_a_script_calls_is_not_made_up() {
        let of = |text: &str| rules(&Argument::Texts(vec![text.to_owned()]));
        let script = "EVAL \"local n = 2 * 3 return redis.call('SET', KEYS[1], n)\" 1 jobs:count x";
        let found = of(script);
        assert_eq!(found.get(..2), Some(&["+eval".to_owned(), "~jobs:count".to_owned()][..]));
        assert!(found.get(2).is_some_and(|last| last.starts_with("? the commands that the script calls")), "{found:?}");
        let found = of("FUNNY.CMD a * b");
        assert_eq!(found.first().map(String::as_str), Some("+funny.cmd"));
        assert!(
            found.len() == 2 && found.iter().any(|one| one.starts_with("? which of its words are keys")),
            "{found:?}"
        );
        assert!(of("EVAL \"return 1\" x").iter().all(|one| !one.starts_with('~')));
    }
}
