//! The contract of a built-in: one declaration from which everything else is derived.
//!
//! A built-in says its signature, its effect, what it needs, an example and what a person would type instead. The
//! checker, the planner, the runner and the documentation take the [`Catalog`] as an argument; only the command line
//! wires the real one, so tests can bring their own.

mod args;
pub mod by_hand;
mod channel;
mod cx;
mod driver;
pub mod elsewhere;
mod file;
pub mod need;
mod param;
mod past;
mod quoting;
pub mod timing;

use std::sync::OnceLock;

use futures_util::future::BoxFuture;
use indexmap::IndexMap;

pub use self::args::{Arg, Args, PerItem};
pub use self::by_hand::ByHand;
pub use self::channel::{Again, Channel, Incident, Message, NotTold, Occasion, Person, Told};
pub use self::cx::{Call, Cx, Opening, Remark, RunFacts, World};
pub use self::driver::{Driver, DriverKind, Open, Opened, OpensChannel};
pub use self::file::{JudgeFile, Misplaced, Problem, in_folder};
use self::need::Need;
pub use self::param::{Accepts, Judge, Landing, Param, ParamInfo, Presence, Read, Yields};
pub use self::past::{Past, PastAlert, PastSample};
pub use self::quoting::{Inside, Quoting, Reading};
use crate::types::{Fault, Type, Value};

/// What a call does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Only computes.
    Pure,
    /// Looks at something outside and leaves it as it is.
    Reads,
    /// Changes something outside.
    Changes,
}

/// How the effect of a call is known. It has no default: every built-in says it.
#[derive(Clone, Copy)]
pub enum EffectRule {
    Pure,
    Reads,
    /// `idempotent`: doing it twice is the same as doing it once, so `retry` may repeat it.
    Changes {
        idempotent: bool,
    },
    /// It depends on what is written in the call: `POST` only reads where the connection says so.
    ByCall(fn(&CallFacts<'_>) -> Effect),
}

/// What is written in a call, as far as it is literal.
#[derive(Clone, Copy)]
pub struct CallFacts<'a> {
    /// The literal text of an argument, with `*` for every interpolated value: `/tasks/*`.
    pub argument: &'a dyn Fn(&str) -> Option<String>,
    /// The literal texts of an argument of the connection's declaration: `reads: ["POST /query"]`.
    pub connection: &'a dyn Fn(&str) -> Vec<String>,
}

/// What a call gives.
#[derive(Clone, Copy)]
pub enum Returns {
    Type(fn() -> Type),
    /// It depends on the arguments. `shape` says it to people: `list<T>`.
    Computed {
        shape: &'static str,
        compute: fn(&Inputs<'_>) -> Result<Type, Mismatch>,
    },
    /// The same for all calls, where the arguments fit together.
    Judged {
        ty: fn() -> Type,
        judge: fn(&Inputs<'_>) -> Result<(), Mismatch>,
    },
}

/// The types of a call's arguments, by parameter; that of a per-item argument is what it yields for an item.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    pub types: &'a [(&'static str, Option<Type>)],
}

impl Inputs<'_> {
    /// The type of an argument; [`Type::Unknown`] where it was left out.
    #[must_use]
    pub fn of(&self, param: &str) -> Type {
        self.given(param).unwrap_or(Type::Unknown)
    }

    /// The type of an argument that was given.
    #[must_use]
    pub fn given(&self, param: &str) -> Option<Type> {
        self.types.iter().find(|(name, _)| *name == param).and_then(|(_, ty)| ty.clone())
    }

    /// The type of the items of the first parameter.
    #[must_use]
    pub fn item(&self) -> Type {
        match self.types.first().and_then(|(_, ty)| ty.as_ref()) {
            Some(Type::List(item)) => item.as_ref().clone(),
            Some(Type::Data) => Type::Data,
            _ => Type::Unknown,
        }
    }
}

/// Why the arguments do not go together.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// The parameter that the message is about.
    pub param: &'static str,
    /// Lowercase, no final period: `` `sum` adds numbers, and `.name` is a string ``.
    pub message: String,
    /// What to type.
    pub help: Option<String>,
}

/// The items of a list or a log, one at a time.
pub type Items<'a> = Box<dyn Iterator<Item = Result<Value, Fault>> + 'a>;

/// What a stage hands on: a value, or items that are made as they are asked for.
pub enum Flow<'a> {
    Value(Value),
    Items(Items<'a>),
}

/// What a stage does with items.
pub type Stage = for<'a> fn(Items<'a>, &Args<'a>) -> Result<Flow<'a>, Fault>;

/// What a log can do while it is read, without making an item of each line ([`crate::types::Query`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Where,
    Each,
    Count,
    IsEmpty,
    Share,
    Any,
    All,
    None,
    First,
    Last,
    Take,
    CountBy,
    Top,
    Patterns,
    Contains,
    StartsWith,
    EndsWith,
    Capture,
}

