//! Alerts that Alertmanager or Prometheus post, as alerts of the runbooks that take them.
//!
//! Two forms: what Alertmanager posts to a webhook (version 4), and what Prometheus posts to an Alertmanager (API v2).
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>,
//! <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Home;
use super::served::Served;
use crate::alerting::{Posted, fires};
use crate::types::{Labels, SecretText};

/// A group of ten thousand alerts is about as long.
const LARGEST_BODY: usize = 8 * 1024 * 1024;
/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Whoever has longer ones means something else.
const LONGEST_LABEL: usize = 1024;
const MOST_LABELS: usize = 64;
/// How much of what is said about an alert is told.
const LONGEST_TEXT: usize = 4096;

#[derive(Clone)]
struct Hooks {
    all: Vec<Arc<Served>>,
    token: Option<SecretText>,
    home: Arc<dyn Home>,
}

/// What an Alertmanager posts: a group of alerts.
#[derive(Deserialize)]
struct Group {
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct Alert {
    /// What an Alertmanager says of it.
    status: Option<Status>,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(rename = "startsAt")]
    starts_at: Option<Timestamp>,
    /// It is over from then on. That is all that a Prometheus says of it.
    #[serde(rename = "endsAt")]
    ends_at: Option<Timestamp>,
    #[serde(default, rename = "generatorURL")]
    source: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Firing,
    Resolved,
}

/// Where alerts are posted to.
pub(super) fn routes(all: Vec<Arc<Served>>, token: Option<SecretText>, home: Arc<dyn Home>) -> Router {
    Router::new()
        .route("/hooks/alertmanager", axum::routing::post(take))
        // Where a Prometheus posts to that has this server as an Alertmanager.
        .route("/api/v2/alerts", axum::routing::post(take))
        .with_state(Hooks { all, token, home })
}

async fn take(State(hooks): State<Hooks>, request: Request) -> Response {
    // Before anything of it is read.
    match &hooks.token {
        None => {
            let why = "this server takes no alerts: it was started without `--webhook-token-file`";
            return refused(StatusCode::FORBIDDEN, why);
        }
        Some(token) if !knows(request.headers(), token) => {
            let why = "the token is not the one that this server was started with";
            return refused(StatusCode::UNAUTHORIZED, why);
        }
        Some(_) => {}
    }
    let body = tokio::time::timeout(PATIENCE, to_bytes(request.into_body(), LARGEST_BODY)).await;
    let body = match body {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let why = format!("the body is longer than {LARGEST_BODY} bytes, or was cut");
            return refused(StatusCode::PAYLOAD_TOO_LARGE, &why);
        }
        Err(_) => return refused(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
    };
    let posted = match read(&body, hooks.home.now()) {
        Ok(posted) => posted,
        Err(why) => {
            hooks.home.warn(&format!("somebody has posted what is no alert: {why}"));
            return refused(StatusCode::BAD_REQUEST, &why);
        }
    };
    let mut unknown: BTreeSet<&str> = posted.iter().map(|one| &*one.name).collect();
    let mut taken = 0;
    for served in &hooks.all {
        match served.take_posted(&posted) {
            Ok(names) => {
                taken += names.len();
                unknown.retain(|name| !names.iter().any(|own| **own == **name));
            }
            Err(fault) => {
                hooks.home.warn(&format!("\"{}\": alerts could not be written down: {fault}", served.title()));
                // Whoever posted them posts them again.
                return refused(StatusCode::SERVICE_UNAVAILABLE, &fault.to_string());
            }
        }
    }
    if unknown.is_empty() {
        return answered(StatusCode::OK, &json!({ "taken": taken }));
    }
    let names: Vec<&str> = unknown.into_iter().collect();
    let listed = names.join("`, `");
    let why = format!("no threshold takes `{listed}`: name it in one, `from alertmanager \"…\"`");
    hooks.home.warn(&format!("an alert was posted that nobody is told of: {why}"));
    answered(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "taken": taken, "unknown": names, "error": why }))
}

fn refused(status: StatusCode, why: &str) -> Response {
    answered(status, &json!({ "error": why }))
}

fn answered(status: StatusCode, what: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], format!("{what}\n")).into_response()
}

/// Whether whoever posts knows the token. Digests are compared, so that the time it takes says nothing of the token.
fn knows(headers: &HeaderMap, token: &SecretText) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, given)) = given.and_then(|given| given.split_once(' ')) else { return false };
    scheme.eq_ignore_ascii_case("bearer") && Sha256::digest(given.trim()) == Sha256::digest(token.expose().trim())
}

