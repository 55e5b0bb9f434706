//! Elasticsearch and `OpenSearch`: counts, aggregates, the cluster's health, its indices.

mod aggregate;
mod answers;
mod api;
mod connection;
mod count;
mod fields;
mod health;
mod indices;
mod search;

use crate::catalog::{Builtin, Driver, Quoting};

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] =
    &[&count::BUILTIN, &aggregate::BUILTIN, &health::BUILTIN, &indices::BUILTIN, &answers::BUILTIN];

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];

/// How query strings quote.
pub(super) static LUCENE: Quoting = Quoting {
    language: "Lucene syntax",
    example: "\"level:error AND service:\\\"{service}\\\"\"",
    quotes: &['"'],
    raw: None,
    comment: None,
    patterns: &[],
    brackets: &[],
    durations: false,
};
