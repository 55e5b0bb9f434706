//! `postgres.long_running`

use std::sync::Arc;

use jiff::SignedDuration;

use super::call::{DATABASE, Row, WITHIN, rows};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Typed, Value, records};

const OVER: Param<SignedDuration> =
    Param::or("over", "How long a query or its transaction has to be under way.", || {
        Value::Duration(SignedDuration::from_mins(5))
    });

records! {
    /// A session that does something.
    struct Activity "activity" {
        /// Its process on the server.
        pid: i64,
        /// As whom; missing where the role may not see it.
        user: Option<Arc<str>>,
        /// What the program calls itself.
        application: Option<Arc<str>>,
        /// Where it comes from; missing on the server itself.
        client: Option<Arc<str>>,
        /// `active`, `idle in transaction`, …; missing where the role may not see it.
        state: Option<Arc<str>>,
        /// How long its query is under way.
        duration: Option<SignedDuration>,
        /// How long its transaction is.
        transaction: Option<SignedDuration>,
        /// What it waits for: `Lock: relation`.
        waits_for: Option<Arc<str>>,
        /// The beginning of its query.
        query: Arc<str>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.long_running",
    summary: "The sessions whose query or transaction is under way for long, the longest first. Without pg_monitor the queries of others are hidden.",
    params: &[DATABASE.info(), OVER.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Activity::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(long_running(args))),
    needs: &["pg_monitor, to see what others do"],
    by_hand: "psql -c \"SELECT pid, usename, now() - query_start AS duration, query FROM pg_stat_activity WHERE state <> 'idle' AND now() - query_start > interval '5 minutes'\"",
    examples: &[Example::call("db.long_running(over: 5m) | is_empty")],
};

// A session of the server's own (the launcher of autovacuum, the writer) is not meant, and neither is this one.
const SQL: &str = "SELECT pid, usename AS user, nullif(application_name, '') AS application, client_addr::text AS client, state, \
    extract(epoch FROM clock_timestamp() - CASE WHEN state LIKE 'idle%' THEN NULL ELSE query_start END)::float8 AS duration, \
    extract(epoch FROM clock_timestamp() - xact_start)::float8 AS transaction, \
    CASE WHEN wait_event_type IS NULL THEN NULL ELSE wait_event_type || ': ' || wait_event END AS waits_for, \
    left(regexp_replace(query, '\\s+', ' ', 'g'), 300) AS query \
    FROM pg_stat_activity \
    WHERE pid <> pg_backend_pid() AND backend_type IN ('client backend', 'autovacuum worker', 'parallel worker') \
    AND (clock_timestamp() - xact_start > $1::interval OR (state = 'active' AND clock_timestamp() - query_start > $1::interval)) \
    ORDER BY xact_start NULLS LAST";

async fn long_running(args: Args<'static>) -> Result<Value, Fault> {
    let found = rows(&args, SQL, &[Value::Duration(args.get(&OVER)?)]).await?;
    let made = found.iter().map(Row).map(|row| {
        Ok(Activity {
            pid: row.number("pid")?,
            user: row.text("user"),
            application: row.text("application"),
            client: row.text("client"),
            state: row.text("state"),
            duration: row.seconds("duration"),
            transaction: row.seconds("transaction"),
            waits_for: row.text("waits_for"),
            query: row.word("query")?,
        })
    });
    Ok(made.collect::<Result<Vec<_>, Fault>>()?.into())
}
