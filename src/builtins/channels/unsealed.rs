//! A stream that may be sealed later: nothing of it is read ahead.
//!
//! What somebody on the way sends behind the answer to STARTTLS would be taken for the server's own words once the
//! stream is sealed, if it had been read by then. Left unread it meets the TLS handshake, which fails.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What a TLS handshake begins with, and no command of SMTP.
const HANDSHAKE: u8 = 0x16;

#[derive(Debug)]
pub(super) struct Unsealed {
    stream: TcpStream,
    /// What is read is the handshake's, or sealed.
    sealed: bool,
}

impl Unsealed {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self { stream, sealed: false }
    }
}

impl AsyncTokioStream for Unsealed {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Unsealed {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let own = self.get_mut();
        if own.sealed || buf.remaining() == 0 {
            return Pin::new(&mut own.stream).poll_read(cx, buf);
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut own.stream).poll_read(cx, &mut one))?;
        buf.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Unsealed {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let own = self.get_mut();
        own.sealed |= bytes.first() == Some(&HANDSHAKE);
        Pin::new(&mut own.stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
