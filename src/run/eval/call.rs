//! Calls of built-ins: what computes is computed, what reads is remembered or needed, stages hand on their items.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Env, Eval, Evaluation, Frame, Stop, unsupported};
use crate::catalog::{Arg, Args, Body, Effect, Flow, Items};
use crate::check::program::{Call, CallArg, Expr, ExprKind, Lambda};
use crate::run::items;
use crate::run::key::Key;
use crate::run::memory::{Need, ReadCall, lock};
use crate::run::scope::Scope;
use crate::types::{Fault, FaultKind, Value};

/// What takes a pipeline's result while the stages before it are still there.
type Consume<'c> = dyn for<'f> FnMut(Flow<'f>) -> Eval + 'c;

/// A per-item expression as a body calls it.
type PerItem<'a> = Box<dyn Fn(&Value) -> Result<Value, Fault> + Sync + 'a>;

/// Arguments on their way: values, with a place kept for each per-item expression.
type Values = Vec<Option<Value>>;

impl Evaluation<'_> {
    pub(super) fn call(&self, expr: &Expr, call: &Call, env: Env<'_>) -> Eval {
        if call.effect == Effect::Changes {
            // The checker lets no such call through; this is what makes sure that an expression never changes anything.
            let message = format!("`{}` changes something: only `change` calls it", call.builtin.name);
            return Err(Fault::new(FaultKind::Unsupported, message).into());
        }
        match call.builtin.body {
            Body::Stage(_) | Body::Scan(..) => self.pipeline(expr, call, env),
            Body::Pure(compute) | Body::Text(_, compute) => self.pure(call, compute, env),
            Body::Outside(_) => self.outside(call, env),
        }
    }

    /// The arguments of a change: all of them whole.
    pub(crate) fn whole_arguments(&self, call: &Call, scope: &Arc<Scope>) -> Eval<Option<Values>> {
        let (values, partial) = self.apart(|| self.call_values(call, Env::of(scope)));
        match partial {
            Some(partial) if values.is_ok() => Err(Fault::new(FaultKind::Partial, Arc::clone(&partial.reason)).into()),
            _ => values,
        }
    }

    /// The arguments of a call that goes outside; `None` where it is not made because its first one is missing.
    fn call_values(&self, call: &Call, env: Env<'_>) -> Eval<Option<Values>> {
        let mut values = self.values(call.args.iter(), env)?;
        if call.optional && matches!(values.first(), Some(Some(Value::Null))) {
            return Ok(None);
        }
        for value in &mut values {
            if let Some(own) = value.take() {
                *value = Some(self.in_memory(own)?);
            }
        }
        Ok(Some(values))
    }

    fn outside(&self, call: &Call, env: Env<'_>) -> Eval {
        let Some(args) = self.call_values(call, env)? else { return Ok(Value::Null) };
        let key = Key::call(call.builtin, &args);
        self.remembered(&key, || Need::Read(ReadCall { key: key.clone(), builtin: call.builtin, args }))
    }

    /// What was said beside the value of a call that went outside.
    pub(crate) fn remark(&self, call: &Call, scope: &Arc<Scope>) -> Option<Arc<str>> {
        let args = self.call_values(call, Env::of(scope)).ok()??;
        self.memory.remark(&Key::call(call.builtin, &args))
    }

    fn pure(&self, call: &Call, compute: fn(&Args<'_>) -> Result<Value, Fault>, env: Env<'_>) -> Eval {
        let values = self.values(call.args.iter(), env)?;
        if call.optional && matches!(values.first(), Some(Some(Value::Null))) {
            return Ok(Value::Null);
        }
        for value in values.iter().flatten() {
            if let Value::Log(log) = value {
                self.note_partial(log.partial.as_ref());
            }
        }
        let closures = self.closures(call, env);
        let before = self.blocked.load(Ordering::Relaxed);
        let result = compute(&Args::new(call.builtin, joined(values, &closures)));
        self.unless_blocked(before, result.map_err(Stop::Fault))
    }

    /// A stage and all stages before it. Items pass one at a time: nothing in between is kept.
    fn pipeline(&self, expr: &Expr, call: &Call, env: Env<'_>) -> Eval {
        let place = std::ptr::from_ref(expr).addr();
        let known = if env.steady { lock(self.memo).get(&place).cloned() } else { None };
        if let Some((result, partial)) = known {
            self.note_partial(partial.as_ref());
            return Ok(result?);
        }
        let before = self.blocked.load(Ordering::Relaxed);
        let (result, partial) = self.apart(|| self.stage(call, env, &mut |flow| kept(flow)));
        let result = self.unless_blocked(before, result);
        self.note_partial(partial.as_ref());
        let remembered = match &result {
            Ok(value) => Some(Ok(value.clone())),
            Err(Stop::Fault(fault)) => Some(Err(fault.clone())),
            Err(Stop::Blocked) => None,
        };
        if let (true, Some(result)) = (env.steady, remembered) {
            lock(self.memo).insert(place, (result, partial));
        }
        result
    }

    /// Runs a stage and hands what it gives to `consume`.
    fn stage(&self, call: &Call, env: Env<'_>, consume: &mut Consume<'_>) -> Eval {
        if let Some(value) = self.scanned(call, env)? {
            return consume(Flow::Value(value));
        }
        let Some(body) = call.builtin.stage() else {
            return Err(unsupported("a stage without a body").into());
        };
        let Some(Some(CallArg::Value(source))) = call.args.first() else {
            return Err(Fault::no_value(format!("`{}` has nothing to work on", call.builtin.name)).into());
        };
        // Before the source: what it needs is noted even where these are blocked, and the source is not read for nothing.
        let rest = self.values(call.args.iter().skip(1), env);
        self.source(source, env, &mut |flow| {
            let rest = match &rest {
                Ok(rest) => rest.clone(),
                Err(Stop::Fault(fault)) => return Err(fault.clone().into()),
                Err(Stop::Blocked) => return Err(Stop::Blocked),
            };
            if call.optional && matches!(flow, Flow::Value(Value::Null)) {
                return consume(Flow::Value(Value::Null));
            }
            let values: Values = std::iter::once(None).chain(rest).collect();
            let closures = self.closures(call, env);
            let items = self.items(flow)?;
            let items = self.asked_ahead(call, &closures, items)?;
            let flow = body(items, &Args::new(call.builtin, joined(values, &closures)));
            consume(flow.map_err(|fault| self.about_items(fault, call))?)
        })
    }

    /// Hands on the items of a list one at a time, with those that could not be had. Whether there is such a list.
    pub(crate) fn each_item(
        &self,
        source: &Expr,
        scope: &Arc<Scope>,
        visit: &mut dyn FnMut(Result<Value, Fault>),
    ) -> bool {
        let (walked, _) = self.apart(|| {
            self.source(source, Env::of(scope), &mut |flow| {
                self.items(flow)?.for_each(&mut *visit);
                Ok(Value::Null)
            })
        });
        walked.is_ok()
    }

    /// The source of a stage: another stage, or a value.
    fn source(&self, source: &Expr, env: Env<'_>, consume: &mut Consume<'_>) -> Eval {
        match &source.kind {
            ExprKind::Call(inner) if inner.builtin.stage().is_some() => self.stage(inner, env, consume),
            _ => consume(Flow::Value(self.eval(source, env)?)),
        }
    }

    fn items<'f>(&'f self, flow: Flow<'f>) -> Result<Items<'f>, Fault> {
        match flow {
            Flow::Items(items) => Ok(items),
            Flow::Value(value) => {
                if let Value::Log(log) = &value {
                    self.note_partial(log.partial.as_ref());
                    // It takes long: nobody waits for what this has to say first.
                    self.leave();
                }
                items::of(value, self.unwanted)
            }
        }
    }

    /// Where a per-item expression reads, asks it of every item first, so that the reads of all items are made side by
    /// side and not one behind the other.
    fn asked_ahead<'f>(&'f self, call: &Call, closures: &[Option<PerItem<'_>>], items: Items<'f>) -> Eval<Items<'f>> {
        let reading: Vec<&PerItem<'_>> = call
            .args
            .iter()
            .zip(closures)
            .filter_map(|(arg, closure)| match arg {
                Some(CallArg::PerItem(lambda)) if lambda.body.effect >= Effect::Reads => closure.as_ref(),
                _ => None,
            })
            .collect();
        if reading.is_empty() {
            return Ok(items);
        }
        let list = items::collect(items)?;
        let before = self.blocked.load(Ordering::Relaxed);
        if let Value::List(all) = &list {
            for item in all.iter() {
                for each in &reading {
                    // Only for its needs: the stage gets the value, or the fault, when it asks by itself.
                    let _ = each(item);
                }
            }
        }
        self.unless_blocked(before, Ok(list)).and_then(|list| Ok(items::of(list, self.unwanted)?))
    }

    fn values<'x>(&self, args: impl Iterator<Item = &'x Option<CallArg>> + Clone, env: Env<'_>) -> Eval<Values> {
        let written = args.clone().filter_map(|arg| match arg {
            Some(CallArg::Value(expr)) => Some(expr),
            _ => None,
        });
        let mut values = self.all(written, env)?.into_iter();
        Ok(args
            .map(|arg| arg.as_ref().filter(|arg| matches!(arg, CallArg::Value(_))).and_then(|_| values.next()))
            .collect())
    }

    fn closures<'x>(&'x self, call: &'x Call, env: Env<'x>) -> Vec<Option<PerItem<'x>>> {
        let closure = |arg: &'x Option<CallArg>| match arg {
            Some(CallArg::PerItem(lambda)) => Some(self.closure(lambda, env)),
            _ => None,
        };
        call.args.iter().map(closure).collect()
    }

    fn closure<'x>(&'x self, lambda: &'x Lambda, env: Env<'x>) -> PerItem<'x> {
        Box::new(move |item| {
            let frame = Frame { param: lambda.param, item, parent: env.frame };
            match self.eval(&lambda.body, Env { frame: Some(&frame), scope: env.scope, steady: false }) {
                Ok(value) => value.read(),
                Err(Stop::Fault(fault)) => Err(fault),
                Err(Stop::Blocked) => {
                    self.blocked.fetch_add(1, Ordering::Relaxed);
                    Err(Fault::new(FaultKind::Cancelled, "not read yet"))
                }
            }
        })
    }

    /// What a body gave, unless one of its per-item expressions was blocked: then it did not see the real values.
    fn unless_blocked<T>(&self, before: u32, result: Eval<T>) -> Eval<T> {
        if self.blocked.load(Ordering::Relaxed) == before { result } else { Err(Stop::Blocked) }
    }
}

fn kept(flow: Flow<'_>) -> Eval {
    match flow {
        Flow::Value(value) => Ok(value),
        Flow::Items(items) => Ok(items::collect(items)?),
    }
}

fn joined<'a>(values: Values, closures: &'a [Option<PerItem<'a>>]) -> Vec<Option<Arg<'a>>> {
    values
        .into_iter()
        .zip(closures)
        .map(|(value, closure)| match (value, closure) {
            (_, Some(closure)) => Some(Arg::PerItem(closure.as_ref())),
            (Some(value), None) => Some(Arg::Value(value)),
            (None, None) => None,
        })
        .collect()
}
