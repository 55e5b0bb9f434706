//! A request to the API server: within its time, of bounded size, asked again where that may help and nothing is changed.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::client::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use tokio::time::{Instant, sleep, timeout_at};

use super::access::Access;
use super::ask::Ask;
use super::connection::Kubernetes;
use super::faults::{Again, Failure, cut_off, lost, refused, status};
use crate::builtins::http::client::retry_after;
use crate::catalog::timing;
use crate::types::{Fault, FaultKind, Value};

/// How often a read is tried.
const TRIES: u32 = 4;
/// How long before the second try; twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(100);
/// How large one answer may be: a page of the largest objects there are.
pub(super) const AT_MOST: usize = 128 << 20;
/// How much of an error is read.
const ERROR_AT_MOST: usize = 64 << 10;

/// What a change is sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Json,
    MergePatch,
    StrategicMergePatch,
    ApplyPatch,
}

impl Sent {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::MergePatch => "application/merge-patch+json",
            Self::StrategicMergePatch => "application/strategic-merge-patch+json",
            // JSON is YAML, and the server takes it as such.
            Self::ApplyPatch => "application/apply-patch+yaml",
        }
    }
}

/// The end of a call's time.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    within: Duration,
}

impl Deadline {
    pub(super) fn after(within: Duration) -> Self {
        Self { at: Instant::now() + within, within }
    }

    /// What comes of it before the end.
    pub(super) async fn or_late<T>(
        self,
        ask: &Ask,
        access: &Access,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        timeout_at(self.at, work).await.unwrap_or_else(|_| {
            let limit = jiff::SignedDuration::try_from(self.within).unwrap_or(jiff::SignedDuration::MAX);
            let message = format!(
                "no answer from {} within {}: it was to {}",
                access.server,
                Value::Duration(limit),
                ask.doing()
            );
            Err(Failure { fault: Fault::new(FaultKind::Timeout, message), again: Again::Never, sent: true })
        })
    }

    fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

impl Kubernetes {
    /// One object, or whatever else one answer holds, as JSON of this shape.
    pub(super) async fn read<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, Fault> {
        let bytes = self.read_bytes(ask, Deadline::after(self.within)).await?;
        parse(&bytes, ask)
    }

    /// The bytes of one answer.
    pub(super) async fn read_bytes(&self, ask: &Ask, deadline: Deadline) -> Result<Vec<u8>, Fault> {
        match self.tried(ask, deadline, None).await {
            Ok(bytes) => Ok(bytes),
            Err(failure) => Err(self.in_a_namespace_that_is_there(ask, failure.fault).await),
        }
    }

    /// The same for one that asks with a body and still only reads: a review.
    pub(super) async fn review(&self, ask: &Ask, body: &Json, deadline: Deadline) -> Result<Json, Fault> {
        let bytes = self.tried(ask, deadline, Some(body)).await.map_err(|failure| failure.fault)?;
        parse(&bytes, ask)
    }

    /// Several tries of one read.
    pub(super) async fn tried(&self, ask: &Ask, deadline: Deadline, body: Option<&Json>) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        self.tried_into(ask, deadline, body, &mut bytes).await?;
        Ok(bytes)
    }

    /// The same, with an answer that is taken as it comes.
    pub(super) async fn tried_into(
        &self,
        ask: &Ask,
        deadline: Deadline,
        body: Option<&Json>,
        into: &mut impl Sink,
    ) -> Result<(), Failure> {
        let access = self.reads();
        let mut tries = 0;
        loop {
            let attempt = async {
                let request = request(ask, body.map(|body| (Sent::Json, body)))?;
                let response = self.answered(access, ask, request).await?;
                into.begin();
                collect(response, ask, access, into).await
            };
            let failure = match deadline.or_late(ask, access, attempt).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            tries += 1;
            if tries >= TRIES || !may_try_again(&failure, access, tries, deadline).await {
                return Err(failure);
            }
            tracing::debug!(tries, fault = %failure.fault, "asking the API server again");
        }
    }

    /// The answer to a read whose body is read as it comes: a log. Only its head is tried again, and limited in time.
    pub(super) async fn stream(&self, ask: &Ask) -> Result<Response<Body>, Fault> {
        let (access, deadline) = (self.reads(), Deadline::after(self.within));
        let mut tries = 0;
        loop {
            let attempt = async { self.answered(access, ask, request(ask, None)?).await };
            let failure = match deadline.or_late(ask, access, attempt).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            tries += 1;
            if tries >= TRIES || !may_try_again(&failure, access, tries, deadline).await {
                return Err(self.in_a_namespace_that_is_there(ask, failure.fault).await);
            }
        }
    }

    /// A change: sent once, with the credentials for changes, and never again. Its fault says whether it had gone out.
    pub(super) async fn change(&self, ask: &Ask, sent: Sent, body: &Json, within: Duration) -> Result<Json, Fault> {
        let access = self.changes().await?;
        let attempt = async {
            let response = self.answered(access, ask, request(ask, Some((sent, body)))?).await?;
            let mut bytes = Vec::new();
            collect(response, ask, access, &mut bytes).await.map(|()| bytes)
        };
        let failed = |failure: Failure| if failure.sent { failure.fault.sent() } else { failure.fault };
        match Deadline::after(within).or_late(ask, access, attempt).await {
            Ok(bytes) => parse(&bytes, ask).map_err(Fault::sent),
            Err(failure) => Err(self.in_a_namespace_that_is_there(ask, failed(failure)).await),
        }
    }

