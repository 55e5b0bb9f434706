//! Answers that are none: what they say of the product, of the login and of what was asked.

use http::StatusCode;
use http::header::AUTHORIZATION;

use super::super::client::{Answer, shown};
use super::super::response::beginning;
use super::{Ask, Service};
use crate::builtins::plain_text::redacted;
use crate::types::{Fault, FaultKind};

/// What is known of a product.
pub(in crate::builtins) struct Product {
    /// `Prometheus`
    pub(in crate::builtins) name: &'static str,
    /// Where it listens unless somebody says otherwise: `http://prometheus:9090`.
    pub(in crate::builtins) usually: &'static str,
    /// What it says in the body of an error, if that is how it says it.
    pub(in crate::builtins) said: fn(u16, &[u8]) -> Option<Said>,
}

/// An error in the words of the product.
pub(in crate::builtins) struct Said {
    pub(in crate::builtins) message: String,
    /// What it means, where the status does not say it.
    pub(in crate::builtins) kind: Option<FaultKind>,
    /// Whether it may be another answer in a moment.
    pub(in crate::builtins) passes: bool,
}

impl Said {
    /// What the status says, in words.
    pub(in crate::builtins) fn words(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: None, passes: false }
    }
}

impl Product {
    /// What to do where something else answers.
    pub(super) fn elsewhere(&self) -> String {
        format!(
            "is that {}? its URL is such as `{}`, and where it is behind a prefix, with it",
            self.name, self.usually
        )
    }
}

impl Service<'_> {
    /// The fault that an answer with another status is.
    pub(super) fn refusal(&self, ask: &Ask, answer: &Answer, tries: u32) -> Fault {
        let said = (self.product.said)(answer.status.as_u16(), &answer.body);
        let (status, url, name) = (answer.status, shown(&answer.url), self.product.name);
        let words = match &said {
            Some(said) => format!(": {}", one_line(&redacted(&said.message, &self.http.secrets))),
            None => beginning(&answer.body, &self.http.secrets),
        };
        let fault = |kind: FaultKind, message: String| match said.as_ref().and_then(|said| said.kind) {
            Some(own) => Fault::new(own, message),
            None => Fault::new(kind, message),
        };
        match status {
            StatusCode::UNAUTHORIZED => {
                let help = if self.http.headers.contains_key(AUTHORIZATION) {
                    "is it the login of this server, and is it still valid?"
                } else {
                    "say who asks where the connection is declared: `bearer: token` or `basic: login`"
                };
                fault(FaultKind::Denied, format!("{name} at {url} lets nobody in with this login (401){words}"))
                    .help(help)
            }
            StatusCode::FORBIDDEN => {
                let fault = fault(FaultKind::Denied, format!("{name} at {url} does not allow it (403){words}"));
                match ask.right {
                    Some(right) => fault.help(format!("the login of the connection needs {right}")),
                    None => fault,
                }
            }
            StatusCode::NOT_FOUND => {
                if let (Some(what), Some(_)) = (&ask.names, &said) {
                    return fault(FaultKind::NotFound, format!("{name} at {url} has no {what}{words}"));
                }
                let message = format!("what answers at {url} knows no such path (404){words}");
                Fault::new(FaultKind::BadAnswer, message).help(self.product.elsewhere())
            }
            status if status.is_server_error() => {
                let tries = if tries > 1 { format!(", {tries} times") } else { String::new() };
                fault(FaultKind::BadAnswer, format!("{name} at {url} answered {status}{tries}{words}"))
            }
            StatusCode::TOO_MANY_REQUESTS => {
                let fault = fault(FaultKind::Failed, format!("{name} at {url} is asked too often (429){words}"));
                fault.help("lower `at_once:` of the connection, or ask less often")
            }
            status if status.is_client_error() && said.is_some() => {
                fault(FaultKind::Failed, format!("{name} at {url} refuses ({}){words}", status.as_u16()))
            }
            status => {
                let message = format!("what answers at {url} says {status}{words}");
                Fault::new(FaultKind::BadAnswer, message).help(self.product.elsewhere())
            }
        }
    }

    /// The fault that a page is.
    pub(super) fn another(&self, answer: &Answer) -> Fault {
        let title = title(&String::from_utf8_lossy(&answer.body));
        let title = title.map(|title| format!(" with the title \"{title}\"")).unwrap_or_default();
        let led = if answer.redirects > 0 { ", where a redirect led" } else { "" };
        let message = format!("{}{led}, answers with a page for people{title}", shown(&answer.url));
        let help = if answer.redirects > 0 {
            format!(
                "it may be the page of a login: `bearer:` or `basic:` of the connection say who asks; else {}",
                self.product.elsewhere()
            )
        } else {
            self.product.elsewhere()
        };
        Fault::new(FaultKind::BadAnswer, redacted(&message, &self.http.secrets)).help(help)
    }
}

/// Whether a page for people came in the place of an answer.
pub(super) fn is_page(answer: &Answer) -> bool {
    answer.body.trim_ascii_start().starts_with(b"<")
}

/// What a page calls itself.
fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower.get(start..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find('<')?;
    let title = one_line(page.get(start..end)?);
    (!title.is_empty()).then_some(title)
}

/// A text of elsewhere on one line, not longer than a line.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}
