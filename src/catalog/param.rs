//! Parameters: a name, a doc and a type, said once for the signature and for the body.

use std::marker::PhantomData;

use super::{JudgeFile, PerItem, Quoting};
use crate::types::{Connection, Fault, Template, Type, Typed, Value};

/// A parameter as the body takes it: `args.get(&DATABASE)?` gives a `T`.
pub struct Param<T> {
    info: ParamInfo,
    takes: PhantomData<fn() -> T>,
}

/// A parameter as the signature shows it.
#[derive(Clone, Copy)]
pub struct ParamInfo {
    pub name: &'static str,
    /// One sentence with units.
    pub doc: &'static str,
    pub accepts: Accepts,
    pub presence: Presence,
    /// What is known of a value that is written, before anything runs.
    pub judge: Option<Judge>,
    pub read: Read,
    /// It is a pattern for files: a value in a text that is written for it stands for itself.
    pub is_pattern: bool,
}

/// Who reads what is given: a text that people read has its values short, any other has all their digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// The body alone: it may compare it or send it.
    ByBody,
    ByPeople,
    /// Whoever reads the answer, which it is in as it is.
    InAnswer,
}

/// Says what is wrong with a value, in the words in which a run would say it.
#[derive(Clone, Copy)]
pub enum Judge {
    /// Of a text, with the name of what takes it.
    Text(fn(&str, &str) -> Result<(), Fault>),
    Number(fn(i64) -> Result<(), Fault>),
    /// Of any value.
    Value(fn(&Value) -> Result<(), Fault>),
    /// Of any value beside that of another parameter, which may be left out.
    Beside(&'static str, fn(Option<&Value>, &Value) -> Result<(), Fault>),
    /// Of a list of texts.
    Texts(fn(&[&str]) -> Result<(), Fault>),
    /// Of a literal text, with a value in each place of one.
    Template(fn(&Template) -> Result<(), Fault>),
}

/// What a parameter takes.
#[derive(Clone, Copy)]
pub enum Accepts {
    /// A value of this type.
    Type(fn() -> Type),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list or a log of anything.
    Items,
    /// Any value that can be shown.
    Anything,
    /// A number, with a unit or without.
    Number,
    /// An expression that is evaluated for each item of the first parameter: `.size > 1GiB` or `p => p.size > 1GiB`.
    PerItem(Yields),
    /// A literal text: what is interpolated lands as its place demands and can't break out of it.
    Literal(Landing),
    /// A connection of this driver.
    Connection(&'static str),
    /// A record with fields of any name, each text, a plain number, a bool or a date: headers, a query, an environment.
    Fields {
        /// A field may be a secret too.
        secrets: bool,
        /// A field may be a list of such values.
        lists: bool,
    },
    /// A string or a secret.
    TextOrSecret,
    /// What leads to a server: a record with a way in it, such as a pod or a service.
    Way,
    /// The path of a text file in the runbook's own folder or below it, of which this is known before it is used.
    File(JudgeFile),
    /// A metric, by its name. Its type is the list of its samples: records of `time`, `value` and the text of each label.
    Metric,
}

/// What a per-item expression must give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yields {
    Bool,
    /// Something with an order.
    Ordered,
    /// A number, with a unit or without.
    Number,
    Anything,
}

/// Where a literal text lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Landing {
    /// Values become percent-encoded parts.
    Url,
    /// Values become bound parameters.
    Sql,
    /// Values become words of a command, one each.
    Words,
    /// Values stand between quotes of the text and cannot end them. Outside of quotes stand only numbers and durations.
    Quoted(&'static Quoting),
}

/// Whether a parameter must be given.
#[derive(Clone, Copy)]
pub enum Presence {
    Required,
    Optional,
    /// What stands in for it.
    Default(fn() -> Value),
}

impl<T> Param<T> {
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static str, accepts: Accepts, presence: Presence) -> Self {
        Self {
            info: ParamInfo { name, doc, accepts, presence, judge: None, read: Read::ByBody, is_pattern: false },
            takes: PhantomData,
        }
    }

