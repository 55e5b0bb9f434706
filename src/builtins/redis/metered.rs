//! A stream that gives no more than an answer may be long: what reads it keeps all of an answer in memory.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::builtins::dial::way::Stream;

/// How many bytes of an answer came, and how many may still come.
#[derive(Clone, Default)]
pub(super) struct Meter(Arc<Counts>);

#[derive(Default)]
struct Counts {
    read: AtomicU64,
    left: AtomicU64,
    ended: AtomicBool,
}

impl Meter {
    /// Lets an answer of this length through.
    pub(super) fn allow(&self, bytes: u64) {
        self.0.read.store(0, Ordering::Relaxed);
        self.0.left.store(bytes, Ordering::Relaxed);
    }

    /// Whether anything came of it.
    pub(super) fn has_begun(&self) -> bool {
        self.0.read.load(Ordering::Relaxed) > 0
    }

    /// Whether the other side has closed.
    pub(super) fn has_ended(&self) -> bool {
        self.0.ended.load(Ordering::Relaxed)
    }

    /// Whether an answer was cut off because it was longer.
    pub(super) fn is_spent(&self) -> bool {
        self.0.left.load(Ordering::Relaxed) == 0
    }
}

/// A stream with a meter on what is read.
pub(super) struct Metered {
    pub(super) stream: Box<dyn Stream>,
    pub(super) meter: Meter,
}

impl AsyncRead for Metered {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let left = self.meter.0.left.load(Ordering::Relaxed);
        if left == 0 {
            return Poll::Ready(Err(io::Error::other("the answer is too long")));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let read = buffer.filled().len().saturating_sub(before) as u64;
        self.meter.0.left.store(left.saturating_sub(read), Ordering::Relaxed);
        self.meter.0.read.fetch_add(read, Ordering::Relaxed);
        if read == 0 {
            self.meter.0.ended.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