    /// The head of an answer, if it is a good one.
    async fn answered(&self, access: &Access, ask: &Ask, request: Request<Body>) -> Result<Response<Body>, Failure> {
        let never = |fault| Failure { fault, again: Again::Never, sent: false };
        let client = access.client().await.map_err(never)?;
        timing::phase("waiting for the answer");
        let response = client.send(request).await.map_err(|error| lost(&error, ask, access))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (code, after) = (response.status(), retry_after(response.headers()));
        let body = said(response).await;
        Err(refused(&status(code.as_u16(), &body), after, ask, access))
    }
}

/// Waits as long as is fitting. No, where the time is over before it would help.
async fn may_try_again(failure: &Failure, access: &Access, tries: u32, deadline: Deadline) -> bool {
    let pause = match failure.again {
        Again::Never | Again::FromTheStart | Again::AsJson => return false,
        Again::LoggedIn => return tries == 1 && access.forget().await,
        Again::Soon => PAUSE * 2_u32.pow(tries - 1),
        Again::After(pause) => pause,
    };
    let fits = pause < deadline.left();
    if fits {
        sleep(pause).await;
    }
    fits
}

fn request(ask: &Ask, body: Option<(Sent, &Json)>) -> Result<Request<Body>, Failure> {
    let method = match ask.verb {
        "create" => Method::POST,
        "update" => Method::PUT,
        "patch" => Method::PATCH,
        "delete" => Method::DELETE,
        _ => Method::GET,
    };
    let mut builder = Request::builder().method(method).uri(ask.path()).header(ACCEPT, ask.form.accept());
    let mut bytes = Vec::new();
    if let Some((sent, body)) = body {
        builder = builder.header(CONTENT_TYPE, sent.content_type());
        bytes = body.to_string().into_bytes();
    }
    builder.body(Body::from(bytes)).map_err(|error| Failure {
        fault: Fault::new(FaultKind::Setup, format!("cannot {}: {error}", ask.doing())),
        again: Again::Never,
        sent: false,
    })
}

/// Where the body of an answer goes.
pub(super) trait Sink: Send {
    /// It comes from its beginning, maybe not for the first time.
    fn begin(&mut self);

    /// Some more of it.
    fn take(&mut self, bytes: &[u8]) -> Result<(), Unfit>;

    /// That was all.
    fn end(&mut self) -> Result<(), Unfit>;
}

/// Why a body is of no use.
#[derive(Debug)]
pub(super) enum Unfit {
    TooLarge,
    /// It is in JSON, and was to be in another language.
    InJson,
    /// It is something else than what was asked for.
    Not(String),
    /// What it is of cannot be made of it.
    Of(Fault),
}

impl Sink for Vec<u8> {
    fn begin(&mut self) {
        self.clear();
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Unfit> {
        if self.len() + bytes.len() > AT_MOST {
            return Err(Unfit::TooLarge);
        }
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Unfit> {
        Ok(())
    }
}

async fn collect(response: Response<Body>, ask: &Ask, access: &Access, into: &mut impl Sink) -> Result<(), Failure> {
    let failure = |fault, again| Failure { fault, again, sent: true };
    let unfit = |unfit| match unfit {
        Unfit::TooLarge => {
            let message = format!("the answer is larger than {} ({})", Value::Size(128 << 20), ask.doing());
            failure(Fault::new(FaultKind::TooLarge, message), Again::Never)
        }
        Unfit::InJson => failure(not_that("it is in JSON", ask), Again::AsJson),
        Unfit::Not(why) => failure(not_that(why, ask), Again::Never),
        Unfit::Of(fault) => failure(fault, Again::Never),
    };
    timing::phase("reading the answer");
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| cut_off(&error, ask, access))?;
        if let Some(data) = frame.data_ref() {
            into.take(data).map_err(unfit)?;
        }
    }
    into.end().map_err(unfit)
}

/// What an answer says that is an error, as far as it is not too long.
async fn said(response: Response<Body>) -> Vec<u8> {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let data = frame.data_ref().map(AsRef::<[u8]>::as_ref).unwrap_or_default();
        if bytes.len() + data.len() > ERROR_AT_MOST {
            return Vec::new();
        }
        bytes.extend_from_slice(data);
    }
    bytes
}

/// JSON of a shape.
///
/// # Errors
/// Also where it is of something else: what stands in front of an API server answers with a good status now and then, and
/// an object of another kind would be read as one without any fields.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8], ask: &Ask) -> Result<T, Fault> {
    let not = |why: &str| not_that(why, ask);
    let json = |error| not_that(error, ask);
    let About { kind, metadata, message } = serde_json::from_slice(bytes).map_err(json)?;
    match kind.as_deref() {
        None | Some("") => return Err(not(NO_KIND)),
        // What is gone at once is answered with one.
        Some("Status") if ask.verb != "delete" => {
            return Err(not(&format!("it is a `Status`: {}", message.as_deref().unwrap_or("without a word"))));
        }
        Some(_) => {}
    }
    let own = metadata.and_then(|metadata| metadata.name);
    if let (Some(wanted), Some(own), None) = (&ask.name, &own, ask.sub)
        && **wanted != **own
    {
        return Err(not(&format!("it is of `{own}`")));
    }
    serde_json::from_slice(bytes).map_err(json)
}

/// What every answer of the API says of itself.
#[derive(Deserialize)]
struct About {
    kind: Option<String>,
    metadata: Option<Named>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

/// Why an answer is of no use that does not say what it is.
pub(super) const NO_KIND: &str =
    "it has no `kind`, as all have that are from an API server: something in front of it may have answered";

/// The fault of an answer that is of another shape.
pub(super) fn not_that(why: impl std::fmt::Display, ask: &Ask) -> Fault {
    Fault::new(FaultKind::BadAnswer, format!("the answer is not what was asked for ({}): {why}", ask.doing()))
}
