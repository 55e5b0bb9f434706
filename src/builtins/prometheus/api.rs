//! How the API answers: an envelope with the data, or with what went wrong, or with what is missing.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::builtins::http::service::{Ask, Product, Said, Service};
use crate::types::{Fault, FaultKind};

pub(super) static PRODUCT: Product = Product { name: "Prometheus", usually: "http://prometheus:9090", said };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<T> {
    status: Status,
    data: T,
    /// What is missing, from a store that did not answer.
    #[serde(default)]
    warnings: Vec<String>,
    /// What is only worth knowing.
    #[serde(default)]
    infos: Vec<String>,
    /// How `VictoriaMetrics` says that something is missing.
    #[serde(default)]
    is_partial: bool,
}

/// The one status that comes with 200.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Success,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wrong {
    error_type: String,
    error: String,
}

fn said(_: u16, body: &[u8]) -> Option<Said> {
    let wrong: Wrong = serde_json::from_slice(body).ok()?;
    let kind = match wrong.error_type.as_str() {
        "timeout" => Some(FaultKind::Timeout),
        "bad_data" | "execution" | "canceled" => Some(FaultKind::Failed),
        _ => None,
    };
    let passes = matches!(wrong.error_type.as_str(), "unavailable");
    Some(Said { message: wrong.error, kind, passes })
}

/// Asks, and gives the data where all of it is there.
pub(super) async fn data<T: DeserializeOwned>(service: &Service<'_>, ask: Ask) -> Result<T, Fault> {
    let Envelope { status: Status::Success, data, warnings, infos, is_partial } = service.read(ask).await?;
    for info in infos {
        tracing::info!(info, "Prometheus says");
    }
    if !warnings.is_empty() || is_partial {
        let why = if warnings.is_empty() { "not every store answered".to_owned() } else { warnings.join("; ") };
        return Err(Fault::new(FaultKind::Partial, format!("the answer is not whole: {why}"))
            .help("what is there without the rest looks better or worse than it is; see to what is missing first"));
    }
    Ok(data)
}

/// A quotation for messages: on one line, not too long.
pub(super) fn quote(query: &str) -> String {
    let line = query.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = line.char_indices().nth(160).map(|(index, _)| index);
    cut.and_then(|index| line.get(..index)).map_or_else(|| format!("`{line}`"), |short| format!("`{short}…`"))
}
