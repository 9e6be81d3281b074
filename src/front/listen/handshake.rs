//! From an accepted socket to a connection: the TLS handshake, on TLS listeners.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use crate::config::FrontSettings;
use crate::config::section::{HostPattern, Site};
use crate::front::connection::Connection;
use crate::front::connection::places::Place;
use crate::front::request::route;
use crate::front::state::Front;
use crate::front::tls::{Asked, Handshake, handshake};
use crate::pki::peer::presented::PresentedCertificate;
use crate::wire::Mechanism;

/// A connection on which HTTP can be spoken.
pub(super) enum Arrived {
    Plain(Arc<Connection>, TcpStream),
    /// Boxed: it is large, and passes through several hands that each keep room for it.
    Tls(Arc<Connection>, Box<TlsStream<TcpStream>>),
    /// The client speaks plain HTTP where TLS is spoken.
    PlainOnTls(TcpStream),
}

/// A connection without TLS.
pub(super) fn plain(
    front: &Front,
    stream: TcpStream,
    peer: SocketAddr,
    place: &Arc<Place>,
) -> Arrived {
    // Not held while the connection lives: what a reload replaces ends then.
    let trusted = &front.live().settings.front.trusted_proxies;
    let connection = Connection::new(peer.ip(), None, None, trusted);
    let connection = connection.to(stream.local_addr().ok()).at(place, Asked::default());
    Arrived::Plain(Arc::new(connection), stream)
}

/// A connection by TLS; `None` where none comes about.
pub(super) async fn tls(
    front: &Front,
    stream: TcpStream,
    peer: SocketAddr,
    place: &Arc<Place>,
) -> Option<Arrived> {
    // A handshake that begins on one certificate keeps that certificate's binding.
    let live = front.live();
    let limit = live.settings.front.header_timeout;
    let trusted = &live.settings.front.trusted_proxies;
    let tls = live.tls.as_ref()?;
    let mut first = [0];
    let peeked = tokio::select! {
        biased;
        peeked = timeout(limit, stream.peek(&mut first)) => peeked,
        () = front.stop.cancelled() => return None,
    };
    match peeked {
        Ok(Ok(read)) if read > 0 => {}
        _ => return None,
    }
    if first[0].is_ascii_alphabetic() {
        return Some(Arrived::PlainOnTls(stream));
    }
    let local = stream.local_addr().ok();
    let asks = |name: Option<&str>| asks_for_certificate(&live.settings, name);
    match Box::pin(timeout(limit, handshake(tls, stream, asks))).await {
        Ok(Ok(Handshake { stream, asked })) => {
            let binding = Some(Arc::clone(tls.binding()));
            let shown =
                stream.get_ref().1.peer_certificates().and_then(PresentedCertificate::of_handshake);
            let connection = Connection::new(peer.ip(), binding, shown, trusted);
            Some(Arrived::Tls(Arc::new(connection.to(local).at(place, asked)), stream))
        }
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(%peer, "a TLS handshake took too long");
            None
        }
    }
}

/// Whether clients are asked for a certificate on connections for this name (SNI;
/// `None`: for an address): where a site takes them that can be reached by it.
fn asks_for_certificate(settings: &FrontSettings, name: Option<&str>) -> bool {
    let takes = |offered: &[Mechanism]| offered.contains(&Mechanism::Certificate);
    let reachable: Vec<&Site> = match name {
        Some(name) => route::reachable(&settings.sites, name).collect(),
        None => settings.sites.iter().filter(|site| has_address(&site.host)).collect(),
    };
    settings.sso.enable_sso
        && if reachable.is_empty() {
            takes(&settings.sso.mechanisms)
        } else {
            reachable.iter().any(|site| takes(&site.mechanisms))
        }
}

fn has_address(host: &HostPattern) -> bool {
    match host {
        HostPattern::Any => true,
        HostPattern::Exact(name) => name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok(),
        HostPattern::Suffix(_) => false,
    }
}
