//! What is asked of the API server, in the words of its permissions, and the path that it has there.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::kubectl::Kubectl;
use super::wire::Form;
use crate::types::{Fault, FaultKind};

const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// A kind of object, as the API server's paths name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// Empty for the oldest ones: pods, services, nodes.
    pub(super) group: Cow<'static, str>,
    pub(super) version: Cow<'static, str>,
    pub(super) plural: Cow<'static, str>,
    /// One of them, for messages: `pod`.
    pub(super) one: Cow<'static, str>,
    /// Whether its objects are in namespaces.
    pub(super) namespaced: bool,
}

/// A namespace that stands for all.
pub(super) const ALL: &str = "*";

impl Resource {
    const fn new(group: &'static str, plural: &'static str, one: &'static str, namespaced: bool) -> Self {
        Self::at("v1", group, plural, one, namespaced)
    }

    const fn at(
        version: &'static str,
        group: &'static str,
        plural: &'static str,
        one: &'static str,
        namespaced: bool,
    ) -> Self {
        Self {
            group: Cow::Borrowed(group),
            version: Cow::Borrowed(version),
            plural: Cow::Borrowed(plural),
            one: Cow::Borrowed(one),
            namespaced,
        }
    }

    pub(super) const PODS: Self = Self::new("", "pods", "pod", true);
    pub(super) const SERVICES: Self = Self::new("", "services", "service", true);
    pub(super) const NODES: Self = Self::new("", "nodes", "node", false);
    pub(super) const NAMESPACES: Self = Self::new("", "namespaces", "namespace", false);
    pub(super) const EVENTS: Self = Self::new("", "events", "event", true);
    pub(super) const DEPLOYMENTS: Self = Self::new("apps", "deployments", "deployment", true);
    pub(super) const REPLICA_SETS: Self = Self::new("apps", "replicasets", "replica set", true);
    pub(super) const STATEFUL_SETS: Self = Self::new("apps", "statefulsets", "stateful set", true);
    pub(super) const DAEMON_SETS: Self = Self::new("apps", "daemonsets", "daemon set", true);
    pub(super) const JOBS: Self = Self::new("batch", "jobs", "job", true);
    pub(super) const CRON_JOBS: Self = Self::new("batch", "cronjobs", "cron job", true);
    pub(super) const INGRESSES: Self = Self::new("networking.k8s.io", "ingresses", "ingress", true);
    pub(super) const POD_METRICS: Self = Self::at("v1beta1", "metrics.k8s.io", "pods", "usage of a pod", true);
    pub(super) const NODE_METRICS: Self = Self::at("v1beta1", "metrics.k8s.io", "nodes", "usage of a node", false);
    pub(super) const SELF_SUBJECT_REVIEWS: Self =
        Self::new("authentication.k8s.io", "selfsubjectreviews", "review of oneself", false);
    pub(super) const SELF_SUBJECT_ACCESS_REVIEWS: Self =
        Self::new("authorization.k8s.io", "selfsubjectaccessreviews", "review of one's own rights", false);

    /// `deployments.apps`, as `kubectl auth can-i` takes it.
    pub(super) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_string() } else { format!("{}.{}", self.plural, self.group) }
    }
}

/// One request, as its permission is called.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// `get`, `list`, `create`, `update`, `patch`, `delete`.
    pub(super) verb: &'static str,
    pub(super) resource: Resource,
    /// `None` where the resource is in none, or all of them are meant.
    pub(super) namespace: Option<Arc<str>>,
    pub(super) name: Option<Arc<str>>,
    /// `log`, `exec`, `scale`.
    pub(super) sub: Option<&'static str>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) form: Form,
}

impl Ask {
    /// All objects in a namespace, or in all of them.
    pub(super) fn list(resource: &Resource, namespace: &str) -> Result<Self, Fault> {
        Self::new("list", resource, namespace, None)
    }

    /// One object.
    pub(super) fn get(resource: &Resource, namespace: &str, name: &str) -> Result<Self, Fault> {
        Self::new("get", resource, namespace, Some(name))
    }

    /// Any verb.
    ///
    /// # Errors
    /// Where a name can be none: a path with an empty part asks for something else.
    pub(super) fn new(
        verb: &'static str,
        resource: &Resource,
        namespace: &str,
        name: Option<&str>,
    ) -> Result<Self, Fault> {
        let namespace = (resource.namespaced && namespace != ALL).then(|| plain(namespace, "namespace")).transpose()?;
        if resource.namespaced && namespace.is_none() && name.is_some() {
            return Err(Fault::new(
                FaultKind::Setup,
                format!("a {} by its name is in one namespace, not in all", resource.one),
            )
            .help("say in which: `namespace: \"…\"`"));
        }
        let name = name.map(|name| plain(name, &resource.one)).transpose()?;
        Ok(Self { verb, resource: resource.clone(), namespace, name, sub: None, query: Vec::new(), form: Form::Json })
    }

