//! A sign of life, posted to whoever misses it when it does not come.

use std::time::Duration;

use http::HeaderMap;

use super::post::{Post, Reached, address};
use crate::builtins::dial::tls::Trust;
use crate::catalog::{Cx, NotTold};
use crate::types::Fault;

/// How long the other side may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Where signs of life go.
pub struct Heartbeat {
    cx: Cx,
    post: Post,
}

impl Heartbeat {
    /// # Errors
    /// Where the address is none.
    pub fn to(url: &str, cx: Cx) -> Result<Self, Fault> {
        let reached = Reached {
            url: address(url, "the address of `--heartbeat`")?,
            // Whoever has it can make a dead server look alive.
            is_secret: true,
            headers: HeaderMap::new(),
            secrets: Vec::new(),
            trust: Trust::System,
            within: WITHIN,
        };
        Ok(Self { post: Post::new(&cx, "the heartbeat", reached)?, cx })
    }

    /// Posts one, once.
    ///
    /// # Errors
    /// Where it was not taken.
    pub async fn beat(&self) -> Result<(), Fault> {
        let sent = self.post.send(&self.cx, "{}".to_owned(), &[]).await;
        sent.map(drop).map_err(|refused| NotTold::from(refused).fault)
    }
}
