//! What the objects of a list say alike: kept once for all of them, so that fifty thousand pods have room.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::types::Word;

/// What was said so far.
#[derive(Default)]
pub(super) struct Alike {
    texts: HashSet<Arc<str>>,
    data: HashSet<Arc<Json>>,
}

impl Alike {
    pub(super) fn text(&mut self, text: &mut Arc<str>) {
        share(&mut self.texts, text);
    }

    pub(super) fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t mut Arc<str>>) {
        texts.into_iter().for_each(|text| self.text(text));
    }

    pub(super) fn word<W>(&mut self, word: &mut Word<W>) {
        self.text(&mut word.0);
    }

    pub(super) fn data(&mut self, data: &mut Arc<Json>) {
        share(&mut self.data, data);
    }
}

fn share<T: ?Sized + Eq + Hash>(known: &mut HashSet<Arc<T>>, own: &mut Arc<T>) {
    match known.get(&**own) {
        Some(known) => *own = Arc::clone(known),
        None => _ = known.insert(Arc::clone(own)),
    }
}
