//! Checking: names, types, units, effects and reachability, from trees to a [`program::Program`].
//!
//! One file a question. [`Checker`](checker::Checker) holds what all of them share: the names, the scope, the findings.

mod alerting;
mod arguments;
mod attached;
mod builtin_calls;
mod calls;
mod changes;
mod checker;
mod commands;
mod compare;
mod constants;
mod convert;
mod cycles;
mod declarations;
mod effects;
mod enums;
mod escalation;
mod expressions;
mod fields;
mod guards;
mod headers;
mod interpreters;
mod judged;
mod literals;
mod made;
mod modules;
mod names;
mod operators;
mod origins;
mod per_item;
mod placement;
pub mod program;
mod reachability;
mod rehearsals;
mod roster;
mod schedules;
mod scope;
mod scripts;
mod sections;
mod settings;
mod signatures;
mod statements;
mod templates;
pub(crate) mod toml;
mod tools;
mod type_names;
mod units;
mod unlikely;
mod until;
mod unused;
mod wording;

pub use self::attached::attached;
use self::checker::Checker;
pub use self::modules::{Modules, Parse, Read, load};
use self::names::Names;
use self::program::Program;
pub use self::roster::said;
pub use self::settings::setting;
use crate::catalog::Catalog;
use crate::diagnostics::Diagnostic;
use crate::source::Sources;

/// What checking made, and what it found.
#[derive(Debug)]
pub struct Checked {
    /// Whole only if no diagnostic is an error; then it can be planned and run.
    pub program: Program,
    /// In the order of the text, file by file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a runbook, or a library, with all that it uses. Opens nothing and runs nothing.
#[must_use]
pub fn check(sources: &Sources, modules: &Modules, catalog: &Catalog) -> Checked {
    let mut diagnostics = Vec::new();
    let names = Names::collect(modules, catalog, &mut diagnostics);
    let (program, found) = Checker::new(sources, catalog, &names).program();
    diagnostics.extend(found);
    diagnostics.sort_by_key(Diagnostic::span);
    Checked { program, diagnostics }
}
