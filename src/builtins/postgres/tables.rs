//! `postgres.tables`

use std::sync::Arc;

use jiff::Timestamp;

use super::call::{DATABASE, Row, WITHIN, rows};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Percent, Size, Type, Typed, Value, records};

const AT_MOST: Param<i64> = Param::or("at_most", "How many, the largest first.", || Value::Int(20));

records! {
    /// A table and how well it is kept.
    struct Table "table" {
        /// Its schema.
        schema: Arc<str>,
        /// Its name.
        name: Arc<str>,
        /// The room it takes, with its indexes.
        size: Size,
        /// The room that its indexes take.
        index_size: Size,
        /// Its rows, as the server estimates them.
        rows: i64,
        /// Rows that were deleted or replaced and still take room.
        dead_rows: i64,
        /// Their share; missing where it has no rows at all.
        dead_share: Option<Percent>,
        /// How often it was read from one end to the other.
        scans: i64,
        /// When it was last vacuumed, by hand or by the server.
        vacuumed: Option<Timestamp>,
        /// When it was last analyzed.
        analyzed: Option<Timestamp>,
        /// How near its oldest rows are to the point where the server stops to protect them.
        wraparound_share: Percent,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.tables",
    summary: "The largest tables, with their dead rows, when they were vacuumed, and how near they are to a wraparound.",
    params: &[DATABASE.info(), AT_MOST.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Table::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(tables(args))),
    needs: &["CONNECT on the database"],
    by_hand: "psql -c 'SELECT relname, n_live_tup, n_dead_tup, last_autovacuum FROM pg_stat_user_tables ORDER BY pg_total_relation_size(relid) DESC LIMIT 20'",
    examples: &[Example::call("db.tables() | all((.dead_share ?? 0%) < 20%)")],
};

const SQL: &str = "SELECT s.schemaname AS schema, s.relname AS name, pg_total_relation_size(s.relid) AS size, \
    pg_indexes_size(s.relid) AS index_size, s.n_live_tup AS rows, s.n_dead_tup AS dead_rows, s.seq_scan AS scans, \
    greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed, greatest(s.last_analyze, s.last_autoanalyze) AS analyzed, \
    age(c.relfrozenxid)::float8 / 2146483647 AS wraparound \
    FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid ORDER BY size DESC LIMIT $1::int8";

async fn tables(args: Args<'static>) -> Result<Value, Fault> {
    let found = rows(&args, SQL, &[Value::Int(args.get(&AT_MOST)?)]).await?;
    let made = found.iter().map(Row).map(|row| {
        let (live, dead) = (row.number("rows")?, row.number("dead_rows")?);
        let all = live.saturating_add(dead);
        #[expect(clippy::cast_precision_loss, reason = "a share of rows, to the nearest double")]
        let dead_share = (all > 0).then(|| Percent(dead as f64 / all as f64));
        let time = |name: &str| row.text(name).and_then(|text| text.parse().ok());
        Ok(Table {
            schema: row.word("schema")?,
            name: row.word("name")?,
            size: Size(row.number("size")?),
            index_size: Size(row.number("index_size")?),
            rows: live,
            dead_rows: dead,
            dead_share,
            scans: row.number("scans")?,
            vacuumed: time("vacuumed"),
            analyzed: time("analyzed"),
            wraparound_share: Percent(
                row.float("wraparound").ok_or_else(|| Fault::no_value("a table without an age"))?,
            ),
        })
    });
    Ok(made.collect::<Result<Vec<_>, Fault>>()?.into())
}
