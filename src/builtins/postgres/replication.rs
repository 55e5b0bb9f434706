//! `postgres.replication`

use std::sync::Arc;

use jiff::SignedDuration;
use serde::Deserialize;

use super::connection::Postgres;
use super::needs;
use super::statement::Statement;
use super::{CONNECTION, seconds, visible};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{EnumType, Fault, Size, Typed, Value, Word, Words, records};

/// What a server is to others.
#[derive(Clone, Debug)]
pub struct Role;

impl Words for Role {
    const ENUM: &'static EnumType =
        &EnumType { name: "replication_role", values: &["primary", "standby"], open: false };
}

records! {
    /// Where a server stands in replication.
    struct Replication "replication" {
        /// Whether it takes changes or follows another.
        role: Word<Role>,
        /// How old what a standby shows is; 0s where it has applied all that it received. Missing on a primary, and where
        /// nothing was applied yet.
        lag: Option<SignedDuration>,
        /// Whether a standby receives from its primary now; missing on a primary.
        receiving: Option<bool>,
        /// Those that follow this server now. One that is cut off is not among them.
        standbys: Vec<Standby>,
        /// What is kept for those that follow, whether they do now or not.
        slots: Vec<Slot>,
    }

    /// A server, or a program, that follows.
    struct Standby "standby" {
        /// What it calls itself.
        name: Arc<str>,
        /// From where; missing for a socket of the server's own machine.
        client: Option<Arc<str>>,
        /// `streaming` where all is well; `startup`, `catchup`, `backup`, `stopping`.
        state: Arc<str>,
        /// `async`, `sync`, `potential`, `quorum`.
        sync: Arc<str>,
        /// How much it has not applied yet.
        behind: Option<Size>,
        /// How long the last change took to be applied there; missing where nothing was changed lately.
        lag: Option<SignedDuration>,
    }

    /// What a server keeps for one that follows.
    struct Slot "replication_slot" {
        /// Its name.
        name: Arc<str>,
        /// Whether somebody reads from it now.
        active: bool,
        /// What is kept for it on the server's disk; missing where nothing is.
        kept: Option<Size>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.replication",
    summary: "Whether the server is a primary or a standby, how far behind it is, who follows it, and what it keeps for those.",
    params: &[CONNECTION.info()],
    returns: Returns::Type(Replication::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(replication(args))),
    needs: &[needs::MONITOR],
    by_hand: "psql -X {connection} -c 'SELECT application_name, state, replay_lag FROM pg_stat_replication' -c 'SELECT now() - pg_last_xact_replay_timestamp()'",
    examples: &[
        Example::call("db.replication().standbys | all(.state == \"streaming\")"),
        Example::call("db.replication().role == \"primary\""),
    ],
};

#[derive(Deserialize)]
struct Row {
    standby: bool,
    receiving: bool,
    caught_up: Option<bool>,
    lag: Option<f64>,
    standbys: Vec<StandbyRow>,
    slots: Vec<SlotRow>,
}

#[derive(Deserialize)]
struct StandbyRow {
    name: String,
    client: Option<String>,
    state: String,
    sync: String,
    behind: Option<i64>,
    lag: Option<f64>,
}

#[derive(Deserialize)]
struct SlotRow {
    name: String,
    active: bool,
    kept: Option<i64>,
}

const STATE: &str = "WITH here AS MATERIALIZED (SELECT pg_is_in_recovery() AS standby, CASE WHEN pg_is_in_recovery() THEN \
    coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_lsn() END AS at) \
    SELECT standby, EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver WHERE status = 'streaming') AS receiving, \
    CASE WHEN standby THEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() END AS caught_up, \
    CASE WHEN standby THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 END AS lag, \
    (SELECT coalesce(json_agg(json_build_object('name', r.application_name, 'client', host(r.client_addr), 'state', r.state, \
    'sync', r.sync_state, 'behind', pg_wal_lsn_diff(at, r.replay_lsn)::int8, 'lag', \
    extract(epoch FROM r.replay_lag)::float8)), '[]') FROM pg_catalog.pg_stat_replication r) AS standbys, \
    (SELECT coalesce(json_agg(json_build_object('name', s.slot_name, 'active', s.active, 'kept', \
    pg_wal_lsn_diff(at, s.restart_lsn)::int8)), '[]') FROM pg_catalog.pg_replication_slots s) AS slots FROM here";

async fn replication(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let server = Postgres::of(&connection)?;
    visible::everywhere(server).await?;
    let row: Row = server.own_row(Statement::own(STATE, Vec::new())).await?;
    let caught_up = row.caught_up == Some(true) && row.receiving;
    let standby = |row: StandbyRow| Standby {
        name: row.name.into(),
        client: row.client.map(Arc::from),
        state: row.state.into(),
        sync: row.sync.into(),
        behind: row.behind.map(Size),
        lag: row.lag.map(seconds),
    };
    let slot = |row: SlotRow| Slot { name: row.name.into(), active: row.active, kept: row.kept.map(Size) };
    let replication = Replication {
        role: Word::new(if row.standby { "standby" } else { "primary" }),
        lag: row.lag.map(|lag| if caught_up { SignedDuration::ZERO } else { seconds(lag) }),
        receiving: row.standby.then_some(row.receiving),
        standbys: row.standbys.into_iter().map(standby).collect(),
        slots: row.slots.into_iter().map(slot).collect(),
    };
    Ok(replication.into())
}
