//! Whose credentials sign the requests: found as the tools of AWS do, but that a source which is set up and fails is a
//! fault. Going on to the next one would ask as somebody else.

mod context;
mod environment;
mod profiles;
mod source;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use reqsign::aws::{Credential, RequestSigner};
use reqsign::{Context, ErrorKind, ProvideCredential, Signer};

pub(super) use self::environment::Environment;
use self::profiles::Profiles;
use self::source::Source;
use super::place::Region;
use super::refusal::one_line;
use crate::builtins::dial::gate::Gate;
use crate::builtins::dial::tls::Trust;
use crate::builtins::http::client::{Proxies, Request};
use crate::builtins::plain_text::redacted;
use crate::types::{Fault, FaultKind, SecretText};

/// What the declaration of a connection says of credentials.
pub(super) struct Given {
    pub(super) anonymous: bool,
    pub(super) keys: Option<Keys>,
    pub(super) profile: Option<String>,
}

/// Keys that are written in the declaration, as secrets.
pub(super) struct Keys {
    pub(super) access: String,
    pub(super) secret: SecretText,
    pub(super) session: Option<SecretText>,
}

/// What is read of this machine, once for a connection.
pub(super) struct Machine<'a> {
    pub(super) environment: &'a Environment,
    profiles: Profiles,
    context: Context,
    region: Region,
    is_named: bool,
}

impl<'a> Machine<'a> {
    pub(super) async fn look(
        gate: &Gate,
        environment: &'a Environment,
        trust: &Trust,
        proxies: &Proxies,
        region: Option<&str>,
        profile: Option<&str>,
    ) -> Result<Self, Fault> {
        let profiles = Profiles::read(environment).await?;
        let context = context::context(gate, environment, trust, proxies)?;
        let named = region
            .or_else(|| environment.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]))
            .or_else(|| setting(environment, &profiles, profile, "region"));
        let region = Region::parse(named.unwrap_or(Region::DEFAULT))?;
        let is_named = named.is_some();
        Ok(Self { environment, profiles, context, region, is_named })
    }

    /// The region that was named, or AWS's first one.
    pub(super) const fn region(&self) -> &Region {
        &self.region
    }

    /// The region, where somebody said one.
    pub(super) fn named_region(&self) -> Option<&Region> {
        self.is_named.then_some(&self.region)
    }

    /// What a profile says of something else than credentials.
    pub(super) fn setting(&self, profile: Option<&str>, name: &str) -> Option<&str> {
        setting(self.environment, &self.profiles, profile, name)
    }

    /// Who signs.
    pub(super) fn identity(&self, given: Given) -> Result<Identity, Fault> {
        if given.anonymous {
            return Ok(Identity { who: "nobody, unsigned".to_owned(), signing: None });
        }
        let source = Source::find(self, given)?;
        let secrets = Secrets::default();
        let provider = Provider { source: source.provider, secrets: secrets.clone(), nothing: Mutex::new(None) };
        let signer = Signer::new(self.context.clone(), provider, RequestSigner::new("s3", self.region.name()));
        Ok(Identity { who: source.who, signing: Some(Signing { signer, secrets, looked: source.looked }) })
    }
}

/// The name of the profile that counts.
fn profile_name<'a>(environment: &'a Environment, profile: Option<&'a str>) -> &'a str {
    profile.or_else(|| environment.first(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])).unwrap_or("default")
}

fn setting<'a>(
    environment: &Environment,
    profiles: &'a Profiles,
    profile: Option<&str>,
    name: &str,
) -> Option<&'a str> {
    let section = profiles.get(profile_name(environment, profile))?;
    section.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

/// Who asks.
pub(super) struct Identity {
    /// For the output: `access key AKIA…MPLE`, `profile ops`.
    pub(super) who: String,
    signing: Option<Signing>,
}

struct Signing {
    signer: Signer<Credential>,
    secrets: Secrets,
    /// Where credentials were looked for, if there are none.
    looked: Vec<String>,
}

impl Identity {
    /// Signs a request for a region, or leaves it as it is where nobody signs.
    pub(super) async fn sign(&self, request: &mut Request, region: &Region, limit: Duration) -> Result<(), Fault> {
        let Some(signing) = &self.signing else { return Ok(()) };
        let mut parts = http::Request::new(()).into_parts().0;
        parts.method = request.method.clone();
        parts.uri = request.url.as_str().parse().map_err(|error| {
            Fault::new(FaultKind::Setup, format!("`{}` is no address to ask: {error}", request.url.path()))
        })?;
        parts.headers = std::mem::take(&mut request.headers);
        let signer = signing.signer.clone().with_request_signer(RequestSigner::new("s3", region.name()));
        let signed = tokio::time::timeout(limit, signer.sign(&mut parts, None)).await;
        signed
            .map_err(|_| Fault::new(FaultKind::Unreachable, format!("no credentials of {} in time", self.who)))?
            .map_err(|error| self.unsigned(signing, &error))?;
        request.headers = parts.headers;
        Ok(())
    }

