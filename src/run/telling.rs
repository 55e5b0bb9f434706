//! What tells people. A run says that it is to be done; who is told, and how often, is decided by alerting.

use std::sync::Arc;

use super::context::Context;
use crate::check::program::{ChannelId, Expr, Statement, ThresholdId};
use crate::store::event::Event;

pub(super) async fn notify(
    context: &Context<'_>,
    statement: &Statement,
    channels: &[ChannelId],
    message: Option<&Expr>,
) {
    let (place, channels) = (context.place(statement.span), names(context, channels));
    let message = said(context, message).await;
    context.emit(Event::Notified { place, channels, message });
}

pub(super) async fn raise(
    context: &Context<'_>,
    statement: &Statement,
    threshold: ThresholdId,
    message: Option<&Expr>,
) {
    let Some(threshold) = context.run.program.thresholds.get(threshold.index()) else { return };
    let (place, message) = (context.place(statement.span), said(context, message).await);
    context.emit(Event::Raised { place, threshold: Arc::clone(&threshold.title), message });
}

pub(super) async fn call(context: &Context<'_>, statement: &Statement, level: u32, message: Option<&Expr>) {
    let (place, message) = (context.place(statement.span), said(context, message).await);
    context.emit(Event::Called { place, level, message });
}

/// What the report has shown and checked goes to people: whoever reads the events has all of it.
pub(super) fn send(context: &Context<'_>, statement: &Statement, channels: &[ChannelId]) {
    context.emit(Event::Sent { place: context.place(statement.span), channels: names(context, channels) });
}

fn names(context: &Context<'_>, channels: &[ChannelId]) -> Vec<Arc<str>> {
    let declared = &context.run.program.channels;
    channels.iter().filter_map(|id| declared.get(id.index())).map(|one| Arc::clone(&one.name)).collect()
}

/// The message. People are told also where it could not be had, and then why it is missing.
async fn said(context: &Context<'_>, message: Option<&Expr>) -> Option<String> {
    match context.text(message?).await {
        Ok(text) => Some(text.to_string()),
        Err(fault) => Some(format!("(the message could not be had: {})", fault.message)),
    }
}
