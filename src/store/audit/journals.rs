//! One journal: whether it is as it was written, by itself and as the chain of runs knows it.

use super::chain::{Begun, Known, Place, words};
use super::{Finding, Kind, Report, State, Unread, run_of};
use crate::store::chain::FILE;
use crate::store::event::VERSION;
use crate::store::history::anchor_of;
use crate::store::seal::{Hash, Sealed, Walk, walk};

/// What is said of one journal.
struct Judged<'a> {
    name: &'a str,
    findings: Vec<Finding>,
}

impl Judged<'_> {
    fn wrong(&mut self, line: Option<usize>, record: Option<u64>, kind: Kind, message: impl Into<String>) {
        let (run, file) = (Some(run_of(self.name)), self.name.to_owned());
        self.findings.push(Finding { run, file, line, record, kind, message: message.into() });
    }
}

/// `untold`: how many changes were begun of which it does not tell.
pub(super) fn judge(name: &str, bytes: &[u8], untold: usize, known: &Known, report: &mut Report) {
    let begun = known.runs.get(name);
    let first = bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    let sealed = bytes.split(|byte| *byte == b'\n').any(|line| Sealed::read(line).is_some());
    let mut judged = Judged { name, findings: Vec::new() };
    let mut records = bytes.split(|byte| *byte == b'\n').count() - 1;
    let state = if bytes.is_empty() && begun.is_none() {
        State::Empty
    } else if begun.is_none() && !sealed {
        not_chained(known, &mut judged)
    } else {
        if let Some(version) = version(first).filter(|version| *version > VERSION) {
            // A record of a newer version that is as it was written may end in another way.
            let why = format!("its format is version {version}, this tool reads up to version {VERSION}");
            report.unread.push(Unread { file: name.to_owned(), why });
        }
        let anchor = anchor_of(first);
        let before = anchor.map(|anchor| anchor.sha256).or_else(|| begun.map(|begun| begun.hash));
        let walk = walk(bytes, Some(before.unwrap_or(Hash::NONE)));
        records = walk.records.len();
        for (line, record, wrong) in &walk.wrong {
            let (kind, message) = words(wrong, *record);
            judged.wrong(Some(*line), *record, kind, message);
        }
        if walk.overlong {
            judged.wrong(None, None, Kind::Edited, "more stands behind its last record than was written there");
        }
        tied(before, begun, known, &mut judged);
        end(&walk, begun, known, &mut judged)
    };
    // What follows from what was said is not said again.
    if untold > 0 && judged.findings.is_empty() {
        let message = format!("its end is cut off: changes were begun of which it does not tell ({untold})");
        judged.wrong(None, None, Kind::Cut, message);
    }
    let state = if judged.findings.is_empty() { state } else { State::Wrong };
    report.findings.append(&mut judged.findings);
    report.add(name, state, records);
}

fn version(first: &[u8]) -> Option<u32> {
    let value: serde_json::Value = serde_json::from_slice(first).ok()?;
    value.get("version")?.as_u64()?.try_into().ok()
}

/// One without hashes: of an older version, unless it is younger than the chain.
fn not_chained(known: &Known, judged: &mut Judged<'_>) -> State {
    if known.first.as_deref().is_some_and(|first| first < judged.name) {
        let message = "it carries no hashes although the chain of runs had begun by then: a version without a chain \
                       recorded it, or it was put there";
        judged.wrong(None, None, Kind::Added, message);
    }
    State::NotChained
}

/// Whether the chain says that it began.
fn tied(before: Option<Hash>, begun: Option<&Begun>, known: &Known, judged: &mut Judged<'_>) {
    let other = before.and_then(|hash| known.by_hash(hash)).filter(|other| *other != judged.name);
    match (begun, before) {
        (Some(begun), Some(before)) if begun.hash != before => match other {
            Some(other) => {
                judged.wrong(Some(1), None, Kind::Added, format!("it is the journal of another run: {other}"));
            }
            None => judged.wrong(
                Some(1),
                None,
                Kind::Edited,
                format!(
                    "it is tied to something else than record {} of the chain, which says that it began",
                    begun.seq
                ),
            ),
        },
        (Some(_), _) => {}
        (None, _) => match (known.place, other) {
            // Nobody can say; that the chain cannot be read is said.
            (Place::Unread, _) => {}
            (Place::None, _) => judged.wrong(None, None, Kind::Removed, format!("the chain of runs `{FILE}` is gone")),
            (Place::There, Some(other)) => {
                judged.wrong(None, None, Kind::Added, format!("it is a copy of the journal of another run: {other}"));
            }
            (Place::There, None) => {
                let message = "the chain of runs does not know it: the chain was cut off, or the journal was put there";
                judged.wrong(None, None, Kind::Added, message);
            }
        },
    }
}

/// Whether it ends as the chain says.
fn end(walk: &Walk<'_>, begun: Option<&Begun>, known: &Known, judged: &mut Judged<'_>) -> State {
    let there = walk.records.len() as u64;
    let finished = walk.records.last().is_some_and(|(_, line, _)| is_end(line));
    let Some((records, last)) = begun.and_then(|begun| begun.ended) else {
        return match (walk.rest.is_empty() && !walk.unended, finished) {
            (false, _) => State::Torn,
            (true, true) if known.place == Place::Unread => State::NotRead,
            (true, true) => State::EndNotChained,
            (true, false) => State::NotEnded,
        };
    };
    if walk.due < records {
        let message = match records - walk.due {
            1 => format!("its last record is cut off: the chain says that it has {records}"),
            gone => format!("its last {gone} records are cut off: the chain says that it has {records}"),
        };
        judged.wrong(None, None, Kind::Cut, message);
    } else if !judged.findings.is_empty() {
        // What follows from what was said is not said again.
    } else if there > records {
        judged.wrong(
            None,
            None,
            Kind::Added,
            format!("it has {there} records, and the chain says that it has {records}"),
        );
    } else if !walk.rest.is_empty() {
        judged.wrong(None, None, Kind::Added, "more stands behind its end than was written there");
    } else if walk.unended {
        judged.wrong(None, None, Kind::Cut, "the line feed at its end is cut off");
    } else if there < records || walk.records.last().is_none_or(|(_, _, hash)| *hash != last) {
        judged.wrong(None, None, Kind::Edited, "its last record is not the one that the chain knows");
    }
    State::Whole
}

fn is_end(line: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Named {
        event: String,
    }
    serde_json::from_slice::<Named>(line).is_ok_and(|named| named.event == "run_finished")
}
