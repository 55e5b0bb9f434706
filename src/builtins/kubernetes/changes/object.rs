//! Any object of a cluster, as a manifest names it.

use std::sync::Arc;

use kube::core::GroupVersionKind;
use kube::discovery::{Scope, pinned_kind};
use serde_json::Value as Json;

use super::workload::MANAGER;
use crate::builtins::kubernetes::access::Access;
use crate::builtins::kubernetes::ask::{ALL, Ask, Resource};
use crate::builtins::kubernetes::call::cluster;
use crate::builtins::kubernetes::connection::Kubernetes;
use crate::builtins::kubernetes::faults::{kinds_by_hand, lost};
use crate::builtins::kubernetes::known_kinds;
use crate::builtins::kubernetes::request::Sent;
use crate::catalog::need::{self, Argument, Need, Right, Rule, Written};
use crate::catalog::{Accepts, Args, Param, Presence};
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
        /// What came of it: `created`, `changed`, `unchanged`, or `deleted` where the last of its finalizers went and it was to go.
        outcome: Arc<str>,
    }
}

/// What a change of an object needs that is there.
pub(super) const PATCHED: Need = Need::Granted {
    words: "get and patch the kind of the manifest",
    rights: |written| of_manifest(written, &["get", "patch"]),
};

/// What a change of an object needs that may have to be made.
pub(super) const APPLIED: Need = Need::Granted {
    words: "get, create and patch the kind of the manifest",
    // By which name something is made is not known to the server when it asks for the right.
    rights: |written| of_manifest(written, &["get", "patch", "create"]),
};

fn of_manifest(written: &Written<'_>, verbs: &[&'static str]) -> Vec<Right> {
    let text = |path: &str| match (written.argument)(path) {
        Argument::Texts(texts) => <[String; 1]>::try_from(texts).ok().map(|[text]| text),
        _ => None,
    };
    let Some(kind) = text("manifest.kind") else {
        return vec![Right::Unclear { words: format!("{} of a kind that the run will tell", verbs.join(", ")) }];
    };
    let (resource, scope) = known_kinds::resource(&kind);
    let scope = match (scope, text("manifest.metadata.namespace")) {
        (need::Scope::Namespace(_), Some(named)) => need::Scope::Namespace(Some(named)),
        (scope, _) => scope,
    };
    let name = text("manifest.metadata.name");
    let rule = |verb: &&'static str| {
        let name = name.clone().filter(|_| *verb != "create");
        Right::Kubernetes(Rule::new(verb, &resource, scope.clone(), name))
    };
    verbs.iter().map(rule).collect()
}

/// An object that a manifest names.
pub(super) struct Object {
    cluster: Arc<Kubernetes>,
    resource: Resource,
    namespace: Arc<str>,
    name: String,
    kind: String,
    pub(super) manifest: Json,
}

impl Object {
    /// The object of a manifest.
    ///
    /// # Errors
    /// Where the manifest does not say which, or the cluster knows no such kind.
    pub(super) async fn of(args: &Args<'static>) -> Result<Self, Fault> {
        let cluster = cluster(args)?;
        let manifest = args.get(&MANIFEST)?.to_json();
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
        let resource = resource(&cluster, &version, &kind).await?;
        let namespace = cluster.namespace(text("/metadata/namespace").map(str::to_owned));
        Ok(Self { cluster, resource, namespace, name, kind, manifest })
    }

    /// As it is now; a fault where it is not there.
    pub(super) async fn there(&self) -> Result<Json, Fault> {
        self.cluster.read(&Ask::get(&self.resource, &self.namespace, &self.name)?).await
    }

    /// As it is now.
    pub(super) async fn now(&self) -> Result<Option<Json>, Fault> {
        match self.there().await {
            Ok(object) => Ok(Some(object)),
            // A namespace that is not there is another matter.
            Err(fault) if fault.kind == FaultKind::NotFound && !fault.message.starts_with("there is no namespace") => {
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Changes it as the manifest says.
    pub(super) async fn change(&self, sent: Sent, force: bool) -> Result<Json, Fault> {
        self.send(sent, force, &self.manifest).await
    }

    /// Takes what others have written as well, if it still is as it was seen.
    pub(super) async fn take_over(&self, sent: Sent, seen: &Json) -> Result<Json, Fault> {
        let mut manifest = self.manifest.clone();
        let version = seen.pointer("/metadata/resourceVersion").cloned();
        if let (Some(metadata), Some(version)) =
            (manifest.pointer_mut("/metadata").and_then(Json::as_object_mut), version)
        {
            metadata.insert("resourceVersion".to_owned(), version);
        }
        self.send(sent, true, &manifest).await
    }

    async fn send(&self, sent: Sent, force: bool, manifest: &Json) -> Result<Json, Fault> {
        let ask = Ask::new("patch", &self.resource, &self.namespace, Some(&self.name))?.query("fieldManager", MANAGER);
        let ask = if force { ask.query("force", "true") } else { ask };
        self.cluster.change(&ask, sent, manifest, self.cluster.within).await
    }

    /// What became of it.
    pub(super) fn changed(&self, before: Option<&Json>, after: &Json) -> Changed {
        let version = |object: &Json| object.pointer("/metadata/resourceVersion").cloned();
        let outcome = match before {
            None => "created",
            // What has gone has the version that it had last.
            Some(before) if finalized(after) && !finalized(before) => "deleted",
            Some(before) if version(before) == version(after) => "unchanged",
            Some(_) => "changed",
        };
        Changed {
            kind: self.kind.as_str().into(),
            name: self.name.as_str().into(),
            namespace: self.resource.namespaced.then(|| Arc::clone(&self.namespace)),
            outcome: outcome.into(),
        }
    }
}

/// Whether nothing holds it any more that was to go: no finalizer, and no time that it was given to end.
fn finalized(object: &Json) -> bool {
    let metadata = |field: &str| object.get("metadata").and_then(|metadata| metadata.get(field));
    let is_held = metadata("finalizers").and_then(Json::as_array).is_some_and(|held| !held.is_empty());
    let has_time = metadata("deletionGracePeriodSeconds").and_then(Json::as_i64).is_some_and(|seconds| seconds > 0);
    metadata("deletionTimestamp").is_some_and(|at| !at.is_null()) && !is_held && !has_time
}

/// What the server's paths call a kind.
async fn resource(cluster: &Kubernetes, version: &str, kind: &str) -> Result<Resource, Fault> {
    let (group, number) = version.rsplit_once('/').unwrap_or(("", version));
    let access = cluster.reads();
    let mut named = Resource {
        group: group.to_owned().into(),
        version: number.to_owned().into(),
        plural: kind.to_lowercase().into(),
        one: kind.to_owned().into(),
        namespaced: true,
    };
    let found = pinned_kind(&access.client().await?, &GroupVersionKind::gvk(group, number, kind)).await;
    let (resource, capabilities) = found.map_err(|error| match &error {
        kube::Error::Discovery(_) => unknown(version, kind, access),
        kube::Error::Api(status) if status.code == 404 => unknown(version, kind, access),
        error => match Ask::list(&named, ALL) {
            Ok(ask) => lost(error, &ask, access).fault,
            Err(fault) => fault,
        },
    })?;
    named.plural = resource.plural.into();
    named.namespaced = capabilities.scope == Scope::Namespaced;
    Ok(named)
}

fn unknown(version: &str, kind: &str, access: &Access) -> Fault {
    Fault::new(FaultKind::NotFound, format!("the cluster knows no kind `{kind}` of `{version}`"))
        .help(kinds_by_hand(access))
}
