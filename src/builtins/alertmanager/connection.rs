//! `connect pager = alertmanager("http://alertmanager:9093")`

use crate::builtins::http::service::{BY_HAND, Own, PARAMS, open};
use crate::builtins::reaches;
use crate::catalog::{Driver, DriverKind, Example, Open};

pub(super) static DRIVER: Driver = Driver {
    name: "alertmanager",
    kind: DriverKind::Connection,
    summary: "An Alertmanager, by its API of version 2. A prefix such as `/alertmanager` is part of the URL.",
    params: &PARAMS,
    open: Open::Now(|cx, args| Box::pin(async move { open(&cx, &args, Own::named("alertmanager")) })),
    needs: &[],
    reaches: |written| reaches::url(written, "url"),
    by_hand: BY_HAND,
    examples: &[
        Example::call(r#"connect pager = alertmanager("http://alertmanager:9093")"#),
        Example::call(r#"connect pager = alertmanager("https://example.com/alertmanager", bearer: tracker_token)"#),
    ],
};
