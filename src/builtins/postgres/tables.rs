//! `postgres.tables`

use std::sync::Arc;

use serde::Deserialize;
use tokio_postgres::types::Type as Sql;

use super::CONNECTION;
use super::connection::Postgres;
use super::needs;
use super::statement::{Bound, Statement};
use crate::builtins::settings::setup;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Size, Type, Typed, Value, records};

const TOP: Param<i64> = Param::or("top", "How many, the largest first.", || Value::Int(10));

records! {
    /// What a table takes on the disk.
    struct TableSize "table_size" {
        /// With its schema: `public.documents`.
        table: Arc<str>,
        /// All of it: its rows, its indexes and what is stored apart.
        size: Size,
        /// Its rows.
        rows_size: Size,
        /// Its indexes.
        indexes_size: Size,
        /// How many rows there were when it was last analyzed; missing where it never was.
        rows: Option<i64>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.tables",
    summary: "The largest tables of the database, with what their indexes take; those of the server itself left out.",
    params: &[CONNECTION.info(), TOP.info()],
    returns: Returns::Type(|| Type::list(TableSize::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(tables(args))),
    needs: &[needs::CONNECT],
    by_hand: "psql -X {connection} -c \"SELECT oid::regclass, pg_size_pretty(pg_total_relation_size(oid)) FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema') ORDER BY pg_total_relation_size(oid) DESC LIMIT {top}\"",
    examples: &[Example::call("db.tables(top: 5)")],
};

#[derive(Deserialize)]
struct Row {
    table: String,
    size: i64,
    rows_size: i64,
    indexes_size: i64,
    rows: Option<i64>,
}

const LARGEST: &str = "SELECT n.nspname || '.' || c.relname AS table, coalesce(pg_total_relation_size(c.oid), 0) AS size, \
    coalesce(pg_relation_size(c.oid), 0) AS rows_size, coalesce(pg_indexes_size(c.oid), 0) AS indexes_size, \
    CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END AS rows \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_temp_' \
    ORDER BY 2 DESC, 1 LIMIT $1";

async fn tables(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let top = args.get(&TOP)?;
    if top < 1 {
        return Err(setup("`top` is at least 1"));
    }
    let top = Bound(Some(top.to_string()));
    let rows: Vec<Row> = Postgres::of(&connection)?.own(Statement::own(LARGEST, vec![(top, Sql::INT8)])).await?;
    let table = |row: Row| TableSize {
        table: row.table.into(),
        size: Size(row.size),
        rows_size: Size(row.rows_size),
        indexes_size: Size(row.indexes_size),
        rows: row.rows,
    };
    Ok(rows.into_iter().map(table).collect::<Vec<_>>().into())
}
