//! Where the events of a run go.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;

use super::memory::lock;
use super::redact::Redactor;
use crate::store::event::Event;
use crate::types::Fault;

/// Takes the events of a run, in their order, and numbers them.
pub trait EventSink: Send + Sync {
    fn emit(&self, event: Event);

    /// Takes an event like [`Self::emit`], and waits until it is on the disk. An error says that it may not be there.
    fn durable(&self, event: Event) -> BoxFuture<'_, Result<(), Fault>>;
}

/// Keeps the events, for tests and for what looks at a run as a whole.
#[derive(Default)]
pub struct Collected {
    events: Mutex<Vec<Event>>,
}

impl Collected {
    /// What there is so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        lock(&self.events).clone()
    }
}

impl EventSink for Collected {
    fn emit(&self, event: Event) {
        lock(&self.events).push(event);
    }

    fn durable(&self, event: Event) -> BoxFuture<'_, Result<(), Fault>> {
        self.emit(event);
        Box::pin(std::future::ready(Ok(())))
    }
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
