//! What all methods have in common: their parameters, the request made of them, and the answer.

use std::sync::Arc;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method};
use hyper::body::Bytes;
use jiff::SignedDuration;

use super::address::{self, address};
use super::client::{Limits, Request, send, shown};
use super::connection::{Http, insert_fields};
use super::reads::pattern;
use super::response::Outcome;
use crate::builtins::settings::{limit, setup};
use crate::catalog::{Accepts, Args, Cx, Judge, Landing, Param, ParamInfo, Presence};
use crate::types::{Connection, Fault, Record, SecretText, Template, Type, Value};

pub(super) const CONNECTION: Param<Arc<Connection>> = Param::connection("http");
pub(super) const PATH: Param<Arc<Template>> = Param::literal(
    "path",
    "The path behind the connection's URL. An interpolated value is one percent-encoded part of it.",
    Landing::Url,
)
.judged(Judge::Template(address::judge));
pub(super) const QUERY: Param<Option<Arc<Record>>> = Param::fields_and_lists(
    "query",
    "What is asked for behind the `?`. A list is its name as often as it has items; a missing value leaves its name out.",
);
pub(super) const HEADERS: Param<Option<Arc<Record>>> =
    Param::fields("headers", "Headers beside those of the connection.", true);
// A record is as good as data here, and whoever calls may hand over either.
const JSON: Param<Value> = Param::new("json", "The body, as JSON.", Accepts::Type(|| Type::Data), Presence::Optional);
const BODY: Param<Option<String>> =
    Param::optional("body", "The body, as it is. Its type goes into `headers: { \"Content-Type\": … }`.");
pub(super) const WITHIN: Param<Option<SignedDuration>> =
    Param::optional("within", "How long it may take, where that is not what the connection says.");
pub(super) const STATUS: Param<Option<Vec<i64>>> =
    Param::optional("status", "The statuses that are a good answer, where that is not 200 to 299.");

/// What every method takes that sends something.
pub(super) const SENDING: &[ParamInfo] = &[
    CONNECTION.info(),
    PATH.info(),
    JSON.info(),
    BODY.info(),
    QUERY.info(),
    HEADERS.info(),
    WITHIN.info(),
    STATUS.info(),
];

/// A call of a method.
pub(super) async fn call(cx: Cx, method: Method, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let http = Http::of(&connection)?;
    let Asked { request, secrets } = request(http, method.clone(), &args)?;
    let reads = request.reads;
    let limits = Limits { within: within(http, &args)?, at_most: Some(http.at_most) };
    let listed = args.get(&STATUS)?;
    let answer = send(&http.target, request, limits).await?;
    // A read says by its fields how it went. A change that was refused did not happen, and must not look as if it had.
    let outcome = Outcome { method: &method, answer: &answer, listed: listed.as_deref(), secrets: &secrets };
    if !reads && let Some(fault) = outcome.refused() {
        return Err(outcome.unchanged(fault));
    }
    // It may be the page that says what was made, or one that asks who is there.
    if let Some(led) = answer.led {
        cx.remark.say(format!("answered {led}, which led to {}: that answered {}", shown(&answer.url), answer.status));
    }
    Ok(outcome.response().into())
}

/// A request, and what no message may repeat of it.
pub(super) struct Asked {
    pub(super) request: Request,
    secrets: Vec<SecretText>,
}

/// The time limit of a call.
pub(super) fn within(http: &Http, args: &Args<'static>) -> Result<std::time::Duration, Fault> {
    args.get(&WITHIN)?.map_or(Ok(http.within), limit)
}

/// The request of a call.
pub(super) fn request(http: &Http, method: Method, args: &Args<'static>) -> Result<Asked, Fault> {
    let mut secrets = http.secrets.clone();
    let path = args.get(&PATH)?;
    let url = address(&http.base, &path, args.get(&QUERY)?.as_deref())?;
    let mut headers: HeaderMap = http.headers.clone();
    let body = body(args, &mut headers)?;
    if let Some(record) = args.get(&HEADERS)? {
        insert_fields(&mut headers, &record, &mut secrets)?;
    }
    let written = pattern(&path);
    let reads = matches!(method, Method::GET | Method::HEAD)
        || http.reads.iter().any(|rule| rule.allows(method.as_str(), &written));
    Ok(Asked { request: Request { method, url, headers, body, reads }, secrets })
}

fn body(args: &Args<'static>, headers: &mut HeaderMap) -> Result<Option<Bytes>, Fault> {
    match (args.value(JSON.name()), args.value(BODY.name())) {
        (Some(_), Some(_)) => Err(setup("`json` and `body` are both the body: keep one of them")),
        (Some(data), None) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            whole(&data)?;
            Ok(Some(Bytes::from(data.to_json().to_string())))
        }
        (None, Some(_)) => Ok(args.get(&BODY)?.map(Bytes::from)),
        (None, None) => Ok(None),
    }
}

/// Nothing is sent with a fault in the place of a value.
fn whole(data: &Value) -> Result<(), Fault> {
    match data {
        Value::Faulted(fault) => Err(fault.as_ref().clone()),
        Value::List(items) => items.iter().try_for_each(whole),
        Value::Record(fields) => fields.values().try_for_each(whole),
        _ => Ok(()),
    }
}
