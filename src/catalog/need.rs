//! What a call needs from the system that it asks, as something that can be granted.

use std::fmt;

use serde::Serialize;

/// What a call needs.
#[derive(Clone, Copy)]
pub enum Need {
    /// What no rule of the system grants, or none that can be written beforehand: `systemd`.
    Words(&'static str),
    /// A program of this machine, as far as the call says which.
    Program { words: &'static str, program: fn(&Written<'_>) -> Argument },
    /// Verbs on a resource of a Kubernetes cluster.
    Kubernetes(Access),
    /// What another system grants, by what is written in the call.
    Granted { words: &'static str, rights: fn(&Written<'_>) -> Vec<Right> },
}

/// Verbs on a resource of a Kubernetes cluster, and when they are needed.
#[derive(Clone, Copy)]
pub struct Access {
    /// In the words of the API: `get`, `list`.
    pub verbs: &'static [&'static str],
    /// `pods`, `pods/log`, `deployments.apps`
    pub resource: &'static str,
    /// The parameter that names the object, where it is one.
    pub name: Option<&'static str>,
    pub reach: Reach,
    pub when: When,
}

/// Where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In the namespace that the call means.
    Namespace,
    /// In every namespace.
    Everywhere,
    /// It is in no namespace.
    Cluster,
}

/// In which calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Always,
    /// Where this argument is written.
    Given(&'static str),
    /// Where what the call gives is the way to something else: `through: cluster.pod("db-0")`.
    Carrying,
}

impl Need {
    /// Verbs on the objects of a namespace.
    #[must_use]
    pub const fn verbs(verbs: &'static [&'static str], resource: &'static str) -> Self {
        Self::Kubernetes(Access { verbs, resource, name: None, reach: Reach::Namespace, when: When::Always })
    }

    /// Verbs on objects that are in no namespace.
    #[must_use]
    pub const fn of_cluster(verbs: &'static [&'static str], resource: &'static str) -> Self {
        Self::Kubernetes(Access { verbs, resource, name: None, reach: Reach::Cluster, when: When::Always })
    }

    /// Verbs on the objects of all namespaces.
    #[must_use]
    pub const fn everywhere(verbs: &'static [&'static str], resource: &'static str) -> Self {
        Self::Kubernetes(Access { verbs, resource, name: None, reach: Reach::Everywhere, when: When::Always })
    }

    /// On the one object that a parameter names.
    #[must_use]
    pub const fn named(self, param: &'static str) -> Self {
        match self {
            Self::Kubernetes(access) => Self::Kubernetes(Access { name: Some(param), ..access }),
            other => other,
        }
    }

    /// Only where an argument is written.
    #[must_use]
    pub const fn where_given(self, param: &'static str) -> Self {
        match self {
            Self::Kubernetes(access) => Self::Kubernetes(Access { when: When::Given(param), ..access }),
            other => other,
        }
    }

    /// Only where an argument is written, on the object that it names.
    #[must_use]
    pub const fn given(self, param: &'static str) -> Self {
        self.named(param).where_given(param)
    }

    /// Only where what the call gives is the way to something else.
    #[must_use]
    pub const fn carrying(self) -> Self {
        match self {
            Self::Kubernetes(access) => Self::Kubernetes(Access { when: When::Carrying, ..access }),
            other => other,
        }
    }
}

/// As a person says it: `get and create pods/exec`.
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self {
            Self::Words(words) | Self::Program { words, .. } | Self::Granted { words, .. } => {
                return f.write_str(words);
            }
            Self::Kubernetes(access) => access,
        };
        write!(f, "{} {}", access.verbs.join(" and "), access.resource)?;
        if access.reach == Reach::Everywhere {
            f.write_str(" of all namespaces")?;
        }
        match access.when {
            When::Always => Ok(()),
            When::Given(param) => write!(f, ", where `{param}` is given"),
            When::Carrying => f.write_str(", where it is the way to a port"),
        }
    }
}

/// What is written in a call, with parameters in their values.
#[derive(Clone, Copy)]
pub struct Written<'a> {
    pub argument: &'a dyn Fn(&str) -> Argument,
}

/// An argument, as far as it is known before a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// It was left out.
    Absent,
    /// All texts that it may be.
    Texts(Vec<String>),
    /// What the run will tell is a `*`: `/tasks/*`.
    Pattern(String),
}

impl Argument {
    /// All that it may be, with `*` for what is not known.
    #[must_use]
    pub fn patterns(&self) -> &[String] {
        match self {
            Self::Absent => &[],
            Self::Texts(texts) => texts,
            Self::Pattern(pattern) => std::slice::from_ref(pattern),
        }
    }
}

/// One thing that a system grants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "system", rename_all = "snake_case")]
pub enum Right {
    Kubernetes(Rule),
    Postgres(Grant),
    S3 {
        /// `s3:GetObject`
        action: &'static str,
        /// The key, with `*` for what is not known; `None` where it is about the bucket.
        key: Option<String>,
    },
    Redis {
        /// A rule of an ACL: `+info`, `~sessions:*`.
        rule: String,
    },
    /// What cannot be known before the run, in words.
    Unclear {
        words: String,
    },
}

/// One verb on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Rule {
    pub scope: Scope,
    /// `""` is the core group, `*` any: the group of a kind that is named without it.
    pub group: String,
    /// `pods`, `pods/log`
    pub resource: String,
    /// The only object that is meant; any, where `None`.
    pub name: Option<String>,
    pub verb: &'static str,
}

impl Rule {
    /// A verb on a resource as it is called with its group: `deployments.apps`, `pods/log`.
    #[must_use]
    pub fn new(verb: &'static str, resource: &str, scope: Scope, name: Option<String>) -> Self {
        let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
        Self { scope, group: group.to_owned(), resource: resource.to_owned(), name, verb }
    }
}

/// Where a rule holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// In every namespace, or on what is in none.
    Cluster,
    /// In this namespace; that of the context where `None`.
    Namespace(Option<String>),
}

/// What `PostgreSQL` grants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// To connect to the database.
    Connect,
    /// To be a member of a role that `PostgreSQL` brings along.
    Member(&'static str),
    /// A privilege on a table, as it is written in the statement.
    On { privilege: &'static str, table: String },
}

/// The privilege to look after a table, which `PostgreSQL` has from 17 on.
pub const MAINTAIN: &str = "MAINTAIN";

/// Where a connection goes on the network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Endpoint {
    /// A name or an address; in words where neither is written: `the server of the kubeconfig`.
    pub host: String,
    /// `None` where it is not written either.
    pub port: Option<u16>,
}
