//! A list in protobuf, taken apart as it comes: its metadata and its objects one by one, so that no page of it is ever in
//! memory.

use super::request::{AT_MOST, Unfit};
use super::wire::{self, MAGIC};

/// A part of a list that is there as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'b> {
    Metadata(&'b [u8]),
    Object(&'b [u8]),
}

/// The bytes of a list of which not all have come.
pub(super) struct Pieces {
    /// What the list has to be called.
    kind: &'static str,
    bytes: Vec<u8>,
    /// How many of the bytes are done with.
    read: usize,
    at: At,
}

/// Where in the answer the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Begin,
    /// In what the list is wrapped in: whether it has been said that it is of the right kind, and whether it has come.
    Envelope {
        known: bool,
        whole: bool,
    },
    /// In the list, with so many bytes still to come.
    List(usize),
}

/// The fields of the envelope, and those of a list: each is a number and how long it is.
const ABOUT: u64 = 1;
const RAW: u64 = 2;
const METADATA: u64 = 1;
const ITEM: u64 = 2;
/// The wire type of what says how long it is.
const BYTES: u64 = 2;

impl Pieces {
    pub(super) const fn new(kind: &'static str) -> Self {
        Self { kind, bytes: Vec::new(), read: 0, at: At::Begin }
    }

    pub(super) fn begin(&mut self) {
        *self = Self::new(self.kind);
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next part; nothing where more bytes have to come first.
    ///
    /// # Errors
    /// Where it is no list of this kind.
    pub(super) fn next(&mut self) -> Result<Option<Piece<'_>>, Unfit> {
        loop {
            let rest = self.bytes.get(self.read..).unwrap_or_default();
            match self.at {
                At::Begin => {
                    let seen = rest.len().min(MAGIC.len());
                    if rest.get(..seen) != MAGIC.get(..seen) {
                        return Err(Unfit::InJson);
                    }
                    if seen < MAGIC.len() {
                        return Ok(None);
                    }
                    self.read += seen;
                    self.at = At::Envelope { known: false, whole: false };
                }
                At::Envelope { known, whole } => {
                    let Some(field) = Field::of(rest)? else { return Ok(None) };
                    if field.number == RAW {
                        if !known || whole {
                            return Err(Unfit::Not("it does not say what it is".to_owned()));
                        }
                        self.read += field.head;
                        self.at = At::List(field.length);
                        continue;
                    }
                    let Some(value) = field.value(rest)? else { return Ok(None) };
                    let known = known || field.number == ABOUT && wire::is_of(value, self.kind).map_err(Unfit::Not)?;
                    self.read += field.head + field.length;
                    self.at = At::Envelope { known, whole };
                }
                At::List(0) => self.at = At::Envelope { known: true, whole: true },
                At::List(left) => {
                    let Some(field) = Field::of(rest)? else { return Ok(None) };
                    let Some(left) = left.checked_sub(field.head + field.length) else {
                        return Err(Unfit::Not("one of its objects is longer than itself".to_owned()));
                    };
                    if field.value(rest)?.is_none() {
                        return Ok(None);
                    }
                    let start = self.read + field.head;
                    self.read = start + field.length;
                    self.at = At::List(left);
                    let value = self.bytes.get(start..self.read).unwrap_or_default();
                    match field.number {
                        METADATA => return Ok(Some(Piece::Metadata(value))),
                        ITEM => return Ok(Some(Piece::Object(value))),
                        _ => {}
                    }
                }
            }
        }
    }

    /// That all has come.
    pub(super) fn end(&self) -> Result<(), Unfit> {
        if self.at == (At::Envelope { known: true, whole: true }) && self.read == self.bytes.len() {
            return Ok(());
        }
        Err(Unfit::Not("it ends before its end".to_owned()))
    }
}

/// The head of a field: its number, how long its value is, and how long the head itself is.
struct Field {
    number: u64,
    length: usize,
    head: usize,
}

