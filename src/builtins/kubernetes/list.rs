//! Lists, page by page: each is let go before the next, so that thousands of objects need no room of their own.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ask::Ask;
use super::connection::Kubernetes;
use super::faults::Again;
use super::request::{Deadline, parse};
use crate::types::{Fault, FaultKind};

/// How many objects a page has.
const PAGE: u32 = 500;
/// How many objects a list may have.
const AT_MOST: usize = 200_000;
/// How often a list is begun anew whose snapshot went away while it was read.
const STARTS: u32 = 3;

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default)]
    metadata: Metadata,
    // An empty list is `null` where a server of Go forgot to make one.
    items: Option<Vec<T>>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

impl Kubernetes {
    /// All objects of a list, each made into what is kept of it.
    ///
    /// # Errors
    /// Also where the list is empty and its namespace is not there, or cannot be seen.
    pub(super) async fn list<T: DeserializeOwned, R>(
        &self,
        ask: &Ask,
        deadline: Deadline,
        mut keep: impl FnMut(T) -> Result<R, Fault>,
    ) -> Result<Vec<R>, Fault> {
        let mut starts = 0;
        let kept = 'start: loop {
            starts += 1;
            let (mut kept, mut next) = (Vec::new(), None::<String>);
            loop {
                let page = paged(ask, next.as_deref());
                let bytes = match self.tried(&page, deadline, None).await {
                    Ok(bytes) => bytes,
                    Err(failure) if failure.again == Again::FromTheStart && starts < STARTS => continue 'start,
                    Err(failure) => return Err(failure.fault),
                };
                let page: Page<T> = parse(&bytes, ask)?;
                drop(bytes);
                for item in page.items.into_iter().flatten() {
                    kept.push(keep(item)?);
                }
                if kept.len() > AT_MOST {
                    let message = format!("there are more than {AT_MOST} ({})", ask.doing());
                    return Err(Fault::new(FaultKind::TooLarge, message).help("name a namespace or a selector"));
                }
                next = page.metadata.next.filter(|next| !next.is_empty());
                if next.is_none() {
                    break 'start kept;
                }
            }
        };
        if kept.is_empty() {
            self.empty_for_real(ask).await?;
        } else if let Some(namespace) = &ask.namespace {
            self.know_namespace(namespace);
        }
        Ok(kept)
    }
}

fn paged(ask: &Ask, next: Option<&str>) -> Ask {
    let page = ask.clone().query("limit", PAGE.to_string());
    match next {
        Some(next) => page.query("continue", next),
        None => page,
    }
}
