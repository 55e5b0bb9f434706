//! What several items of one list that are called alike are called, so that people see which is which.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::context::on_one_line;
use super::labels::{label_of, plainest};
use super::text::beginning;
use crate::types::Value;

/// Longer than what people compare at a glance.
const LONGEST: usize = 60;

/// What the items of a list are called: `web (zone: a)` where there are several `web`.
pub(super) fn labels(items: &[Value]) -> Vec<Arc<str>> {
    apart(items.iter().map(label_of).collect(), items)
}

/// The same, where it is known what each is called by itself.
pub(super) fn apart(called: Vec<String>, items: &[Value]) -> Vec<Arc<str>> {
    let mut alike: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, label) in called.iter().enumerate() {
        alike.entry(label).or_default().push(index);
    }
    let mut more: HashMap<usize, String> = HashMap::new();
    for group in alike.into_values().filter(|group| group.len() > 1) {
        let own: Vec<&Value> = group.iter().filter_map(|index| items.get(*index)).collect();
        more.extend(group.iter().copied().zip(parts(&own)));
    }
    let whole = |(index, label): (usize, String)| match more.get(&index) {
        Some(part) => format!("{label} ({part})").into(),
        None => label.into(),
    };
    called.into_iter().enumerate().map(whole).collect()
}

/// The shortest field that is different in each; else the fields that are different in some, and after all which of them it
/// is in the list.
fn parts(items: &[&Value]) -> Vec<String> {
    let fields: Vec<HashMap<Arc<str>, String>> = items.iter().map(|item| fields(item)).collect();
    let mut names: Vec<&Arc<str>> = fields.iter().flat_map(HashMap::keys).collect::<HashSet<_>>().into_iter().collect();
    let kinds = |name: &Arc<str>| fields.iter().map(|own| own.get(name)).collect::<HashSet<_>>().len();
    let length = |name: &Arc<str>| fields.iter().filter_map(|own| own.get(name)).map(String::len).max().unwrap_or(0);
    names.retain(|name| kinds(name) > 1 && length(name) <= LONGEST);
    names.sort_by_key(|name| (std::cmp::Reverse(kinds(name)), length(name), Arc::clone(name)));
    let mut texts = vec![String::new(); items.len()];
    for name in names {
        if texts.iter().collect::<HashSet<_>>().len() == texts.len() {
            break;
        }
        for (text, own) in texts.iter_mut().zip(&fields) {
            let between = if text.is_empty() { "" } else { ", " };
            let value = own.get(name).map_or("-", String::as_str);
            *text = format!("{text}{between}{name}: {value}");
        }
    }
    let mut seen: HashMap<String, u32> = HashMap::new();
    let numbered = |text: &String| {
        let number = seen.entry(text.clone()).or_default();
        *number += 1;
        if text.is_empty() { number.to_string() } else { format!("{text}, {number}") }
    };
    let is_apart = texts.iter().collect::<HashSet<_>>().len() == texts.len();
    if is_apart { texts } else { texts.iter().map(numbered).collect() }
}

/// The fields of an item that are one word or number each.
fn fields(item: &Value) -> HashMap<Arc<str>, String> {
    let said = |value: Value| on_one_line(&beginning(&plainest(value.plainly()), LONGEST + 1).0);
    let is_plain = |value: &Value| !matches!(value, Value::Record(_) | Value::List(_) | Value::Data(_) | Value::Null);
    match item {
        Value::Record(_) => {
            let Value::Record(fields) = item.clone().plainly() else { return HashMap::new() };
            let own = fields.iter().map(|(name, value)| (Arc::clone(name), value.clone().plainly()));
            own.filter(|(_, value)| is_plain(value)).map(|(name, value)| (name, said(value))).collect()
        }
        Value::Data(data) => {
            let all = data.as_object().into_iter().flatten();
            let own = all.map(|(name, value)| (name.as_str().into(), Value::Data(Arc::new(value.clone())).plainly()));
            own.filter(|(_, value)| is_plain(value)).map(|(name, value)| (name, said(value))).collect()
        }
        _ => HashMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::labels;
    use crate::types::Value;

    fn called(items: &[Value]) -> Vec<String> {
        labels(items).iter().map(ToString::to_string).collect()
    }

    fn thing(name: &str, zone: &str, rack: i64) -> Value {
        let fields = [("name", Value::string(name)), ("zone", Value::string(zone)), ("rack", Value::Int(rack))];
        Value::record(fields)
    }

    #[test]
    fn what_shares_a_name_is_called_by_what_is_different_in_it() {
        let items = [thing("web", "a-zone", 1), thing("db", "a-zone", 1), thing("web", "b-zone", 2)];
        assert_eq!(called(&items), ["web (rack: 1)", "db", "web (rack: 2)"]);
        let items = [thing("web", "a", 12), thing("web", "b", 12), thing("web", "b", 13)];
        assert_eq!(called(&items), ["web (zone: a, rack: 12)", "web (zone: b, rack: 12)", "web (zone: b, rack: 13)"]);
        let data = |zone: &str| Value::Data(std::sync::Arc::new(serde_json::json!({"name": "web", "zone": zone})));
        assert_eq!(called(&[data("a"), data("b")]), ["web (zone: a)", "web (zone: b)"]);
    }

    #[test]
    fn what_is_the_same_in_everything_is_called_by_its_place() {
        let items = [thing("web", "a", 1), thing("web", "a", 1), thing("web", "b", 1)];
        assert_eq!(called(&items), ["web (zone: a, 1)", "web (zone: a, 2)", "web (zone: b, 1)"]);
        assert_eq!(called(&[Value::Int(5), Value::Int(5), Value::Int(6)]), ["5 (1)", "5 (2)", "6"]);
    }
}
