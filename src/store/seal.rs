//! Lines that carry a hash: the SHA-256 of what they say together with the hash of the line before.
//!
//! `{…,"sha256":"<hex>"}`: the hash is of the hash before it in hex, a line feed, and the bytes of the line up to
//! `,"sha256"`. Nothing has to be read as JSON to look whether a line is as it was written.

use std::fmt;

use memchr::memmem;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A SHA-256, in lower case hex as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

const KEY: &[u8] = b",\"sha256\":\"";
const END: &[u8] = b"\"}";
const DIGITS: usize = 64;

impl Hash {
    /// What stands before the first line.
    pub const NONE: Self = Self([0; 32]);

    /// The hash of something that is no line.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    fn of_line(before: Self, body: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(before.digits());
        hasher.update(b"\n");
        hasher.update(body);
        Self(hasher.finalize().into())
    }

    fn digits(self) -> [u8; DIGITS] {
        let mut digits = [b'0'; DIGITS];
        // It fits: two digits for each byte.
        let _ = hex::encode_to_slice(self.0, &mut digits);
        digits
    }

    /// As [`fmt::Display`] writes it, and in no other way.
    #[must_use]
    pub fn read(hex: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex, &mut bytes).ok()?;
        (!hex.iter().any(u8::is_ascii_uppercase)).then_some(Self(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::read(text.as_bytes()).ok_or_else(|| serde::de::Error::custom("not a SHA-256 in hex"))
    }
}

/// The line of a JSON object, with its line feed.
pub(super) fn seal(before: Hash, object: &str) -> (Vec<u8>, Hash) {
    let body = object.strip_suffix('}').unwrap_or(object).as_bytes();
    let hash = Hash::of_line(before, body);
    let mut line = Vec::with_capacity(body.len() + KEY.len() + DIGITS + END.len() + 1);
    for part in [body, KEY, &hash.digits(), END, b"\n"] {
        line.extend_from_slice(part);
    }
    (line, hash)
}

/// A line that ends as one with a hash does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed<'a> {
    body: &'a [u8],
    /// The hash that it states.
    pub(super) stated: Hash,
}

impl<'a> Sealed<'a> {
    /// Without its line feed.
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_suffix(END)?;
        let (rest, hex) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
        Some(Self { body: rest.strip_suffix(KEY)?, stated: Hash::read(hex)? })
    }

    pub(super) fn follows(&self, before: Hash) -> bool {
        self.hash(before) == self.stated
    }

    fn hash(&self, before: Hash) -> Hash {
        Hash::of_line(before, self.body)
    }
}

/// What a line of a journal is of, without that it is read as JSON; `None` where it is none.
pub(super) fn event_of(line: &[u8]) -> Option<&[u8]> {
    // Nothing that stands before it in a record can hold these bytes.
    const EVENT: &[u8] = b"\"event\":\"";
    let at = memmem::find(line, EVENT)?;
    line.get(at + EVENT.len()..)?.split(|byte| *byte == b'"').next()
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Its hash is not the one of what it says and of what stands before it.
    Edited,
    /// It carries no hash, or is not a record at all.
    NoRecord,
    /// Those of these numbers are missing before it.
    Missing { from: u64, to: u64 },
    /// It stands where the one of this number is due.
    Moved { due: u64 },
    /// It says that a line that was torn stands before it, and that is not so.
    NotTorn,
}

/// Lines looked at one after another.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    /// The number of a line from 1, that of its record where it says one, and what is wrong with it.
    pub(super) wrong: Vec<(usize, Option<u64>, Wrong)>,
    /// The lines that are records, right or wrong, with the hash that they state.
    pub(super) records: Vec<(usize, &'a [u8], Hash)>,
    /// The number of the record that is due next.
    pub(super) due: u64,
    /// Lines that were torn, and closed by whoever came next.
    pub(super) mended: usize,
    /// What stands behind the last line feed and is no whole record.
    pub(super) rest: &'a [u8],
    /// The last line is whole but for its line feed.
    pub(super) unended: bool,
    /// What stands behind the last line feed begins with a whole record: no write that was cut short leaves that.
    pub(super) overlong: bool,
}

