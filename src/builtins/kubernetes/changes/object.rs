//! Any object of a cluster, as a manifest names it.

use std::sync::Arc;

use kube::ResourceExt;
use kube::api::{Api, DynamicObject};
use kube::core::GroupVersionKind;
use kube::discovery::{Scope, pinned_kind};
use serde_json::Value as Json;

use crate::builtins::kubernetes::connection::Cluster;
use crate::builtins::kubernetes::faults;
use crate::catalog::{Accepts, Param, Presence};
use crate::types::{Fault, FaultKind, Type, Value, records};

pub(super) const MANIFEST: Param<Value> = Param::new(
    "manifest",
    "The object as it shall be, with `apiVersion`, `kind` and `metadata.name`; what it leaves out stays as it is.",
    Accepts::Type(|| Type::Data),
    Presence::Required,
);

records! {
    /// What became of an object.
    struct Changed "changed_object" {
        /// Its kind.
        kind: Arc<str>,
        /// Its name.
        name: Arc<str>,
        /// The namespace it is in, where it is in one.
        namespace: Option<Arc<str>>,
        /// What came of it: `created`, `changed` or `unchanged`.
        outcome: Arc<str>,
    }
}

/// An object that a manifest names.
pub(super) struct Object {
    pub(super) api: Api<DynamicObject>,
    pub(super) name: String,
    pub(super) manifest: Json,
    kind: String,
    namespace: Option<String>,
}

impl Object {
    /// The object of a manifest.
    ///
    /// # Errors
    /// Where the manifest does not say which, or the cluster knows no such kind.
    pub(super) async fn of(cluster: &Cluster, manifest: Json) -> Result<Self, Fault> {
        let text = |path: &str| manifest.pointer(path).and_then(Json::as_str).filter(|text| !text.is_empty());
        let needed = |path: &str| {
            text(path).map(str::to_owned).ok_or_else(|| {
                let name = path.trim_start_matches('/').replace('/', ".");
                Fault::new(FaultKind::Setup, format!("the manifest has no `{name}`")).help(
                    r#"write `{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { … } }`"#,
                )
            })
        };
        let (version, kind, name) = (needed("/apiVersion")?, needed("/kind")?, needed("/metadata/name")?);
        let (group, version) = version.rsplit_once('/').unwrap_or(("", &version));
        let client = cluster.client().clone();
        let found = pinned_kind(&client, &GroupVersionKind::gvk(group, version, &kind)).await;
        let (resource, capabilities) = found.map_err(|error| faults::fault(&error, &format!("the kind {kind}")))?;
        let namespace = (capabilities.scope == Scope::Namespaced)
            .then(|| text("/metadata/namespace").unwrap_or(cluster.namespace()).to_owned());
        let api = match &namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            None => Api::all_with(client, &resource),
        };
        Ok(Self { api, name, manifest, kind, namespace })
    }

    /// `ConfigMap flags`
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// As it is now.
    pub(super) async fn now(&self) -> Result<Option<DynamicObject>, Fault> {
        self.api.get_opt(&self.name).await.map_err(|error| faults::fault(&error, &self.shown()))
    }

    /// What became of it.
    pub(super) fn changed(&self, before: Option<&DynamicObject>, after: &DynamicObject) -> Changed {
        let outcome = match before {
            None => "created",
            Some(before) if before.resource_version() == after.resource_version() => "unchanged",
            Some(_) => "changed",
        };
        Changed {
            kind: self.kind.as_str().into(),
            name: self.name.as_str().into(),
            namespace: self.namespace.as_deref().map(Into::into),
            outcome: outcome.into(),
        }
    }
}
