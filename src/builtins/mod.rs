//! The built-ins: what runbooks can ask, compute and change. One folder a family, one file a built-in.
//!
//! Nothing below the command line imports this module: the other stages take the [`Catalog`] that it makes.

mod alertmanager;
mod blocking;
mod channels;
mod dial;
mod dns;
mod elasticsearch;
mod files;
mod grafana;
mod host;
mod http;
mod jaeger;
mod kubernetes;
mod line_time;
mod lines;
mod lists;
mod logs;
mod numbers;
mod past;
mod plain_text;
mod postgres;
mod prometheus;
mod quoted;
mod reaches;
mod redis;
mod s3;
mod scan;
mod secrets;
mod settings;
mod spool;
mod text;
mod tls;
mod tool;
mod words;

pub use self::channels::Heartbeat;
pub use self::postgres::Database;
use crate::catalog::{Builtin, Catalog, Driver};

/// The whole catalogue.
#[must_use]
pub fn catalog() -> Catalog {
    let builtins: Vec<&'static Builtin> = FAMILIES.iter().flat_map(|family| family.iter().copied()).collect();
    let drivers: Vec<&'static Driver> = DRIVERS.iter().flat_map(|family| family.iter().copied()).collect();
    Catalog::new(&builtins, &drivers)
}

/// The built-ins of each family, in the order of the reference.
static FAMILIES: &[&[&Builtin]] = &[
    lists::ALL,
    text::ALL,
    numbers::ALL,
    host::ALL,
    logs::ALL,
    http::ALL,
    postgres::ALL,
    prometheus::ALL,
    alertmanager::ALL,
    elasticsearch::ALL,
    jaeger::ALL,
    grafana::ALL,
    redis::ALL,
    s3::ALL,
    dns::ALL,
    tls::ALL,
    tool::ALL,
    past::ALL,
    kubernetes::OBJECTS,
    kubernetes::LOGS,
    kubernetes::COMMANDS,
    kubernetes::CHANGES,
];

/// What `connect`, `channel`, `secret` and `tool` call, by family.
static DRIVERS: &[&[&Driver]] = &[
    secrets::DRIVERS,
    http::DRIVERS,
    kubernetes::DRIVERS,
    postgres::DRIVERS,
    prometheus::DRIVERS,
    alertmanager::DRIVERS,
    elasticsearch::DRIVERS,
    jaeger::DRIVERS,
    grafana::DRIVERS,
    redis::DRIVERS,
    s3::DRIVERS,
    channels::DRIVERS,
];
