//! Channels as a caller has them: opened, asked to tell something, and what came of it.

use std::sync::Arc;

use jiff::Timestamp;
use runbook::catalog::{Again, Channel, Incident, Message, NotTold, Occasion, Told};
use runbook::types::{SecretText, Severity, Value};

use super::Outside;

/// Opens a channel by the name of its driver.
pub async fn channel(outside: &Outside, driver: &str, given: &[(&str, Value)]) -> Arc<dyn Channel> {
    let opened = outside.open(driver, given).await.unwrap_or_else(|fault| panic!("{driver}: {fault}"));
    Arc::clone(opened.handle.downcast_ref::<Arc<dyn Channel>>().expect("a channel"))
}

/// Tells a message through a channel.
pub async fn tell(outside: &Outside, channel: &Arc<dyn Channel>, message: &Message) -> Result<Told, NotTold> {
    channel.tell(outside.cx.clone(), Arc::new(message.clone())).await
}

/// A message with all that one may have.
pub fn message(occasion: Occasion) -> Message {
    Message {
        key: "incident-7-1".into(),
        about: "incident-7".into(),
        occasion,
        severity: Severity::Critical,
        title: "Error rate".into(),
        text: "error_rate is 12%, for service=<gateway>".to_owned(),
        parts: Vec::new(),
        facts: vec![("service".into(), "gateway & co".to_owned())],
        doc: "Restart the gateway.".into(),
        runbook: "Daily operations".into(),
        at: Timestamp::constant(1_795_680_005, 0),
        timezone: "Europe/Berlin".into(),
        on_call: None,
        called: Vec::new(),
        incident: Some(Incident { number: 7, level: 1, role: "Operations Engineer".into() }),
        link: Some("https://wiki.example.com/errors".to_owned()),
        acknowledge: Some("https://runbook.example.com/ack/7".to_owned()),
    }
}

/// A secret, as a value.
pub fn secret(text: &str) -> Value {
    Value::Secret(SecretText::new(text.to_owned()))
}

/// What was not told, and why.
pub fn failed(result: Result<Told, NotTold>) -> NotTold {
    match result {
        Ok(told) => panic!("wanted a refusal, got {told:?}"),
        Err(failed) => failed,
    }
}

/// A refusal's kind, message and help on one line, and whether it helps to try again.
pub fn why(result: Result<Told, NotTold>) -> (String, Again) {
    let failed = failed(result);
    let help = failed.fault.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
    (format!("{}: {}{help}", failed.fault.kind.name(), failed.fault.message), failed.again)
}
