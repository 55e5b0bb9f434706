//! `channel slack = slack(webhook: slack_webhook, channel: "#alerts")`

use super::{PART, TEMPLATE};
use crate::catalog::{Driver, DriverKind, Example, Open, Param};
use crate::types::SecretText;

const WEBHOOK: Param<SecretText> =
    Param::required("webhook", "The address of the incoming webhook: whoever has it can post.");
const CHANNEL: Param<Option<String>> =
    Param::optional("channel", "Where to post, such as `#alerts`; where the webhook belongs otherwise.");

pub(super) static DRIVER: Driver = Driver {
    name: "slack",
    kind: DriverKind::Channel { person: true, policy: None },
    summary: "A Slack channel.",
    params: &[WEBHOOK.info(), CHANNEL.info(), TEMPLATE.info()],
    open: Open::Later(PART),
    examples: &[Example::call(r##"channel slack = slack(webhook: slack_webhook, channel: "#alerts")"##)],
};
