//! `connect tracing = jaeger("http://jaeger-query:16686")`

use crate::builtins::http::service::{BY_HAND, Own, PARAMS, open};
use crate::builtins::reaches;
use crate::catalog::{Driver, DriverKind, Example, Open};

pub(super) static DRIVER: Driver = Driver {
    name: "jaeger",
    kind: DriverKind::Connection,
    summary: "The query service of a Jaeger. A prefix such as `/jaeger` is part of the URL.",
    params: &PARAMS,
    open: Open::Now(|cx, args| Box::pin(async move { open(&cx, &args, Own::named("jaeger")) })),
    needs: &[],
    reaches: |written| reaches::url(written, "url"),
    by_hand: BY_HAND,
    examples: &[Example::call(r#"connect spans = jaeger("http://jaeger-query:16686", at_most: 64MiB)"#)],
};
