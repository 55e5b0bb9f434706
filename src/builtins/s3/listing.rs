//! The objects under a prefix, page by page.

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::ask::{self, Ask};
use super::connection::S3;
use super::object::{Object, class, etag};
use super::xml;
use crate::catalog::{Cx, Param};
use crate::types::{Fault, FaultKind, Size, Value};

/// How long a page may be: a thousand keys of a kilobyte, encoded, and what is said of each.
const PAGE: usize = 8 << 20;

/// How many pages may have nothing on them, one behind the other: a server that never comes to an end.
const EMPTY: usize = 1000;

pub(super) const PREFIX: Param<String> = Param::or(
    "prefix",
    "How the keys begin, from the first letter on: `postgres/2026/11/25/`. It is no folder: `post` finds that, too.",
    || Value::string(""),
);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    is_truncated: bool,
    next_continuation_token: Option<String>,
    encoding_type: Option<String>,
    #[serde(default)]
    contents: Vec<Entry>,
    #[serde(default)]
    common_prefixes: Vec<Folder>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key: String,
    last_modified: String,
    size: i64,
    #[serde(rename = "ETag")]
    etag: Option<String>,
    storage_class: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Folder {
    prefix: String,
}

/// What is under a prefix, one page after the other.
pub(super) struct Pages<'a> {
    cx: &'a Cx,
    s3: &'a S3,
    prefix: &'a str,
    delimiter: Option<&'static str>,
    /// How many things may be looked at.
    at_most: usize,
    seen: usize,
    empty: usize,
    next: Next,
}

enum Next {
    First,
    Token(String),
    None,
}

/// A page: objects, and what the keys have in common up to the delimiter.
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    pub(super) folders: Vec<String>,
}

impl<'a> Pages<'a> {
    pub(super) fn new(cx: &'a Cx, s3: &'a S3, prefix: &'a str, at_most: i64) -> Result<Self, Fault> {
        let at_most = usize::try_from(at_most).ok().filter(|most| *most > 0);
        let at_most = at_most.ok_or_else(|| Fault::new(FaultKind::Setup, "`at_most` is at least 1"))?;
        Ok(Self { cx, s3, prefix, delimiter: None, at_most, seen: 0, empty: 0, next: Next::First })
    }

    /// What follows the prefix up to a delimiter is told once, and not each object behind it.
    pub(super) fn by(mut self, delimiter: &'static str) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// The next page. More than may be looked at is a fault: a short list would look like all of it.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, Fault> {
        let token = match std::mem::replace(&mut self.next, Next::None) {
            Next::None => return Ok(None),
            Next::First => None,
            Next::Token(token) => Some(token),
        };
        let mut ask = Ask::read(self.s3, http::Method::GET, None, "s3:ListBucket");
        ask.at_most = PAGE;
        ask.query = vec![("list-type", "2".to_owned()), ("encoding-type", "url".to_owned())];
        ask.query.extend(self.delimiter.map(|delimiter| ("delimiter", delimiter.to_owned())));
        ask.query.extend((!self.prefix.is_empty()).then(|| ("prefix", self.prefix.to_owned())));
        ask.query.extend(token.clone().map(|token| ("continuation-token", token)));
        let answer = ask::ask(self.cx, self.s3, &ask).await?;
        let listing: Listing =
            xml::read(&answer.body, "ListBucketResult").map_err(|why| self.bad(&format!("is no listing: {why}")))?;
        let page = self.page(&listing)?;
        let found = page.objects.len() + page.folders.len();
        self.seen += found;
        self.empty = if found == 0 { self.empty + 1 } else { 0 };
        let more = listing.next_continuation_token.filter(|token| !token.is_empty());
        self.next = match (listing.is_truncated, more) {
            (false, _) => Next::None,
            (true, None) => return Err(self.bad("says that there is more, and not how to get it")),
            (true, Some(more)) if token.as_ref() == Some(&more) || self.empty > EMPTY => {
                return Err(self.bad("goes on and on with the same"));
            }
            (true, Some(more)) => Next::Token(more),
        };
        if self.seen > self.at_most || (self.seen == self.at_most && matches!(self.next, Next::Token(_))) {
            return Err(self.too_many());
        }
        Ok(Some(page))
    }

    fn page(&self, listing: &Listing) -> Result<Page, Fault> {
        let encoded = match listing.encoding_type.as_deref() {
            Some("url") => true,
            None | Some("") => false,
            Some(other) => return Err(self.bad(&format!("is encoded as `{other}`, which was not asked for"))),
        };
        let plain = |text: &str| if encoded { decoded(text) } else { Some(text.to_owned()) };
        let broken = |text: &str| self.bad(&format!("has a key that is no text: `{text}`"));
        let mut objects = Vec::with_capacity(listing.contents.len());
        for entry in &listing.contents {
            let key = plain(&entry.key).ok_or_else(|| broken(&entry.key))?;
            // A prefix that a server does not know of would make all of a bucket out of a part of it.
            if !key.starts_with(self.prefix) {
                return Err(self.bad(&format!("has `{key}`, which does not begin as was asked for")));
            }
            let modified: Timestamp = entry
                .last_modified
                .parse()
                .map_err(|_| self.bad(&format!("has the time `{}`, which is none", entry.last_modified)))?;
            objects.push(Object {
                key: key.into(),
                size: Size(entry.size),
                age: self.cx.run.started_at.duration_since(modified),
                modified,
                storage_class: class(entry.storage_class.as_deref()),
                etag: etag(entry.etag.as_deref()),
            });
        }
        let folders = listing.common_prefixes.iter();
        let folders = folders.map(|folder| plain(&folder.prefix).ok_or_else(|| broken(&folder.prefix)));
        Ok(Page { objects, folders: folders.collect::<Result<_, _>>()? })
    }

    fn bad(&self, what: &str) -> Fault {
        Fault::new(FaultKind::BadAnswer, format!("the answer to what is in `{}` {what}", self.shown()))
            .help("is it an S3 server? `endpoint:` and `path_style:` say how it is asked")
    }

    fn too_many(&self) -> Fault {
        let (most, what) = (self.at_most, if self.delimiter.is_some() { "folders and objects" } else { "objects" });
        Fault::new(FaultKind::TooLarge, format!("there are more than {most} {what} in `{}`", self.shown()))
            .help(format!("a longer prefix has fewer, and `at_most: {}` takes more", most.saturating_mul(10)))
    }

    fn shown(&self) -> String {
        format!("s3://{}/{}", self.s3.place.bucket, self.prefix)
    }
}

/// A key as it is sent, since XML cannot hold every letter: a space is a plus.
fn decoded(text: &str) -> Option<String> {
    percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn keys_as_servers_write_them() {
        assert_eq!(decoded("a+b%2Bc/%E6%97%A5%0A%25").as_deref(), Some("a b+c/日\n%"));
        assert_eq!(decoded("%ff"), None);
    }
}
