//! `s3.head`

use http::Method;

use super::ask::{Ask, answer};
use super::connection::S3;
use super::needs;
use super::object::Head;
use super::refusal::Refusal;
use super::{CONNECTION, KEY};
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "s3.head",
    summary: "An object by its key, without what it holds. One that is not there is a fault; `exists` only asks.",
    params: &[CONNECTION.info(), KEY.info()],
    returns: Returns::Type(Head::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(head(cx, args))),
    needs: &[needs::GET, needs::SEE],
    by_hand: "aws {connection} s3api head-object --bucket {connection.bucket} --key {key}",
    examples: &[Example::call(r#"backups.head("postgres/latest.dump").metadata.host"#)],
};

async fn head(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let key = args.get(&KEY)?;
    Ok(look(&cx, S3::of(&connection)?, &key).await?.into())
}

/// An object without what it holds.
pub(super) async fn look(cx: &Cx, s3: &S3, key: &str) -> Result<Head, Fault> {
    let ask = Ask::read(s3, Method::HEAD, Some(key), "s3:GetObject");
    match answer(cx, s3, &ask).await? {
        Ok(answer) => Head::read(key, &answer.headers, cx.run.started_at),
        Err(silent) => Err(told(cx, s3, key, silent).await?.fault(cx, s3, &ask)),
    }
}

/// Whether there is such an object.
pub(super) async fn is_there(cx: &Cx, s3: &S3, key: &str) -> Result<bool, Fault> {
    let ask = Ask::read(s3, Method::HEAD, Some(key), "s3:GetObject");
    match answer(cx, s3, &ask).await? {
        Ok(answer) => Head::read(key, &answer.headers, cx.run.started_at).map(|_| true),
        Err(silent) => {
            let refusal = told(cx, s3, key, silent).await?;
            if refusal.code() == "NoSuchKey" { Ok(false) } else { Err(refusal.fault(cx, s3, &ask)) }
        }
    }
}

/// The reason of a refusal, which the answer of a `HEAD` has no room for: the same is asked of one byte of the object.
async fn told(cx: &Cx, s3: &S3, key: &str, silent: Refusal) -> Result<Refusal, Fault> {
    let byte = vec![("range", "bytes=0-0".to_owned())];
    let ask = Ask { headers: byte, ..Ask::read(s3, Method::GET, Some(key), "s3:GetObject") };
    Ok(answer(cx, s3, &ask).await?.err().unwrap_or(silent))
}