/// What a built-in does.
#[derive(Clone, Copy)]
pub enum Body {
    /// Computes a value.
    Pure(fn(&Args<'_>) -> Result<Value, Fault>),
    /// Computes from the items of its first argument, one at a time: a log does not fit into memory.
    Stage(Stage),
    /// A stage that a log can answer for many lines at once, where it is asked in words that it knows.
    Scan(Operation, Stage),
    /// Computes a value of a text, and a log can tell it of many lines at once.
    Text(Operation, fn(&Args<'_>) -> Result<Value, Fault>),
    /// Goes outside.
    Outside(fn(Cx, Args<'static>) -> BoxFuture<'static, Result<Value, Fault>>),
}

/// One built-in.
pub struct Builtin {
    /// `host.disks`, `http.get`, `count`. A name with the driver of a connection in front is called on a connection.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    pub params: &'static [ParamInfo],
    pub returns: Returns,
    pub effect: EffectRule,
    pub body: Body,
    /// What it needs from the system it asks: for `plan` and `doctor`.
    pub needs: &'static [Need],
    /// What a person would type instead, with `{param}` for arguments ([`by_hand`]). Empty where that is nothing.
    pub by_hand: &'static str,
    pub examples: &'static [Example],
}

impl Builtin {
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'static ParamInfo> {
        self.params.iter().find(|param| param.name == name)
    }

    /// What it does with items, where it is a stage.
    #[must_use]
    pub const fn stage(&self) -> Option<Stage> {
        match self.body {
            Body::Stage(stage) | Body::Scan(_, stage) => Some(stage),
            Body::Pure(_) | Body::Text(..) | Body::Outside(_) => None,
        }
    }
}

impl std::fmt::Debug for Builtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// An expression that shows how it is used. Each is checked by a test; one that only computes is run as well.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    pub source: &'static str,
    /// What it gives, as it is shown. `None` where that is up to the machine.
    pub gives: Option<&'static str>,
}

impl Example {
    /// A call that goes outside.
    #[must_use]
    pub const fn call(source: &'static str) -> Self {
        Self { source, gives: None }
    }

    /// A computation and its result.
    #[must_use]
    pub const fn gives(source: &'static str, gives: &'static str) -> Self {
        Self { source, gives: Some(gives) }
    }
}

/// A built-in that still works and is to be written otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Deprecated {
    /// The built-in's whole name: `http.fetch`.
    pub name: &'static str,
    /// What to do instead: `` write `api.get(…)` ``.
    pub instead: &'static str,
}

/// All built-ins and drivers that a runbook can name.
#[derive(Default)]
pub struct Catalog {
    builtins: IndexMap<&'static str, &'static Builtin>,
    deprecated: IndexMap<&'static str, &'static str>,
    drivers: IndexMap<&'static str, &'static Driver>,
    /// Made where they are asked for: few runbooks name one.
    types: OnceLock<IndexMap<String, Type>>,
}

impl Catalog {
    /// # Panics
    /// If two built-ins or two drivers of one kind have one name: a mistake in the catalogue itself.
    #[must_use]
    pub fn new(builtins: &[&'static Builtin], drivers: &[&'static Driver]) -> Self {
        let mut catalog = Self::default();
        for builtin in builtins {
            assert!(catalog.builtins.insert(builtin.name, builtin).is_none(), "two built-ins named {}", builtin.name);
        }
        for driver in drivers {
            assert!(catalog.drivers.insert(driver.name, driver).is_none(), "two drivers named {}", driver.name);
        }
        catalog
    }

    /// With some of its built-ins marked as deprecated.
    ///
    /// # Panics
    /// If there is no such built-in, or it is marked twice: a mistake in the catalogue itself.
    #[must_use]
    pub fn deprecating(mut self, marks: &[Deprecated]) -> Self {
        for Deprecated { name, instead } in marks {
            assert!(self.builtins.contains_key(name), "no built-in named {name} to deprecate");
            assert!(self.deprecated.insert(name, instead).is_none(), "{name} is deprecated twice");
        }
        self
    }

    #[must_use]
    pub fn builtin(&self, name: &str) -> Option<&'static Builtin> {
        self.builtins.get(name).copied()
    }

    /// What to do instead of calling a built-in that is deprecated.
    #[must_use]
    pub fn instead_of(&self, builtin: &Builtin) -> Option<&'static str> {
        self.deprecated.get(builtin.name).copied()
    }

    #[must_use]
    pub fn driver(&self, name: &str) -> Option<&'static Driver> {
        self.drivers.get(name).copied()
    }

    pub fn builtins(&self) -> impl Iterator<Item = &'static Builtin> {
        self.builtins.values().copied()
    }

    pub fn drivers(&self) -> impl Iterator<Item = &'static Driver> {
        self.drivers.values().copied()
    }

    /// A record or enum that a built-in gives, by its name: `disk`, `line`.
    #[must_use]
    pub fn named_type(&self, name: &str) -> Option<&Type> {
        self.types().get(name)
    }

    pub fn named_types(&self) -> impl Iterator<Item = (&str, &Type)> {
        self.types().iter().map(|(name, ty)| (name.as_str(), ty))
    }

    fn types(&self) -> &IndexMap<String, Type> {
        self.types.get_or_init(|| {
            let mut types = IndexMap::new();
            for builtin in self.builtins() {
                if let Returns::Type(ty) | Returns::Judged { ty, .. } = builtin.returns {
                    note_types(&ty(), &mut types);
                }
            }
            types
        })
    }
}

/// The types that have a name, of one and of its parts.
fn note_types(ty: &Type, types: &mut IndexMap<String, Type>) {
    match ty {
        Type::List(inner) | Type::Optional(inner) => note_types(inner, types),
        Type::Record(record) => {
            if let Some(name) = &record.name {
                types.insert(name.to_string(), ty.clone());
            }
            for field in record.fields.values() {
                note_types(&field.ty, types);
            }
        }
        Type::Enum(words) => {
            types.insert(words.name.to_owned(), ty.clone());
        }
        _ => {}
    }
}
