//! What leads to a server in the cluster: a pod, or a service and one of the pods behind it.

use std::sync::{Arc, LazyLock};

use futures_util::future::BoxFuture;

use super::connection::Kubernetes;
use crate::builtins::dial::way::{Carried, Carrier, Stream};
use crate::builtins::dial::{Progress, Trouble};
use crate::types::{Connection, Way};

/// A pod, as built-ins on its record find it again and as connections are led through it.
pub(super) struct PodPlace {
    pub(super) cluster: Arc<Kubernetes>,
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
}

/// A service, in the same way.
pub(super) struct ServicePlace {
    pub(super) cluster: Arc<Kubernetes>,
    pub(super) namespace: Arc<str>,
    pub(super) name: Arc<str>,
}

impl Carrier for PodPlace {
    fn host(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        format!("pod {} of {}/{}", self.name, self.cluster.context(), self.namespace)
    }

    fn carry<'a>(&'a self, port: u16, progress: &'a Progress) -> BoxFuture<'a, Result<Box<dyn Stream>, Trouble>> {
        Box::pin(super::forward::forward(&self.cluster, &self.namespace, &self.name, port, progress))
    }
}

impl Carrier for ServicePlace {
    fn host(&self) -> &str {
        &self.name
    }

    fn shown(&self) -> String {
        format!("service {} of {}/{}", self.name, self.cluster.context(), self.namespace)
    }

    fn carry<'a>(&'a self, port: u16, progress: &'a Progress) -> BoxFuture<'a, Result<Box<dyn Stream>, Trouble>> {
        Box::pin(super::route::forward(&self.cluster, &self.namespace, &self.name, port, progress))
    }
}

/// A list of pods has as many ways as pods.
static DRIVER: LazyLock<Arc<str>> = LazyLock::new(|| Way::NAME.into());

/// The way to what a record is of, for its field `via`: calls through it count to the connection that it was read from.
pub(super) fn via(connection: &Connection, place: Arc<dyn Carrier>) -> Way {
    Way(Arc::new(Connection {
        name: Arc::clone(&connection.name),
        driver: Arc::clone(&DRIVER),
        target: place.shown().into(),
        handle: Arc::new(Carried(place)),
    }))
}
