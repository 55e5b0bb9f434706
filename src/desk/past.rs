//! What was before, from the ledger.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Desk, keeping};
use crate::alerting::{Alert, End};
use crate::catalog::{Past, PastAlert, PastSample};
use crate::types::Fault;

impl Past for Desk {
    fn samples(&self, metric: &str, since: Timestamp) -> Result<Vec<PastSample>, Fault> {
        let samples = self.lock().ledger.samples(&self.runbook, metric, since, Timestamp::MAX)?;
        let taken = samples
            .into_iter()
            .filter_map(|sample| Some(PastSample { at: sample.at, labels: sample.labels, value: sample.value? }));
        Ok(taken.collect())
    }

    fn alerts(&self, since: Option<Timestamp>) -> Result<Vec<PastAlert>, Fault> {
        let mut inner = self.lock();
        inner.refresh(&self.runbook)?;
        let documents = inner.ledger.documents(Some(&self.runbook), keeping::ALERT, since)?;
        let state = inner.engine.state();
        documents
            .iter()
            .map(|document| {
                let alert: Alert = keeping::read(document)?;
                let incident = alert.incident.and_then(|number| state.incidents.get(&number));
                let acknowledged = incident.is_some_and(|incident| incident.acknowledged.is_some());
                Ok(past(&alert, acknowledged))
            })
            .collect()
    }
}

/// An alert as the language knows it.
fn past(alert: &Alert, acknowledged: bool) -> PastAlert {
    PastAlert {
        number: alert.number,
        threshold: Arc::clone(&alert.subject.threshold),
        severity: alert.severity,
        labels: alert.subject.labels.clone(),
        opened_at: alert.opened_at,
        closed_at: alert.end.as_ref().map(End::at),
        acknowledged: acknowledged && alert.end.is_none(),
    }
}
