//! Which change is which in another run of the same changes, and what is known of them from there.
//!
//! A change is known by where it stands ([`crate::plan::position`]) and by the items of the loops around it: a text by
//! itself, a record by its name. An item without a name is known by all that it says; where that has changed, nobody can say
//! whether it is the one for which the change was made, and so it is not made.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::apart::apart;
use super::labels::{label_of, plainest};
use super::memory::lock;
use crate::store::kept::Kept;
use crate::types::{Number, Value};

/// All that the items of a list are known by.
type All = Arc<HashSet<Arc<str>>>;

/// An item of a list.
#[derive(Clone)]
pub(crate) struct Item {
    /// What it is known by.
    own: Arc<str>,
    /// What people call it.
    label: Arc<str>,
    /// It has a name, of its own or not.
    is_named: bool,
}

/// The way to a statement: the calls and the items that lead to it.
#[derive(Clone, Default)]
pub(crate) struct Trail {
    /// The positions of the calls, with the items of the loops before them: `3[n-4].`
    calls: String,
    /// The items since: `[n-4][eth0]`
    since: String,
    /// Every item, with all that are in its list.
    items: Vec<(Item, All)>,
}

/// A change that was made.
#[derive(Clone, Debug)]
pub struct MadeBefore {
    pub run: Arc<str>,
    /// Its number there.
    pub change: u32,
    /// As it was told there.
    pub title: Arc<str>,
    pub at: Timestamp,
    /// Who says so, where the run itself did not know.
    pub by: Option<String>,
    /// What it gave.
    pub value: Option<Kept>,
}

/// The changes that were made in runs before, each by what it is known by.
#[derive(Default)]
pub struct Known {
    made: Mutex<HashMap<String, MadeBefore>>,
    /// Whether any of them is known by all that its item said.
    loosely: bool,
}

/// At the end of a key: the change stands in `on failure` or `always`, and is made whenever that is reached.
pub const CLOSING: &str = "!";

/// What is known of a change.
pub(crate) enum Look {
    New,
    Made(MadeBefore),
    /// It was made for an item that may be this one, which shares its name or has none.
    Doubtful {
        made: MadeBefore,
        is_named: bool,
    },
}

impl Trail {
    /// Inside of a call from the position of a number.
    pub(crate) fn called(&self, number: u32) -> Self {
        Self { calls: format!("{}.", self.key(number)), since: String::new(), items: self.items.clone() }
    }

    /// The calls that lead to it, by their positions: `3.1`.
    pub(crate) fn called_by(&self) -> Option<Arc<str>> {
        let calls = position_of(&self.calls);
        (!calls.is_empty()).then(|| calls.trim_end_matches('.').into())
    }

    pub(crate) fn item(&self, item: &Item, all: &All) -> Self {
        let mut inner = self.clone();
        // Writing to a string never fails.
        let _ = write!(inner.since, "[{}]", item.own);
        inner.items.push((item.clone(), Arc::clone(all)));
        inner
    }

    /// The items for people.
    pub(crate) fn items(&self) -> Vec<Arc<str>> {
        self.items.iter().map(|(item, _)| Arc::clone(&item.label)).collect()
    }

    pub(crate) fn key(&self, number: u32) -> String {
        format!("{}{number}{}", self.calls, self.since)
    }
}

impl Known {
    #[must_use]
    pub fn new(made: impl IntoIterator<Item = (String, MadeBefore)>) -> Self {
        let made: HashMap<String, MadeBefore> = made.into_iter().collect();
        Self { loosely: made.keys().any(|key| key.contains(HASH)), made: Mutex::new(made) }
    }

    /// What is known of a change. It is known once: where a `retry` comes back to it, it is made again.
    pub(crate) fn look(&self, key: &str, trail: &Trail) -> Look {
        let mut known = lock(&self.made);
        if let Some(made) = known.remove(key) {
            return Look::Made(made);
        }
        // Items that have a name of their own now may have had to share it, and the other way round.
        if !self.loosely && !key.contains(HASH) {
            return Look::New;
        }
        let loose = loosely(key);
        let mut others = known.iter().filter(|(other, _)| loosely(other) == loose);
        match others.find(|(other, _)| !is_another(other, trail)) {
            Some((_, made)) => {
                let is_named = trail.items.iter().all(|(item, _)| item.is_named);
                Look::Doubtful { made: made.clone(), is_named }
            }
            None => Look::New,
        }
    }
}

/// Whether a change of the same place was made for items that are in the lists of now beside those of the trail.
fn is_another(key: &str, trail: &Trail) -> bool {
    items_of(key).zip(&trail.items).any(|(item, (now, all))| *item != *now.own && all.contains(item))
}

