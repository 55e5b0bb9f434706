//! The gate that all pass who connect from here, before a name is looked up: whether the policy of the repository allows
//! the host. What opens a socket asks for one, so that none is opened beside it.

use std::sync::Arc;

use super::Trouble;
use crate::catalog::{Cx, World};

/// Asks the world where connections may lead.
#[derive(Clone)]
pub(in crate::builtins) struct Gate(Arc<dyn World>);

impl Gate {
    pub(in crate::builtins) fn of(cx: &Cx) -> Self {
        Self(Arc::clone(&cx.world))
    }

    /// Lets a host through.
    ///
    /// # Errors
    /// Where it is not allowed: nothing is known of it then.
    pub(in crate::builtins) fn pass(&self, host: &str) -> Result<(), Trouble> {
        self.0.may_reach(host).map_err(|fault| Trouble { fault, ours: true })
    }
}
