//! `s3.delete`

use std::sync::Arc;

use http::Method;

use super::ask::{Ask, ask};
use super::connection::S3;
use super::needs;
use super::{CONNECTION, KEY};
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};

records! {
    /// What became of an object.
    struct Deleted "deleted_object" {
        /// Its whole name in the bucket.
        key: Arc<str>,
        /// Whether the bucket keeps the versions that there were, behind a marker.
        kept: bool,
        /// The version of that marker; missing where the bucket keeps none.
        version: Option<Arc<str>>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "s3.delete",
    summary: "Deletes one object. That there is none of this key is as good: S3 does not tell the difference.",
    params: &[CONNECTION.info(), KEY.info()],
    returns: Returns::Type(Deleted::ty),
    effect: EffectRule::Changes { idempotent: true },
    body: Body::Outside(|cx, args| Box::pin(delete(cx, args))),
    needs: &[needs::DELETE],
    by_hand: "aws {connection} s3 rm s3://{connection.bucket}/{key}",
    examples: &[Example::call(r#"change backups.delete("scratch/{run.id}.tmp")"#)],
};

async fn delete(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let s3 = S3::of(&connection)?;
    let key = args.get(&KEY)?;
    let question = Ask::change(s3, Method::DELETE, &key, "s3:DeleteObject");
    let answer = ask(&cx, s3, &question).await?;
    if answer.status.as_u16() != 204 && !answer.body.is_empty() {
        // Whatever this is, it has not said that the object is gone.
        return Err(
            Fault::new(FaultKind::BadAnswer, format!("the answer to the deletion of `{key}` is none of S3's")).sent()
        );
    }
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).map(Arc::<str>::from);
    let deleted = Deleted {
        kept: header("x-amz-delete-marker").is_some_and(|marker| &*marker == "true"),
        version: header("x-amz-version-id").filter(|version| &**version != "null"),
        key: key.into(),
    };
    Ok(deleted.into())
}