/// What is read of each line.
#[derive(Deserialize)]
struct Numbered {
    seq: u64,
    #[serde(default)]
    torn: Option<Torn>,
}

/// What a writer found behind the last line feed, before it wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Torn {
    bytes: usize,
    sha256: Hash,
}

impl Torn {
    pub(super) fn of(piece: &[u8]) -> Self {
        Self { bytes: piece.len(), sha256: Hash::of(piece) }
    }
}

/// Looks at lines. Where `before` is not known, the first line is taken as it is.
pub(super) fn walk(bytes: &[u8], before: Option<Hash>) -> Walk<'_> {
    let mut walk =
        Walk { wrong: Vec::new(), records: Vec::new(), due: 0, mended: 0, rest: b"", unended: false, overlong: false };
    let mut known = before;
    // What the line before would have stated if only its hash was edited: one edit is one finding.
    let mut otherwise = None;
    let mut due = before.map(|_| 0);
    // A line without a hash, which the next one may say was torn.
    let mut odd: Option<(usize, &[u8])> = None;
    for (index, piece) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        let (line, ended) = piece.strip_suffix(b"\n").map_or((piece, false), |line| (line, true));
        let read = Sealed::read(line);
        if !ended {
            // A record is whole without its line feed; anything else is what was being written.
            let whole = read.is_some_and(|sealed| known.is_none_or(|known| sealed.follows(known)));
            if !whole {
                walk.overlong = known.is_some_and(|known| begins_whole(line, known));
                walk.rest = line;
                break;
            }
            walk.unended = true;
        }
        let Some(sealed) = read else {
            walk.wrong.extend(odd.replace((number, line)).map(|(odd, _)| (odd, None, Wrong::NoRecord)));
            continue;
        };
        let fits = known.is_none_or(|known| sealed.follows(known));
        let excused = fits || otherwise.is_some_and(|otherwise| sealed.follows(otherwise));
        otherwise = known.map(|known| sealed.hash(known)).filter(|_| !excused);
        known = Some(sealed.stated);
        walk.records.push((number, line, sealed.stated));
        let Ok(Numbered { seq, torn }) = serde_json::from_slice::<Numbered>(line) else {
            walk.wrong.push((number, None, if fits { Wrong::NoRecord } else { Wrong::Edited }));
            due = due.map(|due: u64| due.saturating_add(1));
            continue;
        };
        let gap = odd.is_some();
        match (odd.take(), torn) {
            (Some((_, piece)), Some(torn)) if fits && torn == Torn::of(piece) => walk.mended += 1,
            (Some((odd, _)), _) => walk.wrong.push((odd, None, Wrong::NoRecord)),
            (None, Some(_)) if number > 1 || before.is_some() => {
                walk.wrong.push((number, Some(seq), Wrong::NotTorn));
            }
            (None, _) => {}
        }
        let wrong = match due {
            // The line that stands there without being a record may well be the one that is due.
            Some(due) if seq > due && !(gap && seq == due + 1) => Some(Wrong::Missing { from: due, to: seq - 1 }),
            Some(due) if seq < due => Some(Wrong::Moved { due }),
            _ if !excused && !gap => Some(Wrong::Edited),
            _ => None,
        };
        walk.wrong.extend(wrong.map(|wrong| (number, Some(seq), wrong)));
        due = Some(seq.saturating_add(1));
    }
    walk.due = due.unwrap_or(0).saturating_add(u64::from(odd.is_some()));
    walk.wrong.extend(odd.map(|(odd, _)| (odd, None, Wrong::NoRecord)));
    walk
}

fn begins_whole(rest: &[u8], before: Hash) -> bool {
    let starts = (0..rest.len()).filter_map(|end| rest.get(..end)).filter(|start| start.ends_with(END));
    starts.filter_map(Sealed::read).any(|sealed| sealed.follows(before))
}
