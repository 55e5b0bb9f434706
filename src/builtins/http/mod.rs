//! HTTP: a connection by its base URL, the methods on it, and whether it answers.

mod address;
mod answers;
mod call;
pub(super) mod client;
mod connection;
mod delete;
mod get;
mod head;
mod patch;
mod post;
mod put;
mod reads;
mod response;
pub(super) mod service;

pub(super) use self::connection::insert_fields as fields_as_headers;
use crate::catalog::{Builtin, Driver};

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[
    &get::BUILTIN,
    &head::BUILTIN,
    &post::BUILTIN,
    &put::BUILTIN,
    &patch::BUILTIN,
    &delete::BUILTIN,
    &answers::BUILTIN,
];

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];
