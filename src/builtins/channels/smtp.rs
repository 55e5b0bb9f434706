//! One mail to one server: the session, step by step, and what each refusal means.

use std::error::Error as _;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::time::timeout;

use super::unsealed::Unsealed;
use super::wording::one_line;
use crate::builtins::dial::gate::Gate;
use crate::builtins::dial::{self, Place, Progress, Trouble, name, tcp, tls};
use crate::builtins::plain_text::redacted;
use crate::catalog::{Again, NotTold};
use crate::types::{Fault, FaultKind, SecretText};

/// A server that has taken the mail is not waited for any longer than this.
const GOODBYE: Duration = Duration::from_secs(1);

/// A mail server, and how it is talked to.
pub(super) struct Server {
    pub(super) gate: Gate,
    pub(super) place: Place,
    pub(super) tls: Tls,
    /// The file that names whom to trust, and its text.
    pub(super) authorities: Option<(String, String)>,
    pub(super) login: Option<(String, SecretText)>,
    pub(super) hello: ClientId,
    pub(super) within: Duration,
}

/// How the way is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    None,
    /// By STARTTLS.
    Upgraded,
    FromTheStart,
}

impl Tls {
    /// The port where none is said.
    pub(super) const fn port(self, here: bool) -> u16 {
        match self {
            Self::FromTheStart => 465,
            Self::Upgraded if !here => 587,
            Self::Upgraded | Self::None => 25,
        }
    }
}

/// A mail that the server has taken.
pub(super) struct Delivered {
    /// `250 queued`
    pub(super) said: String,
    /// To whom not.
    pub(super) refused: Vec<Refusal>,
}

/// An address that the server does not take.
pub(super) struct Refusal {
    pub(super) address: Address,
    /// `550 No such user here`
    said: String,
    /// It may be taken later.
    pub(super) passes: bool,
}

impl Refusal {
    /// `a@example.com: 550 No such user here`, one after the other.
    pub(super) fn all(refused: &[Self]) -> String {
        refused.iter().map(|one| format!("{}: {}", one.address, one.said)).collect::<Vec<_>>().join("; ")
    }
}

type Session<T> = Result<Result<T, NotTold>, Trouble>;

impl Server {
    /// Sends a mail. Where at least one address is taken, the mail goes to those.
    pub(super) async fn deliver(&self, from: &Address, to: &[Address], mail: &[u8]) -> Result<Delivered, NotTold> {
        let (progress, gone_out) = (Progress::default(), AtomicBool::new(false));
        let work = self.session(from, to, mail, &progress, &gone_out);
        let result = dial::within(self.within, &self.place, &progress, work).await;
        let result = result.unwrap_or_else(|trouble| Err(later(trouble.fault)));
        result.map_err(|not_told| {
            // Whether the server has kept what it got, it did not say; a refusal it did say.
            let unsaid = matches!(not_told.fault.kind, FaultKind::Unreachable | FaultKind::Timeout);
            let fault = if unsaid && gone_out.load(Ordering::Relaxed) { not_told.fault.sent() } else { not_told.fault };
            NotTold { fault, ..not_told }
        })
    }

    async fn session(
        &self,
        from: &Address,
        to: &[Address],
        mail: &[u8],
        progress: &Progress,
        gone_out: &AtomicBool,
    ) -> Session<Delivered> {
        let mut connection = match self.connect(progress).await? {
            Ok(connection) => connection,
            Err(not_told) => return Ok(Err(not_told)),
        };
        let result = self.mail(&mut connection, from, to, mail, progress, gone_out).await;
        if result.is_ok() {
            // The mail is taken, whatever comes of this.
            let _ = timeout(GOODBYE, connection.quit()).await;
        }
        Ok(result)
    }

    /// A connection that is sealed as it should be, and logged in.
    async fn connect(&self, progress: &Progress) -> Session<AsyncSmtpConnection> {
        let opened = if self.tls == Tls::FromTheStart {
            self.gate.pass(&self.place.host)?;
            progress.looking_up(&self.place.host);
            let addresses = name::resolve(&self.place).await?;
            progress.now(format!("connecting to {} by TLS", self.place));
            let parameters = self.parameters()?;
            AsyncSmtpConnection::connect_tokio1(addresses.as_slice(), None, &self.hello, Some(parameters), None).await
        } else {
            let (stream, _) = dial::dial(&self.gate, &self.place, progress).await?;
            progress.now("waiting for the greeting");
            AsyncSmtpConnection::connect_with_transport(Box::new(Unsealed::new(stream)), &self.hello).await
        };
        let mut connection = match opened {
            Ok(connection) => connection,
            Err(error) => return Ok(Err(self.failed(&error, "the connection")?)),
        };
        if self.tls == Tls::Upgraded {
            if !connection.can_starttls() {
                let message = format!("{} does not offer STARTTLS, and the mail would go out in the clear", self.place);
                let fault = Fault::new(FaultKind::Unsupported, message)
                    .help("say `tls: \"tls\"` where TLS comes first, usually on port 465");
                return Ok(Err(NotTold { fault, again: Again::Never }));
            }
            progress.now("the TLS handshake");
            let parameters = self.parameters()?;
            if let Err(error) = connection.starttls(parameters, &self.hello).await {
                return Ok(Err(self.failed(&error, "STARTTLS")?));
            }
        }
        if let Some((user, password)) = &self.login {
            progress.now("logging in");
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            if let Err(error) = connection.auth(DEFAULT_MECHANISMS, &credentials).await {
                return Ok(Err(self.not_let_in(&error)?));
            }
        }
        Ok(Ok(connection))
    }

