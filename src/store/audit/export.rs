//! What was recorded as one stream of JSON Lines, from which it can be verified on another machine.
//!
//! The first line is `{"export":"runbook audit","version":1,"all":…,"chain":…}`, the last one `{"export":"end",…}`. Each
//! line of the chain and of a journal follows as `record`, last in its line and byte for byte; what is no JSON object in
//! text, or has no line feed at its end, as `hex`.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Material, Source, Wanted, run_of};
use crate::store::journal::stamp;
use crate::store::seal::Sealed;
use crate::types::{Fault, FaultKind};

const VERSION: u32 = 1;
/// Behind it stands the line as it is. In a text before it, its quotes would be escaped.
const RECORD: &[u8] = b",\"record\":";

#[derive(Serialize, Deserialize)]
#[serde(tag = "export")]
enum Line {
    #[serde(rename = "runbook audit")]
    First {
        version: u32,
        /// All runs are in it.
        all: bool,
        /// There is a chain.
        chain: bool,
    },
    #[serde(rename = "chain")]
    Chain {
        #[serde(flatten)]
        piece: Piece,
    },
    /// Before the events of a run, of which there may be none.
    #[serde(rename = "run")]
    Run { run: String, journal: String },
    #[serde(rename = "event")]
    Event {
        run: String,
        journal: String,
        #[serde(flatten)]
        piece: Piece,
    },
    #[serde(rename = "end")]
    End {
        /// How many lines stand before it.
        lines: u64,
    },
}

/// What is said about a line beside what it says.
#[derive(Serialize, Deserialize)]
struct Piece {
    /// From 0.
    seq: u64,
    /// The hash that it states.
    hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

impl Material {
    /// Writes what is wanted of it: the chain whole, and the runs that are meant by any of `wanted` and began since then.
    ///
    /// # Errors
    /// Where something cannot be read or written.
    pub fn export(&self, wanted: &[Wanted], since: Option<Timestamp>, out: &mut dyn Write) -> Result<(), Fault> {
        let unread =
            |file: &str, error: &io::Error| Fault::new(FaultKind::Setup, format!("cannot read `{file}`: {error}"));
        let chain = self.chain.as_ref().map_err(|error| unread(crate::store::chain::FILE, error))?;
        let since = since.map(stamp).unwrap_or_default();
        let meant =
            |name: &str| (wanted.is_empty() || wanted.iter().any(|wanted| wanted.has(name))) && name >= since.as_str();
        let mut out = Out { out, lines: 0 };
        let all = self.all && self.journals.iter().all(|(name, _)| meant(name)) && wanted.is_empty();
        out.line(&Line::First { version: VERSION, all, chain: chain.is_some() }, None)?;
        for (seq, piece) in pieces(chain.as_deref().unwrap_or_default()) {
            out.piece(seq, piece, |piece| Line::Chain { piece })?;
        }
        for (name, source) in self.journals.iter().filter(|(name, _)| meant(name)) {
            let bytes = match source.bytes() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound && self.pruned_meanwhile(name) => continue,
                Err(error) => return Err(unread(name, &error)),
            };
            let (run, journal) = (run_of(name), name.clone());
            out.line(&Line::Run { run: run.clone(), journal: journal.clone() }, None)?;
            for (seq, piece) in pieces(&bytes) {
                out.piece(seq, piece, |piece| Line::Event { run: run.clone(), journal: journal.clone(), piece })?;
            }
        }
        out.line(&Line::End { lines: out.lines }, None)
    }
}

fn pieces(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    (0..).zip(bytes.split_inclusive(|byte| *byte == b'\n'))
}

struct Out<'a> {
    out: &'a mut dyn Write,
    lines: u64,
}

