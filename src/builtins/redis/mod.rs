//! Redis: a connection over any stream, what the server says of itself, its keys, and its commands.

mod address;
mod answers;
mod client;
mod clients;
mod command;
mod connection;
mod cpu;
mod effect;
mod get;
mod info;
mod key;
mod key_count;
mod key_words;
mod keys;
mod keyspace;
mod memory;
mod memory_doctor;
mod metered;
mod needs;
mod persistence;
mod read;
mod refusal;
mod replication;
mod reply;
mod sections;
mod server;
mod session;
mod setting;
mod slow_log;
mod stats;

use crate::catalog::{Builtin, Driver};

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[
    &answers::BUILTIN,
    &memory::BUILTIN,
    &memory_doctor::BUILTIN,
    &clients::BUILTIN,
    &persistence::BUILTIN,
    &replication::BUILTIN,
    &stats::BUILTIN,
    &cpu::BUILTIN,
    &keyspace::BUILTIN,
    &server::BUILTIN,
    &info::BUILTIN,
    &setting::BUILTIN,
    &slow_log::BUILTIN,
    &key_count::BUILTIN,
    &keys::BUILTIN,
    &key::BUILTIN,
    &get::BUILTIN,
    &read::BUILTIN,
    &command::BUILTIN,
];

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];
