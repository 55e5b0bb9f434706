//! Lists, page by page: each is let go before the next, so that thousands of objects need no room of their own.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ask::Ask;
use super::connection::Kubernetes;
use super::faults::Again;
use super::request::{Deadline, not_that, parse};
use super::wire::{self, Form, List, ListMeta, Shape};
use crate::types::{Fault, FaultKind};

/// How many objects a page has.
const PAGE: u32 = 500;
/// How many objects a list may have.
const AT_MOST: usize = 200_000;
/// How often a list is begun anew whose snapshot went away while it was read.
const STARTS: u32 = 3;

/// Some objects, and where the list goes on.
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// The same as JSON says it.
#[derive(Deserialize)]
struct InJson<T> {
    #[serde(default)]
    metadata: ListMeta,
    // An empty list is `null` where a server of Go forgot to make one.
    items: Option<Vec<T>>,
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
        keep: impl FnMut(T) -> Result<R, Fault>,
    ) -> Result<Vec<R>, Fault> {
        self.pages(ask.clone(), deadline, in_json, keep).await
    }

    /// The same of what there may be thousands of: in protobuf, where the server has it.
    ///
    /// # Errors
    /// As of [`Self::list`].
    pub(super) async fn list_quickly<T: Shape, R>(
        &self,
        ask: &Ask,
        deadline: Deadline,
        keep: impl FnMut(T) -> Result<R, Fault>,
    ) -> Result<Vec<R>, Fault> {
        self.pages(ask.clone().form(Form::Protobuf), deadline, in_either, keep).await
    }

    async fn pages<T, R>(
        &self,
        mut ask: Ask,
        deadline: Deadline,
        read: fn(&[u8], &Ask) -> Result<Page<T>, Fault>,
        mut keep: impl FnMut(T) -> Result<R, Fault>,
    ) -> Result<Vec<R>, Fault> {
        let mut starts = 0;
        let kept = 'start: loop {
            starts += 1;
            let (mut kept, mut next) = (Vec::new(), None::<String>);
            loop {
                let page = paged(&ask, next.as_deref());
                let bytes = match self.tried(&page, deadline, None).await {
                    Ok(bytes) => bytes,
                    Err(failure) if failure.again == Again::AsJson && ask.form != Form::Json => {
                        ask.form = Form::Json;
                        continue;
                    }
                    Err(failure) if failure.again == Again::FromTheStart && starts < STARTS => continue 'start,
                    Err(failure) => return Err(failure.fault),
                };
                let page = read(&bytes, &ask)?;
                drop(bytes);
                for item in page.items {
                    kept.push(keep(item)?);
                }
                if kept.len() > AT_MOST {
                    let message = format!("there are more than {AT_MOST} ({})", ask.doing());
                    return Err(Fault::new(FaultKind::TooLarge, message).help("name a namespace or a selector"));
                }
                next = page.next;
                if next.is_none() {
                    break 'start kept;
                }
            }
        };
        if kept.is_empty() {
            self.empty_for_real(&ask).await?;
        } else if let Some(namespace) = &ask.namespace {
            self.know_namespace(namespace);
        }
        Ok(kept)
    }
}

fn in_json<T: DeserializeOwned>(bytes: &[u8], ask: &Ask) -> Result<Page<T>, Fault> {
    let InJson { metadata, items } = parse(bytes, ask)?;
    Ok(Page { items: items.unwrap_or_default(), next: metadata.next() })
}

fn in_either<T: Shape>(bytes: &[u8], ask: &Ask) -> Result<Page<T>, Fault> {
    if !wire::is(bytes) {
        return in_json(bytes, ask);
    }
    let List { metadata, items } = wire::list(bytes).map_err(|why| not_that(why, ask))?;
    Ok(Page { items, next: metadata.next() })
}

fn paged(ask: &Ask, next: Option<&str>) -> Ask {
    let page = ask.clone().query("limit", PAGE.to_string());
    match next {
        Some(next) => page.query("continue", next),
        None => page,
    }
}
