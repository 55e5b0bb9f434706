//! Standing approvals. They are kept for good: who once agreed to what is never too old to be asked for.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Ledger;
use super::column::{Json, json};
use super::state::number;
use super::transaction::{Error, Row, cells};
use crate::store::approval::{Approval, Kept, Revoked};
use crate::types::{Fault, FaultKind};

impl Ledger {
    /// Keeps an approval. Its id is new.
    pub fn approve(&mut self, approval: &Approval) -> Result<(), Fault> {
        let body = to_json(approval)?;
        self.write(|tx| {
            let runbook = number(tx, &approval.runbook)?;
            let kept = tx.execute(
                "INSERT INTO approval (id, runbook, body) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                &cells![&approval.id, runbook, json(&body)?],
            )?;
            if kept == 0 {
                let message = format!("there is an approval `{}` already; nothing was kept", approval.id);
                return Err(Fault::new(FaultKind::Failed, message)
                    .help("try again: the next one gets another id")
                    .into());
            }
            Ok(())
        })
    }

    /// The approvals of a runbook, or of all of them, in the order in which they were given.
    pub fn approvals(&self, runbook: Option<&str>) -> Result<Vec<Kept>, Fault> {
        self.read(|tx| {
            tx.rows(
                "SELECT body, revoked FROM approval JOIN runbook ON runbook.id = approval.runbook
                 WHERE (?1 IS NULL OR name = ?1) ORDER BY number",
                &cells![runbook],
                kept,
            )
        })
    }

    /// Takes an approval back. Gives who has done so, where somebody has before; `None` where there is no such approval.
    pub fn revoke(&mut self, id: &str, revoked: &Revoked) -> Result<Option<Result<(), Revoked>>, Fault> {
        let body = to_json(revoked)?;
        self.write(|tx| {
            let Some(before) = tx.row("SELECT body, revoked FROM approval WHERE id = ?1", &cells![id], kept)? else {
                return Ok(None);
            };
            if let Some(before) = before.revoked {
                return Ok(Some(Err(before)));
            }
            tx.execute("UPDATE approval SET revoked = ?2 WHERE id = ?1", &cells![id, json(&body)?])?;
            Ok(Some(Ok(())))
        })
    }
}

fn to_json(value: &impl serde::Serialize) -> Result<Value, Fault> {
    serde_json::to_value(value)
        .map_err(|error| Fault::new(FaultKind::Failed, format!("the approval cannot be written: {error}")))
}

fn kept(row: &Row<'_>) -> Result<Kept, Error> {
    let revoked = row.get::<Option<Json<Value>>>(1)?.map(|json| read(json.0)).transpose()?;
    Ok(Kept { approval: read(row.get::<Json<Value>>(0)?.0)?, revoked })
}

/// One that cannot be read may be a refusal that is not seen: it is an error.
fn read<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|error| Error::Stored(format!("an approval is none: {error}")))
}
