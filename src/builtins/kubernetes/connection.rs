//! stand-in
use super::exec::reads::Rule;
use crate::catalog::*;
use crate::types::*;
use std::sync::Arc;
const CONTEXT: Param<Option<String>> = Param::optional("context", "x");
const NAMESPACE: Param<Option<String>> = Param::optional("namespace", "x");
const READS: Param<Vec<String>> = Param::or("reads", "x", || Value::list(Vec::new()));
const AT_ONCE: Param<i64> = Param::or("at_once", "x", || Value::Int(16));
pub(super) static DRIVER: Driver = Driver {
    name: "kubernetes",
    kind: DriverKind::Connection,
    summary: "A cluster.",
    params: &[CONTEXT.info(), NAMESPACE.info(), READS.info(), AT_ONCE.info()],
    open: Open::Now(|cx, args| Box::pin(open(cx, args))),
    examples: &[Example::call("connect cluster = kubernetes()")],
};
#[derive(Clone)]
pub(super) struct Cluster {
    client: kube::Client,
    namespace: String,
    reads: Vec<Rule>,
}
impl Cluster {
    pub(super) fn of(c: &Connection) -> Result<&Self, Fault> {
        c.handle.downcast_ref().ok_or_else(|| Fault::new(FaultKind::Setup, "no cluster"))
    }
    pub(super) fn client(&self) -> &kube::Client {
        &self.client
    }
    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }
    pub(super) fn reads(&self) -> &[Rule] {
        &self.reads
    }
}
async fn open(cx: Cx, args: Args<'static>) -> Result<Opened, Fault> {
    let path = cx.world.env("KUBECONFIG")?.unwrap_or_default();
    let config = kube::config::Kubeconfig::read_from(path).map_err(|e| Fault::new(FaultKind::Setup, e.to_string()))?;
    let options = kube::config::KubeConfigOptions { context: args.get(&CONTEXT)?, ..Default::default() };
    let config = kube::Config::from_custom_kubeconfig(config, &options)
        .await
        .map_err(|e| Fault::new(FaultKind::Setup, e.to_string()))?;
    let namespace = args.get(&NAMESPACE)?.unwrap_or(config.default_namespace.clone());
    let client = kube::Client::try_from(config).map_err(|e| Fault::new(FaultKind::Setup, e.to_string()))?;
    let reads = args.get(&READS)?.iter().map(|r| Rule::parse(r)).collect::<Result<_, _>>()?;
    Ok(Opened { target: format!("x/{namespace}"), handle: Arc::new(Cluster { client, namespace, reads }), at_once: 16 })
}
