//! What there is to know of an object.

use std::sync::Arc;

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::refusal::http_date;
use crate::types::{EnumType, Fault, FaultKind, Size, Word, Words, records};

/// How an object is kept.
#[derive(Clone, Debug)]
pub struct StorageClass;

impl StorageClass {
    /// What a server means that says no class.
    const STANDARD: &'static str = "STANDARD";
}

impl Words for StorageClass {
    const ENUM: &'static EnumType = &EnumType {
        name: "storage_class",
        values: &[
            "STANDARD",
            "STANDARD_IA",
            "ONEZONE_IA",
            "INTELLIGENT_TIERING",
            "GLACIER",
            "GLACIER_IR",
            "DEEP_ARCHIVE",
            "REDUCED_REDUNDANCY",
            "EXPRESS_ONEZONE",
            "OUTPOSTS",
            "SNOW",
        ],
        open: true,
    };
}

records! {
    /// An object of a bucket.
    struct Object "object" {
        /// Its whole name in the bucket.
        key: Arc<str>,
        /// What it holds.
        size: Size,
        /// How long ago it was written when the run began.
        age: SignedDuration,
        /// When it was written.
        modified: Timestamp,
        /// How it is kept. What is in `GLACIER` or `DEEP_ARCHIVE` cannot be read before it is restored.
        storage_class: Word<StorageClass>,
        /// Changes with what it holds; missing where the server gives none.
        etag: Option<Arc<str>>,
    }

    /// An object of a bucket, with what only asking for it alone tells.
    struct Head "object_head" {
        /// Its whole name in the bucket.
        key: Arc<str>,
        /// What it holds.
        size: Size,
        /// How long ago it was written when the run began.
        age: SignedDuration,
        /// When it was written.
        modified: Timestamp,
        /// How it is kept.
        storage_class: Word<StorageClass>,
        /// Changes with what it holds; missing where the server gives none.
        etag: Option<Arc<str>>,
        /// What kind of file it is, as whoever wrote it said; missing where nobody did.
        content_type: Option<Arc<str>>,
        /// What whoever wrote it added: texts by their names in lower case.
        metadata: Arc<Json>,
        /// Which of its versions it is; missing where the bucket keeps none.
        version: Option<Arc<str>>,
    }
}

/// The class that a server says.
pub(super) fn class(said: Option<&str>) -> Word<StorageClass> {
    Word::new(said.filter(|class| !class.is_empty()).unwrap_or(StorageClass::STANDARD))
}

/// What changes with the contents, without its quotes.
pub(super) fn etag(said: Option<&str>) -> Option<Arc<str>> {
    said.map(|etag| etag.trim_matches('"')).filter(|etag| !etag.is_empty()).map(Arc::from)
}

impl Head {
    /// What the headers of an answer say.
    pub(super) fn read(key: &str, headers: &HeaderMap, run_began: Timestamp) -> Result<Self, Fault> {
        let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let bad = |what: &str| {
            Fault::new(FaultKind::BadAnswer, format!("the server does not say {what} of `{key}`"))
                .help("is it an S3 server? `endpoint:` says which one is asked")
        };
        let length = text(CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<i64>().ok());
        let modified = text(LAST_MODIFIED.as_str()).and_then(|date| http_date(&date));
        let modified = modified.ok_or_else(|| bad("the time"))?;
        let metadata = headers.keys().filter_map(|name| {
            let own = name.as_str().strip_prefix("x-amz-meta-")?;
            Some((own.to_owned(), Json::String(text(name.as_str()).unwrap_or_default())))
        });
        Ok(Self {
            key: key.into(),
            size: Size(length.filter(|length| *length >= 0).ok_or_else(|| bad("the size"))?),
            age: run_began.duration_since(modified),
            modified,
            storage_class: class(text("x-amz-storage-class").as_deref()),
            etag: etag(text(ETAG.as_str()).as_deref()),
            content_type: text(CONTENT_TYPE.as_str()).map(Arc::from),
            metadata: Arc::new(Json::Object(metadata.collect())),
            version: text("x-amz-version-id").filter(|version| version != "null").map(Arc::from),
        })
    }
}
