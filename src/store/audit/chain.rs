//! The chain of runs: whether it is whole, and what it knows of each run.

use std::collections::BTreeMap;

use super::{Finding, Kind, Material, Report, State, Unread, Wanted, run_of};
use crate::store::chain::{Bytes, FILE, Head, Link, VERSION, What};
use crate::store::journal::{KEPT, is_old};
use crate::store::seal::{Hash, Wrong, walk};

/// What the chain knows of a run.
pub(super) struct Begun {
    pub(super) hash: Hash,
    pub(super) seq: u64,
    number: u64,
    pub(super) ended: Option<(u64, Hash)>,
    pruned: bool,
}

/// What there is to hold journals against.
pub(super) struct Known {
    /// By the names of their journals.
    pub(super) runs: BTreeMap<String, Begun>,
    /// The journal of the first run.
    pub(super) first: Option<String>,
    pub(super) place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    There,
    /// There is no chain.
    None,
    /// It cannot be read.
    Unread,
}

impl Known {
    pub(super) fn is_pruned(&self, name: &str) -> bool {
        self.runs.get(name).is_some_and(|begun| begun.pruned)
    }

    /// The journal of the run that began with this line.
    pub(super) fn by_hash(&self, hash: Hash) -> Option<&str> {
        self.runs.iter().find(|(_, begun)| begun.hash == hash).map(|(name, _)| name.as_str())
    }
}

/// What is wrong with a line, in words.
pub(super) fn words(wrong: &Wrong, record: Option<u64>) -> (Kind, String) {
    let record = record.map_or_else(String::new, |record| format!("record {record} "));
    match wrong {
        Wrong::Edited => (Kind::Edited, format!("{record}was edited, or put in the place of another one")),
        Wrong::NoRecord => (Kind::Edited, "this line is no record: it was edited, or put there".to_owned()),
        Wrong::Missing { from, to } if from == to => {
            (Kind::Missing, format!("record {from} is missing before this line"))
        }
        Wrong::Missing { from, to } => (Kind::Missing, format!("records {from} to {to} are missing before this line")),
        Wrong::Moved { due } => {
            (Kind::Moved, format!("{record}stands where record {due} is due: it was moved, or put there once more"))
        }
        Wrong::NotTorn => {
            (Kind::Edited, format!("{record}says that a torn line stands before it, which is not there as it was"))
        }
    }
}

fn finding(line: usize, record: Option<u64>, (kind, message): (Kind, String)) -> Finding {
    Finding { run: None, file: FILE.to_owned(), line: Some(line), record, kind, message }
}

/// Looks at the chain.
pub(super) fn look(chain: &Bytes, head: Option<&str>, report: &mut Report) -> Known {
    let mut known = Known { runs: BTreeMap::new(), first: None, place: Place::There };
    let bytes = match chain {
        Ok(Some(bytes)) => bytes.as_slice(),
        Ok(None) => {
            known.place = Place::None;
            b""
        }
        Err(error) => {
            report.unread.push(Unread { file: FILE.to_owned(), why: error.to_string() });
            known.place = Place::Unread;
            return known;
        }
    };
    let walk = walk(bytes, Some(Hash::NONE));
    report
        .findings
        .extend(walk.wrong.iter().map(|(line, record, wrong)| finding(*line, *record, words(wrong, *record))));
    if walk.overlong {
        let line = bytes.split(|byte| *byte == b'\n').count();
        report.findings.push(finding(
            line,
            None,
            (Kind::Edited, "more stands behind a record than was written".to_owned()),
        ));
    }
    report.torn = !walk.rest.is_empty() && !walk.overlong;
    report.mended = walk.mended;
    report.links = walk.records.len();
    for (line, text, hash) in &walk.records {
        let is_wrong = walk.wrong.iter().any(|(wrong, _, _)| wrong == line);
        match serde_json::from_slice::<Link>(text) {
            Ok(link) if link.chain <= VERSION => {
                report.head = Some(Head { hash: *hash, seq: link.seq, runs: link.runs, newest: link.newest.clone() });
                take(link, *hash, *line, &mut known, report);
            }
            // What is wrong by its hash has been said.
            _ if is_wrong => {}
            Ok(link) => report.unread.push(Unread {
                file: format!("{FILE}:{line}"),
                why: format!("its format is version {}, this tool reads up to version {VERSION}", link.chain),
            }),
            Err(error) => report.unread.push(Unread { file: format!("{FILE}:{line}"), why: error.to_string() }),
        }
    }
    if let Some(noted) = head {
        let found = walk.records.iter().position(|(_, _, hash)| hash.to_string().starts_with(noted));
        report.since_head = found.map(|place| walk.records.len() - place - 1);
        if found.is_none() {
            let message = format!("the head {noted} is not in it: its end was cut off, or it was written anew");
            let file = FILE.to_owned();
            report.findings.push(Finding { run: None, file, line: None, record: None, kind: Kind::Head, message });
        }
    }
    known
}

/// Takes what a line says of a run.
fn take(link: Link, hash: Hash, line: usize, known: &mut Known, report: &mut Report) {
    let Link { seq, run, journal, what, runs, .. } = link;
    let mut wrong = |kind, message: String| {
        let run = Some(run.clone());
        report.findings.push(Finding { run, ..finding(line, Some(seq), (kind, message)) });
    };
    match (what, known.runs.get_mut(&journal)) {
        (What::Begun { .. }, None) => {
            known.first.get_or_insert_with(|| journal.clone());
            known.runs.insert(journal, Begun { hash, seq, number: runs, ended: None, pruned: false });
        }
        (What::Ended { records, last }, Some(begun)) if begun.ended.is_none() => begun.ended = Some((records, last)),
        (What::Pruned, Some(begun)) => {
            if !is_old(begun.number, runs) {
                wrong(Kind::Removed, format!("says that a run was removed before {KEPT} newer ones had begun"));
            }
            begun.pruned = true;
        }
        (What::Begun { .. }, Some(_)) => wrong(Kind::Added, "says that a run began a second time".to_owned()),
        (What::Ended { .. }, Some(_)) => wrong(Kind::Added, "says that a run ended a second time".to_owned()),
        (_, None) => wrong(Kind::Missing, "speaks of a run of which it does not say that it began".to_owned()),
    }
}

/// The runs that the chain knows and of which there is no journal.
pub(super) fn absent(known: &Known, material: &Material, wanted: &Wanted, report: &mut Report) {
    let there = |name: &str| material.journals.iter().any(|(own, _)| own == name);
    for (name, begun) in known.runs.iter().filter(|(name, _)| wanted.has(name) && !there(name)) {
        if begun.pruned {
            report.pruned += 1;
        } else if material.all {
            report.findings.push(Finding {
                run: Some(run_of(name)),
                file: name.clone(),
                line: None,
                record: None,
                kind: Kind::Removed,
                message: format!("the journal is gone; record {} of the chain says that the run began", begun.seq),
            });
            report.add(name, State::Wrong, 0);
        } else {
            report.left_out += 1;
        }
    }
}
