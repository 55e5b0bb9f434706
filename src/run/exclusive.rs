//! A change waits until nobody else changes what its connection leads to, and keeps others waiting until it is over.

use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};
use jiff::SignedDuration;

use super::context::Context;
use super::limits::{self, to_std};
use crate::check::program::Statement;
use crate::store::event::{Event, Withheld};
use crate::store::ledger::{Asked, Hold, PROLONG_EVERY};
use crate::types::Connection;

/// How long another one is waited for, and how often it is asked whether it is over.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
const ASK_EVERY: SignedDuration = SignedDuration::from_millis(250);

/// Holds what a change goes to; `None` where there is nothing to hold, or nobody to share with.
pub(super) async fn hold(
    context: &Context<'_>,
    statement: &Statement,
    title: &Arc<str>,
    connection: Option<&Arc<Connection>>,
) -> Result<Option<Hold>, Withheld> {
    let (Some(exclusive), Some(connection)) = (&context.run.exclusive, connection) else { return Ok(None) };
    // What people call a cluster differs from one kubeconfig to the next.
    let server = context.run.outside.server(&connection.name).await;
    let server = server.map_err(|fault| Withheld::NotMeasured { fault })?;
    let target = connection.target.to_string();
    let ends = context.limits.and(limits::within(context.world(), PATIENCE, "waiting for another change"));
    let mut waits = false;
    loop {
        let holder = match exclusive.ask(&server, context.now()) {
            Err(fault) => return Err(Withheld::NotMeasured { fault }),
            Ok(Asked::Held { hold, lapsed }) => {
                if let Some(holder) = lapsed {
                    let (place, title) = (context.place(statement.span), Arc::clone(title));
                    context.emit(Event::ChangeTakesOver { place, title, target, holder });
                }
                if waits {
                    // What was read before may be what the other one has changed.
                    context.waited();
                }
                return Ok(Some(hold));
            }
            Ok(Asked::Taken { holder }) => holder,
        };
        if !waits {
            let (place, title) = (context.place(statement.span), Arc::clone(title));
            context.emit(Event::ChangeWaits { place, title, target: target.clone(), holder: holder.clone() });
            waits = true;
        }
        if ends.race(context.world().sleep(to_std(ASK_EVERY))).await.is_err() {
            return Err(match context.stopped() {
                Some(fault) => Withheld::Stopped { reason: fault.message.to_string() },
                None => Withheld::Busy { target, holder },
            });
        }
    }
}

/// Makes a change while it is held.
pub(super) async fn keeping<T>(context: &Context<'_>, hold: Option<Hold>, work: impl Future<Output = T>) -> T {
    let Some(hold) = hold else { return work.await };
    let mut work = pin!(work);
    loop {
        work = match select(work, context.world().sleep(to_std(PROLONG_EVERY))).await {
            Either::Left((done, _)) => return done,
            Either::Right(((), still)) => still,
        };
        // The change has gone out and is not called back: others are kept away as far as that can be.
        match hold.prolong(context.now()) {
            Ok(true) => {}
            Ok(false) => tracing::warn!(target: "runbook::run", ?hold, "somebody else changes the same by now"),
            Err(fault) => tracing::warn!(target: "runbook::run", ?hold, %fault, "it could not be held for longer"),
        }
    }
}
