//! `postgres.vacuum_state`

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::CONNECTION;
use super::connection::Postgres;
use super::needs;
use super::statement::Statement;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Percent, Typed, Value, records};

records! {
    /// How far VACUUM is behind in a database.
    struct VacuumState "vacuum_state" {
        /// How much of the way to the wraparound of transaction numbers the oldest table has gone: at 100% the server
        /// takes no more changes.
        wraparound_share: Percent,
        /// How many sessions vacuum the database now.
        running: i64,
        /// Rows that are dead and still take room, of all tables. Not to be had where those of a table are not.
        dead_rows: Result<i64, Fault>,
        /// The tables, those with the most dead rows first.
        tables: Vec<TableVacuum>,
    }

    /// What there is to vacuum of a table. The counts are the server's estimates.
    struct TableVacuum "table_vacuum" {
        /// With its schema: `public.documents`.
        table: Arc<str>,
        /// Rows that are there. Not to be had, as the two below, where the server has lost its counts: after a crash, a
        /// reset or a restore they begin anew at 0, until the table is vacuumed or analyzed.
        live_rows: Result<i64, Fault>,
        /// Rows that are dead and still take room.
        dead_rows: Result<i64, Fault>,
        /// Dead ones among all rows; 0% where none is dead.
        dead_share: Result<Percent, Fault>,
        /// When it was last vacuumed, by whomever; missing where that was never, or before the counts were reset.
        last_vacuum: Option<Timestamp>,
        /// When it was last analyzed, by whomever.
        last_analyze: Option<Timestamp>,
        /// How much of the way to the wraparound of transaction numbers it has gone.
        wraparound_share: Percent,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.vacuum_state",
    summary: "How far VACUUM is behind: dead rows, when each table was last vacuumed, and how close the wraparound of transaction numbers is.",
    params: &[CONNECTION.info()],
    returns: Returns::Type(VacuumState::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(vacuum_state(args))),
    needs: &[needs::CONNECT, needs::READ_ALL_STATS],
    by_hand: "psql -X {connection} -c 'SELECT relname, n_live_tup, n_dead_tup, last_vacuum, last_autovacuum FROM pg_stat_user_tables ORDER BY n_dead_tup DESC'",
    examples: &[
        Example::call("db.vacuum_state().wraparound_share < 50%"),
        Example::call("db.vacuum_state().tables | where(.dead_share > 20%)"),
    ],
};

#[derive(Deserialize)]
struct Whole {
    age: f64,
    running: i64,
}

#[derive(Deserialize)]
struct Row {
    table: String,
    live: i64,
    dead: i64,
    last_vacuum: Option<Timestamp>,
    last_analyze: Option<Timestamp>,
    age: f64,
    lost: bool,
}

const WHOLE: &str = "SELECT age(datfrozenxid)::float8 AS age, (SELECT count(*) FROM pg_catalog.pg_stat_progress_vacuum v \
    WHERE v.datname = current_database()) AS running FROM pg_catalog.pg_database WHERE datname = current_database()";
/// What was never counted is 0 as well: then the table has a size, or more rows than its counts when it was last looked at,
/// and no time of that.
const TABLES: &str = "SELECT s.schemaname || '.' || s.relname AS table, coalesce(s.n_live_tup, 0) AS live, \
    coalesce(s.n_dead_tup, 0) AS dead, greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum, \
    greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze, \
    greatest(age(c.relfrozenxid), age(t.relfrozenxid))::float8 AS age, \
    coalesce(greatest(s.last_vacuum, s.last_autovacuum, s.last_analyze, s.last_autoanalyze) IS NULL \
    AND (s.n_live_tup + s.n_dead_tup < c.reltuples \
    OR (s.n_live_tup + s.n_dead_tup = 0 AND pg_relation_size(c.oid) > 0)), false) AS lost \
    FROM pg_catalog.pg_stat_user_tables s JOIN pg_catalog.pg_class c ON c.oid = s.relid \
    LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid WHERE c.relfrozenxid <> '0' ORDER BY 3 DESC, 1";

/// How many transactions there can be before the numbers run out.
const NUMBERS: f64 = 2_147_483_648.0;

async fn vacuum_state(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let server = Postgres::of(&connection)?;
    let whole: Whole = server.own_row(Statement::own(WHOLE, Vec::new())).await?;
    let rows: Vec<Row> = server.own(Statement::own(TABLES, Vec::new())).await?;
    let tables: Vec<TableVacuum> = rows.into_iter().map(table).collect();
    let state = VacuumState {
        wraparound_share: Percent(whole.age / NUMBERS),
        running: whole.running,
        dead_rows: tables.iter().map(|table| table.dead_rows.clone()).sum(),
        tables,
    };
    Ok(state.into())
}

#[expect(clippy::cast_precision_loss, reason = "a share of estimates")]
fn table(row: Row) -> TableVacuum {
    let dead_share = if row.dead == 0 { 0.0 } else { row.dead as f64 / (row.live as f64 + row.dead as f64) };
    let counted = if row.lost { Err(lost(&row.table)) } else { Ok(()) };
    TableVacuum {
        table: row.table.into(),
        live_rows: counted.clone().map(|()| row.live),
        dead_rows: counted.clone().map(|()| row.dead),
        dead_share: counted.map(|()| Percent(dead_share)),
        last_vacuum: row.last_vacuum,
        last_analyze: row.last_analyze,
        wraparound_share: Percent(row.age / NUMBERS),
    }
}

fn lost(table: &str) -> Fault {
    Fault::no_value(format!("the server has no counts of `{table}`"))
        .help(format!("they were lost or reset, or this is a standby, which has none; `ANALYZE {table}` counts them"))
}
