//! A runbook as a page that a person follows by hand when nothing else works.
//!
//! The checked program becomes a [`Page`] of blocks, and Markdown and HTML are written from that. Nothing is opened:
//! what only the run would know is a blank on the page, with where to get it from.

mod arguments;
mod changes;
mod commands;
mod expected;
mod fill;
mod grep;
mod head;
mod html;
mod json;
mod known;
mod line;
mod logs;
mod markdown;
mod names;
mod page;
mod people;
mod places;
mod sheet;
mod sql;
mod steps;
mod texts;
mod unknowable;
mod word;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use self::html::html;
use self::known::Knowledge;
pub use self::markdown::markdown;
pub use self::page::{Block, Inline, Line, Page, Sign};
use self::places::Places;
use self::steps::Writer;
use crate::check::program::{ParamId, Program};
use crate::plan::Selection;
use crate::shown::look::clean;
use crate::source::Sources;
use crate::types::Value;

/// What params are set to: as values, and as they were typed.
#[derive(Clone, Copy)]
pub struct Set<'p> {
    pub values: &'p HashMap<ParamId, Value>,
    pub typed: &'p BTreeMap<Arc<str>, String>,
}

/// The page of the selected part of a runbook, which is in this file.
#[must_use]
pub fn page<'p>(program: &'p Program, sources: &'p Sources, selection: &Selection, set: Set<'p>, file: &str) -> Page {
    let mut knowledge = Knowledge::new(program, sources, set.values);
    let places = Places::new(&mut knowledge);
    let mut writer = Writer::new(knowledge, places, set.typed);
    writer.sections(selection);
    writer.people(selection.is_all());
    let mut blocks = writer.front(file);
    blocks.extend(std::mem::take(&mut writer.sheet).finish());
    Page { title: clean(&program.header.title), blocks }
}
