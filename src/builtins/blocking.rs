//! Work that blocks, on a thread of its own: a mount that hangs holds up its call, and nothing else.

use futures_util::future::BoxFuture;

use crate::types::{Fault, FaultKind, Value};

/// Runs work that may block. Whoever gives up on it leaves its thread behind and goes on.
pub(super) fn run<T, F>(work: F) -> BoxFuture<'static, Result<Value, Fault>>
where
    T: Into<Value>,
    F: FnOnce() -> Result<T, Fault> + Send + 'static,
{
    Box::pin(async move {
        let done = tokio::task::spawn_blocking(move || work().map(Into::into)).await;
        done.unwrap_or_else(|error| Err(Fault::new(FaultKind::Failed, format!("the look-up broke off: {error}"))))
    })
}
