//! Where credentials come from: what is set up on this machine decides, before anybody is asked.

use std::path::PathBuf;
use std::sync::Arc;

use reqsign::aws::{
    AssumeRoleCredentialProvider, AssumeRoleWithWebIdentityCredentialProvider, Credential, ECSCredentialProvider,
    IMDSv2CredentialProvider, ProcessCredentialProvider, RequestSigner, SSOCredentialProvider,
    StaticCredentialProvider,
};
use reqsign::{ProvideCredentialDyn, Signer};

use super::profiles::Section;
use super::{Given, Machine, profile_name};
use crate::builtins::settings::setup;
use crate::types::{Fault, FaultKind};

/// How many profiles may be assumed one from the other.
const MOST_ROLES: usize = 5;

/// The name of a session of a role, where nobody gave it one.
const SESSION: &str = "runbook";

type Provider = Arc<dyn ProvideCredentialDyn<Credential = Credential>>;

/// How sure it is that a source is meant.
pub(super) enum Kind {
    /// It is set up here: that it fails is a fault of its own.
    SetUp(Provider),
    /// Nothing is set up: that it fails means that there are no credentials.
    LastResort(Provider),
}

/// A source, and how it is called.
pub(super) struct Source {
    pub(super) provider: Kind,
    pub(super) who: String,
    /// Where was looked before.
    pub(super) looked: Vec<String>,
}

impl Source {
    fn set_up(provider: impl ProvideCredentialDyn<Credential = Credential>, who: impl Into<String>) -> Self {
        Self { provider: Kind::SetUp(Arc::new(provider)), who: who.into(), looked: Vec::new() }
    }

    /// The one that is meant.
    pub(super) fn find(machine: &Machine<'_>, given: Given) -> Result<Self, Fault> {
        if let Some(keys) = given.keys {
            let session = keys.session.as_ref().map(|session| session.expose().to_owned());
            return Ok(keys_source(&keys.access, keys.secret.expose(), session));
        }
        let environment = machine.environment;
        // A profile that the runbook names goes before the environment, as `--profile` does.
        if given.profile.is_none() {
            match (environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")) {
                (Some(access), Some(secret)) => {
                    let session = environment.get("AWS_SESSION_TOKEN").map(str::to_owned);
                    return Ok(keys_source(access, secret, session));
                }
                (None, None) => {}
                (access, _) => {
                    let (set, missing) = if access.is_some() {
                        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
                    } else {
                        ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")
                    };
                    return Err(setup(format!("`{set}` is set in the environment and `{missing}` is not"))
                        .help("set both, or none and a profile"));
                }
            }
        }
        let mut looked = vec!["AWS_ACCESS_KEY_ID is not set".to_owned()];
        looked.extend(machine.profiles.looked.iter().cloned());
        let name = profile_name(environment, given.profile.as_deref());
        match machine.profiles.get(name) {
            Some(section) => {
                if let Some(source) = profile(machine, name, section, &mut Vec::new())? {
                    return Ok(source);
                }
                looked.push(format!("the profile `{name}` has none"));
            }
            None if name == "default" => looked.push("there is no profile `default`".to_owned()),
            None => return Err(no_profile(machine, name)),
        }
        if let (Some(role), Some(file)) =
            (environment.get("AWS_ROLE_ARN"), environment.get("AWS_WEB_IDENTITY_TOKEN_FILE"))
        {
            let session = environment.get("AWS_ROLE_SESSION_NAME");
            return Ok(web_identity(machine, role, file, session));
        }
        looked.push("AWS_WEB_IDENTITY_TOKEN_FILE is not set".to_owned());
        if environment
            .first(&["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"])
            .is_some()
        {
            return Ok(Self::set_up(ECSCredentialProvider::new(), "the role of this container"));
        }
        looked.push("AWS_CONTAINER_CREDENTIALS_FULL_URI is not set".to_owned());
        let provider = Kind::LastResort(Arc::new(IMDSv2CredentialProvider::new()));
        Ok(Self { provider, who: "the role of this machine".to_owned(), looked })
    }
}

/// What a profile sets up; nothing where it has other settings only.
fn profile(
    machine: &Machine<'_>,
    name: &str,
    section: &Section,
    assumed: &mut Vec<String>,
) -> Result<Option<Source>, Fault> {
    let value = |key: &str| section.get(key).map(String::as_str).filter(|value| !value.is_empty());
    // A role may be assumed with the keys of its own profile.
    let again = assumed.last().is_some_and(|last| last == name);
    if let Some(role) = value("role_arn").filter(|_| !again) {
        return assumed_role(machine, name, role, section, assumed).map(Some);
    }
    if value("sso_start_url").or_else(|| value("sso_session")).is_some() {
        return sso(machine, name, section).map(Some);
    }
    match (value("aws_access_key_id"), value("aws_secret_access_key")) {
        (Some(access), Some(secret)) => {
            let source = keys_source(access, secret, value("aws_session_token").map(str::to_owned));
            return Ok(Some(Source { who: format!("{} of profile {name}", source.who), ..source }));
        }
        (None, None) => {}
        _ => {
            return Err(setup(format!(
                "the profile `{name}` has only one of aws_access_key_id and aws_secret_access_key"
            )));
        }
    }
    Ok(value("credential_process").map(|command| {
        Source::set_up(ProcessCredentialProvider::new().with_command(command), format!("profile {name}"))
    }))
}

