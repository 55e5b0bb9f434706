//! Lists, page by page and, in protobuf, object by object: none is kept longer than what is made of it, so that thousands
//! of objects need no room of their own.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::ask::Ask;
use super::connection::Kubernetes;
use super::faults::{Again, Failure};
use super::pieces::{Piece, Pieces};
use super::request::{Deadline, NO_KIND, Sink, Unfit};
use super::wire::{self, Form, ListMeta, Shape};
use crate::types::{Fault, FaultKind};

/// How many objects a page has.
const PAGE: u32 = 500;
/// The same in protobuf, of which no page is kept. The first page comes from the server's memory, each further one from its
/// database.
const QUICK_PAGE: u32 = 5000;
/// How many objects a list may have.
const AT_MOST: usize = 200_000;
/// How often a list is begun anew whose snapshot went away while it was read.
const STARTS: u32 = 3;

impl Kubernetes {
    /// All objects of a list, each made into what is kept of it.
    ///
    /// # Errors
    /// Also where the list is empty and its namespace is not there, or cannot be seen.
    pub(super) async fn list<T: DeserializeOwned, R: Send>(
        &self,
        ask: &Ask,
        deadline: Deadline,
        keep: impl FnMut(T) -> Result<R, Fault> + Send,
    ) -> Result<Vec<R>, Fault> {
        let ask = ask.clone().query("limit", PAGE.to_string());
        self.pages(&ask, deadline, Kept::new(keep, Vec::new())).await.map_err(|failure| failure.fault)
    }

    /// The same of what there may be thousands of: in protobuf, where the server has it.
    ///
    /// # Errors
    /// As of [`Self::list`].
    pub(super) async fn list_quickly<T: Shape, R: Send>(
        &self,
        ask: &Ask,
        deadline: Deadline,
        mut keep: impl FnMut(T) -> Result<R, Fault> + Send,
    ) -> Result<Vec<R>, Fault> {
        let quick = ask.clone().form(Form::Protobuf).query("limit", QUICK_PAGE.to_string());
        match self.pages(&quick, deadline, Kept::new(&mut keep, Pieces::new(T::LIST))).await {
            Ok(kept) => Ok(kept),
            Err(failure) if failure.again == Again::AsJson => self.list(ask, deadline, keep).await,
            Err(failure) => Err(failure.fault),
        }
    }

    async fn pages<K, T, R, L>(
        &self,
        ask: &Ask,
        deadline: Deadline,
        mut kept: Kept<K, T, R, L>,
    ) -> Result<Vec<R>, Failure>
    where
        Kept<K, T, R, L>: Sink,
    {
        let never = |fault| Failure { fault, again: Again::Never, sent: false };
        let mut starts = 1;
        let mut page = ask.clone();
        loop {
            match self.tried_into(&page, deadline, None, &mut kept).await {
                Ok(()) => kept.whole = kept.made.len(),
                Err(failure) if failure.again == Again::FromTheStart && starts < STARTS => {
                    starts += 1;
                    kept.whole = 0;
                    page = ask.clone();
                    continue;
                }
                Err(failure) => return Err(failure),
            }
            if kept.whole > AT_MOST {
                let message = format!("there are more than {AT_MOST} ({})", ask.doing());
                return Err(never(Fault::new(FaultKind::TooLarge, message).help("name a namespace or a selector")));
            }
            match kept.next.take() {
                Some(next) => page = ask.clone().query("continue", next),
                None => break,
            }
        }
        if kept.made.is_empty() {
            self.empty_for_real(ask).await.map_err(never)?;
        } else if let Some(namespace) = &ask.namespace {
            self.know_namespace(namespace);
        }
        Ok(kept.made)
    }
}

/// What is kept of a list while it is read.
struct Kept<K, T, R, L> {
    keep: K,
    made: Vec<R>,
    /// How many of them are of pages that were read to their end.
    whole: usize,
    next: Option<String>,
    /// What was read and not made into anything yet, as its language needs it.
    unread: L,
    of: PhantomData<fn(T)>,
}

impl<K, T, R, L> Kept<K, T, R, L> {
    const fn new(keep: K, unread: L) -> Self {
        Self { keep, made: Vec::new(), whole: 0, next: None, unread, of: PhantomData }
    }
}

/// A page as JSON says it.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct InJson<T> {
    kind: Option<String>,
    message: Option<String>,
    #[serde(default)]
    metadata: ListMeta,
    /// `None` where it has none; an empty list is `null` where a server of Go forgot to make one.
    #[serde(default, deserialize_with = "there")]
    items: Option<Vec<T>>,
}

fn there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Vec<T>>, D::Error> {
    wire::or_empty(from).map(Some)
}

impl<T> InJson<T> {
    /// What is in it, and what leads to the next page. Anything but a list would be read as one without items.
    fn list(self) -> Result<(Vec<T>, Option<String>), String> {
        let Some(kind) = self.kind else { return Err(NO_KIND.to_owned()) };
        if !kind.ends_with("List") {
            let message = self.message.map(|message| format!(": {message}")).unwrap_or_default();
            return Err(format!("it is a `{kind}`, not a list{message}"));
        }
        let items = self.items.ok_or_else(|| format!("it is a `{kind}` without `items`"))?;
        Ok((items, self.metadata.next()))
    }
}

impl<K, T, R> Sink for Kept<K, T, R, Vec<u8>>
where
    K: FnMut(T) -> Result<R, Fault> + Send,
    T: DeserializeOwned,
    R: Send,
{
    fn begin(&mut self) {
        self.unread.begin();
        self.made.truncate(self.whole);
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Unfit> {
        self.unread.take(bytes)
    }

    fn end(&mut self) -> Result<(), Unfit> {
        let page: InJson<T> = serde_json::from_slice(&self.unread).map_err(|why| Unfit::Not(why.to_string()))?;
        self.unread.clear();
        let (items, next) = page.list().map_err(Unfit::Not)?;
        for item in items {
            self.made.push((self.keep)(item).map_err(Unfit::Of)?);
        }
        self.next = next;
        Ok(())
    }
}

impl<K, T, R> Sink for Kept<K, T, R, Pieces>
where
    K: FnMut(T) -> Result<R, Fault> + Send,
    T: Shape,
    R: Send,
{
    fn begin(&mut self) {
        self.unread.begin();
        self.made.truncate(self.whole);
        self.next = None;
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Unfit> {
        self.unread.push(bytes);
        while let Some(piece) = self.unread.next()? {
            match piece {
                Piece::Metadata(bytes) => self.next = wire::decode::<ListMeta>(bytes).map_err(Unfit::Not)?.next(),
                Piece::Object(bytes) => {
                    let object = wire::decode(bytes).map_err(Unfit::Not)?;
                    self.made.push((self.keep)(object).map_err(Unfit::Of)?);
                }
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Unfit> {
        self.unread.end()
    }
}
