//! The request, and what is tried if its answer is not HTTP.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Asked;
use super::answer::{self, Answer, Spoken};

/// What an application speaks.
pub(super) async fn application(stream: TcpStream, asked: &Asked) -> Spoken {
    let Asked { name, path, .. } = asked;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: doorward-check\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    let heard = hear(stream, request.as_bytes(), LIMIT).await;
    let spoken = heard.as_deref().ok().and_then(answer::of);
    match spoken {
        // Servers of HTTPS may say 400 in plain HTTP, close, or wait for more.
        None | Some(Spoken::Http(Answer { status: 400, .. })) if speaks_tls(asked).await => {
            Spoken::Tls
        }
        None if speaks_http2(asked).await => Spoken::Http2,
        None if heard.is_err() => Spoken::Late(LIMIT),
        None => Spoken::Nothing,
        Some(spoken) => spoken,
    }
}

/// The first bytes of an answer; `Err`: nothing came in time.
async fn hear(mut stream: TcpStream, words: &[u8], limit: Duration) -> Result<Vec<u8>, ()> {
    let mut heard = Vec::new();
    let talk = async {
        // Who has already closed may have said why.
        let _ = stream.write_all(words).await;
        while heard.len() < MOST && (heard.is_empty() || !answer::is_complete(&heard)) {
            match stream.read_buf(&mut heard).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    };
    let in_time = timeout(limit, talk).await.is_ok();
    if in_time || !heard.is_empty() { Ok(heard) } else { Err(()) }
}

/// Whether a handshake begins. It is left at the certificate, which nobody vouches for.
async fn speaks_tls(asked: &Asked) -> bool {
    let Ok(name) = ServerName::try_from(asked.name.clone()) else { return false };
    let provider = Arc::new(default_provider());
    let versions = [&version::TLS13, &version::TLS12];
    let Ok(builder) =
        ClientConfig::builder_with_provider(provider).with_protocol_versions(&versions)
    else {
        return false;
    };
    let config = builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let shake = async { connector.connect(name, connect(asked).await?).await.map(drop) };
    let failed = match timeout(SHORT, shake).await {
        Ok(Ok(())) => return true,
        Ok(Err(failed)) => failed,
        Err(_) => return false,
    };
    use rustls::Error::{AlertReceived, InvalidCertificate, PeerIncompatible};
    let said = failed.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(said, Some(InvalidCertificate(_) | AlertReceived(_) | PeerIncompatible(_)))
}

/// Whether it answers the preface of HTTP/2 (RFC 9113 section 3.4).
async fn speaks_http2(asked: &Asked) -> bool {
    let Ok(stream) = connect(asked).await else { return false };
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let heard = hear(stream, preface, SHORT).await;
    heard.is_ok_and(|heard| answer::of(&heard) == Some(Spoken::Http2))
}

async fn connect(asked: &Asked) -> std::io::Result<TcpStream> {
    TcpStream::connect((asked.host.as_str(), asked.port)).await
}

/// For the answer to the request.
const LIMIT: Duration = Duration::from_secs(3);
/// For each further try.
const SHORT: Duration = Duration::from_secs(1);
/// Bytes that are read at most.
const MOST: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::Empty;
    use hyper::server::conn::http2;
    use hyper::service::service_fn;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::net::TcpListener;

    use super::*;

    fn asked(port: u16) -> Asked {
        let (host, path) = ("127.0.0.1".to_owned(), "/".to_owned());
        Asked { host, port, name: "web.example".to_owned(), path, pass_authorization: false }
    }

    #[tokio::test]
    async fn a_server_of_http_2_alone_is_known() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let asked = asked(listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let empty = async |_| {
                    Ok::<_, Infallible>(http::Response::new(Empty::<bytes::Bytes>::new()))
                };
                let serving = http2::Builder::new(TokioExecutor::new());
                tokio::spawn(serving.serve_connection(TokioIo::new(stream), service_fn(empty)));
            }
        });
        let stream = connect(&asked).await.unwrap();
        assert_eq!(application(stream, &asked).await, Spoken::Http2);
    }
}
