//! What a certificate of this side says: whom it is for, and until when.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The first certificate of a PEM text, as far as it matters to whoever logs in with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::builtins) struct OwnCertificate {
    /// The common name of its subject.
    pub(in crate::builtins) name: Option<String>,
    pub(in crate::builtins) not_before: Timestamp,
    pub(in crate::builtins) not_after: Timestamp,
}

impl OwnCertificate {
    /// `None` where the text holds no certificate that can be read: it is used for an explanation, not for a decision.
    pub(in crate::builtins) fn read(pem: &[u8]) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem).ok()?;
        let (_, parsed) = X509Certificate::from_der(&der).ok()?;
        let name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).map(str::to_owned);
        Some(Self {
            name,
            not_before: Timestamp::from_second(parsed.validity().not_before.timestamp()).ok()?,
            not_after: Timestamp::from_second(parsed.validity().not_after.timestamp()).ok()?,
        })
    }
}
