//! Whether a namespace is there. An empty list of one that is not must not read as a healthy one.

use serde_json::{Value as Json, json};

use super::ask::{Ask, Resource};
use super::connection::Kubernetes;
use super::faults::Failure;
use super::request::Deadline;
use crate::types::{Fault, FaultKind};

impl Kubernetes {
    /// What an empty list means: nothing is there, or the namespace is not.
    ///
    /// # Errors
    /// Where there is no such namespace, and where that cannot be seen.
    pub(super) async fn empty_for_real(&self, ask: &Ask) -> Result<(), Fault> {
        let Some(namespace) = &ask.namespace else { return Ok(()) };
        if self.known_namespace(namespace) {
            return Ok(());
        }
        let unseen = match self.look_for(namespace).await {
            Ok(()) => return Ok(()),
            Err(failure) if failure.fault.kind == FaultKind::Denied => failure.fault,
            Err(failure) => return Err(failure.fault),
        };
        // Whoever may not list these things everywhere was allowed to here by a binding, which is an object in the
        // namespace: so it is there.
        if !self.allowed_everywhere(ask).await? {
            self.know_namespace(namespace);
            return Ok(());
        }
        let message = format!(
            "no {} in namespace `{namespace}`, and whether there is such a namespace cannot be seen: {}",
            ask.resource.qualified(),
            unseen.message
        );
        Err(Fault { message: message.into(), ..unseen })
    }

    /// The fault of a request, or that its namespace is not there, which the server does not tell by itself.
    pub(super) async fn in_a_namespace_that_is_there(&self, ask: &Ask, fault: Fault) -> Fault {
        let Some(namespace) = ask.namespace.as_ref().filter(|_| fault.kind == FaultKind::NotFound) else {
            return fault;
        };
        if self.known_namespace(namespace) {
            return fault;
        }
        match self.look_for(namespace).await {
            Err(failure) if failure.fault.kind == FaultKind::NotFound => Fault { sent: fault.sent, ..failure.fault },
            _ => fault,
        }
    }

    async fn look_for(&self, namespace: &str) -> Result<(), Failure> {
        let never = |fault| Failure { fault, again: super::faults::Again::Never, sent: false };
        let ask = Ask::get(&Resource::NAMESPACES, "", namespace).map_err(never)?;
        let Err(mut failure) = self.tried(&ask, Deadline::after(self.within), None).await else {
            self.know_namespace(namespace);
            return Ok(());
        };
        if failure.fault.kind == FaultKind::NotFound {
            let message = format!("there is no namespace `{namespace}` in the cluster of `{}`", self.context());
            failure.fault = Fault::new(FaultKind::NotFound, message).help(format!(
                "`{}` lists those that are there; is it the right context?",
                self.reads().kubectl.line("get namespaces")
            ));
        }
        Err(failure)
    }

    /// Whether one may ask the same in every namespace.
    async fn allowed_everywhere(&self, ask: &Ask) -> Result<bool, Fault> {
        let review = Ask::new("create", &Resource::SELF_SUBJECT_ACCESS_REVIEWS, "", None)?;
        let wanted = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": {
                "verb": ask.verb, "group": ask.resource.group, "resource": ask.resource.plural,
            } },
        });
        let answer: Json = self.review(&review, &wanted, Deadline::after(self.within)).await?;
        Ok(answer.pointer("/status/allowed").and_then(Json::as_bool).unwrap_or(true))
    }
}
