//! A message as data: what a webhook posts and a template names. Stable: fields are added, never renamed.

use serde_json::{Value as Json, json};

use super::wording;
use crate::catalog::{Incident, Message, Occasion, Person};
use crate::shown::{Cell, Shown, ShownBody};

/// The version of the shape.
const VERSION: u32 = 1;

/// The fields, each of them always there: what there is none of is `null`, or empty.
pub(super) fn of(message: &Message) -> Json {
    let facts: Vec<Json> = message.facts.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let parts: Vec<Json> = message
        .parts
        .iter()
        .map(|part| json!({ "title": part.title, "text": wording::plain(part), "body": part.body, "partial": part.partial }))
        .collect();
    let incident = message
        .incident
        .as_ref()
        .map(|incident| json!({ "number": incident.number, "level": incident.level, "role": incident.role }));
    json!({
        "version": VERSION,
        "key": message.key,
        "about": message.about,
        "occasion": message.occasion,
        "severity": message.severity,
        "subject": wording::subject(message),
        "title": message.title,
        "text": wording::whole(message),
        "parts": parts,
        "facts": facts,
        "doc": message.doc,
        "runbook": message.runbook,
        "at": message.at,
        "when": wording::when(message),
        "timezone": message.timezone,
        "incident": incident,
        "on_call": message.on_call,
        "link": message.link,
        "acknowledge": message.acknowledge,
    })
}

/// A message that is told, for tests and to try templates on: with all that it may have, or with as little.
pub(super) fn example(occasion: Occasion, whole: bool) -> Message {
    Message {
        key: "run-1".into(),
        about: "incident-7".into(),
        occasion,
        severity: crate::types::Severity::Critical,
        title: "Error rate".into(),
        text: "error_rate is 12%, for service=gateway".to_owned(),
        parts: if occasion == Occasion::Report { vec![part()] } else { Vec::new() },
        facts: if whole { vec![("service".into(), "gateway".to_owned())] } else { Vec::new() },
        doc: if whole { "Restart the gateway.".into() } else { "".into() },
        runbook: "Daily operations".into(),
        at: jiff::Timestamp::constant(1_795_680_005, 0),
        timezone: "UTC".into(),
        on_call: None,
        called: Vec::new(),
        incident: whole.then(|| Incident { number: 7, level: 2, role: "Engineering Manager".into() }),
        link: whole.then(|| "https://wiki.example.com/errors".to_owned()),
        acknowledge: whole.then(|| "https://runbook.example.com/ack/7".to_owned()),
    }
}

/// The same with somebody on call.
pub(super) fn somebody_on_call() -> Message {
    let person = Person {
        name: "Ann Example".into(),
        email: Some("ann@example.com".into()),
        phone: Some("+49 170 1234567".into()),
        slack: Some("U012AB3CD".into()),
    };
    Message { on_call: Some(person.into()), ..example(Occasion::Opened, true) }
}

fn part() -> Shown {
    let cell = |text: &str, number| Cell { text: text.to_owned(), value: text.into(), number };
    let rows = vec![vec![cell("/", false), cell("68%", true)], vec![cell("/var", false), cell("9%", true)]];
    let body = ShownBody::Table { columns: vec!["mount".to_owned(), "used".to_owned()], rows, total: 3 };
    Shown { title: Some("Disks".to_owned()), body, partial: None }
}
