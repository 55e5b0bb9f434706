//! Which kind of object is meant: by its plural, its singular, its kind or a short name, as kubectl takes it, custom ones too.

use futures_util::try_join;
use kube::core::discovery::v2::{APIGroupDiscoveryList, APIResourceDiscovery};

use super::ask::{ALL, Ask, Resource};
use super::connection::Kubernetes;
use super::faults::{kinds_by_hand, lost};
use super::request::Deadline;
use crate::types::{Fault, FaultKind};

/// A kind that the cluster knows.
struct Known {
    resource: Resource,
    names: Vec<String>,
}

impl Kubernetes {
    /// The kind of a name: `pods`, `po`, `Alert`, `alerts.monitoring.example.com`.
    ///
    /// # Errors
    /// Where the cluster knows none of this name, or several and no group says which.
    pub(super) async fn kind(&self, name: &str, deadline: Deadline) -> Result<Resource, Fault> {
        let wanted = name.to_lowercase();
        let known = self.kinds(&wanted, deadline).await?;
        let (short, group) = match wanted.split_once('.') {
            Some((short, group)) => (short, Some(group)),
            None => (wanted.as_str(), None),
        };
        let fits = |known: &&Known| {
            known.names.iter().any(|own| own == short) && group.is_none_or(|group| group == known.resource.group)
        };
        let mut found: Vec<&Known> = known.iter().filter(fits).collect();
        // What the cluster has had longest is meant, as kubectl has it: `events` are those without a group.
        if found.iter().any(|known| known.resource.group.is_empty()) {
            found.retain(|known| known.resource.group.is_empty());
        }
        match found.as_slice() {
            [one] => Ok(one.resource.clone()),
            [] => Err(unknown(name, &known, self)),
            several => {
                let names: Vec<String> =
                    several.iter().map(|known| format!("`{}`", known.resource.qualified())).collect();
                Err(Fault::new(FaultKind::Setup, format!("`{name}` is one of {}", names.join(", ")))
                    .help("write the one that is meant, with its group"))
            }
        }
    }

    async fn kinds(&self, wanted: &str, deadline: Deadline) -> Result<Vec<Known>, Fault> {
        let access = self.reads();
        let asked = Resource {
            group: "".into(),
            version: "v1".into(),
            plural: format!("the kinds of objects, for `{wanted}`").into(),
            one: "kind".into(),
            namespaced: false,
        };
        let ask = Ask::list(&asked, ALL)?;
        let client = access.client().await?;
        let work = async {
            let both = try_join!(client.list_core_api_versions_aggregated(), client.list_api_groups_aggregated());
            both.map_err(|error| lost(&error, &ask, access))
        };
        let (core, groups) = deadline.or_late(&ask, access, work).await.map_err(|failure| failure.fault)?;
        Ok(known(core).into_iter().chain(known(groups)).collect())
    }
}

/// The kinds of the preferred version of each group, which is the first.
fn known(list: APIGroupDiscoveryList) -> Vec<Known> {
    let mut known = Vec::new();
    for group in list.items {
        let name = group.metadata.and_then(|metadata| metadata.name).unwrap_or_default();
        for version in group.versions {
            let number = version.version.unwrap_or_default();
            for resource in version.resources {
                let made = one(&name, &number, resource);
                let is_new = |made: &Known| {
                    !known.iter().any(|known: &Known| known.resource.qualified() == made.resource.qualified())
                };
                known.extend(made.filter(is_new));
            }
        }
    }
    known
}

/// A kind that can be listed.
fn one(group: &str, version: &str, resource: APIResourceDiscovery) -> Option<Known> {
    let plural = resource.resource?;
    if !resource.verbs.iter().any(|verb| verb == "list") {
        return None;
    }
    let singular = resource.singular_resource.filter(|name| !name.is_empty());
    let kind = resource.response_kind.and_then(|kind| kind.kind).map(|kind| kind.to_lowercase());
    let one = singular.clone().or_else(|| kind.clone()).unwrap_or_else(|| plural.clone());
    let names = std::iter::once(plural.clone()).chain(singular).chain(kind).chain(resource.short_names).collect();
    let resource = Resource {
        group: group.to_owned().into(),
        version: version.to_owned().into(),
        plural: plural.into(),
        one: one.into(),
        namespaced: resource.scope.as_deref() == Some("Namespaced"),
    };
    Some(Known { resource, names })
}

fn unknown(name: &str, known: &[Known], cluster: &Kubernetes) -> Fault {
    let message = format!("the cluster of `{}` knows no kind `{name}`", cluster.context());
    let fault = Fault::new(FaultKind::NotFound, message);
    let names = known.iter().map(|known| &*known.resource.plural);
    match crate::diagnostics::nearest(name, names) {
        Some(meant) => {
            fault.help(format!("did you mean `{meant}`? a custom kind is there once its definition is installed"))
        }
        None => fault.help(kinds_by_hand(cluster.reads())),
    }
}