/// The items of a key, in their order.
fn items_of(key: &str) -> impl Iterator<Item = &str> {
    key.split('[').skip(1).filter_map(|rest| rest.split_once(']').map(|(item, _)| item))
}

/// Where a change stands, without the items.
#[must_use]
pub fn position_of(key: &str) -> String {
    key.trim_end_matches(CLOSING)
        .split('[')
        .enumerate()
        .filter_map(|(index, part)| if index == 0 { Some(part) } else { part.split_once(']').map(|(_, rest)| rest) })
        .collect()
}

/// Between the beginning of an item and the hash of all that it says.
const HASH: char = '#';

fn loosely(key: &str) -> String {
    let mut loose = String::new();
    for part in key.split(']') {
        loose.push_str(part.split_once(HASH).map_or(part, |(before, _)| before));
        loose.push(']');
    }
    loose
}

/// What the items of a list are known by, each by another text.
pub(crate) fn identities(items: &[Value]) -> (Vec<Item>, All) {
    let named: Vec<Option<String>> = items.iter().map(named).collect();
    let mut sharing: HashMap<&str, u32> = HashMap::new();
    named.iter().flatten().for_each(|name| *sharing.entry(name).or_default() += 1);
    let mut seen: HashMap<String, u32> = HashMap::new();
    let own: Vec<Arc<str>> = items
        .iter()
        .zip(&named)
        .map(|(item, name)| {
            let mut text = match name {
                Some(name) if sharing.get(&**name) == Some(&1) => plain(name),
                // Their order is no name: there may be fewer of them the next time, or in another order.
                Some(name) => with_all(name, item),
                None => identity(item),
            };
            let times = seen.entry(text.clone()).or_default();
            *times += 1;
            if *times > 1 {
                // They are the same in everything: which is which makes no difference.
                let _ = write!(text, "~{times}");
            }
            text.into()
        })
        .collect();
    let labels = apart(own.iter().map(|own| for_people(own)).collect(), items);
    let all = own.iter().map(Arc::clone).collect();
    let known = own.into_iter().zip(labels).zip(&named);
    let known = known.map(|((own, label), named)| Item { own, label, is_named: named.is_some() });
    (known.collect(), Arc::new(all))
}

fn identity(item: &Value) -> String {
    let item = item.clone().plainly();
    match &item {
        Value::Data(data) if data.is_number() => plain(&data.to_string()),
        Value::Record(_) | Value::List(_) | Value::Data(_) | Value::Line(_) => with_all(&label_of(&item), &item),
        other => plain(&plainest(other.clone()).to_string()),
    }
}

/// Told apart by all that it says.
fn with_all(label: &str, item: &Value) -> String {
    format!("{}{HASH}{}", plain(label), short(&item.to_json().to_string()))
}

/// The name of a record, with the namespace that it is in; its key or its number where it has none.
fn named(item: &Value) -> Option<String> {
    let field = |name: &str| match item {
        Value::Record(fields) => fields.get(name).map(|value| value.clone().plainly()),
        Value::Data(data) => Some(Value::Data(Arc::new(data.get(name)?.clone())).plainly()),
        _ => None,
    };
    let text = |name: &str| match field(name) {
        Some(Value::String(text)) => Some(text.into_inner()),
        Some(number) if Number::of(&number).is_some() => Some(plainest(number).to_string().into()),
        _ => None,
    };
    if let Some(name) = text("name") {
        return Some(text("namespace").map_or_else(|| name.to_string(), |namespace| format!("{namespace}/{name}")));
    }
    KEYS.iter().find_map(|key| text(key)).map(|key| key.to_string())
}

/// What tells things without a name apart, whatever else they say: objects of a bucket, rows of a table.
const KEYS: [&str; 3] = ["key", "id", "uid"];

/// Longer than names are.
const LONGEST: usize = 120;

/// A text without the signs that keys are made of, and not too long.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        match letter {
            '[' | ']' | '%' | HASH | '~' => {
                let _ = write!(plain, "%{:02x}", u32::from(letter));
            }
            _ => plain.push(letter),
        }
    }
    if plain.len() > LONGEST {
        let beginning: String = plain.chars().take(LONGEST / 2).collect();
        plain = format!("{beginning}…{}", short(text));
    }
    plain
}

fn for_people(item: &str) -> String {
    let mut text = item.split(HASH).next().unwrap_or_default().to_owned();
    for letter in ['[', ']', HASH, '~', '%'] {
        text = text.replace(&format!("%{:02x}", u32::from(letter)), &letter.to_string());
    }
    text
}

