//! `channel email = email(to: ["ops@example.com"])`

use super::{PART, TEMPLATE};
use crate::catalog::{Driver, DriverKind, Example, Open, Param};
use crate::types::SecretText;

const TO: Param<Vec<String>> = Param::required("to", "Who gets it.");
const FROM: Param<Option<String>> = Param::optional("from", "Who it is from; this machine's user otherwise.");
const SERVER: Param<Option<String>> =
    Param::optional("server", "The mail server, such as `smtp.example.com:587`; this machine's own otherwise.");
const USER: Param<Option<String>> = Param::optional("user", "The user to log in to the mail server as.");
const PASSWORD: Param<Option<SecretText>> = Param::optional("password", "The password of that user.");

pub(super) static DRIVER: Driver = Driver {
    name: "email",
    kind: DriverKind::Channel { person: true, policy: None },
    summary: "Mail.",
    params: &[TO.info(), FROM.info(), SERVER.info(), USER.info(), PASSWORD.info(), TEMPLATE.info()],
    open: Open::Later(PART),
    examples: &[Example::call(r#"channel email = email(to: ["ops@example.com"])"#)],
};
