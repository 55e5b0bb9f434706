//! `postgres.long_running`

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tokio_postgres::types::Type as Sql;

use super::connection::Postgres;
use super::needs;
use super::statement::{Bound, Statement};
use super::{CONNECTION, seconds};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Typed, Value, records};

const OVER: Param<SignedDuration> = Param::or("over", "How long a transaction has to run to be listed.", || {
    Value::Duration(SignedDuration::from_mins(5))
});

records! {
    /// A session whose transaction has been open for long.
    struct Activity "activity" {
        /// The process on the server: what `pg_terminate_backend` takes.
        pid: i64,
        /// Who; missing for a process of the server's own.
        user: Option<Arc<str>>,
        /// What the program calls itself.
        application: Arc<str>,
        /// From where; missing for a socket of the server's own machine.
        client: Option<Arc<str>>,
        /// `active`, `idle in transaction`, …
        state: Arc<str>,
        /// How long its transaction has been open.
        age: SignedDuration,
        /// How long what it does now has been going on; in `idle in transaction` since its last statement began.
        query_age: SignedDuration,
        /// When the transaction began.
        started: Timestamp,
        /// What it waits for, such as `Lock: relation`; missing where it waits for nothing.
        waits_for: Option<Arc<str>>,
        /// The processes that hold what it waits for.
        blocked_by: Vec<i64>,
        /// The statement, cut short by the server where it is long (`track_activity_query_size`).
        query: Arc<str>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.long_running",
    summary: "The sessions of the database whose transaction has been open for longer than that, the oldest first; those that idle in a transaction as well, for they hold up VACUUM just so. Those of this run are left out.",
    params: &[CONNECTION.info(), OVER.info()],
    returns: Returns::Type(|| Type::list(Activity::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(long_running(args))),
    needs: &[needs::MONITOR],
    by_hand: "psql -X {connection} -c \"SELECT pid, usename, state, now() - xact_start AS age, query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND now() - xact_start > interval '{over}' ORDER BY xact_start\"",
    examples: &[Example::call("db.long_running(over: 5m)"), Example::call("db.long_running(over: 5m) | is_empty")],
};

#[derive(Deserialize)]
struct Row {
    pid: i64,
    user: Option<String>,
    application: String,
    client: Option<String>,
    state: String,
    age: f64,
    query_age: f64,
    started: Timestamp,
    waits_for: Option<String>,
    blocked_by: Vec<i64>,
    query: String,
}

/// What of other roles one may not see has no time, and would be passed over: [`super::visible`] says so first.
const ACTIVITY: &str = "SELECT a.pid, a.usename AS \"user\", a.application_name AS application, host(a.client_addr) AS client, \
    a.state, extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age, \
    extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS query_age, a.xact_start AS started, \
    CASE WHEN a.state = 'active' THEN a.wait_event_type || ': ' || a.wait_event END AS waits_for, \
    pg_blocking_pids(a.pid) AS blocked_by, a.query FROM pg_catalog.pg_stat_activity a \
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend' \
    AND NOT (a.application_name = current_setting('application_name') AND a.client_addr IS NOT DISTINCT FROM inet_client_addr()) \
    AND a.xact_start < clock_timestamp() - $1 ORDER BY a.xact_start";

async fn long_running(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let server = Postgres::of(&connection)?;
    let over = args.get(&OVER)?;
    super::visible::activity(server).await?;
    let over = Bound(Some(format!("{} microseconds", over.as_micros())));
    let rows: Vec<Row> = server.own(Statement::own(ACTIVITY, vec![(over, Sql::INTERVAL)])).await?;
    let activity = |row: Row| Activity {
        pid: row.pid,
        user: row.user.map(Arc::from),
        application: row.application.into(),
        client: row.client.map(Arc::from),
        state: row.state.into(),
        age: seconds(row.age),
        query_age: seconds(row.query_age),
        started: row.started,
        waits_for: row.waits_for.map(Arc::from),
        blocked_by: row.blocked_by,
        query: row.query.into(),
    };
    Ok(Value::list(rows.into_iter().map(|row| activity(row).into()).collect()))
}
