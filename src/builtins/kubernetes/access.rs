//! One identity at one server: its client, made when it is first needed, and what is known of its credentials.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig};
use kube::{Client, Config};
use secrecy::ExposeSecret;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::kubeconfig::Chosen;
use super::kubectl::Kubectl;
use super::plugin;
use crate::builtins::dial::{Place, system_of};
use crate::builtins::tls::own::OwnCertificate;
use crate::catalog::World;
use crate::types::{Fault, FaultKind, Value};

/// How long a client may take to be made: a login program of the old kind is run meanwhile.
const MAKING: Duration = Duration::from_secs(30);
/// Credentials that end sooner than this are fetched anew.
const SPARE: Duration = Duration::from_mins(1);

pub(super) struct Access {
    pub(super) context: Arc<str>,
    /// What the kubeconfig calls the user.
    user: Arc<str>,
    pub(super) server: Arc<str>,
    /// Where the proxy is that it is asked through.
    pub(super) proxy: Option<Place>,
    /// How a person asks the same.
    pub(super) kubectl: Kubectl,
    config: Config,
    exec: Option<ExecConfig>,
    world: Arc<dyn World>,
    login: Mutex<Option<Login>>,
}

struct Login {
    client: Client,
    /// Until when the credentials of a plugin are good.
    until: Option<Timestamp>,
}

impl Access {
    /// Which cluster it is. Many are `https://10.96.0.1` to those within, so that whom it is trusted by belongs to it.
    pub(super) fn cluster(&self) -> String {
        let server = self.server.parse().map_or_else(|_| self.server.to_string(), |url| system_of(&url));
        let Some(authorities) = self.config.root_cert.as_ref().filter(|all| !all.is_empty()) else {
            return server;
        };
        let mut hasher = Sha256::new();
        for authority in authorities {
            hasher.update(authority);
        }
        let hash = hex::encode(hasher.finalize());
        format!("{server} (authority {})", hash.get(..12).unwrap_or(&hash))
    }

    pub(super) fn new(chosen: Chosen, within: Duration, world: Arc<dyn World>) -> Self {
        let proxy = chosen.proxy();
        let mut config = chosen.config;
        // What is worth a second try is decided here, and a change never is.
        config.default_retry = false;
        config.connect_timeout = Some(within);
        Self {
            context: chosen.context,
            user: chosen.user,
            server: chosen.server,
            proxy,
            kubectl: chosen.kubectl,
            config,
            exec: chosen.exec,
            world,
            login: Mutex::new(None),
        }
    }

    /// The client, with credentials that are good for the next minute.
    pub(super) async fn client(&self) -> Result<Client, Fault> {
        let mut login = self.login.lock().await;
        let soon = self.world.now().checked_add(SPARE).unwrap_or(Timestamp::MAX);
        if let Some(login) = login.as_ref().filter(|login| login.until.is_none_or(|until| until > soon)) {
            return Ok(login.client.clone());
        }
        let mut config = self.config.clone();
        let until = match &self.exec {
            Some(exec) => plugin::log_in(exec, &self.context, &self.kubectl, &mut config.auth_info).await?,
            None => None,
        };
        let setup =
            |why: String| Fault::new(FaultKind::Setup, format!("the context `{}` is of no use: {why}", self.context));
        let made = tokio::task::spawn_blocking(|| Client::try_from(config));
        let client = match timeout(MAKING, made).await {
            Ok(Ok(client)) => client.map_err(|error| setup(super::faults::words(&error)))?,
            Ok(Err(error)) => return Err(setup(format!("its client broke off: {error}"))),
            Err(_) => return Err(setup("its login program does not end".to_owned())),
        };
        *login = Some(Login { client: client.clone(), until });
        Ok(client)
    }

    /// Forgets credentials that the server does not take, if others can be had. Says whether they can.
    pub(super) async fn forget(&self) -> bool {
        if self.exec.is_some() {
            *self.login.lock().await = None;
        }
        self.exec.is_some()
    }

    /// As whom, by the kubeconfig alone: who is acted as, whom the certificate or the token is for, or the entry's name.
    pub(super) fn presumably(&self) -> Arc<str> {
        let auth = &self.config.auth_info;
        let certified = || certificate(auth).and_then(|certificate| certificate.name);
        let name = auth.impersonate.clone().or_else(certified).or_else(|| claims(auth).and_then(|claims| claims.sub));
        match name {
            Some(name) => name.into(),
            None if self.user.is_empty() => "nobody in particular".into(),
            None => Arc::clone(&self.user),
        }
    }

    /// What the kubeconfig says, for a message about a refusal: the user `sre` of the context `prod`.
    pub(super) fn named(&self) -> String {
        if self.user.is_empty() {
            format!("the context `{}`, which has no user", self.context)
        } else {
            format!("the user `{}` of the context `{}`", self.user, self.context)
        }
    }

    /// What is wrong with the credentials by this machine's clock: they have ended, or begin later.
    pub(super) fn out_of_date(&self) -> Option<String> {
        let (now, auth) = (self.world.now(), &self.config.auth_info);
        let ago = |then: Timestamp| Value::Duration(whole_seconds(now, then));
        if let Some(own) = certificate(auth) {
            if own.not_after < now {
                return Some(format!("its certificate expired {} ago, on {:.0}", ago(own.not_after), own.not_after));
            }
            if own.not_before > now {
                return Some(format!("its certificate is valid only from {:.0} on", own.not_before));
            }
        }
        let exp = claims(auth).and_then(|claims| claims.exp).and_then(|exp| Timestamp::from_second(exp).ok())?;
        (exp < now).then(|| format!("its token expired {} ago, on {exp:.0}", ago(exp)))
    }

    /// How one logs in again.
    pub(super) fn log_in_again(&self) -> String {
        match &self.exec {
            Some(exec) => {
                let words: Vec<&str> =
                    exec.command.iter().chain(exec.args.iter().flatten()).map(String::as_str).collect();
                format!("log in again; its credentials come from `{}`", words.join(" "))
            }
            None => format!("log in again, then see who you are: `{}`", self.kubectl.line("auth whoami")),
        }
    }
}

/// Whole seconds are enough of an age.
fn whole_seconds(now: Timestamp, then: Timestamp) -> jiff::SignedDuration {
    jiff::SignedDuration::from_secs(now.duration_since(then).as_secs())
}

fn certificate(auth: &AuthInfo) -> Option<OwnCertificate> {
    let pem = match (&auth.client_certificate_data, &auth.client_certificate) {
        (Some(data), _) => BASE64_STANDARD.decode(data).ok()?,
        (None, Some(path)) => std::fs::read(path).ok()?,
        (None, None) => return None,
    };
    OwnCertificate::read(&pem)
}

/// What a token says of itself, if it is one that says something. It is an explanation: nobody is let in by it.
#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    exp: Option<i64>,
}

fn claims(auth: &AuthInfo) -> Option<Claims> {
    let token = match (&auth.token, &auth.token_file) {
        (Some(token), _) => token.expose_secret().to_owned(),
        (None, Some(path)) => std::fs::read_to_string(path).ok()?,
        (None, None) => return None,
    };
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.trim().split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}
