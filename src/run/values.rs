//! `let`, `show` and `return`.

use std::sync::Arc;

use super::context::Context;
use super::shown::shown;
use crate::check::program::{Expr, LocalId, Statement};
use crate::store::event::Event;

pub(super) async fn bind(context: &Context<'_>, local: LocalId, value: &Expr) {
    let value = context.value(value).await.map_err(|fault| context.run.outside.bound(fault, &context.path));
    if let Some(cell) = context.scope.cell(local) {
        cell.fill(value);
    }
}

pub(super) async fn give(context: &Context<'_>, value: &Expr) {
    let value = context.value(value).await;
    if let Some(cell) = &context.returns {
        cell.fill(value);
    }
}

pub(super) async fn show(
    context: &Context<'_>,
    statement: &Statement,
    value: &Expr,
    title: Option<&Expr>,
    source: &Arc<str>,
) {
    let found = context.look(value, |evaluation, _, _, tracked| {
        Ok(shown(&tracked.value, tracked.partial.as_ref(), evaluation.unwanted())?)
    });
    let found = found.await;
    let title = context.title(title, source).await;
    match found {
        Ok(shown) => context.emit(Event::Shown { place: context.place(statement.span), title, shown }),
        Err(fault) => context.faulted(statement, fault, |place, fault| Event::NotShown { place, title, fault }),
    }
}