fn assumed_role(
    machine: &Machine<'_>,
    name: &str,
    role: &str,
    section: &Section,
    assumed: &mut Vec<String>,
) -> Result<Source, Fault> {
    let value = |key: &str| section.get(key).map(String::as_str).filter(|value| !value.is_empty());
    let bad = |why: &str| Err(setup(format!("the profile `{name}` {why}")));
    if value("mfa_serial").is_some() {
        return Err(Fault::new(
            FaultKind::Unsupported,
            format!("the profile `{name}` wants a code of an MFA device, which nobody can type here"),
        )
        .help("`aws sts assume-role` with the code gives keys for AWS_ACCESS_KEY_ID and the others"));
    }
    if assumed.len() >= MOST_ROLES || assumed.iter().any(|other| other == name) {
        return bad(&format!("leads in a circle: {}", assumed.join(", ")));
    }
    let session = value("role_session_name");
    if let Some(file) = value("web_identity_token_file") {
        let source = web_identity(machine, role, file, session);
        return Ok(Source { who: format!("profile {name} ({role})"), ..source });
    }
    let source = match (value("source_profile"), value("credential_source")) {
        (Some(from), None) => {
            let Some(from_section) = machine.profiles.get(from) else { return Err(no_profile(machine, from)) };
            assumed.push(name.to_owned());
            let Some(source) = profile(machine, from, from_section, assumed)? else {
                return bad(&format!("is assumed from the profile `{from}`, which has no credentials"));
            };
            source
        }
        (None, Some("Environment")) => {
            let environment = machine.environment;
            let keys = (environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY"));
            let (Some(access), Some(secret)) = keys else {
                return bad("is assumed with keys of the environment, which has none");
            };
            keys_source(access, secret, environment.get("AWS_SESSION_TOKEN").map(str::to_owned))
        }
        (None, Some("Ec2InstanceMetadata")) => Source::set_up(IMDSv2CredentialProvider::new(), "this machine"),
        (None, Some("EcsContainer")) => Source::set_up(ECSCredentialProvider::new(), "this container"),
        (None, Some(other)) => return bad(&format!("has the credential_source `{other}`, which is none")),
        (Some(_), Some(_)) => return bad("has both source_profile and credential_source"),
        (None, None) => return bad("has a role_arn and neither source_profile nor credential_source"),
    };
    let (Kind::SetUp(from) | Kind::LastResort(from)) = source.provider;
    let region = section.get("region").map_or_else(|| machine.region.name(), String::as_str);
    let signer = Signer::new(machine.context.clone(), from, RequestSigner::new("sts", region));
    let mut provider = AssumeRoleCredentialProvider::new(role.to_owned(), signer)
        .with_region(region.to_owned())
        .with_regional_sts_endpoint()
        .with_role_session_name(session.unwrap_or(SESSION).to_owned());
    if let Some(id) = value("external_id") {
        provider = provider.with_external_id(id.to_owned());
    }
    Ok(Source::set_up(provider, format!("profile {name} ({role})")))
}

fn web_identity(machine: &Machine<'_>, role: &str, file: &str, session: Option<&str>) -> Source {
    let provider = AssumeRoleWithWebIdentityCredentialProvider::with_config(role.to_owned(), PathBuf::from(file))
        .with_region(machine.region.name().to_owned())
        .with_regional_sts_endpoint()
        .with_role_session_name(session.unwrap_or(SESSION).to_owned());
    Source::set_up(provider, format!("{role} by web identity"))
}

fn sso(machine: &Machine<'_>, name: &str, section: &Section) -> Result<Source, Fault> {
    let session =
        section.get("sso_session").map(|session| {
            machine.profiles.session(session).map(|found| (session.as_str(), found)).ok_or_else(|| {
                setup(format!("the profile `{name}` names the sso-session `{session}`, which no file has"))
            })
        });
    let session = session.transpose()?;
    let value = |key: &str| {
        let found = section.get(key).or_else(|| session.and_then(|(_, session)| session.get(key)));
        found.filter(|value| !value.is_empty()).ok_or_else(|| setup(format!("the profile `{name}` has no `{key}`")))
    };
    // The token lies in a file named after the session, or after the URL in profiles from before there were sessions.
    let token = match session {
        Some((session, _)) => session,
        None => value("sso_start_url")?,
    };
    let provider = SSOCredentialProvider::new()
        .with_account_id(value("sso_account_id")?)
        .with_role_name(value("sso_role_name")?)
        .with_region(value("sso_region")?)
        .with_start_url(token);
    Ok(Source::set_up(provider, format!("profile {name} by SSO")))
}

fn keys_source(access: &str, secret: &str, session: Option<String>) -> Source {
    let provider = StaticCredentialProvider::new(access, secret);
    let provider = match session {
        Some(session) => provider.with_session_token(&session),
        None => provider,
    };
    Source::set_up(provider, format!("access key {}", shortened(access)))
}

/// Enough of an access key to know it from another.
fn shortened(access: &str) -> String {
    let letters: Vec<char> = access.chars().filter(char::is_ascii_graphic).collect();
    let part = |range: std::ops::Range<usize>| letters.get(range).unwrap_or_default().iter().collect::<String>();
    match letters.len() {
        16.. => format!("{}…{}", part(0..4), part(letters.len() - 4..letters.len())),
        short => format!("{}…", part(0..short.min(2))),
    }
}

fn no_profile(machine: &Machine<'_>, name: &str) -> Fault {
    let known: Vec<String> = machine.profiles.names().map(|name| format!("`{name}`")).collect();
    let known = if known.is_empty() { "they have none".to_owned() } else { format!("they have {}", known.join(", ")) };
    setup(format!("there is no profile `{name}`: looked in {}", machine.profiles.looked.join(", "))).help(known)
}
