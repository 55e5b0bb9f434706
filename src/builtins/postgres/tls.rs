//! TLS as libpq names its ways.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::builtins::dial::Trouble;
use crate::builtins::dial::tls::Trust;
use crate::catalog::Cx;
use crate::types::Fault;

/// How much is asked of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    const ALL: [Self; 5] = [Self::Disable, Self::Prefer, Self::Require, Self::VerifyCa, Self::VerifyFull];

    pub(super) fn parse(word: &str) -> Option<Self> {
        // `allow` begins in the clear and seals where the server insists: `prefer` does no less.
        let word = if word == "allow" { "prefer" } else { word };
        Self::ALL.into_iter().find(|mode| mode.name() == word)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// TLS of one connection.
pub(super) struct Tls {
    mode: Mode,
    trust: Trust,
    connector: OnceLock<MakeRustlsConnect>,
}

impl Tls {
    /// As libpq does it, `require` with an authority checks that the authority signed.
    pub(super) fn new(cx: &Cx, mode: Mode, ca: Option<&str>) -> Result<Self, Fault> {
        let (mode, trust) = match (mode, ca) {
            (Mode::Disable | Mode::Prefer, _) | (Mode::Require, None) => (mode, Trust::Anybody),
            (Mode::Require, Some(path)) => (Mode::VerifyCa, Trust::file(cx, path)?),
            (_, Some(path)) => (mode, Trust::file(cx, path)?),
            (_, None) => (mode, Trust::System),
        };
        Ok(Self { mode, trust, connector: OnceLock::new() })
    }

    pub(super) const fn mode(&self) -> SslMode {
        match self.mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        }
    }

    /// What is not as it should be, for the output.
    pub(super) const fn shown(&self) -> &'static str {
        match self.mode {
            Mode::Disable | Mode::VerifyFull => "",
            Mode::Prefer => " (TLS if the server likes, unchecked)",
            Mode::Require => " (TLS, unchecked: whoever answers is trusted)",
            Mode::VerifyCa => " (TLS under any name)",
        }
    }

    /// Whether bytes go out as they are.
    pub(super) fn is_off(&self) -> bool {
        self.mode == Mode::Disable
    }

    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, Trouble> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector.clone());
        }
        let trust = match self.mode {
            Mode::VerifyCa => Trust::Authorities(Arc::new(AnyName(self.trust.verifier()?))),
            _ => self.trust.clone(),
        };
        let config = trust.config(&[])?;
        Ok(self.connector.get_or_init(|| MakeRustlsConnect::new(config.as_ref().clone())).clone())
    }
}

/// Whoever has a certificate that is signed by an authority, whatever its name.
#[derive(Debug)]
struct AnyName(Arc<dyn ServerCertVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.0.verify_server_cert(certificate, chain, name, ocsp, now) {
            // The name is looked at last: all else was right.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
