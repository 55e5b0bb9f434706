//! Prometheus and what speaks its API: queries, alerts, rules, targets.

mod alerts;
mod answers;
mod api;
mod connection;
mod query;
mod range;
mod rules;
mod sample;
mod scalar;
mod targets;

use crate::catalog::{Builtin, Driver, Quoting};

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[
    &query::BUILTIN,
    &scalar::BUILTIN,
    &range::BUILTIN,
    &alerts::BUILTIN,
    &rules::BUILTIN,
    &targets::BUILTIN,
    &answers::BUILTIN,
];

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];

/// How `PromQL` quotes.
pub(super) static PROMQL: Quoting = Quoting {
    language: "PromQL",
    example: "\"up\\{job='{job}'}\"",
    quotes: &['"', '\''],
    raw: Some('`'),
    comment: Some('#'),
    patterns: &["=~", "!~"],
    brackets: &[('(', ')'), ('[', ']'), ('{', '}')],
    durations: true,
};
