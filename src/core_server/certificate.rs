//! Who comes by TLS: judged by certificate and key, for every request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::CertificateDer;

use super::peer::{KeyPeer, Peer};
use crate::clock::Timestamp;
use crate::config::checked::{CoreKey, CoreTls, KeyRights};
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Authorities, AuthorityError, Loaded, Refused};
use crate::pki::fitness;
use crate::pki::peer_keys::{ListedKey, PeerKeys, Standing};
use crate::wire::Reason;

/// By what certificates are judged.
#[derive(Debug)]
pub(super) struct KeyRules {
    authorities: Authorities,
    keys: PeerKeys,
    entries: HashMap<String, CoreKey>,
}

/// The other end of a TLS connection, as the handshake proved it.
#[derive(Debug)]
pub(super) struct Client {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
    facts: Option<Certificate>,
    address: IpAddr,
    judged: Mutex<Option<Judged>>,
}

/// A chain's judgement. Within a second, and by the same authorities, it stays
/// the same, and signatures need not be verified again.
#[derive(Debug)]
struct Judged {
    by: Arc<Loaded>,
    at: Timestamp,
    outcome: Result<(), Refused>,
}

impl KeyRules {
    /// # Errors
    /// The authorities cannot be used.
    pub(super) fn load(settings: &CoreTls) -> Result<Self, AuthorityError> {
        let entries = settings.keys.iter().map(|entry| (entry.file.clone(), entry.clone()));
        Ok(Self {
            authorities: Authorities::load(settings.authorities.clone())?,
            keys: PeerKeys::new(settings.sslkeys_path.clone()),
            entries: entries.collect(),
        })
    }

    /// Who a client is at this moment. Looks at files, and so may block.
    ///
    /// # Errors
    /// It shows a certificate that does not count. Whether a key is listed is
    /// told only to those whose certificate has an authority of ours.
    pub(super) fn judge(&self, client: &Client, now: Timestamp) -> Result<Peer, Refused> {
        let address = client.address;
        if client.chain.is_empty() {
            return Ok(Peer::Anonymous { address });
        }
        client.judge_chain(self.authorities.current(), now)?;
        let listed = self.keys.current_for(&client.key, now);
        match listed.standing(&client.key) {
            Standing::Listed(key) => self.rights_of(&key, address, now),
            Standing::Removed(file) => {
                Err(refused(Reason::PublicKeyRemoved, format!("it stood in {file}")))
            }
            Standing::Unlisted => {
                let why = listed.unreadable().unwrap_or("no file of sslkeys_path holds the key");
                Err(refused(Reason::PublicKeyNotListed, why))
            }
        }
    }

    fn rights_of(&self, key: &ListedKey, address: IpAddr, now: Timestamp) -> Result<Peer, Refused> {
        // A copy under another name must not free a key from its entry.
        let entry = key.files.iter().find_map(|file| self.entries.get(file));
        let file = entry.map(|entry| &entry.file).or(key.files.first());
        let file = file.cloned().unwrap_or_default();
        let rights = match entry {
            None => KeyRights::System,
            Some(entry) if entry.not_after.is_some_and(|end| end < now) => {
                return Err(refused(Reason::PublicKeyExpired, file));
            }
            Some(entry) if !comes_from(entry, address) => {
                return Err(refused(Reason::PublicKeyAddress, format!("{file} from {address}")));
            }
            Some(entry) => entry.rights.clone(),
        };
        Ok(Peer::Key(KeyPeer { file, rights, address }))
    }
}

impl Client {
    /// A client that showed this chain in its handshake, or none.
    pub(super) fn new(chain: Vec<CertificateDer<'static>>, address: IpAddr) -> Self {
        let leaf = chain.first();
        Self {
            key: leaf
                .and_then(|leaf| fitness::key_of_certificate(leaf).ok())
                .map_or_else(Vec::new, |key| key.spki().to_vec()),
            facts: leaf.and_then(|leaf| Certificate::read(leaf).ok()),
            chain,
            address: address.to_canonical(),
            judged: Mutex::default(),
        }
    }

    /// What its certificate says of itself, for answers and the log.
    pub(super) fn certificate(&self) -> String {
        self.facts.as_ref().map_or_else(|| "a damaged certificate".to_owned(), ToString::to_string)
    }

    /// Where it comes from.
    pub(super) const fn address(&self) -> IpAddr {
        self.address
    }

    fn judge_chain(&self, by: Arc<Loaded>, now: Timestamp) -> Result<(), Refused> {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(judged) = &*judged
            && judged.at == now
            && Arc::ptr_eq(&judged.by, &by)
        {
            return judged.outcome.clone();
        }
        let outcome = by.judge(&self.chain, now);
        *judged = Some(Judged { by, at: now, outcome: outcome.clone() });
        outcome
    }
}

fn comes_from(entry: &CoreKey, address: IpAddr) -> bool {
    entry.from.is_empty() || entry.from.iter().any(|network| network.contains(&address))
}

fn refused(reason: Reason, detail: impl Into<String>) -> Refused {
    Refused { reason, detail: detail.into() }
}
