//! What the API and the matchers of silences look like.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::builtins::http::service::{Product, Said};
use crate::catalog::Param;
use crate::types::{Connection, FaultKind};

pub(super) static PRODUCT: Product = Product { name: "Alertmanager", usually: "http://alertmanager:9093", said };

pub(super) const ALERTMANAGER: Param<Arc<Connection>> = Param::connection("alertmanager");

/// Version 2 answers an error with a text in quotes, or with a code and a message.
fn said(status: u16, body: &[u8]) -> Option<Said> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Wrong {
        Text(String),
        Coded { message: String },
    }

    if status == 404 && body.is_empty() {
        return Some(Said::words("not found"));
    }
    let (Wrong::Text(message) | Wrong::Coded { message }) = serde_json::from_slice(body).ok()?;
    // Versions before 0.27 say both with 500.
    let kind = if message.contains("silence not found") {
        Some(FaultKind::NotFound)
    } else {
        message.contains("already expired").then_some(FaultKind::Failed)
    };
    Some(Said { message, kind, passes: false })
}

/// A condition on a label.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Matcher {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) is_regex: bool,
    #[serde(default = "equal")]
    pub(super) is_equal: bool,
}

/// What versions before 0.22 mean, which do not say it.
const fn equal() -> bool {
    true
}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let operator = match (self.is_equal, self.is_regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        write!(f, "{}{operator}{:?}", self.name, self.value)
    }
}
