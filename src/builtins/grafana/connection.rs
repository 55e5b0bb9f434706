//! `connect charts = grafana("https://grafana.example.com", bearer: token)`

use crate::builtins::http::service::{BY_HAND, Own, PARAMS, open};
use crate::builtins::reaches;
use crate::catalog::{Driver, DriverKind, Example, Open};

pub(super) static DRIVER: Driver = Driver {
    name: "grafana",
    kind: DriverKind::Connection,
    summary: "A Grafana. `bearer:` is the token of a service account.",
    params: &PARAMS,
    open: Open::Now(|cx, args| Box::pin(async move { open(&cx, &args, Own::named("grafana")) })),
    needs: &[],
    reaches: |written| reaches::url(written, "url"),
    by_hand: BY_HAND,
    examples: &[Example::call(r#"connect dash = grafana("https://grafana.example.com", bearer: tracker_token)"#)],
};
