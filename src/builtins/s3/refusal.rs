//! Why a server says no, in words: what it is about, and what to do.

use std::sync::Arc;

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::ask::Ask;
use super::connection::S3;
use super::place::Region;
use super::xml;
use crate::builtins::http::client::{Answer, shown};
use crate::catalog::Cx;
use crate::types::{Fault, FaultKind, Value};

/// What the body of an error says.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Said {
    code: String,
    message: String,
    region: Option<String>,
    request_time: Option<String>,
    server_time: Option<String>,
}

/// An answer that is no yes.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    said: Option<Said>,
    /// Where the bucket is instead.
    pub(super) region: Option<Region>,
    /// The server's clock.
    date: Option<Timestamp>,
    /// After how many tries.
    tries: u32,
    url: Arc<str>,
}

impl Refusal {
    pub(super) fn read(answer: &Answer, tries: u32) -> Self {
        let said = xml::read::<Said>(&answer.body, "Error").ok().filter(|said| !said.code.is_empty());
        let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
        let leads = matches!(answer.status.as_u16(), 301 | 307 | 400);
        let named = header("x-amz-bucket-region").or_else(|| said.as_ref()?.region.as_deref());
        let region = named.filter(|_| leads).and_then(|name| Region::parse(name).ok());
        let date = header("date").and_then(http_date);
        Self { status: answer.status, said, region, date, tries, url: shown(&answer.url).into() }
    }

    /// The server's name for it: `NoSuchKey`; empty where it gave none, as in the answer of a `HEAD`.
    pub(super) fn code(&self) -> &str {
        self.said.as_ref().map_or("", |said| &said.code)
    }

    /// Whether it may be another answer in a moment.
    pub(super) fn passes(&self) -> bool {
        let code = matches!(self.code(), "SlowDown" | "RequestTimeout" | "InternalError" | "ServiceUnavailable");
        code || matches!(self.status.as_u16(), 429 | 500 | 502 | 503 | 504)
    }

    /// The refusal as a fault.
    pub(super) fn fault(&self, cx: &Cx, s3: &S3, ask: &Ask<'_>) -> Fault {
        let identity = s3.identity(ask.changes);
        let (bucket, who) = (&s3.place.bucket, &identity.who);
        let says = self.said.as_ref().map(|said| one_line(&identity.redacted(&said.message))).unwrap_or_default();
        let says = if says.is_empty() { says } else { format!(": {says}") };
        let code = self.code();
        let fault = |kind, message: String| Fault::new(kind, message);
        match (code, self.status.as_u16()) {
            ("NoSuchBucket", _) => {
                fault(FaultKind::NotFound, format!("there is no bucket `{bucket}` at {}", self.server()))
                    .help("`aws s3 ls` lists the buckets of an account; another server is named by `endpoint:`")
            }
            ("NoSuchKey" | "NoSuchVersion", _) if ask.key.is_some() => {
                let key = ask.key.unwrap_or_default();
                fault(FaultKind::NotFound, format!("`{key}` is not in the bucket `{bucket}`"))
            }
            ("RequestTimeTooSkewed" | "RequestExpired", _) => self.skewed(cx),
            ("ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired", _) => {
                fault(FaultKind::Denied, format!("the credentials of {who} have expired{says}"))
                    .help("log in again, as with `aws sso login`, or get a new session token")
            }
            ("InvalidAccessKeyId", _) => fault(FaultKind::Denied, format!("{} does not know {who}", self.server()))
                .help("is it a key of this server's, and not deleted? `aws sts get-caller-identity` asks AWS"),
            ("SignatureDoesNotMatch", _) => {
                fault(FaultKind::Denied, format!("the signature of {who} is not what {} makes of it", self.server()))
                    .help("the secret key is another key's, or a proxy changes the requests on their way")
            }
            ("InvalidToken", _) => {
                fault(FaultKind::Denied, format!("the session token of {who} is none of {}", self.server()))
            }
            ("AccountProblem" | "AllAccessDisabled" | "InvalidPayer" | "NotSignedUp" | "InvalidSecurity", _) => {
                fault(FaultKind::Denied, format!("the account of {who} is shut out: {code}{says}"))
            }
            ("AccessDenied" | "Forbidden" | "AccessForbidden", _) => denied(s3, ask, &says),
            ("", 401 | 403) => {
                fault(FaultKind::Denied, format!("{} answered {} to {who}, and not why", self.server(), self.named()))
                    .help("is it an S3 server, or something before it that lets nobody through?")
            }
            (_, 301 | 307 | 308) | ("PermanentRedirect" | "AuthorizationHeaderMalformed", _) => {
                self.elsewhere(s3, &says)
            }
            ("InvalidObjectState", _) => fault(
                FaultKind::Failed,
                format!("`{}` is archived and cannot be read until it is restored", ask.key.unwrap_or_default()),
            )
            .help(format!("`aws s3api restore-object --bucket {bucket} --key …` restores it, which takes hours")),
            ("SlowDown", _) | (_, 429) => {
                fault(FaultKind::Failed, format!("{} wants fewer requests{}", self.server(), self.times()))
                    .help("let fewer calls out side by side: `at_once:` of the connection")
            }
            // A change that was answered so may have been made all the same.
            (_, 500..) => fault(
                FaultKind::BadAnswer,
                format!("{} answered {}{says}{}", self.server(), self.named(), self.times()),
            ),
            ("", _) => fault(
                FaultKind::BadAnswer,
                format!("{} {} answered {}, and not as S3 does", ask.method, self.url, self.status),
            )
            .help("is it an S3 server? `endpoint:` and `path_style:` say how it is asked"),
            _ => fault(FaultKind::Failed, format!("{} refused: {}{says}", self.server(), self.named())),
        }
    }

