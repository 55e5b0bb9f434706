//! Lists and logs: what stands behind a `|`.

mod all;
mod amount;
mod any;
mod average;
mod compare;
mod count;
mod count_by;
mod distinct;
mod each;
mod first;
mod flatten;
mod group_by;
mod is_empty;
mod join;
mod keep;
mod key;
mod kinds;
mod last;
mod mask;
mod max;
mod median;
mod min;
mod none;
mod order;
mod patterns;
mod percentile;
mod rank;
mod reverse;
mod scalar;
mod share;
mod skip;
mod sort;
mod sum;
mod take;
mod tally;
mod telling;
mod top;
mod truth;
mod r#where;

pub(super) use self::keep::MOST_KEPT;
pub(super) use self::kinds::{Kinds, join};
pub(super) use self::tally::counted;
use crate::catalog::Builtin;

pub(super) static ALL: &[&Builtin] = &[
    &r#where::BUILTIN,
    &each::BUILTIN,
    &count::BUILTIN,
    &any::BUILTIN,
    &all::BUILTIN,
    &none::BUILTIN,
    &share::BUILTIN,
    &first::BUILTIN,
    &last::BUILTIN,
    &is_empty::BUILTIN,
    &sum::BUILTIN,
    &average::BUILTIN,
    &median::BUILTIN,
    &percentile::P50,
    &percentile::P90,
    &percentile::P95,
    &percentile::P99,
    &min::BUILTIN,
    &max::BUILTIN,
    &sort::BUILTIN,
    &top::BUILTIN,
    &take::BUILTIN,
    &skip::BUILTIN,
    &reverse::BUILTIN,
    &distinct::BUILTIN,
    &count_by::BUILTIN,
    &group_by::BUILTIN,
    &flatten::BUILTIN,
    &join::BUILTIN,
    &scalar::BUILTIN,
    &patterns::BUILTIN,
    &compare::BUILTIN,
];
