//! `channel pager = pagerduty(key: pagerduty_key, policy: "ops")`

use super::PART;
use crate::catalog::{Driver, DriverKind, Example, Open, Param};
use crate::types::SecretText;

const KEY: Param<SecretText> = Param::required("key", "The integration key of the service (Events API v2).");
const POLICY: Param<Option<String>> = Param::optional(
    "policy",
    "The escalation policy on the other side: the incident is handed to it, and nobody is paged twice.",
);

pub(super) static DRIVER: Driver = Driver {
    name: "pagerduty",
    kind: DriverKind::Channel { person: true, policy: Some("policy") },
    summary: "PagerDuty: pages whoever is on call.",
    params: &[KEY.info(), POLICY.info()],
    open: Open::Later(PART),
    examples: &[Example::call(r#"channel pager = pagerduty(key: pagerduty_key, policy: "ops")"#)],
};