impl Field {
    /// Nothing where not all of it has come.
    fn of(bytes: &[u8]) -> Result<Option<Self>, Unfit> {
        let broken = || Unfit::Not("it is no protobuf".to_owned());
        let Some((key, first)) = varint(bytes).ok_or_else(broken)? else { return Ok(None) };
        if key & 7 != BYTES {
            return Err(broken());
        }
        let Some((length, second)) = varint(bytes.get(first..).unwrap_or_default()).ok_or_else(broken)? else {
            return Ok(None);
        };
        let length = usize::try_from(length).map_err(|_| broken())?;
        Ok(Some(Self { number: key >> 3, length, head: first + second }))
    }

    /// Its value, if all of it has come.
    fn value<'b>(&self, bytes: &'b [u8]) -> Result<Option<&'b [u8]>, Unfit> {
        if self.length > AT_MOST {
            return Err(Unfit::TooLarge);
        }
        Ok(bytes.get(self.head..self.head + self.length))
    }
}

/// A number in as many bytes as it needs, and how many those are. `Some(None)` where more have to come.
#[expect(clippy::option_option, reason = "no number, and none yet")]
fn varint(bytes: &[u8]) -> Option<Option<(u64, usize)>> {
    let mut number = 0;
    for (index, byte) in (0..10).zip(bytes) {
        number |= u64::from(byte & 0x7f).checked_shl(7 * index)?;
        if byte & 0x80 == 0 {
            return Some(Some((number, index as usize + 1)));
        }
    }
    if bytes.len() < 10 { Some(None) } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Piece, Pieces};
    use crate::builtins::kubernetes::request::Unfit;

    const PROTOBUF: &[u8] = include_bytes!("../../../tests/lab/recorded/pods.protobuf");
    const REFUSAL: &[u8] = include_bytes!("../../../tests/lab/recorded/refusal.protobuf");

    /// How many objects there are in bytes that come in parts of a length.
    fn count(bytes: &[u8], length: usize) -> Result<(usize, usize), String> {
        let words = |unfit: Unfit| match unfit {
            Unfit::Not(why) => why,
            Unfit::InJson => "json".to_owned(),
            Unfit::TooLarge => "large".to_owned(),
            Unfit::Of(fault) => fault.message.to_string(),
        };
        let mut pieces = Pieces::new("PodList");
        let (mut metadata, mut objects) = (0, 0);
        for part in bytes.chunks(length) {
            pieces.push(part);
            while let Some(piece) = pieces.next().map_err(words)? {
                match piece {
                    Piece::Metadata(_) => metadata += 1,
                    Piece::Object(bytes) => objects += usize::from(!bytes.is_empty()),
                }
            }
        }
        pieces.end().map_err(words)?;
        Ok((metadata, objects))
    }

    #[test]
    fn a_list_is_the_same_however_it_comes() {
        for length in [1, 2, 3, 7, 100, 4096, 1 << 20] {
            assert_eq!(count(PROTOBUF, length), Ok((1, 2)), "{length}");
        }
    }

    #[test]
    fn what_is_not_whole_is_no_list() {
        // Behind the list there are two empty fields, of two bytes each.
        for end in 0..PROTOBUF.len() - 4 {
            assert!(count(&PROTOBUF[..end], 64).is_err(), "{end}");
        }
        assert_eq!(count(REFUSAL, 64), Err("it is a `Status`, not a `PodList`".to_owned()));
        assert_eq!(count(b"{\"kind\":\"PodList\",\"items\":[]}", 64), Err("json".to_owned()));
        assert_eq!(count(b"k8", 64), Err("it ends before its end".to_owned()));
        assert_eq!(count(b"k8s\0\x12\x00", 64), Err("it does not say what it is".to_owned()));
        assert_eq!(
            count(b"k8s\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 64),
            Err("it is no protobuf".to_owned())
        );
        assert_eq!(count(b"k8s\0\x0a\xff\xff\xff\xff\x0f", 64), Err("large".to_owned()));
        let mut more = PROTOBUF.to_vec();
        more.push(0x0a);
        assert!(count(&more, 64).is_err(), "something after its end");
    }
}
