//! TLS: whom to trust, the handshake, and what is wrong with a certificate in words.

use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::tcp::words;
use super::{Place, Trouble};
use crate::catalog::Cx;
use crate::types::{Fault, FaultKind};
use crate::units;

/// Whom to trust. What the system trusts is read when it is first needed.
#[derive(Clone)]
pub(in crate::builtins) enum Trust {
    System,
    /// Only what these authorities signed.
    Authorities(Arc<dyn ServerCertVerifier>),
    /// Whoever answers. The channel is sealed, and nobody knows to whom.
    Anybody,
}

impl Trust {
    /// The authorities in a PEM file.
    ///
    /// # Errors
    /// Where the file cannot be read or has no certificate.
    pub(in crate::builtins) fn file(cx: &Cx, path: &str) -> Result<Self, Fault> {
        let bad = |why: &str| {
            Fault::new(FaultKind::Setup, format!("`{path}` {why}"))
                .help("it must hold PEM: -----BEGIN CERTIFICATE-----")
        };
        let text = cx.world.file(Path::new(path))?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            let certificate = certificate.map_err(|error| bad(&format!("is no list of certificates: {error}")))?;
            roots.add(certificate).map_err(|error| bad(&format!("has a certificate that is broken: {error}")))?;
        }
        if roots.is_empty() {
            return Err(bad("has no certificate in it"));
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        verifier.map(|verifier| Self::Authorities(verifier)).map_err(|error| bad(&format!("is of no use: {error}")))
    }

    /// What judges a certificate.
    pub(in crate::builtins) fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, Trouble> {
        match self {
            Self::System => system(),
            Self::Authorities(verifier) => Ok(Arc::clone(verifier)),
            Self::Anybody => Ok(Arc::new(Anybody(provider()))),
        }
    }

    /// A configuration of TLS; `protocols` are offered by ALPN.
    pub(in crate::builtins) fn config(&self, protocols: &[&[u8]]) -> Result<Arc<ClientConfig>, Trouble> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| Trouble::ours(FaultKind::Setup, format!("TLS cannot be set up: {error}")))?;
        let mut config = builder.dangerous().with_custom_certificate_verifier(self.verifier()?).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Arc::new(config))
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider())))
}

/// The system's authorities, read once: that is a hundred certificates.
fn system() -> Result<Arc<dyn ServerCertVerifier>, Trouble> {
    static SYSTEM: OnceLock<Arc<dyn ServerCertVerifier>> = OnceLock::new();
    if let Some(verifier) = SYSTEM.get() {
        return Ok(Arc::clone(verifier));
    }
    let verifier = rustls_platform_verifier::Verifier::new(provider()).map_err(|error| {
        Trouble::ours(
            FaultKind::Setup,
            format!("this machine's list of certificate authorities cannot be used: {error}"),
        )
        .help("install the system's CA certificates (`ca-certificates`), or name a file: `ca: \"./ca.pem\"`")
    })?;
    Ok(Arc::clone(SYSTEM.get_or_init(|| Arc::new(verifier))))
}

/// TLS over a stream that is there.
pub(in crate::builtins) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    place: &Place,
    name: &str,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<S>, Trouble> {
    let name = server_name(name)?;
    TlsConnector::from(config).connect(name.clone(), stream).await.map_err(|error| failed(place, &error))
}

/// A name as certificates know it.
pub(in crate::builtins) fn server_name(name: &str) -> Result<ServerName<'static>, Trouble> {
    ServerName::try_from(name.to_owned())
        .map_err(|_| Trouble::ours(FaultKind::Setup, format!("`{name}` is no name that a certificate could be for")))
}

/// What an error of a handshake means.
pub(in crate::builtins) fn failed(place: &Place, error: &io::Error) -> Trouble {
    let unreachable = |message: String| Trouble::theirs(FaultKind::Unreachable, message);
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return unreachable(format!("no TLS with {place}: {} during the handshake", words(error)));
    };
    match tls {
        rustls::Error::InvalidCertificate(problem) => {
            let trouble = unreachable(format!("no TLS with {place}: {}", certificate_problem(problem)));
            match problem {
                // Whether the server or this machine's list is wrong, nobody can tell from here.
                CertificateError::UnknownIssuer => {
                    Trouble { ours: true, ..trouble }.help("name the authority that signs it: `ca: \"./ca.pem\"`")
                }
                CertificateError::NotValidForNameContext { .. } | CertificateError::NotValidForName => {
                    trouble.help("connect under a name that the certificate is for")
                }
                _ => trouble,
            }
        }
        rustls::Error::AlertReceived(alert) => unreachable(format!("{place} refuses TLS: {alert:?}")),
        rustls::Error::InvalidMessage(_) => {
            Trouble::theirs(FaultKind::BadAnswer, format!("what answers at {place} does not speak TLS"))
                .help("is it `http://`, or another port?")
        }
        other => unreachable(format!("no TLS with {place}: {other}")),
    }
}

/// What is wrong with a certificate.
pub(in crate::builtins) fn certificate_problem(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { time, not_after } => {
            format!("the certificate expired {} ago, on {}", span(*not_after, *time), day(*not_after))
        }
        CertificateError::Expired => "the certificate has expired".to_owned(),
        CertificateError::NotValidYetContext { time, not_before } => {
            format!("the certificate is valid in {} only, from {}", span(*time, *not_before), day(*not_before))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let presented = presented.iter().map(|name| plain_name(name)).collect::<Vec<_>>().join("`, `");
            format!("the certificate is for `{presented}`, not for `{}`", expected.to_str())
        }
        CertificateError::UnknownIssuer => "the certificate is signed by no authority that is trusted here".to_owned(),
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        CertificateError::BadEncoding => "the certificate is broken".to_owned(),
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the certificate is an authority's own and cannot be a server's".to_owned()
        }
        other => format!("the certificate is not accepted: {other}"),
    }
}

/// `DnsName("x.example")` is how the library lists a name.
fn plain_name(name: &str) -> &str {
    name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name).trim_matches('"')
}

fn span(from: UnixTime, to: UnixTime) -> String {
    let seconds = Duration::from_secs(to.as_secs().saturating_sub(from.as_secs()));
    units::duration(i64::try_from(seconds.as_nanos()).unwrap_or(i64::MAX))
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| "a day out of range".to_owned(), |time| time.to_string())
}

/// Accepts every certificate, but still wants the server to have its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
