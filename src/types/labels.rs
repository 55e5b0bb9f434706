//! Labels: what tells things of one kind apart.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

type Label = (Arc<str>, Arc<str>);

/// Of what a sample is, by name: `service=gateway`. In the order of the metric's `for`s. All who know of it share it.
#[derive(Clone, Default, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(Arc<[Label]>);

impl Labels {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same names with other values.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        Arc::make_mut(&mut self.0).iter_mut().map(|(_, value)| value)
    }
}

impl Deref for Labels {
    type Target = [Label];

    fn deref(&self) -> &[Label] {
        &self.0
    }
}

impl FromIterator<Label> for Labels {
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> Self {
        Self(labels.into_iter().collect())
    }
}

impl<const N: usize> From<[Label; N]> for Labels {
    fn from(labels: [Label; N]) -> Self {
        Self(Arc::new(labels))
    }
}

impl<'l> IntoIterator for &'l Labels {
    type Item = &'l Label;
    type IntoIter = std::slice::Iter<'l, Label>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

// Mostly they are the very same: then nothing has to be read.
impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl std::hash::Hash for Labels {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `service=gateway, pod=a-1`
#[must_use]
pub fn labels_text(labels: &Labels) -> String {
    let mut text = String::new();
    for (name, value) in labels {
        let between = if text.is_empty() { "" } else { ", " };
        text.extend([between, name, "=", value]);
    }
    text
}
