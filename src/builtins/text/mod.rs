//! Text: looked at, taken apart and put together.

mod capture;
mod contains;
mod ends_with;
mod lines;
mod lower;
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
    &parse_json::BUILTIN,
];
