//! `postgres.locks`

use std::sync::Arc;

use jiff::SignedDuration;
use serde::Deserialize;

use super::connection::Postgres;
use super::needs;
use super::statement::Statement;
use super::{CONNECTION, seconds, visible};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Type, Typed, Value, records};

records! {
    /// A session that waits for a lock.
    struct LockWait "lock_wait" {
        /// The process on the server.
        pid: i64,
        /// Who; missing for a process of the server's own.
        user: Option<Arc<str>>,
        /// How long it has waited; before `PostgreSQL` 14 how long its statement has been running.
        waiting: SignedDuration,
        /// What it wants: `AccessExclusiveLock`.
        mode: Arc<str>,
        /// On what: a table or an index, or what kind of thing it is else (`transactionid`).
        on: Arc<str>,
        /// Its statement.
        query: Arc<str>,
        /// Those that hold it, or stand before it in the queue.
        blockers: Vec<Blocker>,
    }

    /// A session that others wait for.
    struct Blocker "blocker" {
        /// The process on the server: what `pg_terminate_backend` takes. 0 is a prepared transaction.
        pid: i64,
        /// Who; missing for a process of the server's own.
        user: Option<Arc<str>>,
        /// `active`, `idle in transaction`, …; missing where it is no session of a client.
        state: Option<Arc<str>>,
        /// How long its transaction has been open; missing where it has none.
        age: Option<SignedDuration>,
        /// Its statement, or its last one.
        query: Option<Arc<str>>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.locks",
    summary: "The sessions of the database that wait for a lock, the longest first, and those that they wait for; none where nobody waits.",
    params: &[CONNECTION.info()],
    returns: Returns::Type(|| Type::list(LockWait::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(locks(args))),
    needs: &[needs::READ_ALL_STATS],
    by_hand: "psql -X {connection} -c 'SELECT pid, pg_blocking_pids(pid), query FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0'",
    examples: &[Example::call("db.locks() | is_empty"), Example::call("db.locks() | where(.waiting > 30s)")],
};

#[derive(Deserialize)]
struct Row {
    pid: i64,
    user: Option<String>,
    waiting: f64,
    mode: String,
    on: String,
    query: String,
    blockers: Vec<BlockerRow>,
}

#[derive(Deserialize)]
struct BlockerRow {
    pid: i64,
    user: Option<String>,
    state: Option<String>,
    age: Option<f64>,
    query: Option<String>,
}

/// Through JSON, `waitstart` is null where the server does not have it yet.
const WAITS: &str = "SELECT l.pid, a.usename AS \"user\", extract(epoch FROM clock_timestamp() - \
    coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, a.query_start))::float8 AS waiting, l.mode, \
    CASE WHEN l.relation IS NULL THEN l.locktype ELSE l.relation::regclass::text END AS \"on\", a.query, \
    (SELECT coalesce(json_agg(json_build_object('pid', b.pid, 'user', s.usename, 'state', s.state, 'age', \
    extract(epoch FROM clock_timestamp() - s.xact_start)::float8, 'query', s.query)), '[]') \
    FROM (SELECT DISTINCT unnest(pg_blocking_pids(l.pid)) AS pid) b LEFT JOIN pg_catalog.pg_stat_activity s ON s.pid = b.pid) \
    AS blockers FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
    WHERE NOT l.granted AND a.datname = current_database() ORDER BY 3 DESC";

async fn locks(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let server = Postgres::of(&connection)?;
    visible::activity(server).await?;
    let rows: Vec<Row> = server.own(Statement::own(WAITS, Vec::new())).await?;
    Ok(rows.into_iter().map(wait).collect::<Vec<_>>().into())
}

fn wait(row: Row) -> LockWait {
    let blocker = |row: BlockerRow| Blocker {
        pid: row.pid,
        user: row.user.map(Arc::from),
        state: row.state.map(Arc::from),
        age: row.age.map(seconds),
        query: row.query.map(Arc::from),
    };
    LockWait {
        pid: row.pid,
        user: row.user.map(Arc::from),
        waiting: seconds(row.waiting),
        mode: row.mode.into(),
        on: row.on.into(),
        query: row.query.into(),
        blockers: row.blockers.into_iter().map(blocker).collect(),
    }
}
