//! What is true of one connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use super::tls::Asked;
use crate::mechanism::Bindings;
use crate::pki::peer::presented::PresentedCertificate;
use activity::Activity;
use client::Client;
use places::Place;
use sign_on::SignOnState;

pub(in crate::front) mod activity;
pub(in crate::front) mod body;
pub(in crate::front) mod bound;
pub(in crate::front) mod client;
pub(in crate::front) mod places;
pub(in crate::front) mod serve;
mod sign_on;
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
    /// What is kept of signing on, from one request to the next.
    pub(super) sign_on: SignOnState,
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
            sign_on: SignOnState::default(),
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
}
