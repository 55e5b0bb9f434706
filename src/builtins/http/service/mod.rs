//! A product behind an HTTP connection: what its family asks, and what the answers mean.
//!
//! A family declares its [`Product`] and its driver (`params: &PARAMS`, [`open`]), and then only says what it asks
//! ([`Ask`]) and which shape the answer has. Reads are asked again where that helps; a change never is.

mod ask;
mod refusal;
mod retry;

use http::StatusCode;
use serde::de::DeserializeOwned;

pub(in crate::builtins) use self::ask::{Ask, part};
use self::refusal::is_page;
pub(in crate::builtins) use self::refusal::{Product, Said};
use super::client::{Answer, Limits, send, shown};
use super::connection::Http;
pub(in crate::builtins) use super::connection::{BY_HAND, Own, PARAMS, open};
use super::response::uncompressed;
use crate::builtins::plain_text::redacted;
use crate::catalog::Cx;
use crate::types::{Connection, Fault, FaultKind};

/// A product to ask.
pub(in crate::builtins) struct Service<'a> {
    cx: &'a Cx,
    product: &'static Product,
    http: &'a Http,
}

impl<'a> Service<'a> {
    /// The product at the end of a connection.
    pub(in crate::builtins) fn of(
        cx: &'a Cx,
        product: &'static Product,
        connection: &'a Connection,
    ) -> Result<Self, Fault> {
        Ok(Self { cx, product, http: Http::of(connection)? })
    }

    /// Looks at something, again where the answer is lost on the way or the product has no time now.
    ///
    /// # Errors
    /// Where there is no answer, or none that the product gives to what was asked.
    pub(in crate::builtins) async fn read<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, Fault> {
        self.parsed(&self.retried(&ask).await?)
    }

    /// The same where one more status than 200 to 299 is an answer in the shape that is wanted.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(in crate::builtins) async fn read_also<T: DeserializeOwned>(&self, ask: Ask, also: u16) -> Result<T, Fault> {
        let answer = self.once(&ask, true).await?;
        if answer.status.is_success() || answer.status.as_u16() == also {
            self.parsed(&answer)
        } else {
            Err(self.refusal(&ask, &answer, 1))
        }
    }

    /// Changes something, once. What the product says to it is for the caller to read.
    ///
    /// # Errors
    /// Where the product refuses, or where nobody knows whether it was done.
    pub(in crate::builtins) async fn change(&self, ask: Ask) -> Result<Done<'_>, Fault> {
        let answer = self.once(&ask, false).await?;
        if !answer.status.is_success() {
            let fault = self.refusal(&ask, &answer, 1);
            return Err(if answer.led.is_some() { fault.sent() } else { fault });
        }
        if is_page(&answer) {
            return Err(self.another(&answer).sent());
        }
        Ok(Done { service: self, answer })
    }

    /// Whether the product answers in its shape. No where it is down, silent or broken; a fault where the connection
    /// leads to something else or nobody is let in.
    ///
    /// # Errors
    /// Where nothing is known of the product.
    pub(in crate::builtins) async fn answers<T: DeserializeOwned>(&self, ask: Ask) -> Result<bool, Fault> {
        let request = ask.request(self.http, true)?;
        let url = shown(&request.url).to_owned();
        let limits = Limits { within: ask.within(self.http), at_most: Some(self.http.at_most) };
        let no = |why: String| {
            tracing::info!(url, why, "the product does not answer");
            self.cx.remark.say(why);
            Ok(false)
        };
        match send(&self.http.target, request, limits).await {
            Ok(answer) if answer.status.is_success() => self.parsed::<T>(&answer).map(|_| true),
            Ok(answer) if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS => {
                no(format!("{url} answered {}", answer.status))
            }
            Ok(answer) => Err(self.refusal(&ask, &answer, 1)),
            Err(trouble) if trouble.ours => Err(trouble.fault),
            Err(trouble) => no(trouble.fault.message.to_string()),
        }
    }

    /// Asks once.
    async fn once(&self, ask: &Ask, reads: bool) -> Result<Answer, Fault> {
        let limits = Limits { within: ask.within(self.http), at_most: Some(self.http.at_most) };
        Ok(send(&self.http.target, ask.request(self.http, reads)?, limits).await?)
    }

    /// The answer in the shape that is the product's.
    fn parsed<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Fault> {
        if is_page(answer) {
            return Err(self.another(answer));
        }
        uncompressed(answer)?;
        serde_json::from_slice(&answer.body).map_err(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Data => format!("is not what {} says: {error}", self.product.name),
                _ if answer.body.is_empty() => "is empty".to_owned(),
                _ => format!("is no JSON: {error}"),
            };
            self.wrong(answer, &what)
        })
    }

    fn wrong(&self, answer: &Answer, what: &str) -> Fault {
        let url = shown(&answer.url);
        let what = redacted(what, &self.http.secrets);
        Fault::new(FaultKind::BadAnswer, format!("the answer of {url} {what}")).help(self.product.elsewhere())
    }
}

/// A change that the product took.
pub(in crate::builtins) struct Done<'a> {
    service: &'a Service<'a>,
    answer: Answer,
}

impl Done<'_> {
    /// What it says to it.
    ///
    /// # Errors
    /// Where that makes no sense, so that nobody knows what was done.
    pub(in crate::builtins) fn says<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        self.service.parsed(&self.answer).map_err(Fault::sent)
    }
}
