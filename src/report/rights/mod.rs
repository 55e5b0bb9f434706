//! The least rights of a runbook as what is applied: `kubectl apply`, `psql`, a bucket's policy, `redis-cli`.

mod acl;
mod kubernetes;
mod network;
mod postgres;

mod s3;

use crate::plan::{Granted, Rights};

/// Who is granted what a cluster grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A service account, in this namespace or in that of the role.
    ServiceAccount {
        namespace: Option<String>,
        name: String,
    },
    User(String),
    Group(String),
}

/// What understands the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Kubernetes,
    Postgres,
    S3,
    Redis,
    Network,
}

impl System {
    pub const ALL: &'static [Self] = &[Self::Kubernetes, Self::Postgres, Self::S3, Self::Redis, Self::Network];

    /// What it is, and what takes it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes, for `kubectl apply -f -`",
            Self::Postgres => "postgres, for `psql`",
            Self::S3 => "s3, a policy of IAM",
            Self::Redis => "redis, for `redis-cli`",
            Self::Network => "network",
        }
    }

    const fn driver(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Postgres => "postgres",
            Self::S3 => "s3",
            Self::Redis => "redis",
            Self::Network => "",
        }
    }
}

/// The text for one system; `None` where the runbook needs nothing of it.
#[must_use]
pub fn of(system: System, runbook: &str, rights: &Rights, subject: &Subject) -> Option<String> {
    let granted: Vec<&Granted> = rights.granted.iter().filter(|one| one.driver == system.driver()).collect();
    if system == System::Network {
        return network::policy(runbook, &rights.endpoints);
    }
    if granted.is_empty() {
        return None;
    }
    Some(match system {
        System::Kubernetes => kubernetes::roles(runbook, &granted, subject),
        System::Postgres => postgres::grants(&granted),
        System::S3 => s3::policies(&granted),
        System::Redis | System::Network => acl::users(&granted),
    })
}

/// A name as objects of a cluster have: `Daily operations` is `daily-operations`.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    // 63 is what fits where such a name is a label.
    slug.truncate(50);
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "runbook".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_title_becomes_a_name_of_an_object() {
        assert_eq!(slug("Daily operations"), "daily-operations");
        assert_eq!(slug("  Über: alles! "), "ber-alles");
        assert_eq!(slug("日本"), "runbook");
        assert!(slug(&"long ".repeat(40)).len() <= 50);
    }
}
