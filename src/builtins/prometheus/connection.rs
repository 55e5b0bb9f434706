//! `connect metrics = prometheus("http://prometheus:9090")`

use crate::builtins::http::service::{BY_HAND, Own, PARAMS, open};
use crate::builtins::reaches;
use crate::catalog::{Driver, DriverKind, Example, Open};

pub(super) static DRIVER: Driver = Driver {
    name: "prometheus",
    kind: DriverKind::Connection,
    summary: "A Prometheus, or what speaks its API: Thanos, Mimir, VictoriaMetrics. A prefix such as `/prometheus` is part of the URL.",
    params: &PARAMS,
    open: Open::Now(|cx, args| Box::pin(async move { open(&cx, &args, Own::named("prometheus")) })),
    needs: &[],
    reaches: |written| reaches::url(written, "url"),
    by_hand: BY_HAND,
    examples: &[
        Example::call(r#"connect metrics = prometheus("http://prometheus:9090")"#),
        Example::call(
            r#"connect metrics = prometheus("https://example.com/prometheus", bearer: tracker_token, within: 30s)"#,
        ),
    ],
};
