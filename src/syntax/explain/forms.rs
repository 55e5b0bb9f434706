//! What the grammar wanted, said shortly, and the form of each statement.

use super::Place;
use crate::syntax::grammar::Rule;

/// The most things that an "expected" lists.
const MOST: usize = 4;

/// "a value", "`as` or `within`": empty if nothing of use can be said.
pub(super) fn wanted(rules: &[Rule]) -> String {
    let mut words: Vec<String> = Vec::new();
    for rule in rules {
        let Some(word) = phrase(*rule) else { continue };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if words.iter().any(|word| word == "a value") {
        words.retain(|word| !matches!(word.as_str(), "a name" | "a text" | "a number" | "a title in quotes"));
    }
    if words.len() > MOST {
        return String::new();
    }
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

fn phrase(rule: Rule) -> Option<String> {
    let phrase = match rule {
        Rule::arg
        | Rule::quantity
        | Rule::rate
        | Rule::percent
        | Rule::list
        | Rule::paren
        | Rule::record
        | Rule::regex
        | Rule::own
        | Rule::boolean
        | Rule::null
        | Rule::it
        | Rule::binary
        | Rule::operand
        | Rule::name_or_call
        | Rule::if_expr
        | Rule::try_expr
        | Rule::kw_try
        | Rule::prefix
        | Rule::lambda
        | Rule::kw_if => "a value",
        Rule::text | Rule::raw | Rule::block_text | Rule::block_raw => "a text",
        Rule::ident | Rule::word | Rule::path | Rule::stage => "a name",
        Rule::name => "a title in quotes",
        Rule::number => "a number",
        Rule::clock => "a time such as `08:00`",
        Rule::type_ref | Rule::generic | Rule::record_type => "a type",
        Rule::block | Rule::step_body | Rule::sg_brace => "`{`",
        Rule::params | Rule::args | Rule::sg_paren => "`(`",
        Rule::sg_assign => "`=`",
        Rule::sg_colon => "`:`",
        Rule::result | Rule::sg_arrow => "`->`",
        Rule::severity => "a severity (`critical`, `warning` or `info`)",
        Rule::schedule => "a schedule",
        Rule::driver => "a call such as `http(\"https://…\")`",
        Rule::outcome => "`failed`, `passed` or `not measured`",
        _ => return keyword(rule),
    };
    Some(phrase.to_owned())
}

/// A keyword's rule is called after it.
fn keyword(rule: Rule) -> Option<String> {
    keyword_text(rule).map(|word| format!("`{word}`"))
}

pub(super) fn keyword_text(rule: Rule) -> Option<String> {
    format!("{rule:?}").strip_prefix("kw_").map(str::to_owned)
}

/// How a statement, declaration or clause is written.
pub(super) fn form(word: &str, place: Place) -> Option<&'static str> {
    let form = match (word, place) {
        ("let", _) => "let name = value",
        ("show", _) => "show value as \"title\"",
        ("check", _) => "check condition as \"title\" else warning \"message\"",
        ("require", _) => "require condition as \"title\"",
        ("measure", _) => "measure metric, metric",
        ("change", _) => "change call(…) within 5m",
        ("manual", _) => "manual \"text\" link \"https://…\" within 1h",
        ("wait", _) => "wait until condition every 5s within 10m",
        ("retry", _) => "retry 3 every 5s { … }",
        ("for", _) => "for name in list { … }",
        ("if", _) => "if condition { … } else { … }",
        ("do", _) => "do command(…)",
        ("notify", Place::ThresholdClause | Place::LevelClause) => "notify channel, channel",
        ("notify", _) => "notify channel \"message\"",
        ("raise", _) => "raise \"Threshold\" \"message\"",
        ("escalate", Place::ThresholdClause) => "escalate to level 2 after 15m",
        ("escalate", Place::LevelClause) => "escalate after 30m unless resolved",
        ("escalate", _) => "escalate to level 2 \"message\"",
        ("return", _) => "return value",
        ("send", _) => "send to channel, channel",
        ("runbook", _) => "runbook \"title\" { edition 1 }",
        ("library", _) => "library \"title\" { edition 1 }",
        ("use", _) => "use \"./file\" as name",
        ("param", _) => "param name: type = value",
        ("secret", _) => "secret name = env(\"NAME\")",
        ("connect", _) => "connect name = driver(…)",
        ("channel", _) => "channel name = driver(…)",
        ("tool", _) => "tool name(days: int) -> type = argv(\"./program\", days)",
        ("type", _) => "type name = { field: type }",
        ("command", _) => "command name(param: type) -> type { … }",
        ("metric", _) => "metric name: type for label in list every 5m = value",
        ("threshold", _) => "threshold \"title\" critical { … }",
        ("escalation", _) => "escalation name { … }",
        ("section", _) => "section \"title\" daily at 08:00 { … }",
        ("report", _) => "report \"title\" daily at 08:00 { … }",
        ("test", _) => "test \"title\" { … }",
        ("step", _) => "step \"title\" for name in list within 5m { … }",
        ("when", _) => "when condition for 15m",
        ("until", _) => "until condition",
        ("quiet", _) => "quiet while \"Threshold\"",
        ("group", _) => "group by label",
        ("from", Place::ThresholdClause) => "from alertmanager \"InstanceDown\"",
        ("link", _) => "link \"https://…\"",
        ("level", _) => "level 1 \"role\" { … }",
        ("by", _) => "by hand \"reason\" to level 2",
        ("repeat", _) => "repeat 3",
        ("roles", _) => "roles \"on-call.toml\"",
        ("respond", _) => "respond within 15m",
        ("given", _) => "given call(…) is value",
        ("run", _) => "run \"Section\"",
        ("alert", _) => "alert \"InstanceDown\" { instance: \"a\" } fires",
        ("after", _) => "after 30m",
        ("expect", _) => "expect alert \"Threshold\" critical",
        ("on", _) => "on failure { … }",
        ("always", _) => "always { … }",
        (_, Place::HeaderField) => "field \"value\"",
        _ => return None,
    };
    Some(form)
}
