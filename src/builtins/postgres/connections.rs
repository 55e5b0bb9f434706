//! `postgres.connections`

use super::call::{DATABASE, Row, WITHIN, rows};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Percent, Typed, Value, records};

records! {
    /// How many sessions there are.
    struct Sessions "sessions" {
        /// All of clients.
        used: i64,
        /// Those that work.
        active: i64,
        /// Those that wait for their client.
        idle: i64,
        /// Those that wait for their client in a transaction: they hold locks and dead rows.
        idle_in_transaction: i64,
        /// How many the server takes, without those that are kept for superusers.
        most: i64,
        /// The share that is used.
        share: Percent,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.connections",
    summary: "How many sessions there are, by what they do, and how many the server takes.",
    params: &[DATABASE.info(), WITHIN.info()],
    returns: Returns::Type(Sessions::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(connections(args))),
    needs: &["pg_monitor, to see what others do"],
    by_hand: "psql -c 'SELECT state, count(*) FROM pg_stat_activity GROUP BY 1' -c 'SHOW max_connections'",
    examples: &[Example::call("db.connections().share < 80%")],
};

const SQL: &str = "SELECT count(*) AS used, count(*) FILTER (WHERE state = 'active') AS active, \
    count(*) FILTER (WHERE state = 'idle') AS idle, count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS waiting, \
    current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8 AS most \
    FROM pg_stat_activity WHERE backend_type = 'client backend'";

async fn connections(args: Args<'static>) -> Result<Value, Fault> {
    let found = rows(&args, SQL, &[]).await?;
    let row = Row(found.first().ok_or_else(|| Fault::no_value("the server counted nothing"))?);
    let (used, most) = (row.number("used")?, row.number("most")?);
    #[expect(clippy::cast_precision_loss, reason = "a share of sessions")]
    let share = Percent(used as f64 / most.max(1) as f64);
    let sessions = Sessions {
        used,
        active: row.number("active")?,
        idle: row.number("idle")?,
        idle_in_transaction: row.number("waiting")?,
        most,
        share,
    };
    Ok(sessions.into())
}
