//! What tells people. A run says that it is to be done; who is told, and how often, is decided by alerting.

use std::sync::Arc;

use super::context::Context;
use crate::check::program::{ChannelId, Expr, Statement, ThresholdId};
use crate::store::event::Event;
use crate::types::{Fault, FaultKind};

pub(super) async fn notify(
    context: &Context<'_>,
    statement: &Statement,
    channels: &[ChannelId],
    message: Option<&Expr>,
) {
    let declared = &context.run.program.channels;
    let channels = channels.iter().filter_map(|id| declared.get(id.index())).map(|one| one.name.clone()).collect();
    let (place, message) = (context.place(statement.span), said(context, message).await);
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

/// Reports are not made yet: it says so, and does not pass.
pub(super) fn send(context: &Context<'_>, statement: &Statement) {
    let (place, what) = (context.place(statement.span), context.written(statement.span));
    let message = "`send` needs reports, which this version does not make: nobody was told";
    context.emit(Event::Unsupported { place, what, fault: Fault::new(FaultKind::Unsupported, message) });
}

/// The message. People are told also where it could not be had, and then why it is missing.
async fn said(context: &Context<'_>, message: Option<&Expr>) -> Option<String> {
    match context.text(message?).await {
        Ok(text) => Some(text.to_string()),
        Err(fault) => Some(format!("(the message could not be had: {})", fault.message)),
    }
}
