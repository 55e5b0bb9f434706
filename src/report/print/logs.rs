//! The files of a log as a person reads them, and where that is not what a run reads.

use super::fill::argument;
use super::known::Knowledge;
use crate::check::program::Call;

/// The built-in that reads files of this machine.
const LOGS: &str = "logs";

/// The line that prints the files of a log: packed ones unpacked, a set from the oldest on.
pub(super) fn by_hand<'p>(knowledge: &mut Knowledge<'p>, call: &'p Call) -> Option<&'static str> {
    let file = file(knowledge, call)?;
    let end = file.rsplit_once('.').map(|(_, end)| end);
    Some(match end {
        _ if file == "-" => return None,
        _ if is_pattern(&file) => "ls -tr {file:glob} | xargs -d '\\n' zcat -f",
        Some("gz") => "zcat -f {file:glob}",
        Some("zst") => "zstdcat {file:glob}",
        _ => return None,
    })
}

/// What has to be known of it.
pub(super) fn notes<'p>(knowledge: &mut Knowledge<'p>, call: &'p Call) -> Vec<String> {
    let Some(file) = file(knowledge, call).filter(|file| file != "-") else { return Vec::new() };
    let mut notes = Vec::new();
    if is_pattern(&file) {
        notes.push(
            "`ls -tr` names the file first that was written first. `zcat -f` reads plain files and those of gzip; one of \
             zstd is read by `zstdcat`."
                .to_owned(),
        );
    }
    if !file.starts_with('/') {
        notes.push(
            "A file without `/` in front of its path is looked for from the folder of the runbook: type it there."
                .to_owned(),
        );
    }
    notes
}

/// What has to be known of a stage behind a log.
pub(super) fn notes_of_stage(call: &Call, log: &str, stage: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if log.contains("--all-pods=true") && matches!(call.builtin.name, "take" | "first" | "last" | "skip") {
        notes.push(
            "A run puts the lines of all pods in the order of their times. `kubectl` prints one pod after the other."
                .to_owned(),
        );
    }
    if stage.starts_with("grep") && stage.contains('$') {
        notes.push(
            "Lines that end with CR LF have no CR for a run. Where a log has such lines, put `tr -d '\\r' |` before `grep`."
                .to_owned(),
        );
    }
    notes
}

fn file<'p>(knowledge: &mut Knowledge<'p>, call: &'p Call) -> Option<String> {
    let file = argument(call, "file").filter(|_| call.builtin.name == LOGS)?;
    knowledge.text(file)
}

fn is_pattern(file: &str) -> bool {
    file.contains(['*', '?', '['])
}
