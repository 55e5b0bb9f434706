//! What tells people and samples metrics. This version has no engine for it, and says so: nobody was told.

use super::context::Context;
use crate::check::program::{Statement, StatementKind};
use crate::store::event::Event;
use crate::types::{Fault, FaultKind};

pub(super) fn tell(context: &Context<'_>, statement: &Statement) {
    let (word, missing) = match &statement.kind {
        StatementKind::Measure { .. } => ("measure", "the metrics store"),
        StatementKind::Notify { .. } => ("notify", "the notification engine"),
        StatementKind::Raise { .. } => ("raise", "the alerting engine"),
        StatementKind::Escalate { .. } => ("escalate", "the alerting engine"),
        _ => ("send", "the notification engine"),
    };
    let (place, what) = (context.place(statement.span), context.written(statement.span));
    let fault = missing_engine(word, missing);
    context.emit(match statement.kind {
        StatementKind::Measure { .. } => Event::NotMeasured { place, what, fault },
        _ => Event::Unsupported { place, what, fault },
    });
}

/// The fault of a statement whose engine is not there.
pub(super) fn missing_engine(word: &str, missing: &str) -> Fault {
    let what = if word == "measure" { "no sample was taken" } else { "nobody was told" };
    let message = format!("`{word}` needs {missing}, which this version does not have: {what}");
    Fault::new(FaultKind::Unsupported, message)
}