impl Out<'_> {
    fn piece(&mut self, seq: u64, piece: &[u8], line: impl FnOnce(Piece) -> Line) -> Result<(), Fault> {
        let whole = piece.strip_suffix(b"\n");
        let is_object =
            |text: &&[u8]| text.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
        let hash = Sealed::read(whole.unwrap_or(piece)).map(|sealed| sealed.stated.to_string());
        if let Some(text) = whole.filter(is_object).filter(|text| std::str::from_utf8(text).is_ok()) {
            return self.line(&line(Piece { seq, hash, hex: None }), Some(text));
        }
        self.line(&line(Piece { seq, hash, hex: Some(hex::encode(piece)) }), None)
    }

    fn line(&mut self, line: &Line, record: Option<&[u8]>) -> Result<(), Fault> {
        let cannot = |error: io::Error| Fault::new(FaultKind::Setup, format!("cannot write: {error}"));
        let mut text = serde_json::to_vec(line).map_err(|error| cannot(error.into()))?;
        if let Some(record) = record {
            text.pop();
            text.extend_from_slice(RECORD);
            text.extend_from_slice(record);
            text.push(b'}');
        }
        text.push(b'\n');
        self.lines += 1;
        self.out.write_all(&text).map_err(cannot)
    }
}

/// Reads an export.
///
/// # Errors
/// Where it cannot be read or is none. One that is not whole is no error: what is there can be looked at.
pub fn read(name: &str, from: impl BufRead) -> Result<Material, Fault> {
    let bad = |why: String| {
        Fault::new(FaultKind::Setup, format!("cannot read the export `{name}`: {why}"))
            .help("`runbook audit export` writes one; it has to come byte for byte as it was written")
    };
    let mut chain: Option<Vec<u8>> = None;
    let mut journals: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let (mut whole, mut ended, mut count) = (None, None, 0);
    for (number, text) in (1_u64..).zip(from.split(b'\n')) {
        let text = text.map_err(|error| bad(error.to_string()))?;
        let (line, record) = parse(&text).map_err(|why| bad(format!("line {number}: {why}")))?;
        count = number;
        let bytes = |piece: Piece| match (record, piece.hex) {
            (Some(record), None) => Ok([record, b"\n"].concat()),
            (None, Some(hex)) => hex::decode(&hex).map_err(|_| bad(format!("line {number}: its `hex` is none"))),
            _ => Err(bad(format!("line {number}: it has to have `record` or `hex`"))),
        };
        match (line, whole) {
            (Line::First { version, .. }, None) if version > VERSION => {
                return Err(bad(format!("its format is version {version}, this tool reads up to version {VERSION}")));
            }
            (Line::First { all, chain: has_chain, .. }, None) => {
                whole = Some(all);
                chain = has_chain.then(Vec::new);
            }
            (Line::First { .. }, Some(_)) | (_, None) => {
                return Err(bad(format!("line {number}: what says that it is an export has to be its first line")));
            }
            (Line::Chain { piece }, _) => chain.get_or_insert_default().extend(bytes(piece)?),
            (Line::Run { journal, .. }, _) => {
                journals.entry(journal).or_default();
            }
            (Line::Event { journal, piece, .. }, _) => journals.entry(journal).or_default().extend(bytes(piece)?),
            (Line::End { lines }, _) => ended = Some((number, lines)),
        }
    }
    let Some(all) = whole else { return Err(bad("nothing is in it".to_owned())) };
    let broken = match ended {
        Some((at, lines)) if at == count && lines + 1 == count => None,
        Some(_) => Some("lines of it are missing, or were put there".to_owned()),
        None => Some("its end is cut off".to_owned()),
    };
    let journals = journals.into_iter().map(|(name, bytes)| (name, Source::Bytes(bytes))).collect();
    Ok(Material { chain: Ok(chain), journals, all, broken, place: None })
}

/// A line, and the bytes of the record in it.
fn parse(text: &[u8]) -> Result<(Line, Option<&[u8]>), String> {
    let at = text.windows(RECORD.len()).position(|part| part == RECORD);
    let Some((head, rest)) = at.and_then(|at| Some((text.get(..at)?, text.get(at + RECORD.len()..)?))) else {
        return serde_json::from_slice(text).map(|line| (line, None)).map_err(|error| error.to_string());
    };
    let record = rest.strip_suffix(b"}").ok_or("it does not end")?;
    let line = serde_json::from_slice(&[head, b"}"].concat()).map_err(|error| error.to_string())?;
    Ok((line, Some(record)))
}
