//! Reads that are asked again: the answer was lost on the way, or the product has no time right now.

use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use super::{Ask, Service};
use crate::builtins::http::client::{Answer, Limits, pause_asked_for, send};
use crate::types::{Fault, FaultKind};

/// How often something is asked at most.
const TRIES: u32 = 3;
/// Before the second try; twice as long before the third.
const PAUSE: Duration = Duration::from_millis(200);

impl Service<'_> {
    /// An answer that is one, or the last of several that are none. All tries together keep to the limit.
    pub(super) async fn retried(&self, ask: &Ask) -> Result<Answer, Fault> {
        let (began, within) = (Instant::now(), ask.within(self.http));
        let mut tries = 1;
        loop {
            let limits = Limits { within: within.saturating_sub(began.elapsed()), at_most: Some(self.http.at_most) };
            let result = send(&self.http.target, ask.request(self.http, true)?, limits).await;
            let pause = PAUSE * (1 << (tries - 1));
            let wait = match &result {
                Ok(answer) if answer.status.is_success() => None,
                Ok(answer) => self
                    .worth_asking_again(answer)
                    .then(|| pause_asked_for(&answer.headers, self.cx.world.now()).unwrap_or(pause)),
                // It was sent, and the connection broke before there was an answer, or in it.
                Err(trouble) => {
                    let lost = matches!(trouble.fault.kind, FaultKind::Unreachable | FaultKind::BadAnswer);
                    (lost && trouble.fault.sent && !trouble.ours).then_some(pause)
                }
            };
            let left = within.saturating_sub(began.elapsed());
            match (result, wait.filter(|wait| tries < TRIES && *wait < left)) {
                (Ok(answer), None) if answer.status.is_success() => return Ok(answer),
                (Ok(answer), None) => return Err(self.refusal(ask, &answer, tries)),
                (Err(trouble), None) => return Err(trouble.fault),
                (result, Some(wait)) => {
                    let why = result.map_or_else(|trouble| trouble.fault.message.to_string(), |a| a.status.to_string());
                    tracing::info!(product = self.product.name, why, ?wait, "asking again");
                    self.cx.world.sleep(wait).await;
                    tries += 1;
                }
            }
        }
    }

    /// Whether the status is one that passes. What the product explains by itself, it would only explain again.
    fn worth_asking_again(&self, answer: &Answer) -> bool {
        let passes = matches!(
            answer.status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
        );
        passes && (self.product.said)(answer.status.as_u16(), &answer.body).is_none_or(|said| said.passes)
    }
}
