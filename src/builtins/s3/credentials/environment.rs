//! What the environment says to the tools of AWS, as the world has it.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::catalog::Cx;
use crate::types::Fault;

/// What is asked for. The libraries see these and no others.
const NAMES: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
];

/// The variables that are set and not empty.
pub(in crate::builtins::s3) struct Environment {
    variables: HashMap<String, String>,
    home: Option<PathBuf>,
}

impl Environment {
    pub(in crate::builtins::s3) fn read(cx: &Cx) -> Result<Self, Fault> {
        let mut variables = HashMap::new();
        for name in NAMES {
            if let Some(value) = cx.world.env(name)?.filter(|value| !value.is_empty()) {
                variables.insert((*name).to_owned(), value);
            }
        }
        let home = cx.world.env("HOME")?.filter(|home| !home.is_empty()).map(PathBuf::from);
        Ok(Self { variables, home })
    }

    pub(in crate::builtins::s3) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The first of several that is set.
    pub(in crate::builtins::s3) fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    pub(super) fn home(&self) -> Option<&PathBuf> {
        self.home.as_ref()
    }

    /// As the library that gets credentials takes it.
    pub(super) fn for_library(&self) -> reqsign::StaticEnv {
        reqsign::StaticEnv { home_dir: self.home.clone(), envs: self.variables.clone() }
    }
}
