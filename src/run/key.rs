//! When two reads are the same read: the key of a call, by its built-in and the values of its arguments.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, LazyLock};

use crate::catalog::Builtin;
use crate::check::program::{ConnectionId, SecretId};
use crate::types::{Log, Piece, Query, Value};

/// What is remembered under it. It may hold the text of a secret and is never shown or written anywhere.
///
/// It is looked for several times and is often long, so it is hashed once.
#[derive(Clone)]
pub(crate) struct Key {
    bytes: Arc<[u8]>,
    hash: u64,
}

/// Random: what comes from outside must not choose what falls together.
static HASHED_BY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.bytes == other.bytes
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Key {
    fn of(bytes: Vec<u8>) -> Self {
        Self { hash: HASHED_BY.hash_one(&bytes), bytes: bytes.into() }
    }

    pub(crate) fn call(builtin: &Builtin, args: &[Option<Value>]) -> Self {
        let mut bytes = vec![b'c'];
        push_bytes(&mut bytes, builtin.name.as_bytes());
        for arg in args {
            match arg {
                Some(value) => push(&mut bytes, value),
                None => bytes.push(b'_'),
            }
        }
        Self::of(bytes)
    }

    pub(crate) fn value(value: &Value) -> Self {
        let mut bytes = vec![b'v'];
        push(&mut bytes, value);
        Self::of(bytes)
    }

    /// A query of one snapshot.
    pub(crate) fn scan(log: &Arc<Log>, query: &Query) -> Self {
        let mut bytes = vec![b'q'];
        push(&mut bytes, &Value::Log(Arc::clone(log)));
        push_bytes(&mut bytes, format!("{query:?}").as_bytes());
        Self::of(bytes)
    }

    pub(crate) fn connection(id: ConnectionId) -> Self {
        Self::of([b"o".as_slice(), &id.0.to_le_bytes()].concat())
    }

    pub(crate) fn secret(id: SecretId) -> Self {
        Self::of([b"s".as_slice(), &id.0.to_le_bytes()].concat())
    }
}

/// Each value begins with a letter for its kind, and what has a length says it, so that no two are written alike.
fn push(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => bytes.push(b'n'),
        Value::Bool(value) => bytes.extend([b'b', u8::from(*value)]),
        Value::Int(value) => push_number(bytes, b'i', value.to_le_bytes()),
        Value::Size(value) => push_number(bytes, b'z', value.to_le_bytes()),
        Value::Float(value) => push_number(bytes, b'f', value.to_bits().to_le_bytes()),
        Value::Percent(value) => push_number(bytes, b'p', value.to_bits().to_le_bytes()),
        Value::Cores(value) => push_number(bytes, b'k', value.to_bits().to_le_bytes()),
        Value::Rate(value, counted) => {
            push_number(bytes, b'r', value.to_bits().to_le_bytes());
            push_text(bytes, b'u', &format!("{counted:?}"));
        }
        Value::Duration(value) => push_number(bytes, b'd', value.as_nanos().to_le_bytes()),
        Value::String(text) => push_text(bytes, b't', text),
        Value::Regex(regex) => push_text(bytes, b'x', regex.as_str()),
        Value::Time(time) => push_number(bytes, b'T', time.as_nanosecond().to_le_bytes()),
        Value::Date(date) => push_text(bytes, b'D', &date.to_string()),
        Value::Clock(clock) => push_text(bytes, b'C', &clock.to_string()),
        Value::Data(data) => push_text(bytes, b'j', &data.to_string()),
        Value::List(items) => {
            push_number(bytes, b'l', items.len().to_le_bytes());
            items.iter().for_each(|item| push(bytes, item));
        }
        Value::Record(fields) => {
            push_number(bytes, b'm', fields.len().to_le_bytes());
            for (name, value) in fields.iter() {
                push_text(bytes, b't', name);
                push(bytes, value);
            }
        }
        Value::Line(line) => {
            push_text(bytes, b'L', &line.source);
            push_number(bytes, b'i', line.number.to_le_bytes());
            push_text(bytes, b't', &line.text);
        }
        // A snapshot is itself: two that were read apart may differ.
        Value::Log(log) => push_number(bytes, b'g', Arc::as_ptr(&log.reader).addr().to_le_bytes()),
        Value::Secret(secret) => push_text(bytes, b'S', secret.expose()),
        Value::Connection(connection) => push_text(bytes, b'N', &connection.name),
        Value::Template(template) => {
            push_number(bytes, b'P', template.pieces.len().to_le_bytes());
            for piece in &template.pieces {
                match piece {
                    Piece::Text(text) => push_text(bytes, b't', text),
                    Piece::Value(value) => {
                        bytes.push(b'v');
                        push(bytes, value);
                    }
                }
            }
        }
        Value::Faulted(fault) => push_text(bytes, b'F', &fault.message),
    }
}

fn push_number<const N: usize>(bytes: &mut Vec<u8>, kind: u8, number: [u8; N]) {
    bytes.push(kind);
    bytes.extend(number);
}

fn push_text(bytes: &mut Vec<u8>, kind: u8, text: &str) {
    bytes.push(kind);
    push_bytes(bytes, text.as_bytes());
}

fn push_bytes(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend(text.len().to_le_bytes());
    bytes.extend(text);
}
