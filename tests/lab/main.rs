//! Built-ins against real servers: the lab's (`tests/lab/README.md`), or a cluster of one's own.
//!
//! What the lab does not have is named on standard error and counted by `.ci/run`; nothing is left out in silence.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be, and each takes what it needs of the harness"
)]

mod alerting;
mod channels;
mod daily;
mod fake_api;
mod harness;
mod kubectl;
mod kubernetes_changes;
mod kubernetes_pods;
mod kubernetes_reads;
mod kubernetes_rehearsed;
mod kubernetes_streams;
mod kubernetes_workloads;
mod observe;
mod posted;
mod postgres;
#[path = "../support/postgres.rs"]
mod postgres_alone;
mod print;
mod products;
#[path = "../support/program.rs"]
mod program;
mod redis;
mod rights;
mod s3;
#[path = "../support/serving.rs"]
mod serving;
mod store;
