//! One HTTP/1.1 connection to the probed server: an exchange of tokens belongs
//! to the connection on which it began.

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use self::target::Target;
use self::trust::{Trust, Verdict};
use super::error::ProbeError;
use crate::pki::tls::ServerVerifier;

pub(super) mod pair;
pub(super) mod target;
pub(super) mod trust;

#[derive(Debug)]
pub(super) struct Connection {
    sender: Sender,
    authority: String,
    pub(super) peer: SocketAddr,
    /// What TLS told; `None` on plain HTTP.
    pub(super) tls: Option<TlsFacts>,
}

#[derive(Debug)]
enum Sender {
    Http1(http1::SendRequest<Empty<Bytes>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
}

#[derive(Debug)]
pub(super) struct TlsFacts {
    /// `TLSv1.3`
    pub(super) version: String,
    /// The server's own certificate.
    pub(super) certificate: CertificateDer<'static>,
    /// Whether it is trusted.
    pub(super) verdict: Verdict,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The body; empty where it was too long to be an explanation.
    pub(super) body: Bytes,
}

impl Connection {
    pub(super) async fn open(
        target: &Target,
        ca: Option<&std::path::Path>,
        pair: Option<&Arc<CertifiedKey>>,
    ) -> Result<Self, ProbeError> {
        let unreachable = |source| ProbeError::Unreachable {
            host: target.host.clone(),
            port: target.port,
            source,
        };
        let tcp = TcpStream::connect((target.host.as_str(), target.port));
        let tcp = in_time(tcp).await.map_err(unreachable)?;
        let peer = tcp.peer_addr().map_err(unreachable)?;
        let authority = target.authority.clone();
        if !target.tls {
            let sender = speak(tcp).await?;
            return Ok(Self { sender, authority, peer, tls: None });
        }
        let (stream, trust) = encrypt(tcp, target, ca, pair, b"http/1.1").await?;
        let tls = TlsFacts::of(stream.get_ref().1, &trust)?;
        let sender = speak(stream).await?;
        Ok(Self { sender, authority, peer, tls: Some(tls) })
    }

    /// Connects by HTTP/2; `None` where that is not spoken.
    pub(super) async fn open_http2(
        target: &Target,
        ca: Option<&std::path::Path>,
    ) -> Result<Option<Self>, ProbeError> {
        if !target.tls {
            return Ok(None);
        }
        let tcp = TcpStream::connect((target.host.as_str(), target.port));
        let Ok(tcp) = in_time(tcp).await else { return Ok(None) };
        let Ok(peer) = tcp.peer_addr() else { return Ok(None) };
        // A server that speaks HTTP/1.1 alone may end the handshake.
        let Ok((stream, trust)) = encrypt(tcp, target, ca, None, b"h2").await else {
            return Ok(None);
        };
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Ok(None);
        }
        let tls = TlsFacts::of(stream.get_ref().1, &trust)?;
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(broken_off)?;
        // Its errors are those of the requests on it.
        tokio::spawn(connection);
        let authority = target.authority.clone();
        Ok(Some(Self { sender: Sender::Http2(sender), authority, peer, tls: Some(tls) }))
    }

    /// Whether the server has ended the connection.
    pub(super) async fn is_over(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await.is_err(),
            Sender::Http2(sender) => sender.ready().await.is_err(),
        }
    }

    /// Asks for a page, with further fields.
    pub(super) async fn get(
        &mut self,
        path: &str,
        fields: &[(header::HeaderName, String)],
    ) -> Result<Answer, ProbeError> {
        let mut request = match self.sender {
            Sender::Http1(_) => Request::get(path).header(header::HOST, &self.authority),
            Sender::Http2(_) => Request::get(format!("https://{}{path}", self.authority)),
        };
        request = request
            .header(header::USER_AGENT, concat!("doorward-probe/", env!("CARGO_PKG_VERSION")))
            .header(header::ACCEPT, "application/json, */*;q=0.1");
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let request = request
            .body(Empty::new())
            .map_err(|error| ProbeError::Usage(format!("the request is not valid: {error}")))?;
        let whole = async {
            let response = match &mut self.sender {
                Sender::Http1(sender) => sender.send_request(request).await?,
                Sender::Http2(sender) => sender.send_request(request).await?,
            };
            let (head, body) = response.into_parts();
            let body = Limited::new(body, LONGEST_EXPLANATION).collect().await;
            let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            Ok::<_, hyper::Error>(Answer { status: head.status, headers: head.headers, body })
        };
        match timeout(PATIENCE, whole).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(broken_off(error)),
            Err(_) => Err(ProbeError::BrokenOff { what: "no answer within 15 s".to_owned() }),
        }
    }
}

impl TlsFacts {
    fn of(tls: &rustls::ClientConnection, trust: &Trust) -> Result<Self, ProbeError> {
        let certificate = tls.peer_certificates().and_then(<[_]>::first).cloned();
        let version = tls.protocol_version().and_then(|version| version.as_str());
        Ok(Self {
            version: version.unwrap_or("TLS").replace("TLSv1_", "TLS 1."),
            certificate: certificate.ok_or(ProbeError::NoCertificate)?,
            verdict: trust.verdict(),
        })
    }
}

fn configuration(
    provider: Arc<CryptoProvider>,
    trust: Arc<Trust>,
    pair: Option<&Arc<CertifiedKey>>,
    protocol: &[u8],
) -> Result<ClientConfig, ProbeError> {
    let broken = |error: rustls::Error| ProbeError::Tls { source: io::Error::other(error) };
    let verifier = ServerVerifier::new(trust, Arc::clone(&provider));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(broken)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match pair {
        Some(pair) => {
            let shown = SingleCertAndKey::from(Arc::clone(pair));
            builder.with_client_cert_resolver(Arc::new(shown))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![protocol.to_vec()];
    Ok(config)
}

async fn encrypt(
    tcp: TcpStream,
    target: &Target,
    ca: Option<&std::path::Path>,
    pair: Option<&Arc<CertifiedKey>>,
    protocol: &[u8],
) -> Result<(TlsStream<TcpStream>, Arc<Trust>), ProbeError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let trust = Trust::new(ca, Arc::clone(&provider)).map_err(ProbeError::Usage)?;
    let trust = Arc::new(trust);
    let config = configuration(provider, Arc::clone(&trust), pair, protocol)?;
    let name = ServerName::try_from(target.host.clone())
        .map_err(|_| ProbeError::Usage(format!("{} is not a host name", target.host)))?;
    let stream = in_time(TlsConnector::from(Arc::new(config)).connect(name, tcp))
        .await
        .map_err(|source| ProbeError::Tls { source })?;
    Ok((stream, trust))
}

fn broken_off(error: hyper::Error) -> ProbeError {
    let reason = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
    if reason.and_then(h2::Error::reason) == Some(h2::Reason::HTTP_1_1_REQUIRED) {
        return ProbeError::NeedsHttp1;
    }
    ProbeError::BrokenOff { what: error.to_string() }
}

async fn speak<S>(stream: S) -> Result<Sender, ProbeError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken_off)?;
    // Its errors are those of the requests on it.
    tokio::spawn(connection);
    Ok(Sender::Http1(sender))
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// For each of: connecting, shaking hands, one answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Bytes of a body that may still be an explanation of a refusal.
const LONGEST_EXPLANATION: usize = 256 * 1024;
