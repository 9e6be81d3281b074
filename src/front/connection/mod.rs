//! What is true of one connection, and what is kept on it: the exchange that its
//! client has not finished, and the session that was proven there.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use ipnet::IpNet;

use crate::mechanism::{Bindings, Exchange};
use crate::pki::peer::presented::PresentedCertificate;
use crate::wire::SessionSecret;
use activity::Activity;
use bound::{Bound, Marks};
use client::Client;
use places::Place;

pub(in crate::front) mod activity;
pub(in crate::front) mod body;
pub(in crate::front) mod bound;
pub(in crate::front) mod client;
pub(in crate::front) mod places;
pub(in crate::front) mod serve;
pub(in crate::front) mod stream;

/// What is true of a connection as long as it stands.
#[derive(Debug)]
pub(in crate::front) struct Connection {
    /// The peer's address: the client itself, or a proxy.
    pub peer: IpAddr,
    /// The address of ours that it came to.
    pub local: Option<IpAddr>,
    /// Whether it is one of the trusted proxies: its connections carry many clients.
    pub trusted: bool,
    /// The peer as applications are told of it.
    pub client: Client,
    /// The TLS channel binding (RFC 5929 tls-server-end-point); `None` on plain HTTP.
    pub binding: Option<Arc<Bindings>>,
    /// The certificate that the peer showed in its TLS handshake.
    pub certificate: Option<Arc<PresentedCertificate>>,
    /// What the TLS handshake was about.
    pub asked: Asked,
    /// What it is at.
    pub(super) activity: Arc<Activity>,
    /// The place that it takes, also as a tunnel.
    pub(super) place: Option<Arc<Place>>,
    state: Mutex<State>,
    told: AtomicBool,
}

/// What a client said in its TLS handshake, and what it was asked there.
#[derive(Clone, Debug, Default)]
pub(in crate::front) struct Asked {
    /// The name that it wanted (SNI), in lower case.
    pub name: Option<String>,
    /// Whether it was asked for a certificate.
    pub for_certificate: bool,
}

#[derive(Debug, Default)]
struct State {
    exchange: Option<Exchange>,
    bound: Bound,
    /// Whether a proxy showed itself here: the connection may carry many clients.
    shared: bool,
}

impl Connection {
    /// A connection on which nothing has happened yet.
    pub(in crate::front) fn new(
        peer: IpAddr,
        binding: Option<Arc<Bindings>>,
        certificate: Option<PresentedCertificate>,
        trusted_proxies: &[IpNet],
    ) -> Self {
        let peer = peer.to_canonical();
        let trusted = trusted_proxies.iter().any(|network| network.contains(&peer));
        Self {
            peer,
            local: None,
            trusted,
            client: Client::new(peer, binding.is_some(), trusted),
            binding,
            certificate: certificate.map(Arc::new),
            asked: Asked::default(),
            activity: Arc::new(Activity::new()),
            place: None,
            state: Mutex::default(),
            told: AtomicBool::new(false),
        }
    }

    /// The same connection, at this place, after this handshake.
    pub(super) fn at(self, place: &Arc<Place>, asked: Asked) -> Self {
        let (activity, place) = (Arc::clone(&place.activity), Some(Arc::clone(place)));
        Self { activity, place, asked, ..self }
    }

    /// The same connection, which came to this address of ours.
    pub(super) fn to(self, local: Option<SocketAddr>) -> Self {
        Self { local: local.map(|address| address.ip().to_canonical()), ..self }
    }

    /// Whether it is TLS that this gateway itself ends.
    pub(in crate::front) const fn is_tls(&self) -> bool {
        self.binding.is_some()
    }

    /// Takes the unfinished exchange, and drops what was proven here before:
    /// from now on only the new attempt counts.
    pub(in crate::front) fn begin_attempt(&self) -> Option<Exchange> {
        let mut state = self.lock();
        state.bound = Bound::default();
        state.exchange.take()
    }

    /// Notes that a proxy showed itself here, and drops what was proven: the next
    /// request may be another client's, though it has no mark.
    pub(in crate::front) fn share(&self) {
        let mut state = self.lock();
        state.shared = true;
        state.bound = Bound::default();
    }

    /// Whether a proxy showed itself here, with this request or an earlier one.
    pub(in crate::front) fn is_shared(&self) -> bool {
        self.lock().shared
    }

    /// Drops an exchange that was broken off by a request without a token.
    /// True when there was one.
    pub(in crate::front) fn break_off(&self) -> bool {
        self.lock().exchange.take().is_some()
    }

    /// Keeps an exchange until the client's next leg.
    pub(in crate::front) fn await_leg(&self, exchange: Exchange) {
        self.lock().exchange = Some(exchange);
    }

    /// Keeps a session that was proven on this connection for requests to this
    /// host, as long as the client of these marks sends them.
    pub(in crate::front) fn bind(&self, host: &str, session: SessionSecret, client: Option<Marks>) {
        self.lock().bound.keep(host, session, client);
    }

    /// The session that was proven on this connection, for a request to this host
    /// with these headers.
    pub(in crate::front) fn bound(&self, host: &str, headers: &HeaderMap) -> Option<SessionSecret> {
        self.lock().bound.find(host, headers)
    }

    /// Notes that a client without credentials was told what is offered. True
    /// when one was told before.
    pub(in crate::front) fn tell(&self) -> bool {
        self.told.swap(true, Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