    async fn mail(
        &self,
        connection: &mut AsyncSmtpConnection,
        from: &Address,
        to: &[Address],
        mail: &[u8],
        progress: &Progress,
        gone_out: &AtomicBool,
    ) -> Result<Delivered, NotTold> {
        let failed =
            |error: &Error, what: &str| self.failed(error, what).unwrap_or_else(|trouble| later(trouble.fault));
        let mut options = Vec::new();
        let ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        if !to.iter().chain([from]).all(ascii) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let message = format!("{} takes no addresses with letters beyond ASCII (SMTPUTF8)", self.place);
                return Err(NotTold { fault: Fault::new(FaultKind::Unsupported, message), again: Again::Never });
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if !mail.is_ascii() {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        progress.now(format!("saying that it is from {from}"));
        let sender = connection.command(Mail::new(Some(from.clone()), options)).await;
        sender.map_err(|error| failed(&error, &format!("a mail from {from}")))?;
        let mut refused = Vec::new();
        for address in to {
            progress.now(format!("saying that it is to {address}"));
            if let Err(error) = connection.command(Rcpt::new(address.clone(), Vec::new())).await {
                if error.status().is_none() {
                    return Err(failed(&error, &format!("a mail to {address}")));
                }
                refused.push(Refusal {
                    address: address.clone(),
                    said: self.said(&error),
                    passes: error.is_transient(),
                });
            }
        }
        if refused.len() == to.len() {
            let message = format!("{} refuses {}", self.place, Refusal::all(&refused));
            let again = if refused.iter().any(|one| one.passes) { Again::Later } else { Again::Never };
            return Err(NotTold { fault: Fault::new(FaultKind::Failed, message), again });
        }
        progress.now("offering the mail");
        connection.command(Data).await.map_err(|error| failed(&error, "the mail"))?;
        progress.now("waiting for what it says to the mail");
        gone_out.store(true, Ordering::Relaxed);
        let answer = connection.message(mail).await.map_err(|error| failed(&error, "the mail"))?;
        let words = one_line(&answer.message().collect::<Vec<_>>().join(" "));
        let said = format!("{} {}", answer.code(), words.chars().take(100).collect::<String>());
        Ok(Delivered { said: said.trim().to_owned(), refused })
    }

    fn parameters(&self) -> Result<TlsParameters, Trouble> {
        let mut builder = TlsParameters::builder(self.place.host.clone());
        let wrong = |what: String| Trouble::ours(FaultKind::Setup, what);
        if let Some((path, pem)) = &self.authorities {
            let help = "it must hold PEM: -----BEGIN CERTIFICATE-----";
            let authority = Certificate::from_pem(pem.as_bytes())
                .map_err(|error| wrong(format!("`{path}` is no list of certificates: {error}")).help(help))?;
            builder = builder.certificate_store(CertificateStore::None).add_root_certificate(authority);
        }
        builder.build().map_err(|error| wrong(format!("TLS with {} cannot be set up: {error}", self.place)))
    }

    /// The server's own words: `451 try again later`.
    fn said(&self, error: &Error) -> String {
        let words = error.source().map(|source| one_line(&source.to_string())).unwrap_or_default();
        let words = self.clean(&words.chars().take(200).collect::<String>());
        match error.status() {
            Some(code) => format!("{code} {words}").trim().to_owned(),
            None => words,
        }
    }

    /// A server may repeat what it was told.
    fn clean(&self, text: &str) -> String {
        match &self.login {
            Some((_, password)) => redacted(text, std::slice::from_ref(password)),
            None => text.to_owned(),
        }
    }

    fn not_let_in(&self, error: &Error) -> Result<NotTold, Trouble> {
        if error.is_permanent() {
            let fault =
                Fault::new(FaultKind::Denied, format!("{} does not let us in: {}", self.place, self.said(error)));
            let fault = fault.help("are `user` and `password` those of this mail server?");
            return Ok(NotTold { fault, again: Again::Never });
        }
        if error.is_client() {
            let message = format!("{} offers no way to log in by a password", self.place);
            return Ok(NotTold { fault: Fault::new(FaultKind::Unsupported, message), again: Again::Never });
        }
        self.failed(error, "the login")
    }

    /// What a step that failed means: 4xx passes, 5xx does not, and what was not said may be said another time.
    fn failed(&self, error: &Error, step: &str) -> Result<NotTold, Trouble> {
        let place = &self.place;
        if error.status().is_some() {
            let fault = Fault::new(FaultKind::Failed, format!("{place} refuses {step}: {}", self.said(error)));
            let again = if error.is_permanent() { Again::Never } else { Again::Later };
            return Ok(NotTold { fault, again });
        }
        if let Some(io) = io_error(error) {
            if io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some() {
                return Err(tls::failed(place, io));
            }
            let what = tcp::words(io);
            return Ok(later(Fault::new(FaultKind::Unreachable, format!("no answer from {place} to {step}: {what}"))));
        }
        let what = self.said(error);
        if what == "incomplete response" {
            let message = format!("{place} closed the connection without an answer to {step}");
            return Ok(later(Fault::new(FaultKind::Unreachable, message)));
        }
        let fault = Fault::new(FaultKind::BadAnswer, format!("what answers at {place} does not speak SMTP: {what}"));
        Ok(later(fault.help("is it a mail server, and the right port for `tls:`?")))
    }
}

fn later(fault: Fault) -> NotTold {
    let again = if matches!(fault.kind, FaultKind::Setup | FaultKind::Forbidden) { Again::Never } else { Again::Later };
    NotTold { fault, again }
}

/// What the machine said, behind the library's words.
fn io_error(error: &Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref() {
            return Some(io);
        }
        source = inner.source();
    }
    None
}
