//! Where a pod or a service is: what the way in its record holds, so that calls on it and connections through it find it.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::connection::Kubernetes;
use super::{forward, route};
use crate::builtins::dial::way::{Carried, Carrier, Stream};
use crate::builtins::dial::{Progress, Trouble};
use crate::types::{Connection, Way};

/// A pod of a cluster.
pub(super) struct PodPlace {
    pub(super) cluster: Arc<Kubernetes>,
    pub(super) namespace: Arc<str>,
    pub(super) pod: Arc<str>,
}

impl Carrier for PodPlace {
    fn host(&self) -> &str {
        &self.pod
    }

    fn shown(&self) -> String {
        format!("pod {} of {}/{}", self.pod, self.cluster.context(), self.namespace)
    }

    fn carry<'a>(&'a self, port: u16, progress: &'a Progress) -> BoxFuture<'a, Result<Box<dyn Stream>, Trouble>> {
        Box::pin(forward::forward(&self.cluster, &self.namespace, &self.pod, port, progress))
    }
}

/// A service of a cluster: the stream goes to a pod of it that is ready.
pub(super) struct ServicePlace {
    pub(super) cluster: Arc<Kubernetes>,
    pub(super) namespace: Arc<str>,
    pub(super) service: Arc<str>,
}

impl Carrier for ServicePlace {
    fn host(&self) -> &str {
        &self.service
    }

    fn shown(&self) -> String {
        format!("service {} of {}/{}", self.service, self.cluster.context(), self.namespace)
    }

    fn carry<'a>(&'a self, port: u16, progress: &'a Progress) -> BoxFuture<'a, Result<Box<dyn Stream>, Trouble>> {
        Box::pin(route::forward(&self.cluster, &self.namespace, &self.service, port, progress))
    }
}

/// The way to a place, under the name of the connection that it was read through.
pub(super) fn way(connection: &Connection, place: Arc<dyn Carrier>) -> Way {
    Way(Arc::new(Connection {
        name: connection.name.clone(),
        driver: connection.driver.clone(),
        target: connection.target.clone(),
        handle: Arc::new(Carried(place)),
    }))
}
