//! Text: looked at, taken apart and put together.

mod capture;
mod contains;
mod ends_with;
mod entries;
mod keys;
mod length;
mod lines;
mod lower;
mod parse_duration;
mod parse_json;
mod replace;
mod split;
mod starts_with;
mod trim;
mod upper;
mod words;

use crate::catalog::Builtin;

pub(super) static ALL: &[&Builtin] = &[
    &lines::BUILTIN,
    &words::BUILTIN,
    &trim::BUILTIN,
    &lower::BUILTIN,
    &upper::BUILTIN,
    &split::BUILTIN,
    &starts_with::BUILTIN,
    &ends_with::BUILTIN,
    &contains::BUILTIN,
    &replace::BUILTIN,
    &capture::BUILTIN,
    &length::BUILTIN,
    &parse_json::BUILTIN,
    &parse_duration::BUILTIN,
    &keys::BUILTIN,
    &entries::BUILTIN,
];
