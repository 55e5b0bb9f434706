//! Where secrets come from: `secret key = env("KEY")`, `secret key = file("./key")`.

mod env;
mod file;

use std::sync::Arc;

use crate::catalog::{Driver, Opened};
use crate::types::{Fault, FaultKind, SecretText};

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&env::DRIVER, &file::DRIVER];

/// A secret that was read. The handle is its [`SecretText`].
fn opened(source: String, text: String) -> Result<Opened, Fault> {
    if text.trim().is_empty() {
        // An empty password would be sent and refused, or worse, taken.
        return Err(Fault::new(FaultKind::Setup, format!("{source} is empty")));
    }
    Ok(Opened {
        place: source.clone(),
        server: String::new(),
        target: source,
        handle: Arc::new(SecretText::new(text)),
        at_once: 1,
    })
}
