//! `postgres.locks`

use std::sync::Arc;

use jiff::SignedDuration;

use super::call::{DATABASE, Row, WITHIN, rows};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Type, Typed, Value, records};

records! {
    /// A session that waits for another one.
    struct Wait "lock_wait" {
        /// The process that waits.
        pid: i64,
        /// As whom.
        user: Option<Arc<str>>,
        /// How long its query is under way.
        duration: Option<SignedDuration>,
        /// Its query.
        query: Arc<str>,
        /// The process that it waits for.
        blocked_by: i64,
        /// As whom that one is.
        blocking_user: Option<Arc<str>>,
        /// What that one does, or did last.
        blocking_query: Option<Arc<str>>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.locks",
    summary: "Who waits for whom: a line for each session that holds another one up.",
    params: &[DATABASE.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Wait::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(locks(args))),
    needs: &["pg_monitor, to see what others do"],
    by_hand: "psql -c 'SELECT pid, pg_blocking_pids(pid), query FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0'",
    examples: &[Example::call("db.locks() | is_empty")],
};

const SQL: &str = "SELECT a.pid, a.usename AS user, extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS duration, \
    left(regexp_replace(a.query, '\\s+', ' ', 'g'), 300) AS query, b.pid AS blocked_by, h.usename AS blocking_user, \
    left(regexp_replace(h.query, '\\s+', ' ', 'g'), 300) AS blocking_query \
    FROM pg_stat_activity a CROSS JOIN LATERAL unnest(pg_blocking_pids(a.pid)) AS b(pid) \
    LEFT JOIN pg_stat_activity h ON h.pid = b.pid ORDER BY a.query_start";

async fn locks(args: Args<'static>) -> Result<Value, Fault> {
    let found = rows(&args, SQL, &[]).await?;
    let made = found.iter().map(Row).map(|row| {
        Ok(Wait {
            pid: row.number("pid")?,
            user: row.text("user"),
            duration: row.seconds("duration"),
            query: row.word("query")?,
            blocked_by: row.number("blocked_by")?,
            blocking_user: row.text("blocking_user"),
            blocking_query: row.text("blocking_query"),
        })
    });
    Ok(made.collect::<Result<Vec<_>, Fault>>()?.into())
}
