//! S3 and servers that speak it: what is in a bucket, how old and how large it is, and changes of single objects.
//!
//! Requests are signed by reqsign and go out through the HTTP client of the house, those for credentials as well.

mod ask;
mod connection;
mod copy;
mod credentials;
mod delete;
mod exists;
mod folders;
mod head;
mod list;
mod listing;
mod needs;
mod newest;
mod object;
mod place;
mod refusal;
mod size;
mod text;
mod xml;

use std::sync::Arc;

use crate::catalog::{Builtin, Driver, Param};
use crate::types::Connection;

const CONNECTION: Param<Arc<Connection>> = Param::connection("s3");
const KEY: Param<String> = Param::required(
    "key",
    "The whole name of the object in its bucket, as `list` gives it. No letter of it has to be escaped.",
);

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[
    &list::BUILTIN,
    &folders::BUILTIN,
    &newest::BUILTIN,
    &size::BUILTIN,
    &head::BUILTIN,
    &exists::BUILTIN,
    &text::BUILTIN,
    &copy::BUILTIN,
    &delete::BUILTIN,
];

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&connection::DRIVER];
