//! Commands in containers: any that the author writes, and those by which we look at disks.

mod call;
mod df;
mod disk;
mod disks;
mod look;
mod of_pod;
mod on_cluster;
pub(super) mod reads;
pub(super) mod session;

use crate::catalog::Builtin;

pub(super) static ALL: &[&Builtin] = &[&on_cluster::BUILTIN, &of_pod::BUILTIN, &disks::BUILTIN, &disk::BUILTIN];
