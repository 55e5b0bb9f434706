//! Records: named fields with types.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::IndexMap;

use super::Type;

/// The fields of a record, in the order in which they are shown.
#[derive(Clone, Debug, Default)]
pub struct RecordType {
    /// `disk`, `pod`: set where a built-in or a `type` declares it.
    pub name: Option<Arc<str>>,
    pub fields: IndexMap<Arc<str>, Field>,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub ty: Type,
    /// One sentence for `runbook doc` and hover; empty where the record was written in a runbook.
    pub doc: Arc<str>,
}

impl RecordType {
    /// Whether every field of `wanted` is here and fits. More fields do no harm.
    #[must_use]
    pub fn fits(&self, wanted: &Self) -> bool {
        wanted.fields.iter().all(|(name, field)| match self.fields.get(name) {
            Some(own) => own.ty.fits(&field.ty),
            None => field.ty.is_optional(),
        })
    }

    /// The record that holds both; a field that only one has may be missing.
    #[must_use]
    pub fn join(&self, other: &Self) -> Option<Self> {
        let mut joined = Self { name: None, fields: IndexMap::new() };
        for (name, field) in &self.fields {
            let ty = match other.fields.get(name) {
                Some(theirs) => field.ty.join(&theirs.ty)?,
                None => field.ty.clone().optional(),
            };
            joined.fields.insert(name.clone(), Field { ty, doc: field.doc.clone() });
        }
        for (name, field) in &other.fields {
            if !self.fields.contains_key(name) {
                joined.fields.insert(name.clone(), Field { ty: field.ty.clone().optional(), doc: field.doc.clone() });
            }
        }
        Some(joined)
    }
}

// The name and the docs are for people: two records with the same fields are one type.
impl PartialEq for RecordType {
    fn eq(&self, other: &Self) -> bool {
        self.fields.len() == other.fields.len()
            && self.fields.iter().all(|(name, field)| other.fields.get(name).is_some_and(|own| own.ty == field.ty))
    }
}

impl Eq for RecordType {}

impl Hash for RecordType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Equal records may list their fields in another order.
        self.fields.len().hash(state);
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            return f.write_str(name);
        }
        f.write_str("{ ")?;
        for (index, (name, field)) in self.fields.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{name}: {}", field.ty)?;
        }
        f.write_str(" }")
    }
}