    #[must_use]
    pub const fn info(&self) -> ParamInfo {
        self.info
    }

    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.info.name
    }

    /// The same, of a text that people read.
    #[must_use]
    pub const fn for_people(mut self) -> Self {
        self.info.read = Read::ByPeople;
        self
    }

    /// The same, of a pattern for files.
    #[must_use]
    pub const fn pattern(mut self) -> Self {
        self.info.is_pattern = true;
        self
    }

    /// The same, of what is in the answer as it is.
    #[must_use]
    pub const fn in_answer(mut self) -> Self {
        self.info.read = Read::InAnswer;
        self
    }

    /// The same, of which a value that is written is judged before anything runs.
    #[must_use]
    pub const fn judged(mut self, judge: Judge) -> Self {
        self.info.judge = Some(judge);
        self
    }
}

impl<T: Typed> Param<T> {
    #[must_use]
    pub const fn required(name: &'static str, doc: &'static str) -> Self {
        Self::new(name, doc, Accepts::Type(T::ty), Presence::Required)
    }

    /// A parameter with a value of its own where none is given.
    #[must_use]
    pub const fn or(name: &'static str, doc: &'static str, default: fn() -> Value) -> Self {
        Self::new(name, doc, Accepts::Type(T::ty), Presence::Default(default))
    }
}

impl<T: Typed> Param<Option<T>> {
    #[must_use]
    pub const fn optional(name: &'static str, doc: &'static str) -> Self {
        Self::new(name, doc, Accepts::Type(T::ty), Presence::Optional)
    }
}

impl Param<std::sync::Arc<Connection>> {
    /// The connection that the call goes to: `api` in `api.get("/")`.
    #[must_use]
    pub const fn connection(driver: &'static str) -> Self {
        Self::new("connection", "The connection to ask.", Accepts::Connection(driver), Presence::Required)
    }
}

impl Param<std::sync::Arc<Template>> {
    /// A literal text.
    #[must_use]
    pub const fn literal(name: &'static str, doc: &'static str, landing: Landing) -> Self {
        Self::new(name, doc, Accepts::Literal(landing), Presence::Required)
    }
}

impl Param<String> {
    /// One of some words.
    #[must_use]
    pub const fn word(
        name: &'static str,
        doc: &'static str,
        words: &'static [&'static str],
        default: Option<fn() -> Value>,
    ) -> Self {
        let presence = match default {
            Some(default) => Presence::Default(default),
            None => Presence::Required,
        };
        Self::new(name, doc, Accepts::Word(words), presence)
    }
}

impl Param<PerItem<'static>> {
    /// An expression for each item.
    #[must_use]
    pub const fn per_item(name: &'static str, doc: &'static str, yields: Yields, presence: Presence) -> Self {
        Self::new(name, doc, Accepts::PerItem(yields), presence)
    }
}

impl Param<Option<std::sync::Arc<crate::types::Record>>> {
    /// A record with fields of any name.
    #[must_use]
    pub const fn fields(name: &'static str, doc: &'static str, secrets: bool) -> Self {
        Self::new(name, doc, Accepts::Fields { secrets, lists: false }, Presence::Optional)
    }

    /// A record with fields of any name, each a value or a list of them.
    #[must_use]
    pub const fn fields_and_lists(name: &'static str, doc: &'static str) -> Self {
        Self::new(name, doc, Accepts::Fields { secrets: false, lists: true }, Presence::Optional)
    }
}

impl Param<Value> {
    /// The items that a stage works on.
    #[must_use]
    pub const fn items() -> Self {
        Self::new("items", "What it works on: a list or a log.", Accepts::Items, Presence::Required)
    }

    /// Any value.
    #[must_use]
    pub const fn anything(name: &'static str, doc: &'static str, presence: Presence) -> Self {
        Self::new(name, doc, Accepts::Anything, presence)
    }
}
