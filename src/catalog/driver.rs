//! Drivers: what `connect`, `channel`, `secret` and `tool` declarations call.

use std::any::Any;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::need::{Endpoint, Need, Written};
use super::{Args, ByHand, Channel, Cx, Example, ParamInfo};
use crate::types::Fault;

/// What a driver makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverKind {
    /// `connect api = http("https://api.example.com")`
    Connection,
    /// `channel slack = slack(webhook: key)`. `person`: a message through it reaches somebody by itself, now. `policy`:
    /// the parameter that hands incidents to an escalation on the other side, so that nobody is paged twice.
    Channel { person: bool, policy: Option<&'static str> },
    /// `secret key = env("KEY")`
    Secret,
}

/// A channel on its way to be opened.
pub type OpensChannel = BoxFuture<'static, Result<Arc<dyn Channel>, Fault>>;

/// How a driver is opened.
#[derive(Clone, Copy)]
pub enum Open {
    /// Makes what the built-ins of the driver work with. It may look at this machine, and connects when it is first used.
    Now(fn(Cx, Args<'static>) -> BoxFuture<'static, Result<Opened, Fault>>),
    /// Makes a way to tell people. It may look at this machine, and connects when it has something to tell.
    Channel(fn(Cx, Args<'static>) -> OpensChannel),
}

impl Driver {
    /// Opens it for real. A channel's handle is an `Arc<dyn Channel>`.
    pub fn make(&self, cx: Cx, args: Args<'static>) -> BoxFuture<'static, Result<Opened, Fault>> {
        match self.open {
            Open::Now(open) => open(cx, args),
            Open::Channel(open) => Box::pin(async move {
                let channel = open(cx, args).await?;
                Ok(Opened {
                    target: channel.target(),
                    place: channel.target(),
                    server: channel.target(),
                    handle: Arc::new(channel),
                    at_once: 1,
                })
            }),
        }
    }
}

/// A connection that is ready.
pub struct Opened {
    /// What it leads to and as whom, for the output. Never a secret.
    pub target: String,
    /// Which system it leads to and by which proxy, whoever asks: what a standing approval is given for. Two clusters,
    /// databases or servers never have the same. Never a secret.
    pub place: String,
    /// What one run at a time changes: the same for all that lead there, by whatever way and to whichever part of it.
    pub server: String,
    pub handle: Arc<dyn Any + Send + Sync>,
    /// How many calls go to it side by side.
    pub at_once: usize,
}

/// One driver.
pub struct Driver {
    pub name: &'static str,
    pub kind: DriverKind,
    /// One sentence.
    pub summary: &'static str,
    pub params: &'static [ParamInfo],
    pub open: Open,
    /// What it needs for itself, whatever is called on it.
    pub needs: &'static [Need],
    /// Where it goes on the network, by what is written in the declaration.
    pub reaches: fn(&Written<'_>) -> Vec<Endpoint>,
    /// How a person reaches it.
    pub by_hand: ByHand,
    pub examples: &'static [Example],
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
