//! `s3.newest`

use super::CONNECTION;
use super::connection::S3;
use super::listing::{PREFIX, Pages};
use super::needs;
use super::object::Object;
use super::size::AT_MOST;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "s3.newest",
    summary: "The object under a prefix that was written last; missing where there is none.",
    params: &[CONNECTION.info(), PREFIX.info(), AT_MOST.info()],
    returns: Returns::Type(Option::<Object>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(newest(cx, args))),
    needs: &[needs::LIST],
    by_hand: "aws {connection} s3api list-objects-v2 --bucket {connection.bucket} [--prefix {prefix}] --query 'sort_by(Contents, &LastModified)[-1]'",
    examples: &[Example::call(r#"backups.newest("postgres/")"#)],
};

async fn newest(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let prefix = args.get(&PREFIX)?;
    let mut pages = Pages::new(&cx, S3::of(&connection)?, &prefix, args.get(&AT_MOST)?)?;
    let mut newest: Option<Object> = None;
    while let Some(page) = pages.next().await? {
        newest = newest.into_iter().chain(page.objects).max_by_key(|object| object.modified);
    }
    Ok(newest.into())
}
