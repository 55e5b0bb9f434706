//! Ways to a server: straight to its address, or through something that carries a stream to it, such as a pod's cluster.

use std::any::Any;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

use super::gate::Gate;
use super::{Phases, Place, Progress, Trouble};
use crate::catalog::{Accepts, Cx, Param, Presence};
use crate::types::{Fault, FaultKind, Value};

/// Bytes in both directions.
pub(in crate::builtins) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// What leads to a server that has no address here. It is the handle of the way in a record.
pub(in crate::builtins) trait Carrier: Any + Send + Sync {
    /// What it leads to, by name: the host of URLs and messages.
    fn host(&self) -> &str;

    /// What it leads to and through what, for the output: `pod postgres-0 of shop`.
    fn shown(&self) -> String;

    /// A new stream to a port.
    fn carry<'a>(&'a self, port: u16, progress: &'a Progress) -> BoxFuture<'a, Result<Box<dyn Stream>, Trouble>>;
}

/// What leads to a server, as drivers take it.
pub(in crate::builtins) const THROUGH: Param<Option<Value>> = Param::new(
    "through",
    "What leads to the server, where it has no address here: a pod or a service of a cluster.",
    Accepts::Way,
    Presence::Optional,
);

/// What the handle of a way holds.
pub(in crate::builtins) struct Carried(pub(in crate::builtins) Arc<dyn Carrier>);

/// How a server is reached.
#[derive(Clone)]
pub(in crate::builtins) enum Way {
    /// From here, past the gate.
    Direct(Gate),
    /// All that goes to `host` goes through the carrier, and nothing goes elsewhere.
    Through { carrier: Arc<dyn Carrier>, host: String },
}

impl Way {
    /// Straight to a host, which is asked for at once.
    ///
    /// # Errors
    /// Where it is not allowed.
    pub(in crate::builtins) fn direct(cx: &Cx, host: &str) -> Result<Self, Fault> {
        let gate = Gate::of(cx);
        gate.pass(host)?;
        Ok(Self::Direct(gate))
    }

    /// The way that an argument `through` names, to a host that is called as it says or as the carrier does.
    ///
    /// # Errors
    /// Where the value leads nowhere.
    pub(in crate::builtins) fn through(value: &Value, host: Option<&str>) -> Result<Self, Fault> {
        let carrier = carrier(value)?;
        let host = host.unwrap_or_else(|| carrier.host()).to_owned();
        Ok(Self::Through { carrier, host })
    }

    /// What a server is called: its host, and through what it is reached.
    pub(in crate::builtins) fn shown(&self, server: &str) -> String {
        match self {
            Self::Direct(_) => server.to_owned(),
            Self::Through { carrier, .. } => format!("{server} through {}", carrier.shown()),
        }
    }

    /// Which system it is: the same for whoever reaches it in this way, also where another pod carries it.
    pub(in crate::builtins) fn system(&self, server: &str) -> String {
        match self {
            Self::Direct(_) => server.to_owned(),
            Self::Through { carrier, .. } => format!("{server} through {}", carrier.host()),
        }
    }

    pub(in crate::builtins) const fn is_direct(&self) -> bool {
        matches!(self, Self::Direct(_))
    }

    /// Whether what is sent may get to a host at its end. What is carried goes to nobody but its own.
    ///
    /// # Errors
    /// Where it is not allowed.
    pub(in crate::builtins) fn pass(&self, host: &str) -> Result<(), Trouble> {
        match self {
            Self::Direct(gate) => gate.pass(host),
            Self::Through { .. } => Ok(()),
        }
    }

    /// A new stream to a place, and how long its phases took.
    pub(in crate::builtins) async fn reach(
        &self,
        place: &Place,
        progress: &Progress,
    ) -> Result<(Box<dyn Stream>, Phases), Trouble> {
        match self {
            Self::Direct(gate) => {
                let (stream, phases) = super::dial(gate, place, progress).await?;
                Ok((Box::new(stream), phases))
            }
            Self::Through { host, .. } if *host != place.host => Err(Trouble::theirs(
                FaultKind::Unreachable,
                format!("{place} is another server than {host}, to which the connection leads"),
            )),
            Self::Through { carrier, .. } => {
                let start = tokio::time::Instant::now();
                progress.now(format!("reaching port {} of {}", place.port, carrier.shown()));
                let stream = carrier.carry(place.port, progress).await?;
                Ok((stream, Phases { connect: start.elapsed(), ..Phases::default() }))
            }
        }
    }
}

/// What carries to what a record is of.
pub(in crate::builtins) fn carrier(value: &Value) -> Result<Arc<dyn Carrier>, Fault> {
    let carried = value.connection().and_then(|way| way.handle.downcast_ref::<Carried>());
    carried.map(|carried| Arc::clone(&carried.0)).ok_or_else(|| {
        Fault::new(FaultKind::Setup, "nothing leads through this value: it was not read from a cluster")
            .help("write `cluster.pod(\"name\")` or `cluster.service(\"name\")`, with `cluster` as it is declared")
    })
}
