//! `postgres.connections`

use serde::Deserialize;

use super::connection::Postgres;
use super::needs;
use super::statement::Statement;
use super::{CONNECTION, visible};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Percent, Typed, Value, records};

records! {
    /// How many sessions a server has, of all its databases.
    struct Sessions "sessions" {
        /// All of them, those of this run included: each takes one of those that there may be.
        total: i64,
        /// Those that work on a statement, without those of this run.
        active: i64,
        /// Those that wait for the next, without those of this run.
        idle: i64,
        /// Those that wait for the next within a transaction, which holds what it has locked; without those of this run.
        idle_in_transaction: i64,
        /// How many there may be, without what is kept for superusers.
        most: i64,
        /// How many of these there are.
        used_share: Percent,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.connections",
    summary: "How many sessions the server has, of all its databases, and how many it may have.",
    params: &[CONNECTION.info()],
    returns: Returns::Type(Sessions::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(connections(args))),
    needs: &[needs::READ_ALL_STATS],
    by_hand: "psql -X {connection} -c \"SELECT state, count(*), current_setting('max_connections') AS most FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1\"",
    examples: &[Example::call("db.connections().used_share < 80%")],
};

#[derive(Deserialize)]
struct Row {
    total: i64,
    active: i64,
    idle: i64,
    idle_in_transaction: i64,
    most: i64,
}

/// What this run does beside it is no finding: a run looks through several sessions at once.
const COUNT: &str = "SELECT count(*) AS total, count(*) FILTER (WHERE state = 'active' AND NOT own) AS active, \
    count(*) FILTER (WHERE state = 'idle' AND NOT own) AS idle, \
    count(*) FILTER (WHERE state LIKE 'idle in transaction%' AND NOT own) AS idle_in_transaction, \
    current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8 AS most \
    FROM (SELECT a.state, a.application_name = current_setting('application_name') \
    AND a.client_addr IS NOT DISTINCT FROM inet_client_addr() AS own \
    FROM pg_catalog.pg_stat_activity a WHERE a.backend_type = 'client backend') s";

#[expect(clippy::cast_precision_loss, reason = "a server has not that many sessions")]
async fn connections(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let server = Postgres::of(&connection)?;
    visible::everywhere(server).await?;
    let row: Row = server.own_row(Statement::own(COUNT, Vec::new())).await?;
    let sessions = Sessions {
        total: row.total,
        active: row.active,
        idle: row.idle,
        idle_in_transaction: row.idle_in_transaction,
        most: row.most,
        used_share: Percent(row.total as f64 / row.most as f64),
    };
    Ok(sessions.into())
}
