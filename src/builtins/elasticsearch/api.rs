//! How the cluster says what is wrong, and whether an answer is of all shards.

use std::sync::Arc;

use serde::Deserialize;

use crate::builtins::http::service::{Product, Said};
use crate::catalog::Param;
use crate::types::{Connection, Fault, FaultKind};

pub(super) static PRODUCT: Product = Product { name: "Elasticsearch", usually: "https://elasticsearch:9200", said };

pub(super) const ELASTICSEARCH: Param<Arc<Connection>> = Param::connection("elasticsearch");

#[derive(Deserialize)]
struct Wrong {
    error: Error,
}

#[derive(Deserialize)]
struct Error {
    r#type: String,
    #[serde(default)]
    reason: Option<String>,
    /// What is behind `all shards failed`.
    #[serde(default)]
    root_cause: Vec<Cause>,
}

#[derive(Deserialize)]
struct Cause {
    reason: Option<String>,
}

fn said(status: u16, body: &[u8]) -> Option<Said> {
    let Wrong { error } = serde_json::from_slice(body).ok()?;
    let cause = error.root_cause.into_iter().find_map(|cause| cause.reason);
    let reason = match (error.reason, cause) {
        (Some(reason), Some(cause)) if !reason.contains(&cause) => format!("{reason}: {cause}"),
        (Some(reason), _) | (None, Some(reason)) => reason,
        (None, None) => error.r#type,
    };
    // It says why it has no time, and has some later.
    Some(Said { message: reason, kind: None, passes: matches!(status, 429 | 502..=504) })
}

/// Of how many shards an answer is.
#[derive(Deserialize)]
pub(super) struct Shards {
    total: u64,
    /// Skipped ones among them: they had nothing that could match.
    successful: u64,
    #[serde(default)]
    failures: Vec<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    reason: Option<Cause>,
}

impl Shards {
    /// # Errors
    /// Where the answer is not of all shards, or of none.
    pub(super) fn whole(&self, index: &str, timed_out: bool) -> Result<(), Fault> {
        // `failed` does not count the shards that are nowhere.
        let missing = self.total.saturating_sub(self.successful);
        if missing > 0 {
            let why = self.failures.iter().find_map(|failure| failure.reason.as_ref()?.reason.as_deref());
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            let message = format!("{missing} of {} shards of `{index}` gave no answer{why}", self.total);
            return Err(Fault::new(FaultKind::Partial, message).help(
                "what the others say is less than there is; `health()` and `indices()` show which are not there",
            ));
        }
        if timed_out {
            let message = format!("Elasticsearch ran out of time before it had searched all of `{index}`");
            return Err(Fault::new(FaultKind::Partial, message).help("search less of it, such as `since: 1h`"));
        }
        if self.total == 0 {
            return Err(no_index(index));
        }
        Ok(())
    }
}

/// That a pattern matches nothing, which is not the same as nothing found.
pub(super) fn no_index(index: &str) -> Fault {
    Fault::new(FaultKind::NotFound, format!("no index is called `{index}`")).help("`indices()` lists them")
}
