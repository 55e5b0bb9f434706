//! `postgres.query`

use std::sync::Arc;

use super::call::{DATABASE, WITHIN, within};
use super::connection::{Postgres, setup};
use super::guard::{calls_only_what_looks, looks};
use super::sql::Statement;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Landing, Param, Returns};
use crate::types::{Fault, FaultKind, Template, Type, Value};

const SQL: Param<Arc<Template>> = Param::literal(
    "sql",
    "One statement that gives rows. What is interpolated is bound, and never part of the SQL.",
    Landing::Sql,
);
const AT_MOST: Param<i64> = Param::or("at_most", "How many rows it may give.", || Value::Int(10_000));

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.query",
    summary: "The rows of a query, in a transaction that only reads. It is not sent if it is two statements, or calls a function that may change something.",
    params: &[DATABASE.info(), SQL.info(), AT_MOST.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Type::Data)),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(query(args))),
    needs: &["SELECT on what it reads"],
    by_hand: "psql -c 'BEGIN READ ONLY' -c '{sql}'",
    examples: &[
        Example::call(r#"db.query("SELECT count(*) AS waiting FROM orders WHERE state = 'waiting'") | scalar"#),
        Example::call(r#"db.query("SELECT id, total FROM orders WHERE shop = {shop}", at_most: 100)"#),
    ],
};

async fn query(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&DATABASE)?;
    let postgres = Postgres::of(&connection)?;
    let within = within(postgres, &args)?;
    let most = usize::try_from(args.get(&AT_MOST)?).ok().filter(|most| *most > 0);
    let most = most.ok_or_else(|| setup("`at_most` is at least 1"))?;
    let statement = Statement::of(args.get(&SQL)?.as_ref())?;
    looks(&statement)?;
    let session = postgres.session().await?;
    calls_only_what_looks(&session, &statement, within).await?;
    let columns = session.columns(&statement.text, within).await?;
    if let Some((_, twice)) =
        columns.iter().enumerate().find(|(at, name)| columns.iter().take(*at).any(|other| other == *name))
    {
        return Err(setup(format!("two columns are called `{twice}`")).help("name them apart: `… AS other`"));
    }
    let (rows, more) = session.rows(&statement.text, &statement.values, most, within).await?;
    if more {
        let message = format!("there are more than {most} rows");
        return Err(Fault::new(FaultKind::TooLarge, message)
            .help("let the database count, sum or limit them, or say `at_most:`"));
    }
    postgres.keep(session);
    Ok(Value::list(rows.into_iter().map(|row| Value::Data(Arc::new(row))).collect()))
}
