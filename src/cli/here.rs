//! What of this machine the changes of a plan depend on: a program that they start is another one elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use super::run::account;
use crate::store::beside::{content, own};
use crate::types::{Fault, FaultKind};

/// What a target is called that is this machine, and the folder of the runbook on it. No connection has this name.
pub(super) const MACHINE: &str = "this machine";
/// Any machine, in a target that was approved: `*:/srv/runbooks`.
const ANY: &str = "*:";

/// The targets of what starts programs, as they are here: this machine, and each program of the runbook's own folder by its content.
pub(super) fn targets(programs: &BTreeSet<String>, folder: &Path) -> Result<BTreeMap<String, String>, Fault> {
    let mut targets = BTreeMap::new();
    if programs.is_empty() {
        return Ok(targets);
    }
    let unknown = |path: &Path, error: &io::Error| {
        Fault::new(FaultKind::Setup, format!("`{}` cannot be read: {error}", path.display()))
    };
    let folder = fs::canonicalize(folder).map_err(|error| unknown(folder, &error))?;
    targets.insert(MACHINE.to_owned(), format!("{}:{}", account().host, folder.display()));
    for program in own(programs) {
        let path = folder.join(program);
        let hash = content(&path).map_err(|error| unknown(&path, &error))?;
        targets.insert(program.clone(), format!("sha256:{hash}"));
    }
    Ok(targets)
}

/// The names of these targets.
pub(super) fn names(programs: &BTreeSet<String>) -> impl Iterator<Item = &str> {
    let machine = (!programs.is_empty()).then_some(MACHINE);
    machine.into_iter().chain(own(programs).map(String::as_str))
}

/// Whether what was approved is what is here.
pub(super) fn is_same(approved: &str, here: &str) -> bool {
    let folder = |place: &str| place.split_once(':').map(|(_, folder)| folder.to_owned());
    approved == here || approved.strip_prefix(ANY).is_some_and(|own| folder(here).as_deref() == Some(own))
}