    /// The text without secrets of this identity.
    pub(super) fn redacted(&self, text: &str) -> String {
        self.signing.as_ref().map_or_else(|| text.to_owned(), |signing| redacted(text, &signing.secrets.all()))
    }

    fn unsigned(&self, signing: &Signing, error: &reqsign::Error) -> Fault {
        if let Some(nothing) = cause::<Nothing>(error) {
            let places = signing.looked.join("; ");
            return Fault::new(FaultKind::Setup, format!("no credentials anywhere: {places}; {}", nothing.0)).help(
                "`aws configure` writes a profile, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are read as well, and \
                 `anonymous: true` asks without any",
            );
        }
        let said = in_words(&self.redacted(&error.to_string()));
        let fault = cause::<Fault>(error);
        // Nothing has gone out to the bucket: a change that was meant did not happen, and a kind must not say `unknown`.
        let kind = match (error.kind(), fault.map(|fault| fault.kind)) {
            (_, Some(FaultKind::Unreachable | FaultKind::Timeout)) => FaultKind::Unreachable,
            (ErrorKind::CredentialInvalid | ErrorKind::PermissionDenied, _) => FaultKind::Denied,
            _ => FaultKind::Setup,
        };
        let why = fault.filter(|fault| *fault.message != *said).map(|fault| format!(": {}", fault.message));
        let message = format!("no credentials of {}: {said}{}", self.who, why.unwrap_or_default());
        let fault = Fault::new(kind, message);
        if error.kind() == ErrorKind::CredentialInvalid {
            fault.help("they may have expired: log in again, as with `aws sso login`")
        } else {
            fault.help("`aws sts get-caller-identity` with the same settings says whether the AWS tools get further")
        }
    }
}

/// What an error says, on one line: of an answer in XML or HTML only its message.
fn in_words(text: &str) -> String {
    let message = text.split_once("<Message>").and_then(|(_, rest)| rest.split_once("</Message>"));
    let plain = match (text.split_once('<'), message) {
        (Some((before, _)), Some((message, _))) => format!("{before}{message}"),
        (Some((before, _)), None) => before.to_owned(),
        (None, _) => text.to_owned(),
    };
    one_line(&plain)
}

/// The first cause of a kind behind an error.
fn cause<E: std::error::Error + 'static>(error: &reqsign::Error) -> Option<&E> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// What no message may repeat. It grows with each renewal.
#[derive(Clone, Default)]
struct Secrets(Arc<Mutex<Vec<SecretText>>>);

impl Secrets {
    fn all(&self) -> Vec<SecretText> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, credential: &Credential) {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for text in [Some(&credential.secret_access_key), credential.session_token.as_ref()].into_iter().flatten() {
            if !secrets.iter().any(|known| known.expose() == text) {
                secrets.push(SecretText::new(text.clone()));
            }
        }
    }
}

/// There are none, and why the last place to look has none.
#[derive(Clone, Debug)]
struct Nothing(String);

impl std::fmt::Display for Nothing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Nothing {}

/// One source of credentials. That there are none is found out once for a run.
struct Provider {
    source: source::Kind,
    secrets: Secrets,
    nothing: Mutex<Option<Nothing>>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Provider")
    }
}

impl ProvideCredential for Provider {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> reqsign::Result<Option<Credential>> {
        let known = self.nothing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let nothing = |nothing: Nothing| reqsign::Error::config_invalid("no credentials anywhere").with_source(nothing);
        if let Some(known) = known {
            return Err(nothing(known));
        }
        let found = match &self.source {
            source::Kind::SetUp(provider) => provider.provide_credential_dyn(context).await?,
            source::Kind::LastResort(provider) => match provider.provide_credential_dyn(context).await {
                Ok(found) => found,
                Err(error) => {
                    let why =
                        cause::<Fault>(&error).map_or_else(|| error.to_string(), |fault| fault.message.to_string());
                    let why = Nothing(format!("and this machine is none of EC2's with a role: {why}"));
                    *self.nothing.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
                    return Err(nothing(why));
                }
            },
        };
        match found {
            Some(credential) => {
                self.secrets.note(&credential);
                Ok(Some(credential))
            }
            None => match &self.source {
                source::Kind::LastResort(_) => Err(nothing(Nothing(
                    "and AWS_EC2_METADATA_DISABLED forbids to ask this machine's own service".to_owned(),
                ))),
                source::Kind::SetUp(_) => Err(reqsign::Error::credential_invalid("there are none any more")),
            },
        }
    }
}

/// The headers of a request that is signed: what is added behind the signature may change on the way.
pub(super) fn unsigned_headers(headers: &mut HeaderMap) {
    headers.insert(
        http::header::USER_AGENT,
        http::HeaderValue::from_static(concat!("runbook/", env!("CARGO_PKG_VERSION"))),
    );
}
