//! `s3.exists`

use super::connection::S3;
use super::head::is_there;
use super::needs;
use super::{CONNECTION, KEY};
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "s3.exists",
    summary: "Whether there is an object of this key. A fault where that cannot be known, as without the right to look.",
    params: &[CONNECTION.info(), KEY.info()],
    returns: Returns::Type(bool::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(exists(cx, args))),
    needs: &[needs::GET, needs::SEE],
    by_hand: "aws {connection} s3 ls s3://{connection.bucket}/{key}",
    examples: &[Example::call(r#"backups.exists("postgres/{run.date}/done")"#)],
};

async fn exists(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let key = args.get(&KEY)?;
    let there = is_there(&cx, S3::of(&connection)?, &key).await?;
    if !there {
        cx.remark.say(format!("`{key}` is not in the bucket"));
    }
    Ok(Value::Bool(there))
}
