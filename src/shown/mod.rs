//! Values as people read them: what is kept of one, and how it is written.

pub mod again;
pub mod items;
pub mod look;
pub mod text;

use serde::{Deserialize, Serialize};

/// A value as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// A title of its own, where there are several.
    pub title: Option<String>,
    pub body: ShownBody,
    /// Why it is not whole.
    pub partial: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum ShownBody {
    Value {
        cell: Cell,
    },
    /// Fields and their values.
    Record {
        fields: Vec<(String, Cell)>,
    },
    Table {
        columns: Vec<String>,
        rows: Vec<Vec<Cell>>,
        /// How many rows there are; more than in `rows` where they were too many to keep.
        total: u64,
    },
    Lines {
        lines: Vec<String>,
        total: u64,
    },
}

/// A value in a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// As a person reads it.
    pub text: String,
    /// As a machine does.
    pub value: serde_json::Value,
    /// A number: aligned to the right.
    pub number: bool,
}
