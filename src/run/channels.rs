//! The channels of a program, opened: with its secrets and params, and without a run.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::asking::Asking;
use super::outside::Outside;
use crate::catalog::{Channel, Cx, Message, NotTold, RunFacts, Told, World};
use crate::check::program::{ChannelId, ParamId, Program};
use crate::types::{Fault, FaultKind, Value};

/// Opens a channel of a program. What comes back from it is without the secrets of the program.
///
/// # Errors
/// Where an argument of the channel cannot be had, such as a secret that is not set, or makes no channel.
#[expect(clippy::implicit_hasher, reason = "it is the map of a request to run")]
pub async fn open_channel(
    program: Arc<Program>,
    set: HashMap<ParamId, Value>,
    facts: Arc<RunFacts>,
    world: Arc<dyn World>,
    id: ChannelId,
) -> Result<Arc<dyn Channel>, Fault> {
    let outside = Asking::new(Arc::clone(&program), set, facts, world).outside;
    let declared = program.channels.get(id.index());
    let declared = declared.ok_or_else(|| Fault::no_value("a channel that is not there"))?;
    let about = |mut fault: Fault| {
        outside.emitter.redactor.fault(&mut fault);
        Fault { message: format!("channel `{}`: {}", declared.name, fault.message).into(), ..fault }
    };
    let opened = outside.open(&declared.name, &declared.made).await.map_err(about)?;
    let channel = opened.handle.downcast_ref::<Arc<dyn Channel>>().cloned().ok_or_else(|| {
        about(Fault::new(FaultKind::Setup, format!("`{}` makes no channel", declared.made.driver.name)))
    })?;
    Ok(Arc::new(Quiet { channel, outside }))
}

/// A channel whose answers repeat no secret of its program.
struct Quiet {
    channel: Arc<dyn Channel>,
    outside: Arc<Outside>,
}

impl Channel for Quiet {
    fn tell(&self, cx: Cx, message: Arc<Message>) -> BoxFuture<'static, Result<Told, NotTold>> {
        let (telling, outside) = (self.channel.tell(cx, message), Arc::clone(&self.outside));
        Box::pin(async move {
            let redactor = &outside.emitter.redactor;
            match telling.await {
                Ok(mut told) => {
                    redactor.string(&mut told.said);
                    Ok(told)
                }
                Err(mut not_told) => {
                    redactor.fault(&mut not_told.fault);
                    Err(not_told)
                }
            }
        })
    }

    fn target(&self) -> String {
        let mut target = self.channel.target();
        self.outside.emitter.redactor.string(&mut target);
        target
    }

    fn at_most(&self) -> Option<usize> {
        self.channel.at_most()
    }
}
