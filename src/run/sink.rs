//! Where the events of a run go.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::redact::Redactor;
use crate::store::event::Event;
use crate::types::Fault;

/// Takes the events of a run, in their order, and numbers them.
pub trait EventSink: Send + Sync {
    fn emit(&self, event: Event);

    /// Takes an event like [`Self::emit`], and waits until it is on the disk. An error says that it may not be there.
    fn durable(&self, event: Event) -> BoxFuture<'_, Result<(), Fault>>;
}

/// The way of every event to the sink: no secret passes.
pub(crate) struct Emitter {
    sink: Arc<dyn EventSink>,
    pub(crate) redactor: Redactor,
}

impl Emitter {
    pub(crate) fn new(sink: Arc<dyn EventSink>) -> Self {
        Self { sink, redactor: Redactor::default() }
    }

    pub(crate) fn emit(&self, mut event: Event) {
        self.redactor.redact(&mut event);
        self.sink.emit(event);
    }

    pub(crate) async fn durable(&self, mut event: Event) -> Result<(), Fault> {
        self.redactor.redact(&mut event);
        self.sink.durable(event).await
    }
}
