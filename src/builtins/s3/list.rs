//! `s3.list`

use super::CONNECTION;
use super::connection::S3;
use super::listing::{PREFIX, Pages};
use super::needs;
use super::object::Object;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Typed, Value};

const AT_MOST: Param<i64> = Param::or(
    "at_most",
    "How many objects may be listed. Where there are more, it is a fault and no shorter list.",
    || Value::Int(100_000),
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "s3.list",
    summary: "The objects whose keys begin with a prefix, by key; none where nothing does. That there is no such bucket is a fault.",
    params: &[CONNECTION.info(), PREFIX.info(), AT_MOST.info()],
    returns: Returns::Type(|| Type::list(Object::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(list(cx, args))),
    needs: &[needs::LIST],
    by_hand: "aws {connection} s3 ls --recursive s3://{connection.bucket}/[{prefix}]",
    examples: &[
        Example::call(r#"backups.list("postgres/{run.date:%Y/%m/%d}/") | any(.size > 0B and .age < 26h)"#),
        Example::call(r#"backups.list("logs/") | sort(by: .age) | take(10)"#),
    ],
};

async fn list(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let prefix = args.get(&PREFIX)?;
    let mut pages = Pages::new(&cx, S3::of(&connection)?, &prefix, args.get(&AT_MOST)?)?;
    let mut objects: Vec<Value> = Vec::new();
    while let Some(page) = pages.next().await? {
        objects.extend(page.objects.into_iter().map(Value::from));
    }
    Ok(Value::list(objects))
}
