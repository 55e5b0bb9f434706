//! stand-in
use std::sync::Arc;
use futures_util::future::BoxFuture;
use super::connection::Kubernetes;
use crate::builtins::dial::way::*;
use crate::builtins::dial::*;
pub(super) struct PodPlace { pub(super) cluster: Arc<Kubernetes>, pub(super) namespace: Arc<str>, pub(super) pod: Arc<str> }
impl Carrier for PodPlace {
    fn host(&self) -> &str { &self.pod }
    fn shown(&self) -> String { format!("pod {} of {}", self.pod, self.namespace) }
    fn carry<'a>(&'a self, port: u16, progress: &'a Progress) -> BoxFuture<'a, Result<Box<dyn Stream>, Trouble>> {
        Box::pin(super::forward::forward(&self.cluster, &self.namespace, &self.pod, port, progress))
    }
}
pub(super) struct ServicePlace { pub(super) cluster: Arc<Kubernetes>, pub(super) namespace: Arc<str>, pub(super) service: Arc<str> }
impl Carrier for ServicePlace {
    fn host(&self) -> &str { &self.service }
    fn shown(&self) -> String { format!("service {} of {}", self.service, self.namespace) }
    fn carry<'a>(&'a self, port: u16, progress: &'a Progress) -> BoxFuture<'a, Result<Box<dyn Stream>, Trouble>> {
        Box::pin(super::service::forward(&self.cluster, &self.namespace, &self.service, port, progress))
    }
}
