//! What is asked of a product.

use std::time::Duration;

use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use hyper::body::Bytes;
use percent_encoding::{AsciiSet, utf8_percent_encode};
use serde_json::Value as Json;
use url::Url;

use super::super::address::PART;
use super::super::client::Request;
use super::super::connection::Http;
use crate::builtins::settings::{limit, setup};
use crate::types::Fault;

/// One question, or one thing to do.
pub(in crate::builtins) struct Ask {
    pub(super) method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    json: Option<Json>,
    within: Option<Duration>,
    /// What in the path is a name that the product may not know: ``index `logs` ``.
    pub(super) names: Option<String>,
    /// The right that it takes.
    pub(super) right: Option<&'static str>,
}

impl Ask {
    /// `path` begins with a slash; values in it are [`part`]s.
    pub(in crate::builtins) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: Vec::new(), json: None, within: None, names: None, right: None }
    }

    pub(in crate::builtins) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// A field of the query.
    pub(in crate::builtins) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The body.
    pub(in crate::builtins) fn json(mut self, body: Json) -> Self {
        self.json = Some(body);
        self
    }

    /// What the path names: where the product says that there is no such thing, it is that which is not found.
    pub(in crate::builtins) fn naming(mut self, what: String) -> Self {
        self.names = Some(what);
        self
    }

    /// The right that it takes, in the words of the product.
    pub(in crate::builtins) const fn right(mut self, right: &'static str) -> Self {
        self.right = Some(right);
        self
    }

    /// How long it may take, where that is not what the connection says.
    pub(in crate::builtins) fn limited(mut self, within: Option<jiff::SignedDuration>) -> Result<Self, Fault> {
        self.within = within.map(limit).transpose()?;
        Ok(self)
    }

    pub(super) fn within(&self, http: &Http) -> Duration {
        self.within.unwrap_or(http.within)
    }

    pub(super) fn request(&self, http: &Http, reads: bool) -> Result<Request, Fault> {
        let base = http.base.as_str().trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}{}", self.path))
            .map_err(|error| setup(format!("`{base}{}` is no URL: {error}", self.path)))?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let mut headers = http.headers.clone();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if self.json.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let body = self.json.as_ref().map(|json| Bytes::from(json.to_string()));
        Ok(Request { method: self.method.clone(), url, headers, body, reads })
    }
}

/// Products take patterns and lists of names as they are, and so do people.
const NAMES: &AsciiSet = &PART.remove(b'*').remove(b',');

/// A value as one part of a path.
///
/// # Errors
/// Where it is none: empty, or one that leads up.
pub(in crate::builtins) fn part(text: &str, what: &str) -> Result<String, Fault> {
    if matches!(text, "" | "." | "..") {
        return Err(setup(format!("`{text}` is no {what}")));
    }
    Ok(utf8_percent_encode(text, NAMES).to_string())
}
