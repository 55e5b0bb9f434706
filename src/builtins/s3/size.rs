//! `s3.size`

use super::CONNECTION;
use super::connection::S3;
use super::listing::{PREFIX, Pages};
use super::needs;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Size, Typed, Value};

/// Objects that are looked at and let go.
pub(super) const AT_MOST: Param<i64> = Param::or(
    "at_most",
    "How many objects may be looked at, a thousand a request. Where there are more, it is a fault.",
    || Value::Int(1_000_000),
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "s3.size",
    summary: "What all objects under a prefix hold together; 0B where there is none. Old versions are not counted.",
    params: &[CONNECTION.info(), PREFIX.info(), AT_MOST.info()],
    returns: Returns::Type(Size::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(size(cx, args))),
    needs: &[needs::LIST],
    by_hand: "aws {connection} s3 ls --recursive --summarize s3://{connection.bucket}/[{prefix}] | tail -n 1",
    examples: &[Example::call(r#"backups.size("postgres/") < 2TiB"#)],
};

async fn size(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let prefix = args.get(&PREFIX)?;
    let mut pages = Pages::new(&cx, S3::of(&connection)?, &prefix, args.get(&AT_MOST)?)?;
    let mut sum: i64 = 0;
    while let Some(page) = pages.next().await? {
        for object in page.objects {
            sum = sum.checked_add(object.size.0).ok_or_else(|| {
                Fault::new(FaultKind::BadAnswer, format!("the sizes under `{prefix}` are more than there is"))
            })?;
        }
    }
    Ok(Size(sum).into())
}
