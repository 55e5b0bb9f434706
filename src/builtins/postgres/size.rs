//! `postgres.size`

use serde::Deserialize;

use super::CONNECTION;
use super::connection::Postgres;
use super::needs;
use super::statement::Statement;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Size, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.size",
    summary: "How much the database takes on the server's disk, with indexes and what is dead in it.",
    params: &[CONNECTION.info()],
    returns: Returns::Type(Size::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(size(args))),
    needs: &[needs::CONNECT],
    by_hand: "psql -X {connection} -Atc 'SELECT pg_size_pretty(pg_database_size(current_database()))'",
    examples: &[Example::call("db.size()"), Example::call("db.size() < 200GiB")],
};

#[derive(Deserialize)]
struct Row {
    size: i64,
}

async fn size(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let sql = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database()) AS size";
    let row: Row = Postgres::of(&connection)?.own_row(Statement::own(sql, Vec::new())).await?;
    Ok(Size(row.size).into())
}
