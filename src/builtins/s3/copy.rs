//! `s3.copy`

use std::sync::Arc;

use http::Method;
use jiff::SignedDuration;
use serde::Deserialize;

use super::CONNECTION;
use super::ask::{Ask, ask};
use super::connection::S3;
use super::head::look;
use super::needs;
use super::object::etag;
use super::place::encoded;
use super::xml;
use crate::builtins::settings::limit;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Size, Typed, Value, records};

/// What a server copies by itself in one go.
const LARGEST: i64 = 5 << 30;

pub(super) const FROM: Param<String> = Param::required("from", "The key of the object to copy.");
pub(super) const TO: Param<String> = Param::required("to", "The key of the copy. What is there is replaced.");
const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long the server may take for it.", || Value::Duration(SignedDuration::from_mins(5)));

records! {
    /// A copy that was made.
    struct Copied "copied_object" {
        /// The key of the copy.
        key: Arc<str>,
        /// What it holds.
        size: Size,
        /// Changes with what it holds.
        etag: Option<Arc<str>>,
        /// Which of its versions it is; missing where the bucket keeps none.
        version: Option<Arc<str>>,
    }
}

#[derive(Debug, Deserialize)]
struct Said {
    #[serde(rename = "ETag")]
    etag: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    code: String,
    #[serde(default)]
    message: String,
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "s3.copy",
    summary: "Copies an object within its bucket, on the server. What is at `to` is replaced.",
    params: &[CONNECTION.info(), FROM.info(), TO.info(), WITHIN.info()],
    returns: Returns::Type(Copied::ty),
    effect: EffectRule::Changes { idempotent: true },
    body: Body::Outside(|cx, args| Box::pin(copy(cx, args))),
    needs: &[needs::GET_FROM, needs::PUT_TO],
    by_hand: "aws {connection} s3 cp s3://{connection.bucket}/{from} s3://{connection.bucket}/{to}",
    examples: &[Example::call(r#"change backups.copy("postgres/latest.dump", "keep/postgres-{run.date}.dump")"#)],
};

async fn copy(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let s3 = S3::of(&connection)?;
    let (from, to) = (args.get(&FROM)?, args.get(&TO)?);
    if from == to {
        return Err(Fault::new(FaultKind::Setup, format!("`{from}` cannot be copied onto itself")));
    }
    let bucket = &s3.place.bucket;
    let source = look(&cx, s3, &from).await?;
    if source.size.0 > LARGEST {
        return Err(Fault::new(
            FaultKind::Unsupported,
            format!("`{from}` holds {}, and a server copies at most 5GiB in one go", Value::Size(source.size.0)),
        )
        .help(format!("`aws s3 cp s3://{bucket}/{from} s3://{bucket}/{to}` copies it in parts")));
    }
    let mut question = Ask::change(s3, Method::PUT, &to, "s3:PutObject");
    question.within = limit(args.get(&WITHIN)?)?;
    question.headers.push(("x-amz-copy-source", format!("/{bucket}/{}", encoded(&from)?)));
    // What was looked at is what is copied.
    question.headers.extend(source.etag.as_ref().map(|etag| ("x-amz-copy-source-if-match", format!("\"{etag}\""))));
    let answer = ask(&cx, s3, &question).await?;
    // A copy that fails halfway is an error in an answer that began well.
    if let Ok(failed) = xml::read::<Failed>(&answer.body, "Error") {
        return Err(Fault::new(
            FaultKind::BadAnswer,
            format!("the copy to `{to}` broke off on the server: {} {}", failed.code, failed.message),
        )
        .sent());
    }
    let said: Said = xml::read(&answer.body, "CopyObjectResult").map_err(|why| {
        Fault::new(FaultKind::BadAnswer, format!("the answer to the copy to `{to}` says nothing of it: {why}")).sent()
    })?;
    let version = answer.headers.get("x-amz-version-id").and_then(|value| value.to_str().ok());
    let copied = Copied {
        key: to.into(),
        size: source.size,
        etag: etag(Some(&said.etag)),
        version: version.filter(|version| *version != "null").map(Arc::from),
    };
    Ok(copied.into())
}