fn short(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes())).chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::{Item, Known, Look, MadeBefore, Trail, for_people, identities, items_of, position_of};
    use crate::types::Value;

    fn row(id: i64, state: &str) -> Value {
        Value::record([("order", Value::Int(id)), ("state", Value::string(state))])
    }

    fn keys(items: &[Value]) -> Vec<(String, Trail)> {
        let (own, all) = identities(items);
        own.iter().map(|item| Trail::default().item(item, &all)).map(|trail| (trail.key(1), trail)).collect()
    }

    fn known(keys: &[&str]) -> Known {
        let made = MadeBefore {
            run: "a".into(),
            change: 1,
            title: "t".into(),
            at: Timestamp::UNIX_EPOCH,
            by: None,
            value: None,
        };
        Known::new(keys.iter().map(|key| ((*key).to_owned(), made.clone())))
    }

    #[test]
    fn an_item_is_known_by_its_name_and_each_by_another_text() {
        let pod = |name: &str, age| Value::record([("name", Value::string(name)), ("age", Value::Int(age))]);
        let of = |items: &[Value]| keys(items).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(of(&[pod("a", 1), pod("b[1]", 2)]), ["1[a]", "1[b%5b1%5d]"]);
        assert_eq!(of(&[Value::Int(5), Value::Int(5), Value::string("x")]), ["1[5]", "1[5~2]", "1[x]"]);
        let long = of(&[Value::string("x".repeat(500)), Value::string("x".repeat(501))]);
        assert!(long[0] != long[1] && long[0].len() < 100, "{long:?}");
        let all: HashSet<_> = of(&[row(1, "new"), row(1, "old")]).into_iter().collect();
        assert_eq!(all.len(), 2);
        let people = |key: &str| items_of(key).map(for_people).collect::<Vec<_>>();
        assert_eq!(people("1[b%5b1%5d][100%25]"), ["b[1]", "100%"]);
        assert!(people(&of(&[row(1, "new")])[0]).iter().all(|item| !item.contains('#')));
    }

    #[test]
    fn a_key_says_where_and_for_which_items() {
        let all = Arc::default();
        let item = |own: &str| Item { own: own.into(), label: own.into(), is_named: true };
        let trail = Trail::default().item(&item("a"), &all).called(3).item(&item("b"), &all);
        let key = trail.key(2);
        assert_eq!((key.as_str(), position_of(&key).as_str()), ("3[a].2[b]", "3.2"));
        assert_eq!(items_of(&key).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn things_that_share_a_name_are_told_apart_by_all_that_they_say_wherever_they_stand() {
        let web = |zone: &str| Value::record([("name", Value::string("web")), ("zone", Value::string(zone))]);
        let before = keys(&[web("a"), web("b")]);
        let made = known(&[&before[0].0]);
        let now = keys(&[web("b"), web("a")]);
        assert!(matches!(made.look(&now[0].0, &now[0].1), Look::New), "the other one");
        assert!(matches!(made.look(&now[1].0, &now[1].1), Look::Made(_)));
        // What has the name for itself now may be either of them, and the other way round.
        let (alone, both) = (keys(&[web("c")]), keys(&[web("c"), web("d")]));
        assert!(matches!(known(&[&before[0].0]).look(&alone[0].0, &alone[0].1), Look::Doubtful { .. }));
        assert!(matches!(known(&[&alone[0].0]).look(&both[1].0, &both[1].1), Look::Doubtful { .. }));
    }

    #[test]
    fn what_has_no_name_is_known_by_its_key() {
        let object = |age| Value::record([("key", Value::string("a/1.gz")), ("age", Value::Int(age))]);
        assert_eq!(keys(&[object(1)])[0].0, keys(&[object(2)])[0].0);
    }

    #[test]
    fn a_change_is_known_once_and_only_for_its_own_item() {
        let now = keys(&[row(1, "new"), row(2, "new")]);
        let known = known(&[&now[0].0]);
        assert!(matches!(known.look(&now[1].0, &now[1].1), Look::New), "another row");
        assert!(matches!(known.look(&now[0].0, &now[0].1), Look::Made(_)));
        assert!(matches!(known.look(&now[0].0, &now[0].1), Look::New), "once");
    }

    #[test]
    fn an_item_that_says_something_else_now_may_be_the_same() {
        let before = keys(&[row(1, "new")]);
        let now = keys(&[row(1, "changed")]);
        assert!(matches!(known(&[&before[0].0]).look(&now[0].0, &now[0].1), Look::Doubtful { .. }));
        // The one for which it was made is still there: this one is another.
        let now = keys(&[row(1, "changed"), row(1, "new")]);
        assert!(matches!(known(&[&before[0].0]).look(&now[0].0, &now[0].1), Look::New));
    }
}
