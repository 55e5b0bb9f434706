//! How Grafana says what is wrong.

use std::sync::Arc;

use serde::Deserialize;

use crate::builtins::http::service::{Product, Said};
use crate::catalog::Param;
use crate::types::Connection;

pub(super) static PRODUCT: Product = Product { name: "Grafana", usually: "https://grafana.example.com", said };

pub(super) const GRAFANA: Param<Arc<Connection>> = Param::connection("grafana");

fn said(_: u16, body: &[u8]) -> Option<Said> {
    #[derive(Deserialize)]
    struct Wrong {
        message: String,
    }
    let Wrong { message } = serde_json::from_slice(body).ok()?;
    Some(Said::words(message))
}
