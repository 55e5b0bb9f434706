//! tls.certificate

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::CertificateError;
use rustls::pki_types::{CertificateDer, UnixTime};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::builtins::dial::gate::Gate;
use crate::builtins::dial::tls::{Trust, certificate_problem, handshake, server_name};
use crate::builtins::dial::{self, Place, Progress, Trouble};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Judge, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};

const ADDRESS: Param<String> =
    Param::required("address", "The server, with a port where it is not 443: `example.com`, `mail.example.com:993`.")
        .judged(Judge::Text(|text, _| place(text).map(drop)));
const NAME: Param<Option<String>> = Param::optional(
    "name",
    "The name to ask for and to check the certificate against, where that is not the one in `address`.",
);
const CA: Param<Option<String>> = Param::optional(
    "ca",
    "A PEM file with the authorities to trust instead of the system's, from the runbook's own folder.",
);
const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long the handshake may take.", || Value::Duration(SignedDuration::from_secs(10)));

pub(super) static BUILTIN: Builtin = Builtin {
    name: "tls.certificate",
    summary: "The certificate that a server shows, also one that is expired or trusted by nobody: `.trusted` and `.problem` say so.",
    params: &[ADDRESS.info(), NAME.info(), CA.info(), WITHIN.info()],
    returns: Returns::Type(Certificate::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(certificate(cx, args))),
    needs: &[Need::Words("the server's TLS port")],
    by_hand: "openssl s_client -connect {address:https} [-servername {name}] </dev/null 2>/dev/null | openssl x509 -noout -subject -issuer -enddate",
    examples: &[
        Example::call(r#"tls.certificate("example.com").left > 14d"#),
        Example::call(r#"tls.certificate("mail.example.com:993").trusted"#),
    ],
};

records! {
    /// A certificate that a server showed.
    struct Certificate "certificate" {
        /// Whom it is for: `CN=example.com`.
        subject: Arc<str>,
        /// Who signed it.
        issuer: Arc<str>,
        /// The names and addresses that it is for.
        names: Vec<Arc<str>>,
        /// Since when it is valid.
        not_before: Timestamp,
        /// Until when it is valid.
        not_after: Timestamp,
        /// How long it is still valid, from the start of the run. Negative where it has expired.
        left: SignedDuration,
        /// Whether a program on this machine would accept it for that name.
        trusted: Result<bool, Fault>,
        /// Why it is not trusted.
        problem: Result<Option<Arc<str>>, Fault>,
        /// What the server showed, its own certificate first.
        chain: Vec<Link>,
        /// SHA-256 of the certificate, in hexadecimal.
        fingerprint: Arc<str>,
        /// The version that was agreed on: `TLSv1.3`.
        protocol: Arc<str>,
    }

    /// A certificate in a chain.
    struct Link "chain_certificate" {
        /// Whom it is for.
        subject: Arc<str>,
        /// Who signed it.
        issuer: Arc<str>,
        /// Until when it is valid.
        not_after: Timestamp,
    }
}

fn place(address: &str) -> Result<Place, Fault> {
    Place::parse(address, 443).ok_or_else(|| {
        Fault::new(FaultKind::Setup, format!("`{address}` is no address of a server"))
            .help("write a name or an address, with a port where it is not 443: `mail.example.com:993`")
    })
}

async fn certificate(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let address = args.get(&ADDRESS)?;
    let place = place(&address)?;
    let name = args.get(&NAME)?.unwrap_or_else(|| place.host.clone());
    let trust = args.get(&CA)?.map_or(Ok(Trust::System), |path| Trust::file(&cx, &path))?;
    let within = Duration::try_from(args.get(&WITHIN)?)
        .map_err(|_| Fault::new(FaultKind::Setup, "`within` is a time from now on, so it cannot be negative"))?;
    let progress = Progress::default();
    let (shown, protocol) =
        dial::within(within, &place, &progress, show(&Gate::of(&cx), &place, &name, &progress)).await?;
    let (first, others) =
        shown.split_first().ok_or_else(|| Fault::new(FaultKind::BadAnswer, format!("{place} shows no certificate")))?;
    let problem = judge(&cx, &trust, &name, first, others);
    let parsed = parse(first)?;
    let not_after = instant(parsed.validity().not_after.timestamp())?;
    Ok(Certificate {
        subject: parsed.subject().to_string().into(),
        issuer: parsed.issuer().to_string().into(),
        names: names(&parsed)?,
        not_before: instant(parsed.validity().not_before.timestamp())?,
        not_after,
        left: not_after.duration_since(cx.run.started_at),
        trusted: problem.clone().map(|problem| problem.is_none()),
        problem,
        chain: shown.iter().map(link).collect::<Result<_, _>>()?,
        fingerprint: fingerprint(first).into(),
        protocol,
    }
    .into())
}

/// The chain as the server shows it to anybody, and the version of TLS.
async fn show(
    gate: &Gate,
    place: &Place,
    name: &str,
    progress: &Progress,
) -> Result<(Vec<CertificateDer<'static>>, Arc<str>), Trouble> {
    let config = Trust::Anybody.config(&[])?;
    let (stream, _) = dial::dial(gate, place, progress).await?;
    progress.now("the TLS handshake");
    let stream = handshake(stream, place, name, config).await?;
    let (_, session) = stream.get_ref();
    let chain = session.peer_certificates().unwrap_or_default().iter().map(|one| one.clone().into_owned()).collect();
    let protocol = session.protocol_version().and_then(|version| version.as_str().map(|name| name.replace('_', ".")));
    Ok((chain, protocol.unwrap_or_else(|| "unknown".to_owned()).into()))
}

/// What is wrong with the chain, if anything. A fault where this machine has nothing to judge it by.
fn judge(
    cx: &Cx,
    trust: &Trust,
    name: &str,
    first: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
) -> Result<Option<Arc<str>>, Fault> {
    let verifier = trust.verifier()?;
    let seconds = u64::try_from(cx.world.now().as_second()).unwrap_or(0);
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let problem = match verifier.verify_server_cert(first, others, &server_name(name)?, &[], now) {
        Ok(_) => return Ok(None),
        Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) if self_signed(first) => {
            "the certificate is signed by itself, and by no authority that is trusted here".to_owned()
        }
        Err(rustls::Error::InvalidCertificate(problem)) => certificate_problem(&problem),
        Err(other) => other.to_string(),
    };
    Ok(Some(problem.into()))
}

fn self_signed(der: &CertificateDer<'_>) -> bool {
    parse(der).is_ok_and(|certificate| certificate.subject() == certificate.issuer())
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Fault> {
    X509Certificate::from_der(der)
        .map(|(_, certificate)| certificate)
        .map_err(|error| Fault::new(FaultKind::BadAnswer, format!("the certificate cannot be read: {error}")))
}

fn link(der: &CertificateDer<'static>) -> Result<Link, Fault> {
    let certificate = parse(der)?;
    Ok(Link {
        subject: certificate.subject().to_string().into(),
        issuer: certificate.issuer().to_string().into(),
        not_after: instant(certificate.validity().not_after.timestamp())?,
    })
}

fn names(certificate: &X509Certificate<'_>) -> Result<Vec<Arc<str>>, Fault> {
    let extension = certificate.subject_alternative_name().map_err(|error| {
        Fault::new(FaultKind::BadAnswer, format!("the names of the certificate cannot be read: {error}"))
    })?;
    let names = extension.iter().flat_map(|extension| &extension.value.general_names);
    Ok(names.filter_map(plain_name).map(Arc::from).collect())
}

fn plain_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(|bytes| std::net::IpAddr::from(bytes).to_string());
            let v6 = || <[u8; 16]>::try_from(*bytes).map(|bytes| std::net::IpAddr::from(bytes).to_string());
            v4.or_else(|_| v6()).ok()
        }
        _ => None,
    }
}

fn instant(seconds: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_second(seconds).map_err(|error| {
        Fault::new(FaultKind::BadAnswer, format!("a date of the certificate is out of range: {error}"))
    })
}

fn fingerprint(der: &CertificateDer<'_>) -> String {
    hex::encode(Sha256::digest(der))
}
