//! Arguments of a call as a body takes them.

use jiff::SignedDuration;

use super::{Builtin, Param, ParamInfo, Presence};
use crate::types::{Fault, FaultKind, FromValue, Value};

/// An expression that is evaluated for an item. `Sync`, so that the arguments of a call can cross an `await`.
pub type PerItem<'a> = &'a (dyn Fn(&Value) -> Result<Value, Fault> + Sync + 'a);

/// One argument.
#[derive(Clone)]
pub enum Arg<'a> {
    Value(Value),
    PerItem(PerItem<'a>),
}

/// The arguments of one call, in the order of the parameters. `None` where one was left out.
#[derive(Clone)]
pub struct Args<'a> {
    params: &'static [ParamInfo],
    values: Vec<Option<Arg<'a>>>,
    /// What `within` is where it was left out, in place of its default.
    limit: Option<SignedDuration>,
}

/// The parameter by which a call says how long it may take.
const WITHIN: &str = "within";

impl<'a> Args<'a> {
    /// `args` has one entry for each parameter.
    #[must_use]
    pub fn new(builtin: &'static Builtin, args: Vec<Option<Arg<'a>>>) -> Self {
        Self::of(builtin.params, args)
    }

    #[must_use]
    pub fn of(params: &'static [ParamInfo], args: Vec<Option<Arg<'a>>>) -> Self {
        debug_assert_eq!(params.len(), args.len());
        Self { params, values: args, limit: None }
    }

    /// Sets how long the call may take where it does not say so itself. Gives whether it now has that limit: it is one that
    /// can be told, and was not.
    pub fn limit(&mut self, limit: SignedDuration) -> bool {
        let takes = self.params.iter().any(|param| param.name == WITHIN) && self.arg(WITHIN).is_none();
        self.limit = takes.then_some(limit);
        takes
    }

    /// An argument, or its default, as the type that the parameter says.
    ///
    /// # Errors
    /// A conversion fault where data from outside is not what was wanted.
    pub fn get<T: FromValue>(&self, param: &Param<T>) -> Result<T, Fault> {
        let value = self.value(param.name());
        let wanted = |fault: Fault| Fault { message: format!("`{}`: {}", param.name(), fault.message).into(), ..fault };
        T::from_value(value.unwrap_or(Value::Null)).map_err(wanted)
    }

    /// A per-item expression, where it was given.
    #[must_use]
    pub fn per_item(&self, param: &Param<PerItem<'static>>) -> Option<PerItem<'a>> {
        match self.arg(param.name())? {
            Arg::PerItem(each) => Some(*each),
            Arg::Value(_) => None,
        }
    }

    /// A per-item expression that the signature requires.
    ///
    /// # Errors
    /// Where the caller is at fault, not the runbook.
    pub fn each(&self, param: &Param<PerItem<'static>>) -> Result<PerItem<'a>, Fault> {
        self.per_item(param).ok_or_else(|| Fault::new(FaultKind::NoValue, format!("`{}` was not given", param.name())))
    }

    /// The argument of a parameter by name, or its default.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Value> {
        match self.arg(name) {
            Some(Arg::Value(value)) => Some(value.clone()),
            Some(Arg::PerItem(_)) => None,
            None if name == WITHIN && self.limit.is_some() => self.limit.map(Value::Duration),
            None => match self.params.iter().find(|param| param.name == name)?.presence {
                Presence::Default(default) => Some(default()),
                Presence::Required | Presence::Optional => None,
            },
        }
    }

    /// Names and values as they were given, for messages, journals and keys of memory.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.params.iter().zip(&self.values).filter_map(|(param, arg)| match arg {
            Some(Arg::Value(value)) => Some((param.name, value)),
            _ => None,
        })
    }

    fn arg(&self, name: &str) -> Option<&Arg<'a>> {
        let index = self.params.iter().position(|param| param.name == name)?;
        self.values.get(index)?.as_ref()
    }
}