/// The alerts of a body.
fn read(body: &[u8], now: Timestamp) -> Result<Vec<Posted>, String> {
    let is_list = body.trim_ascii_start().first() == Some(&b'[');
    let alerts: Result<Vec<Alert>, serde_json::Error> = if is_list {
        serde_json::from_slice(body)
    } else {
        serde_json::from_slice(body).map(|group: Group| group.alerts)
    };
    let alerts = alerts.map_err(|error| {
        format!("wanted what Alertmanager posts to a webhook, or a list of alerts as Prometheus posts it: {error}")
    })?;
    alerts.into_iter().map(|alert| one(alert, now)).collect()
}

fn one(alert: Alert, now: Timestamp) -> Result<Posted, String> {
    let Alert { status, mut labels, annotations, starts_at, ends_at, source } = alert;
    // Year 1 is how Go writes that there is none.
    let [since, until] = [starts_at, ends_at].map(|at| at.filter(|at| *at > Timestamp::UNIX_EPOCH));
    let name = labels.remove("alertname").filter(|name| !name.is_empty());
    let name = name.ok_or("an alert has no label `alertname`, so nobody knows which it is")?;
    if labels.len() > MOST_LABELS || labels.iter().any(|(name, value)| name.len().max(value.len()) > LONGEST_LABEL) {
        return Err(format!("`{name}` has more than {MOST_LABELS} labels, or one of more than {LONGEST_LABEL} bytes"));
    }
    let firing = status.map_or_else(|| until.is_none_or(|until| until > now), |status| status == Status::Firing);
    let said = ["summary", "description", "message"].iter().filter_map(|name| annotations.get(*name));
    let mut text: Vec<&str> = said.map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    text.dedup();
    let fires = fires(&name);
    if text.is_empty() {
        text.push(&fires);
    }
    if source.starts_with("http") {
        text.push(&source);
    }
    let text: String = text.join("\n").chars().take(LONGEST_TEXT).collect();
    let labels: Labels = labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    Ok(Posted { name: name.into(), labels, text: text.into(), firing, since, until })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::read;

    fn said(body: &str) -> Result<Vec<String>, String> {
        let now = Timestamp::from_second(1_795_680_000).unwrap();
        let posted = read(body.as_bytes(), now)?;
        let one = |one: &super::Posted| {
            let fires = if one.firing { "fires" } else { "is over" };
            format!("{} {} {fires}: {}", one.name, crate::types::labels_text(&one.labels), one.text)
        };
        Ok(posted.iter().map(one).collect())
    }

    #[test]
    fn both_forms_are_read() {
        let group = r#"{"version":"4","status":"firing","receiver":"ops","groupLabels":{},"alerts":[
            {"status":"firing","labels":{"alertname":"Down","job":"api"},"annotations":{"summary":"it is down"},
             "startsAt":"2026-11-26T08:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prom/graph"},
            {"status":"resolved","labels":{"alertname":"Slow"},"annotations":{},"endsAt":"2026-11-26T08:00:00Z"}]}"#;
        let expected = ["Down job=api fires: it is down\nhttp://prom/graph", "Slow  is over: Slow fires"];
        assert_eq!(said(group).unwrap(), expected);
        let list = r#"[{"labels":{"alertname":"Down"},"endsAt":"2026-11-26T23:59:00Z"},
            {"labels":{"alertname":"Slow"},"endsAt":"2026-11-26T01:00:00.123Z"},
            {"labels":{"alertname":"Full"},"endsAt":"0001-01-01T00:00:00Z"},
            {"labels":{"alertname":"New"}}]"#;
        let words: Vec<String> =
            said(list).unwrap().iter().map(|said| said.split(':').next().unwrap().to_owned()).collect();
        assert_eq!(words, ["Down  fires", "Slow  is over", "Full  fires", "New  fires"]);
    }

    #[test]
    fn what_is_no_alert_is_refused_with_the_reason() {
        for (body, why) in [
            ("", "EOF"),
            ("hello", "expected value"),
            ("{}", "missing field `alerts`"),
            ("[{\"labels\":{}}]", "no label `alertname`"),
            ("[{\"labels\":{\"alertname\":\"\"}}]", "no label `alertname`"),
            ("[{\"labels\":{\"alertname\":1}}]", "invalid type"),
            ("[{\"status\":\"maybe\",\"labels\":{\"alertname\":\"A\"}}]", "unknown variant"),
        ] {
            let said = said(body).unwrap_err();
            assert!(said.contains(why), "{body}: {said}");
        }
        let long = format!("[{{\"labels\":{{\"alertname\":\"A\",\"x\":\"{}\"}}}}]", "y".repeat(2000));
        assert!(said(&long).unwrap_err().contains("more than 1024 bytes"));
    }
}
