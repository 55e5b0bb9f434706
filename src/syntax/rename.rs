//! Names of a text, written otherwise wherever they stand for what is declared.

use std::collections::{BTreeMap, HashMap};

use pest::Parser as _;
use pest::iterators::Pair;

use super::grammar::{Grammar, Rule};
use crate::source::Span;

/// What a name is used as, which decides where it can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// `limit`
    Value,
    /// `limit(…)`
    Call,
    /// `section "Clean"`, `report "Clean"`, and `run "Clean"` in a test
    Section,
    /// `step "Clean"`
    Step,
}

/// A name, and what is to be written in its stead in a part of a text.
#[derive(Clone, Copy, Debug)]
pub struct Other<'n> {
    pub within: Span,
    pub old: &'n str,
    pub new: &'n str,
    pub used: Use,
}

/// The text with other names. In a part of it that belongs together a name means one thing, so that wherever it can stand
/// it does. `None` where one of them is not there, where what is to be written means something there already, and where
/// the text is not whole.
#[must_use]
pub fn rename(text: &str, names: &[Other<'_>]) -> Option<String> {
    let mut known: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, name) in names.iter().enumerate() {
        known.entry(name.old).or_default().push(index);
        known.entry(name.new).or_default().push(index);
    }
    let mut left: Vec<Pair<'_, Rule>> = Grammar::parse(Rule::file, text).ok()?.collect();
    let mut found: BTreeMap<usize, &Other<'_>> = BTreeMap::new();
    let mut used = vec![false; names.len()];
    while let Some(pair) = left.pop() {
        let rule = pair.as_rule();
        let parts: Vec<_> = pair.into_inner().collect();
        let is_call = parts.iter().any(|part| part.as_rule() == Rule::args);
        for part in parts.iter().filter(|part| matches!(part.as_rule(), Rule::ident | Rule::name)) {
            let is_title = part.as_rule() == Rule::name;
            let start = part.as_span().start() + usize::from(is_title);
            let written = if is_title { part.as_str().trim_matches('"') } else { part.as_str() };
            for index in known.get(written).into_iter().flatten() {
                let name = names.get(*index)?;
                let is_inside = (name.within.start as usize..name.within.end as usize).contains(&start);
                let stands = if is_title { is_titled(rule, name.used) } else { is_name(rule, name.used, is_call) };
                if !is_inside || !stands {
                    continue;
                }
                // As a key, a label, an item or a parameter it would be another one for those who see it.
                if written == name.new || matches!(rule, Rule::entry | Rule::label | Rule::lambda | Rule::parameter) {
                    return None;
                }
                found.insert(start, name);
                *used.get_mut(*index)? = true;
            }
        }
        left.extend(parts);
    }
    if !used.iter().all(|used| *used) {
        return None;
    }
    let (mut renamed, mut at) = (String::with_capacity(text.len()), 0);
    for (start, name) in found {
        renamed.push_str(text.get(at..start)?);
        renamed.push_str(name.new);
        at = start + name.old.len();
    }
    renamed.push_str(text.get(at..)?);
    Some(renamed)
}

/// Whether a word stands for what is declared where it is part of this.
const fn is_name(rule: Rule, used: Use, is_call: bool) -> bool {
    match rule {
        // What a type, a driver, a label or an escalation is called.
        Rule::path | Rule::generic | Rule::type_item | Rule::group_c | Rule::escalation_head | Rule::use_item => false,
        Rule::tool_item | Rule::command_head => matches!(used, Use::Call),
        Rule::name_or_call => is_call == matches!(used, Use::Call),
        _ => matches!(used, Use::Value),
    }
}

/// Whether a title that is part of this is that of a section, or of a step.
const fn is_titled(rule: Rule, used: Use) -> bool {
    match rule {
        Rule::section_head | Rule::report_head | Rule::run_s => matches!(used, Use::Section),
        Rule::step_head => matches!(used, Use::Step),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Other, Use, rename};
    use crate::source::{Sources, Span};

    fn renamed(text: &str, old: &str, new: &str, used: Use) -> Option<String> {
        let file = Sources::new().add("a.runbook", text);
        let within = Span::new(file, 0, u32::try_from(text.len()).expect("short"));
        rename(text, &[Other { within, old, new, used }])
    }

    #[test]
    fn a_name_is_renamed_where_it_stands_for_what_is_declared() {
        let text = "param limit: percent = 5%\nsection \"limit\" {\n  check a(limit: limit) | all(.limit < limit) as \"{limit} limit\"\n}\n";
        let wanted = "param most: percent = 5%\nsection \"limit\" {\n  check a(limit: most) | all(.limit < most) as \"{most} limit\"\n}\n";
        assert_eq!(renamed(text, "limit", "most", Use::Value).as_deref(), Some(wanted));
        // A driver, a stage, a type and a day of the week may be called so, and stay.
        let text = "connect slack = slack(\"x\")\nsection \"A\" weekly on slack at 08:00 {\n  notify slack \"x\"\n  let a: slack = 1 | slack\n}\n";
        let wanted = "connect chat = slack(\"x\")\nsection \"A\" weekly on slack at 08:00 {\n  notify chat \"x\"\n  let a: slack = 1 | slack\n}\n";
        assert_eq!(renamed(text, "slack", "chat", Use::Value).as_deref(), Some(wanted));
        let text = "command look() { show 1 }\nsection \"A\" {\n  do look()\n  show look\n}\n";
        let wanted = "command see() { show 1 }\nsection \"A\" {\n  do see()\n  show look\n}\n";
        assert_eq!(renamed(text, "look", "see", Use::Call).as_deref(), Some(wanted));
        let text = "threshold \"A\" info {}\nsection \"A\" on alert \"A\" {\n  step \"A\" { show \"A\" }\n}\ntest \"A\" {\n  run \"A\"\n}\n";
        let wanted = "threshold \"A\" info {}\nsection \"B\" on alert \"A\" {\n  step \"A\" { show \"A\" }\n}\ntest \"A\" {\n  run \"B\"\n}\n";
        assert_eq!(renamed(text, "A", "B", Use::Section).as_deref(), Some(wanted));
        assert_eq!(renamed(text, "A", "B", Use::Step), Some(text.replace("step \"A\"", "step \"B\"")));
    }

    #[test]
    fn nothing_is_renamed_where_that_would_mean_something_else() {
        let text = |body: &str| format!("param a: int = 1\nsection \"A\" {{\n  {body}\n}}\n");
        for (what, body, old, new) in [
            ("a name that is there", "let b = a", "a", "b"),
            ("nothing to rename", "show 1", "c", "d"),
            ("a name that is a key", "show { a }", "a", "b"),
            ("a name that is an item as well", "show [1] | each(a => a + 1)", "a", "b"),
            ("a text that is not whole", "show (", "a", "b"),
        ] {
            assert_eq!(renamed(&text(body), old, new, Use::Value), None, "{what}");
        }
        // A field is no name.
        let wanted = text("show x.b + b").replace("param a", "param b");
        assert_eq!(renamed(&text("show x.b + a"), "a", "b", Use::Value), Some(wanted));
    }
}
