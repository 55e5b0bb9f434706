//! A stream to a port of a pod through the cluster's port-forward: one forwarder for each connection, and no local port.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Portforwarder};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::time::timeout;

use super::ask::{Ask, Resource};
use super::connection::Kubernetes;
use super::faults::lost;
use crate::builtins::dial::way::Stream;
use crate::builtins::dial::{Progress, Trouble};
use crate::types::{Fault, FaultKind};

/// How long a forward that has ended is asked why.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long a port is waited for that says nothing: one that is refused is told of within it.
const REFUSAL: Duration = Duration::from_millis(10);

/// A stream to a port of a pod.
///
/// # Errors
/// Where the cluster refuses it, or the port does. A port that refuses later is an error of the stream.
pub(super) async fn forward(
    cluster: &Kubernetes,
    namespace: &str,
    pod: &str,
    port: u16,
    progress: &Progress,
) -> Result<Box<dyn Stream>, Trouble> {
    let ask = Ask::new("create", &Resource::PODS, namespace, Some(pod)).map_err(ours)?.sub("portforward");
    let access = cluster.reads();
    let api: Api<Pod> = Api::namespaced(access.client().await.map_err(ours)?, namespace);
    progress.now(format!("opening a port-forward to {pod}:{port}"));
    let opened = api.portforward(pod, &[port]).await;
    // What the cluster refuses is no word on the port.
    let failed = |error: kube::Error| ours(lost(&error, &ask, access).fault);
    let mut forwarder = opened.map_err(failed)?;
    let (stream, error) = (forwarder.take_stream(port), forwarder.take_error(port));
    let (Some(stream), Some(error)) = (stream, error) else {
        return Err(Trouble::theirs(FaultKind::BadAnswer, format!("the port-forward to {pod}:{port} has no stream")));
    };
    let mut error: BoxFuture<'static, Option<String>> = Box::pin(error);
    // There is no word on a port that takes the connection, only on one that does not.
    match timeout(REFUSAL, &mut error).await {
        Err(_) => {}
        Ok(Some(why)) => return Err(refused(pod, port, &why)),
        Ok(None) => {
            drop(stream);
            let why = how_it_ended(forwarder, None).await.err();
            return Err(refused(pod, port, &why.unwrap_or_else(|| "it ended at once".to_owned())));
        }
    }
    let name = format!("{pod}:{port}");
    Ok(Box::new(Forwarded { name, stream, state: State::Open { forwarder: Some(forwarder), error: Some(error) } }))
}

fn ours(fault: Fault) -> Trouble {
    Trouble { fault, ours: true }
}

/// What the error channel says of a port.
fn refused(pod: &str, port: u16, why: &str) -> Trouble {
    Trouble::theirs(FaultKind::Unreachable, told(&format!("{pod}:{port}"), why))
}

/// The node's own sentence names the pod's sandbox and its addresses, which help nobody.
fn told(name: &str, why: &str) -> String {
    let why: String = why.trim().chars().filter(|c| !c.is_control()).take(300).collect();
    if why.contains("connection refused") {
        return format!("nothing listens at {name}: connection refused in the pod");
    }
    format!("the port-forward to {name} failed: {why}")
}

/// A forwarded stream that ends with the reason where it does not end well.
struct Forwarded {
    name: String,
    stream: DuplexStream,
    state: State,
}

type Reason = BoxFuture<'static, Result<(), String>>;

enum State {
    Open {
        forwarder: Option<Portforwarder>,
        error: Option<BoxFuture<'static, Option<String>>>,
    },
    /// The stream has ended, and the forwarder is asked how.
    Ending(Reason),
    Ended,
}

impl AsyncRead for Forwarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let this = &mut *self;
            match &mut this.state {
                State::Open { forwarder, error } => {
                    let before = into.filled().len();
                    let read = Pin::new(&mut this.stream).poll_read(cx, into);
                    let ended =
                        matches!(&read, Poll::Ready(Ok(())) if into.filled().len() == before && into.remaining() > 0);
                    if read.is_ready() && !ended {
                        return read;
                    }
                    // A port that was refused does not always end its stream.
                    let said = error.as_mut().map(|error| error.as_mut().poll(cx));
                    if let Some(Poll::Ready(said)) = said {
                        *error = None;
                        if let Some(why) = said {
                            let message = told(&this.name, &why);
                            this.state = State::Ended;
                            return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionRefused, message)));
                        }
                    }
                    if !ended {
                        return Poll::Pending;
                    }
                    let Some(forwarder) = forwarder.take() else { return Poll::Ready(Ok(())) };
                    this.state = State::Ending(Box::pin(how_it_ended(forwarder, error.take())));
                    // Without our half the forwarder waits for more to send.
                    let (own, _) = tokio::io::duplex(1);
                    this.stream = own;
                }
                State::Ending(reason) => {
                    let reason = ready!(reason.as_mut().poll(cx));
                    this.state = State::Ended;
                    if let Err(why) = reason {
                        let message = told(&this.name, &why);
                        return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, message)));
                    }
                }
                State::Ended => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// Whether the other side ended the stream, or the way to it broke.
async fn how_it_ended(
    forwarder: Portforwarder,
    error: Option<BoxFuture<'static, Option<String>>>,
) -> Result<(), String> {
    let joined = timeout(FAREWELL, forwarder.join()).await;
    if let Some(error) = error
        && let Ok(Some(why)) = timeout(Duration::ZERO, error).await
    {
        return Err(why);
    }
    match joined {
        // A farewell to one that has said its own is sent in vain; what is not received is missing.
        Ok(Err(broken)) if broken.to_string().starts_with("failed to send") => Ok(()),
        Ok(Err(broken)) => Err(broken.to_string()),
        // A cluster that does not say farewell has said all that it had to say.
        Ok(Ok(())) | Err(_) => Ok(()),
    }
}

impl AsyncWrite for Forwarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// The forwarder takes the end of what is sent for the end of everything, and would lose the answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
}

impl Drop for Forwarded {
    /// What was sent last goes out; after that nothing of it stays.
    fn drop(&mut self) {
        if let State::Open { forwarder, .. } = &mut self.state
            && let (Some(forwarder), Ok(runtime)) = (forwarder.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(async move {
                tokio::time::sleep(FAREWELL).await;
                forwarder.abort();
            });
        }
    }
}
