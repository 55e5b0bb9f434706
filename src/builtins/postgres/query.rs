//! `postgres.query`

use std::sync::Arc;

use jiff::SignedDuration;

use super::connection::{Postgres, limit};
use super::needs;
use super::rows::Question;
use super::statement::Statement;
use super::{CONNECTION, SQL, calls};
use crate::builtins::settings::setup;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Judge, Param, Returns};
use crate::types::{Fault, Template, Type, Value};

/// The statement of a question.
const QUESTION: Param<Arc<Template>> =
    SQL.judged(Judge::Template(|sql| Statement::of(sql).and_then(|statement| calls::of(&statement)).map(drop)));
const AT_MOST: Param<i64> = Param::or(
    "at_most",
    "How many rows there may be. Where there are more, it is a fault and no shorter list.",
    || Value::Int(10_000),
);
const WITHIN: Param<Option<SignedDuration>> =
    Param::optional("within", "How long it may take, instead of what the connection says.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.query",
    summary: "The rows of one statement that only looks, as data by the names of the columns; NULL is null. It runs in a read-only transaction, and is refused before it is sent where it calls what may change something.",
    params: &[CONNECTION.info(), QUESTION.info(), AT_MOST.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Type::Data)),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(query(args))),
    needs: &[needs::SELECT],
    by_hand: "psql -X {connection} -c 'BEGIN READ ONLY' -c {sql}",
    examples: &[
        Example::call(r#"db.query("SELECT id, title FROM documents WHERE added > now() - {1h} ORDER BY id LIMIT 10")"#),
        Example::call(r#"db.query("SELECT count(*) AS n FROM documents")"#),
    ],
};

async fn query(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let server = Postgres::of(&connection)?;
    let statement = Statement::of(args.get(&QUESTION)?.as_ref())?;
    let at_most = args.get(&AT_MOST)?;
    let at_most =
        usize::try_from(at_most).ok().filter(|most| *most > 0).ok_or_else(|| setup("`at_most` is at least 1"))?;
    let within = args.get(&WITHIN)?.map_or(Ok(server.within), limit)?;
    let question = Question { calls: calls::of(&statement)?, statement: &statement, at_most, within };
    let rows = server.rows(&question).await?;
    Ok(Value::list(rows.into_iter().map(|row| Value::Data(Arc::new(row))).collect()))
}
