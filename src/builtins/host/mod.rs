//! This machine: the one on which runbook runs.

mod clock;
mod cpu;
mod disk;
mod disks;
mod facts;
mod file;
mod files;
mod listeners;
mod load;
mod memory;
mod mounts;
mod port;
mod proc;
mod processes;
mod sntp;
mod stat;
mod systemd;
mod text;
mod unit;
mod units;
mod users;
mod variable;

use crate::catalog::Builtin;

pub(super) static ALL: &[&Builtin] = &[
    &disks::BUILTIN,
    &disk::BUILTIN,
    &memory::BUILTIN,
    &load::BUILTIN,
    &cpu::BUILTIN,
    &processes::BUILTIN,
    &listeners::BUILTIN,
    &port::BUILTIN,
    &unit::BUILTIN,
    &units::BUILTIN,
    &file::BUILTIN,
    &files::BUILTIN,
    &text::BUILTIN,
    &facts::BUILTIN,
    &variable::BUILTIN,
    &clock::BUILTIN,
];
