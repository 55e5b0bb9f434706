//! What a server knows, as `OpenMetrics` text.

use std::fmt::Write as _;

use super::served::Served;
use crate::types::Fault;

/// The content type of the text.
pub(super) const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of all runbooks: their last samples, and what alerting has open.
pub(super) fn text(all: &[std::sync::Arc<Served>]) -> Result<String, Fault> {
    let mut text = String::new();
    family(&mut text, "runbook_sample", "The last sample of a metric, in its base unit.");
    let mut alerts = String::new();
    let mut incidents = String::new();
    let mut waiting = String::new();
    let mut leading = String::new();
    for served in all {
        let runbook = escaped(&served.title());
        let known = served.known()?;
        for sample in &known.samples {
            let mut labels = String::new();
            for (name, value) in &sample.labels {
                let _ = write!(labels, ",{name}=\"{}\"", escaped(value));
            }
            if let Some(value) = sample.value {
                let metric = escaped(&sample.metric);
                let at = sample.at.as_second();
                let _ =
                    writeln!(text, "runbook_sample{{runbook=\"{runbook}\",metric=\"{metric}\"{labels}}} {value} {at}");
            }
        }
        let _ = writeln!(alerts, "runbook_alerts_open{{runbook=\"{runbook}\"}} {}", known.alerts);
        let _ = writeln!(incidents, "runbook_incidents_open{{runbook=\"{runbook}\"}} {}", known.incidents);
        let _ = writeln!(waiting, "runbook_messages_waiting{{runbook=\"{runbook}\"}} {}", known.waiting);
        let _ = writeln!(leading, "runbook_leading{{runbook=\"{runbook}\"}} {}", u8::from(known.leads));
    }
    for (name, about, lines) in [
        ("runbook_alerts_open", "Open alerts.", alerts),
        ("runbook_incidents_open", "Open incidents.", incidents),
        ("runbook_messages_waiting", "Messages that are not told yet.", waiting),
        ("runbook_leading", "1 where this server does what is due, 0 where another one does.", leading),
    ] {
        family(&mut text, name, about);
        text.push_str(&lines);
    }
    text.push_str("# EOF\n");
    Ok(text)
}

fn family(text: &mut String, name: &str, about: &str) {
    let _ = writeln!(text, "# TYPE {name} gauge\n# HELP {name} {about}");
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
