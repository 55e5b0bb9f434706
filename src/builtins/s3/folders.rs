//! `s3.folders`

use super::CONNECTION;
use super::connection::S3;
use super::listing::{PREFIX, Pages};
use super::needs;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Typed, Value};

const AT_MOST: Param<i64> = Param::or(
    "at_most",
    "How many folders, and objects beside them, there may be. Where there are more, it is a fault and no shorter list.",
    || Value::Int(100_000),
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "s3.folders",
    summary: "What the keys under a prefix have up to the next slash, each once: `postgres/2026/` and `postgres/2027/`.",
    params: &[CONNECTION.info(), PREFIX.info(), AT_MOST.info()],
    returns: Returns::Type(Vec::<String>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(folders(cx, args))),
    needs: &[needs::LIST],
    by_hand: "aws {connection} s3 ls s3://{connection.bucket}/[{prefix}]",
    examples: &[
        Example::call(r#""postgres/" in backups.folders()"#),
        Example::call(r#"backups.folders("postgres/") | last"#),
    ],
};

async fn folders(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let prefix = args.get(&PREFIX)?;
    let mut pages = Pages::new(&cx, S3::of(&connection)?, &prefix, args.get(&AT_MOST)?)?.by("/");
    let mut folders: Vec<String> = Vec::new();
    while let Some(page) = pages.next().await? {
        // A server may tell one twice, at the end of a page and at the beginning of the next.
        for folder in page.folders {
            if folders.last() != Some(&folder) {
                folders.push(folder);
            }
        }
    }
    Ok(folders.into())
}
