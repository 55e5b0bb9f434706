//! Commands and tools that are called for their result.

use std::sync::Arc;

use super::{Env, Eval, Evaluation, Stop, truth};
use crate::catalog::Effect;
use crate::check::program::{CommandId, Expr, Parameter, Statement, StatementKind, ToolId};
use crate::run::key::Key;
use crate::run::memory::{Need, ReadCall};
use crate::run::scope::{Cell, Scope, Tracked};
use crate::run::{convert, items};
use crate::types::{Fault, FaultKind, Value};

impl Evaluation<'_> {
    pub(super) fn command(&self, id: CommandId, args: &[Expr], env: Env<'_>) -> Eval {
        let program = &self.facts.program;
        let Some(command) = program.commands.get(id.index()) else {
            return Err(Fault::no_value("a command that is not there").into());
        };
        if command.effect == Effect::Changes {
            return Err(changes(&command.name).into());
        }
        let scope = self.parameters(&command.params, args, env);
        match self.body(&command.body, &scope, &command.name)? {
            Some(value) => Ok(value),
            None => Err(Fault::no_value(format!("`{}` came to its end without a `return`", command.name)).into()),
        }
    }

    /// Its statements, one after the other, until one returns.
    fn body(&self, block: &[Statement], scope: &Arc<Scope>, name: &str) -> Eval<Option<Value>> {
        let mut scope = Arc::clone(scope);
        let mut blocked = false;
        for statement in block {
            let env = Env { frame: None, scope: &scope, steady: false };
            match &statement.kind {
                StatementKind::Let { local, value } => {
                    // A name that has no value yet poisons or blocks only what uses it; the others can be asked for.
                    let (value, partial) = self.apart(|| self.eval(value, env));
                    let cell = match value {
                        Ok(value) => Cell::holding(Ok(Tracked { value, partial })),
                        Err(Stop::Fault(fault)) => Cell::holding(Err(fault)),
                        Err(Stop::Blocked) => {
                            blocked = true;
                            Cell::passing()
                        }
                    };
                    scope = Scope::inside(&scope, vec![(*local, cell)]);
                }
                StatementKind::Return { value } => {
                    let value = self.eval(value, env);
                    return if blocked { Err(Stop::Blocked) } else { value.map(Some) };
                }
                StatementKind::If { branches, otherwise } => {
                    let mut body = otherwise.as_deref();
                    for branch in branches {
                        if truth(self.eval(&branch.condition, env)?)? {
                            body = Some(&branch.body);
                            break;
                        }
                    }
                    if let Some(value) = self.body(body.unwrap_or_default(), &scope, name)? {
                        return if blocked { Err(Stop::Blocked) } else { Ok(Some(value)) };
                    }
                }
                StatementKind::For(each) => {
                    let list = self.eval(&each.list, env)?;
                    if let Value::Log(log) = &list {
                        self.note_partial(log.partial.as_ref());
                    }
                    for item in items::of(list, self.unwanted)? {
                        let cell = Cell::holding(Ok(Tracked::whole(item?)));
                        let scope = Scope::inside(&scope, vec![(each.local, cell)]);
                        if let Some(value) = self.body(&each.body, &scope, name)? {
                            return if blocked { Err(Stop::Blocked) } else { Ok(Some(value)) };
                        }
                    }
                }
                _ => {
                    let what = format!("`{name}` does more than compute, and is called for its result");
                    return Err(Fault::new(FaultKind::Unsupported, what).help(format!("write `do {name}(…)`")).into());
                }
            }
        }
        if blocked { Err(Stop::Blocked) } else { Ok(None) }
    }

    pub(super) fn tool(&self, id: ToolId, args: &[Expr], env: Env<'_>) -> Eval {
        let Some(tool) = self.facts.program.tools.get(id.index()) else {
            return Err(Fault::no_value("a tool that is not there").into());
        };
        if tool.effect == Effect::Changes {
            return Err(changes(&tool.name).into());
        }
        let scope = self.parameters(&tool.params, args, env);
        let args = self.words(&tool.args, &scope)?;
        let key = Key::call(tool.builtin, &args);
        let output =
            self.remembered(&key, || Need::Read(ReadCall { key: key.clone(), builtin: tool.builtin, args }))?;
        Ok(convert::returned(output, tool)?)
    }

    /// The arguments of the built-in that starts a tool, from the tool's own parameters.
    pub(crate) fn words(&self, args: &[Option<Expr>], scope: &Arc<Scope>) -> Eval<Vec<Option<Value>>> {
        let env = Env { frame: None, scope, steady: false };
        let mut values = self.all(args.iter().flatten(), env)?.into_iter();
        Ok(args.iter().map(|arg| arg.as_ref().and_then(|_| values.next())).collect())
    }

    /// Parameters as names. An argument that is blocked or faulted is so for those who use it.
    pub(crate) fn parameters(&self, params: &[Parameter], args: &[Expr], env: Env<'_>) -> Arc<Scope> {
        let cells = params.iter().zip(args).map(|(param, arg)| {
            let (value, partial) = self.apart(|| self.eval(arg, env));
            let cell = match value {
                Ok(value) => Cell::holding(Ok(Tracked { value, partial })),
                Err(Stop::Fault(fault)) => Cell::holding(Err(fault)),
                Err(Stop::Blocked) => Cell::passing(),
            };
            (param.local, cell)
        });
        Scope::inside(&Scope::root(), cells.collect())
    }
}

fn changes(name: &str) -> Fault {
    Fault::new(FaultKind::Unsupported, format!("`{name}` changes something: only `change` calls it"))
}
