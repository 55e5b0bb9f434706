//! Scans: what is asked of all lines of a log, written down, so that one pass over its bytes answers several of them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use regex::bytes::Regex;

use super::Value;

/// A pipeline over the lines of a log: those that are as asked, and what is made of them.
#[derive(Clone, Debug)]
pub struct Query {
    /// What must be true of a line, all of it.
    pub filters: Vec<Condition>,
    pub end: End,
}

/// What a line is asked. Each of them is true or false of any line, and none is ever a fault.
#[derive(Clone, Debug)]
pub enum Condition {
    Matches(Regex),
    Contains(Arc<str>),
    StartsWith(Arc<str>),
    EndsWith(Arc<str>),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// What is made of the lines that are left.
#[derive(Clone, Debug)]
pub enum End {
    Count,
    IsEmpty,
    Share(Condition),
    Any(Condition),
    All(Condition),
    None(Condition),
    First,
    Last,
    Take(usize),
    CountBy(Part),
    /// The most frequent ones of it.
    Top(usize, Part),
    Patterns,
    /// All of them, for whoever goes on line by line.
    Lines,
}

/// What of a line is counted.
#[derive(Clone, Debug)]
pub enum Part {
    Text,
    Source,
    /// What a pattern finds in it, and what stands in where it finds nothing.
    Capture(Regex, Value),
}

/// What a pass came to.
#[derive(Clone, Debug)]
pub enum Answer {
    Value(Value),
    /// It has to be done item by item: there is a fault among the lines, whose place decides what follows from it, or
    /// more is to be kept than a pass keeps.
    ItemByItem,
}

/// A log that can be asked several things in one pass over its bytes.
pub trait Scanner: Send + Sync {
    /// One answer for each query: what the stages would give that go item by item. It ends early, with answers that
    /// nobody looks at, once `unwanted` is set.
    fn scan(&self, queries: &[Query], unwanted: &AtomicBool) -> Vec<Answer>;
}
