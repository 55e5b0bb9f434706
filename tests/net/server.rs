//! Servers of this machine that behave, and ones that don't.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Where a server listens, how many connections it took and what it was asked.
#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The heads and bodies of all requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("asked").clone()
    }

    pub fn last(&self) -> String {
        self.asked().last().cloned().unwrap_or_default()
    }
}

/// Takes connections and hands each to `each`.
pub async fn raw<F, R>(each: F) -> Server
where
    F: Fn(TcpStream, Server) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    let server = Server { address, connections: Arc::default(), asked: Arc::default() };
    let handed = server.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            handed.connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(each(stream, handed.clone()));
        }
    });
    server
}

/// Sends the same bytes to whoever asks, and closes.
pub async fn says(bytes: &[u8]) -> Server {
    let bytes = bytes.to_vec();
    raw(move |mut stream, server| {
        let bytes = bytes.clone();
        async move {
            request(&mut stream, &server).await;
            _ = stream.write_all(&bytes).await;
        }
    })
    .await
}

/// A web server that keeps its connections: `answer` makes the answer of a request.
pub async fn web(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Server {
    let answer = Arc::new(answer);
    raw(move |stream, server| talk(stream, server, answer.clone())).await
}

/// An answer.
pub struct Reply {
    pub bytes: Vec<u8>,
    pub delay: Duration,
    /// Between the head and the body.
    pub pause: Duration,
}

pub fn reply(status: &str, headers: &str, body: &str) -> Reply {
    let bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes();
    Reply { bytes, delay: Duration::ZERO, pause: Duration::ZERO }
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    server: Server,
    answer: Arc<impl Fn(&str) -> Reply + Send + Sync>,
) {
    while let Some(asked) = request(&mut stream, &server).await {
        let reply = answer(&asked);
        tokio::time::sleep(reply.delay).await;
        let head = reply.bytes.windows(4).position(|end| end == b"\r\n\r\n").map_or(reply.bytes.len(), |at| at + 4);
        let (head, body) = reply.bytes.split_at(head);
        if stream.write_all(head).await.is_err() {
            return;
        }
        tokio::time::sleep(reply.pause).await;
        if stream.write_all(body).await.is_err() {
            return;
        }
        _ = stream.flush().await;
    }
}

/// One request with its body; `None` where the client hung up.
pub async fn request<S: AsyncRead + Unpin>(stream: &mut S, server: &Server) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&bytes).to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    bytes.extend(body);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    server.asked.lock().expect("asked").push(text.clone());
    Some(text)
}

/// A certificate authority of the tests.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
pub struct Identity {
    pub pem: String,
    chain: Vec<rustls::pki_types::CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

pub fn authority() -> Authority {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Test Authority");
    let pem = params.self_signed(&key).expect("signed").pem();
    Authority { pem, issuer: Issuer::new(params, key) }
}

impl Authority {
    /// A certificate for names, valid until a year. It began in 2020.
    pub fn sign(&self, names: &[&str], until: i32) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).expect("names");
        params.distinguished_name.push(DnType::CommonName, names.first().copied().unwrap_or("nobody"));
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        Identity {
            pem: certificate.pem(),
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        }
    }
}

/// What seals the connections of a server.
pub fn secure_acceptor(identity: Identity) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(identity.chain, identity.key)
        .expect("a certificate");
    TlsAcceptor::from(Arc::new(config))
}

/// A connection that is sealed from here on.
pub async fn sealed<S: AsyncRead + AsyncWrite + Unpin>(acceptor: &TlsAcceptor, stream: S) -> Option<TlsStream<S>> {
    acceptor.accept(stream).await.ok()
}

/// A web server behind TLS.
pub async fn secure(identity: Identity, answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Server {
    let (acceptor, answer) = (secure_acceptor(identity), Arc::new(answer));
    raw(move |stream, server| {
        let (acceptor, answer) = (acceptor.clone(), answer.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                talk(stream, server, answer).await;
            }
        }
    })
    .await
}

/// A port that refuses: taken, and given back.
pub async fn refused() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    listener.local_addr().expect("address")
}
