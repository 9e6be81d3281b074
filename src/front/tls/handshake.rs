//! A handshake. The name that the client asks for (SNI) decides whether it is asked for a
//! certificate: if no site accepts one, a browser that is asked drops background connections, such
//! as websockets.

use std::io;
use std::sync::Arc;

use rustls::server::Acceptor;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::server::ServerTls;

/// What a client said in its TLS handshake, and what it was asked there.
#[derive(Clone, Debug, Default)]
pub(in crate::front) struct Asked {
    /// The name that it wanted (SNI), in lower case.
    pub name: Option<String>,
    /// Whether it was asked for a certificate.
    pub for_certificate: bool,
}

/// A handshake that has succeeded.
pub(in crate::front) struct Handshake {
    /// The connection. Boxed: it is large, and passes through several hands that
    /// each keep room for it.
    pub(in crate::front) stream: Box<TlsStream<TcpStream>>,
    /// What it was about.
    pub(in crate::front) asked: Asked,
}

/// Does a handshake; `asks` says whether clients that wish for this name are asked for a certificate.
///
/// # Errors
/// The client speaks no TLS, or none that is spoken here, or went away.
pub(in crate::front) async fn handshake(
    tls: &ServerTls,
    stream: TcpStream,
    asks: impl FnOnce(Option<&str>) -> bool + Send,
) -> io::Result<Handshake> {
    let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let name = hello.client_hello().server_name().map(str::to_ascii_lowercase);
    let asking = tls.asking().filter(|_| asks(name.as_deref()));
    let asked = Asked { for_certificate: asking.is_some(), name };
    let config = asking.unwrap_or_else(|| tls.config());
    let stream = Box::new(hello.into_stream(Arc::clone(config)).await?);
    Ok(Handshake { stream, asked })
}
