//! Peers on TLS: checked by certificate and key, for every request.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::keys::{KeyGrant, KeyRules};
use super::{KeyPeer, Peer};
use crate::clock::{self, Timestamp};
use crate::core_server::Core;
use crate::pki::peer::chain::Authorities;
use crate::pki::peer::presented::PresentedCertificate;
use crate::wire::Denied;

/// The other end of a TLS connection, as the handshake proved it.
#[derive(Debug)]
pub(in crate::core_server) struct Client {
    shown: Option<PresentedCertificate>,
    address: IpAddr,
}

impl Client {
    /// A client that showed this chain in its handshake, or none.
    pub(in crate::core_server) fn new(chain: &[CertificateDer<'_>], address: IpAddr) -> Self {
        Self { shown: PresentedCertificate::of_handshake(chain), address: address.to_canonical() }
    }

    /// What its certificate says of itself, for answers and the log.
    pub(in crate::core_server) fn certificate(&self) -> String {
        self.shown.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
    }

    /// Where it comes from.
    pub(in crate::core_server) const fn address(&self) -> IpAddr {
        self.address
    }

    /// Who it is at this moment. Looks at files, and so may block.
    ///
    /// # Errors
    /// It shows a certificate that does not count. Whether a key is listed is
    /// told only to those whose certificate has an authority of ours.
    pub(in crate::core_server) fn judge(
        &self,
        authorities: &Authorities,
        keys: &KeyRules,
        now: Timestamp,
    ) -> Result<Peer, Denied> {
        let address = self.address;
        let Some(shown) = &self.shown else { return Ok(Peer::Anonymous { address }) };
        let shown = shown.proven()?;
        shown.validate(authorities.current(), now)?;
        let listed = keys.listed_for(shown.public_key(), now);
        let KeyGrant { file, rights, .. } =
            keys.grant(&listed, shown.public_key(), Some(address), now)?;
        Ok(Peer::Key(KeyPeer { file, rights, address }))
    }
}

impl Core {
    /// Who a client is at this moment; `None` where nobody can say in time.
    pub(in crate::core_server) async fn judge_client(
        &self,
        client: &Arc<Client>,
    ) -> Option<Result<Peer, Denied>> {
        let tls = self.tls.load_full()?;
        let (authorities, keys) = (tls.authorities(), self.keys());
        let judged = Arc::clone(client);
        let judging = spawn_blocking(move || judged.judge(&authorities, &keys, clock::now()));
        let Ok(Ok(judged)) = timeout(READ_TIMEOUT, judging).await else {
            tracing::error!(client = %client.address(), "the files in sslkeys_path and of the authorities could not be read in time");
            return None;
        };
        Some(judged)
    }
}

/// Files that cannot be looked at within this time refuse the request.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
