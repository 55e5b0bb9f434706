//! `postgres.replication`

use std::sync::Arc;

use jiff::SignedDuration;

use super::call::{DATABASE, Row, WITHIN, rows};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, FaultKind, Size, Type, Typed, Value, records};

records! {
    /// A standby that follows this server.
    struct Standby "standby" {
        /// What it calls itself.
        name: Arc<str>,
        /// Where it is; missing on the same machine.
        client: Option<Arc<str>>,
        /// `streaming`, `catchup`, `startup`, `backup`.
        state: Arc<str>,
        /// `sync`, `async`, `quorum`, `potential`.
        sync: Arc<str>,
        /// What it has not applied yet.
        lag: Size,
        /// How long ago what it applied last was written; missing where nothing was written for a while.
        delay: Option<SignedDuration>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.replication",
    summary: "The standbys that follow this server and how far behind they are. A fault on a standby: its primary knows.",
    params: &[DATABASE.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Standby::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(replication(args))),
    needs: &["pg_monitor"],
    by_hand: "psql -c 'SELECT application_name, state, sync_state, replay_lag FROM pg_stat_replication'",
    examples: &[Example::call("db.replication() | any(.lag < 16MiB)")],
};

const SQL: &str = "SELECT application_name AS name, client_addr::text AS client, state, sync_state AS sync, \
    pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_lsn() END, replay_lsn)::int8 AS lag, \
    extract(epoch FROM replay_lag)::float8 AS delay FROM pg_stat_replication ORDER BY 1, 2";

async fn replication(args: Args<'static>) -> Result<Value, Fault> {
    let role = rows(&args, "SELECT pg_is_in_recovery() AS standby", &[]).await?;
    if role.first().and_then(|row| row.get("standby")?.as_bool()) != Some(false) {
        return Err(Fault::new(FaultKind::Failed, "this server is a standby itself: its primary knows who follows")
            .help("declare a connection to the primary"));
    }
    let found = rows(&args, SQL, &[]).await?;
    let made = found.iter().map(Row).map(|row| {
        let hidden = || {
            Fault::new(FaultKind::Denied, "the role may not see how the standbys do")
                .help("`GRANT pg_monitor TO …` lets it")
        };
        Ok(Standby {
            name: row.word("name")?,
            client: row.text("client"),
            // Without the right to see it, all of it is empty.
            state: row.text("state").ok_or_else(hidden)?,
            sync: row.text("sync").ok_or_else(hidden)?,
            lag: Size(row.int("lag").ok_or_else(hidden)?),
            delay: row.seconds("delay"),
        })
    });
    Ok(made.collect::<Result<Vec<_>, Fault>>()?.into())
}
