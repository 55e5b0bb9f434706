//! Tallies: how often each value occurs, and the records `{ key, count }` that say it.

use std::sync::Arc;

use indexmap::IndexMap;

use super::keep;
use super::key::{Key, Spelled};
use crate::types::{Fault, Field, RecordType, Type, Value};

/// Values by their key in the order in which they were first seen, with how often.
#[derive(Default)]
pub(super) struct Tally {
    counts: IndexMap<Key, (Value, i64)>,
    spelled: Spelled,
}

impl Tally {
    pub(super) fn add(&mut self, stage: &str, value: Value) -> Result<(), Fault> {
        let key = Key::of(&value)?;
        if let Some((_, count)) = self.counts.get_mut(&key) {
            *count += 1;
            return Ok(());
        }
        keep::room(stage, self.counts.len())?;
        self.spelled.meets(&value, &key)?;
        self.counts.insert(key, (value, 1));
        Ok(())
    }

    /// `{ key, count }`, the most frequent first; equally frequent ones in the order in which they were seen.
    pub(super) fn records(self) -> impl Iterator<Item = Value> {
        let mut counts: Vec<_> = self.counts.into_values().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.into_iter().map(|(value, count)| counted(value, count))
    }
}

/// `{ key, count }`
pub(in crate::builtins) fn counted(key: Value, count: i64) -> Value {
    Value::record([("key", key), ("count", Value::Int(count))])
}

/// The type of `{ key, count }`.
pub(super) fn record_type(key: Type) -> Type {
    keyed(key, "count", Type::Int, "How many items have it.")
}

/// A record of a key and what belongs to it.
pub(super) fn keyed(key: Type, field: &str, ty: Type, doc: &str) -> Type {
    let fields = [
        (Arc::from("key"), Field { ty: key, doc: "The value that the items share.".into() }),
        (Arc::from(field), Field { ty, doc: doc.into() }),
    ];
    Type::Record(Arc::new(RecordType { name: None, fields: fields.into_iter().collect() }))
}
