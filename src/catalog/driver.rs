//! Drivers: what `connect`, `channel`, `secret` and `tool` declarations call.

use std::any::Any;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Args, Cx, Example, ParamInfo};
use crate::types::Fault;

/// What a driver makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverKind {
    /// `connect api = http("https://api.example.com")`
    Connection,
    /// `channel slack = slack(webhook: key)`. `person`: a message through it reaches somebody by itself, now.
    Channel { person: bool },
    /// `secret key = env("KEY")`
    Secret,
}

/// How a driver is opened.
#[derive(Clone, Copy)]
pub enum Open {
    /// Makes what the built-ins of the driver work with. It may look at this machine, and connects when it is first used.
    Now(fn(Cx, Args<'static>) -> BoxFuture<'static, Result<Opened, Fault>>),
    /// The language has it, this version cannot run it: the part of the tool that is missing.
    Later(&'static str),
}

/// A connection that is ready.
pub struct Opened {
    /// What it leads to and as whom, for the output. Never a secret.
    pub target: String,
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
    pub examples: &'static [Example],
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
