//! A text, and whether it was taken out of a longer one.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::{Fault, FromValue, Type, Typed, Value};

/// A text. A part of a longer one, such as a word of a line, may be a number that nobody has read as one yet: where it
/// spells one, it has no order ([`Value::ordered`]).
#[derive(Clone, Debug)]
pub struct Text {
    text: Arc<str>,
    is_part: bool,
}

impl Text {
    /// Another text, made of this one letter by letter: a part stays one.
    #[must_use]
    pub fn made(&self, text: impl Into<Arc<str>>) -> Value {
        Value::String(Self { text: text.into(), is_part: self.is_part })
    }

    #[must_use]
    pub const fn is_part(&self) -> bool {
        self.is_part
    }

    #[must_use]
    pub fn into_inner(self) -> Arc<str> {
        self.text
    }
}

impl Deref for Text {
    type Target = Arc<str>;

    fn deref(&self) -> &Arc<str> {
        &self.text
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl Value {
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(Text { text: text.into(), is_part: false })
    }

    /// A text that was taken out of a longer one.
    pub fn part(text: impl Into<Arc<str>>) -> Self {
        Self::String(Text { text: text.into(), is_part: true })
    }
}

impl Typed for Text {
    fn ty() -> Type {
        Type::String
    }
}

impl FromValue for Text {
    fn from_value(value: Value) -> Result<Self, Fault> {
        match value {
            Value::String(text) => Ok(text),
            // A fault, or what is no text.
            other => Arc::<str>::from_value(other).map(|text| Self { text, is_part: false }),
        }
    }
}