    /// `503 ServiceUnavailable`
    fn named(&self) -> String {
        let reason = self.status.canonical_reason().unwrap_or_default();
        let word = if self.code().is_empty() { reason } else { self.code() };
        format!("{} {word}", self.status.as_u16())
    }

    fn times(&self) -> String {
        if self.tries > 1 { format!(", {} times", self.tries) } else { String::new() }
    }

    /// The server, without the path.
    fn server(&self) -> &str {
        let start = self.url.find("://").map_or(0, |at| at + 3);
        let end = self.url.get(start..).and_then(|rest| rest.find('/')).map_or(self.url.len(), |at| start + at);
        self.url.get(..end).unwrap_or(&self.url)
    }

    fn elsewhere(&self, s3: &S3, says: &str) -> Fault {
        let (bucket, asked) = (&s3.place.bucket, s3.region());
        match self.region.as_ref().filter(|region| **region != asked) {
            Some(region) => {
                Fault::new(FaultKind::Setup, format!("the bucket `{bucket}` is in {region}, not in {asked}"))
                    .help(format!("write `s3(bucket: \"{bucket}\", region: \"{region}\")`"))
            }
            None => Fault::new(
                FaultKind::Setup,
                format!("the bucket `{bucket}` is not in {asked} at {}{says}", self.server()),
            )
            .help("say where it is: `region: \"…\"`, or `endpoint: \"…\"` for another server"),
        }
    }

    fn skewed(&self, cx: &Cx) -> Fault {
        let said = self.said.as_ref();
        let time = |text: Option<&String>| text.and_then(|text| timestamp(text));
        let server = time(said.and_then(|said| said.server_time.as_ref())).or(self.date);
        let ours = time(said.and_then(|said| said.request_time.as_ref())).unwrap_or_else(|| cx.world.now());
        let message = match server {
            Some(server) => {
                let off = ours.duration_since(server);
                let off = SignedDuration::from_secs(off.as_secs());
                let word = if off.is_negative() { "behind" } else { "ahead of" };
                format!(
                    "this machine's clock is {} {word} the server's, at {}",
                    Value::Duration(off.abs()),
                    self.server()
                )
            }
            None => format!("this machine's clock is too far from that of {}", self.server()),
        };
        Fault::new(FaultKind::Setup, message)
            .help("set the clock: `timedatectl` says whether it is kept in step, `host.clock()` by how much it is off")
    }
}

/// What right is missing, and on what.
fn denied(s3: &S3, ask: &Ask<'_>, says: &str) -> Fault {
    let (region, who) = (s3.region(), &s3.identity(ask.changes).who);
    let resource = s3.place.arn(&region, ask.key.filter(|_| ask.action != "s3:ListBucket"));
    let help = if ask.key.is_some() && ask.method != Method::DELETE {
        format!(
            "a policy that allows `{}` on `{resource}` lets it; without `s3:ListBucket` on the bucket, an object that is not there is denied, too",
            ask.action
        )
    } else {
        format!("a policy that allows `{}` on `{resource}` lets it", ask.action)
    };
    Fault::new(FaultKind::Denied, format!("{who} may not `{}` on {resource}{says}", ask.action)).help(help)
}

/// What a server says, short and on one line.
pub(super) fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(300).collect::<String>().trim_end_matches(['.', ':', ' ']).to_owned()
}

/// `2026-11-25T03:00:00Z` or `20261125T030000Z`
fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|time| time.timestamp())
    })
}

/// `Wed, 25 Nov 2026 03:00:00 GMT`
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|time| time.timestamp())
}
