//! What the parameters of commands are given on the way to a change, and how long lists are that are written down.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::definitions::{Definition, Definitions};
use super::text::{self, Named, Names};
use crate::check::program::{CommandId, Expr, ExprKind, LocalId, Param, Program};
use crate::check::setting;
use crate::types::Value;

/// The arguments of the calls on the way, those of the outermost first.
pub(super) type Arguments<'p> = Vec<(LocalId, &'p Expr)>;

/// What names stand for where a change is come to.
pub(super) struct Given<'p> {
    program: &'p Program,
    set: &'p BTreeMap<Arc<str>, String>,
    /// Looked into where a list has a name.
    definitions: OnceCell<Definitions<'p>>,
    pub(super) arguments: Arguments<'p>,
}

impl<'p> Given<'p> {
    pub(super) fn new(program: &'p Program, set: &'p BTreeMap<Arc<str>, String>) -> Self {
        Self { program, set, definitions: OnceCell::new(), arguments: Vec::new() }
    }

    fn definition(&self, local: LocalId) -> Option<Definition<'_>> {
        self.definitions.get_or_init(|| Definitions::in_program(self.program)).of(local)
    }

    /// `do roll("small", 1)`
    pub(super) fn call(&self, command: CommandId, args: &[Expr]) -> String {
        let called = self.program.name(Named::Command(command));
        let args: Vec<String> = args.iter().map(|arg| said(self.program, &self.arguments, arg)).collect();
        format!("do {called}({})", args.join(", "))
    }

    /// How many items a list has that is written down or set.
    pub(super) fn items(&self, list: &Expr) -> Option<usize> {
        match &list.kind {
            ExprKind::Convert(inner) => self.items(inner),
            ExprKind::List(items) => Some(items.len()),
            ExprKind::Literal(Value::List(items)) => Some(items.len()),
            ExprKind::Local(id) => match (argument(&self.arguments, *id), self.definition(*id)) {
                (Some(value), _) | (None, Some(Definition::Is(value))) => self.items(value),
                (None, _) => None,
            },
            ExprKind::Param(id) => {
                let param = self.program.params.get(id.index())?;
                match (self.set.get(&param.name), &param.default) {
                    (Some(typed), _) => match setting(&param.ty, typed) {
                        Ok(Value::List(items)) => Some(items.len()),
                        _ => None,
                    },
                    (None, default) => self.items(default.as_ref()?),
                }
            }
            _ => None,
        }
    }
}

/// What `--set` gives a param, where that is another value than it has by itself.
pub(super) fn set<'s>(param: &Param, set: &'s BTreeMap<Arc<str>, String>) -> Option<&'s String> {
    let typed = set.get(&param.name)?;
    let own = param.default.as_ref().and_then(constant);
    let is_own = own.is_some_and(|own| setting(&param.ty, typed).is_ok_and(|value| value.equals(&own)));
    (!is_own).then_some(typed)
}

fn constant(expr: &Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Literal(value) => Some(value.clone()),
        ExprKind::List(items) => items.iter().map(constant).collect::<Option<_>>().map(Value::list),
        _ => None,
    }
}

/// What a parameter is given.
pub(super) fn argument<'p>(arguments: &Arguments<'p>, local: LocalId) -> Option<&'p Expr> {
    arguments.iter().find(|(own, _)| *own == local).map(|(_, value)| *value)
}

/// An argument as text, with what the parameters in it are given themselves.
pub(super) fn said(program: &Program, arguments: &Arguments<'_>, value: &Expr) -> String {
    text::expr(&Said { program, arguments }, value)
}

struct Said<'a, 'p> {
    program: &'a Program,
    arguments: &'a Arguments<'p>,
}

impl Names for Said<'_, '_> {
    fn name(&self, named: Named) -> String {
        self.program.name(named)
    }

    fn stands_for(&self, local: LocalId) -> Option<&Expr> {
        argument(self.arguments, local)
    }
}
