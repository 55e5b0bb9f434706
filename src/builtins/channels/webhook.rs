//! `channel bot = webhook("https://bot.example.com/alerts")`

use std::sync::Arc;

use super::{PART, TEMPLATE};
use crate::catalog::{Accepts, Driver, DriverKind, Example, Open, Param, Presence};
use crate::types::{Record, Value};

const URL: Param<Value> = Param::new(
    "url",
    "Where the message is posted, as JSON. A secret where whoever has the address can post.",
    Accepts::TextOrSecret,
    Presence::Required,
);
const HEADERS: Param<Option<Arc<Record>>> = Param::fields("headers", "Headers of the request.", true);

pub(super) static DRIVER: Driver = Driver {
    name: "webhook",
    kind: DriverKind::Channel { person: false, policy: None },
    summary: "A request to a program. Whether a person gets to see it, nobody knows.",
    params: &[URL.info(), HEADERS.info(), TEMPLATE.info()],
    open: Open::Later(PART),
    examples: &[Example::call(r#"channel bot = webhook("https://bot.example.com/alerts")"#)],
};
