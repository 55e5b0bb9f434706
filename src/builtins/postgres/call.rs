//! What the calls of a database have in common.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value as Json;

use super::connection::{Postgres, setup};
use crate::catalog::{Args, Param};
use crate::types::{Connection, Fault, Value};

pub(super) const DATABASE: Param<Arc<Connection>> = Param::connection("postgres");
pub(super) const WITHIN: Param<Option<SignedDuration>> =
    Param::optional("within", "How long it may take; the connection's own limit where it is left out.");

/// The limit of a call.
pub(super) fn within(postgres: &Postgres, args: &Args<'static>) -> Result<Duration, Fault> {
    match args.get(&WITHIN)? {
        Some(within) => {
            Duration::try_from(within).map_err(|_| setup("`within` is a time from now on, so it cannot be negative"))
        }
        None => Ok(postgres.within),
    }
}

/// The rows of one of our own queries.
pub(super) async fn rows(args: &Args<'static>, sql: &str, values: &[Value]) -> Result<Vec<Json>, Fault> {
    let connection = args.get(&DATABASE)?;
    let postgres = Postgres::of(&connection)?;
    let within = within(postgres, args)?;
    let session = postgres.session().await?;
    let (rows, more) = session.rows(sql, values, 100_000, within).await?;
    if more {
        return Err(Fault::new(crate::types::FaultKind::TooLarge, "there are more than 100,000 of them"));
    }
    postgres.keep(session);
    Ok(rows)
}

/// A field of a row.
pub(super) struct Row<'r>(pub(super) &'r Json);

impl Row<'_> {
    pub(super) fn text(&self, name: &str) -> Option<Arc<str>> {
        self.0.get(name)?.as_str().map(Arc::from)
    }

    pub(super) fn word(&self, name: &str) -> Result<Arc<str>, Fault> {
        self.text(name).ok_or_else(|| missing(name))
    }

    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    pub(super) fn number(&self, name: &str) -> Result<i64, Fault> {
        self.int(name).ok_or_else(|| missing(name))
    }

    pub(super) fn float(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    /// Seconds as a duration.
    pub(super) fn seconds(&self, name: &str) -> Option<SignedDuration> {
        SignedDuration::try_from_secs_f64(self.float(name)?).ok()
    }
}

fn missing(name: &str) -> Fault {
    Fault::new(crate::types::FaultKind::BadAnswer, format!("the server did not say `{name}`"))
}