    #[must_use]
    pub(super) fn sub(mut self, sub: &'static str) -> Self {
        self.sub = Some(sub);
        self
    }

    #[must_use]
    pub(super) const fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    #[must_use]
    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With the query.
    pub(super) fn path(&self) -> String {
        let Resource { group, version, plural, .. } = &self.resource;
        let mut path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        if let Some(namespace) = &self.namespace {
            // Writing into a string cannot fail; so below.
            _ = write!(path, "/namespaces/{}", part(namespace));
        }
        _ = write!(path, "/{plural}");
        if let Some(name) = &self.name {
            _ = write!(path, "/{}", part(name));
        }
        if let Some(sub) = self.sub {
            _ = write!(path, "/{sub}");
        }
        for (index, (name, value)) in self.query.iter().enumerate() {
            _ = write!(path, "{}{name}={}", if index == 0 { '?' } else { '&' }, part(value));
        }
        path
    }

    /// What is done, for messages: `list pods in namespace shop`, `get pod x in namespace shop`.
    pub(super) fn doing(&self) -> String {
        let what = match (&self.name, self.sub) {
            (Some(name), Some(sub)) => format!("{sub} of {} `{name}`", self.resource.one),
            (Some(name), None) => format!("{} `{name}`", self.resource.one),
            (None, _) => self.resource.qualified(),
        };
        format!("{} {what}{}", self.verb, self.where_())
    }

    /// Whether something is another way once it is done. A review is created, and so is a stream; neither is kept.
    pub(super) fn changes(&self) -> bool {
        let is_review = ["authentication.k8s.io", "authorization.k8s.io"].contains(&&*self.resource.group);
        let is_way = self.sub == Some("portforward");
        matches!(self.verb, "create" | "update" | "patch" | "delete") && !is_review && !is_way
    }

    /// ` in namespace x`, ` in all namespaces`, or nothing.
    pub(super) fn where_(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!(" in namespace `{namespace}`"),
            None if self.resource.namespaced => " in all namespaces".to_owned(),
            None => String::new(),
        }
    }

    /// The line that shows whether one may, as whom the line logs in.
    pub(super) fn can_i(&self, kubectl: &Kubectl) -> String {
        let mut line = kubectl.line(&format!("auth can-i {} {}", self.verb, self.resource.qualified()));
        if let Some(sub) = self.sub {
            _ = write!(line, " --subresource={sub}");
        }
        match &self.namespace {
            Some(namespace) => _ = write!(line, " -n {namespace}"),
            None if self.resource.namespaced => line.push_str(" -A"),
            None => {}
        }
        line
    }
}

fn part(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, PART)
}

fn plain(name: &str, of: &str) -> Result<Arc<str>, Fault> {
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Err(Fault::new(FaultKind::Setup, format!("`{name}` is no name of a {of}")));
    }
    Ok(name.into())
}

#[cfg(test)]
mod tests {
    use super::{Ask, Kubectl, Resource};

    #[test]
    fn a_request_has_one_path_and_one_permission() {
        let log = Ask::get(&Resource::PODS, "shop", "web-0").expect("an ask").sub("log").query("container", "a b");
        assert_eq!(log.path(), "/api/v1/namespaces/shop/pods/web-0/log?container=a%20b");
        let own = Kubectl { context: Some("prod".into()), ..Kubectl::default() };
        assert_eq!(log.can_i(&own), "kubectl --context prod auth can-i get pods --subresource=log -n shop");
        let all = Ask::list(&Resource::DEPLOYMENTS, "*").expect("an ask");
        assert_eq!(all.path(), "/apis/apps/v1/deployments");
        assert_eq!(all.can_i(&own), "kubectl --context prod auth can-i list deployments.apps -A");
        let review = Ask::new("create", &Resource::SELF_SUBJECT_REVIEWS, "", None).expect("an ask");
        let exec = Ask::new("create", &Resource::PODS, "shop", Some("web-0")).expect("an ask").sub("exec");
        assert_eq!([&log, &review, &exec].map(Ask::changes), [false, false, true]);
        let nodes = Ask::list(&Resource::NODES, "shop").expect("an ask");
        assert_eq!((nodes.path().as_str(), nodes.doing().as_str()), ("/api/v1/nodes", "list nodes"));
    }

    #[test]
    fn an_empty_name_asks_for_nothing_else() {
        for name in ["", "..", "a/../../secrets"] {
            assert!(Ask::get(&Resource::PODS, "shop", name).is_err(), "{name}");
            assert!(Ask::list(&Resource::PODS, name).is_err(), "{name}");
        }
        assert!(Ask::get(&Resource::PODS, "*", "web-0").is_err());
    }
}
