//! stand-in
use super::connection::Cluster;
use crate::builtins::dial::way::*;
use crate::builtins::dial::*;
use futures_util::future::BoxFuture;
use std::sync::Arc;
pub(super) struct PodPlace {
    pub(super) cluster: Arc<Cluster>,
    pub(super) namespace: String,
    pub(super) pod: String,
}
impl Carrier for PodPlace {
    fn host(&self) -> &str {
        &self.pod
    }
    fn shown(&self) -> String {
        format!("pod {} of {}", self.pod, self.namespace)
    }
    fn carry<'a>(&'a self, port: u16, progress: &'a Progress) -> BoxFuture<'a, Result<Box<dyn Stream>, Trouble>> {
        Box::pin(super::forward::forward(self.cluster.client(), &self.namespace, &self.pod, port, progress))
    }
}
pub(super) struct ServicePlace {
    pub(super) cluster: Arc<Cluster>,
    pub(super) namespace: String,
    pub(super) service: String,
}
impl Carrier for ServicePlace {
    fn host(&self) -> &str {
        &self.service
    }
    fn shown(&self) -> String {
        format!("service {} of {}", self.service, self.namespace)
    }
    fn carry<'a>(&'a self, port: u16, progress: &'a Progress) -> BoxFuture<'a, Result<Box<dyn Stream>, Trouble>> {
        Box::pin(super::service::forward(self.cluster.client(), &self.namespace, &self.service, port, progress))
    }
}
