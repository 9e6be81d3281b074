//! What the keys of `sslkeys_path` may do: of peers, and of people who sign on
//! at a front by certificate.

use std::net::IpAddr;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::config::section::{self, ActAs, CoreKey, KeyRights};
use crate::pki::peer::peer_keys::{Listed, ListedKey, Listing, PeerKeys};
use crate::wire::{Denied, Fingerprint, KeyFile, LoginId, Reason};

mod entries;
mod listing;

use entries::Said;
pub(crate) use entries::{EntryError, KeyEntries};

/// `sslkeys_path` and `[[core.key]]`.
#[derive(Debug)]
pub(in crate::core_server) struct KeyRules {
    folder: PeerKeys,
    entries: KeyEntries,
}

/// What a listed key may do, where its holder is, at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct KeyGrant {
    /// Its file.
    pub(in crate::core_server) file: KeyFile,
    /// What it may do.
    pub(in crate::core_server) rights: KeyRights,
    /// When it ceases to count.
    pub(in crate::core_server) ends_at: Option<Timestamp>,
}

/// Whom a key signs on at a front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct KeyUser {
    /// The key's file.
    pub(in crate::core_server) file: KeyFile,
    /// The user, as written in `act_as`.
    pub(in crate::core_server) user: LoginId,
    /// When the key ceases to count.
    pub(in crate::core_server) ends_at: Option<Timestamp>,
}

impl KeyRules {
    /// Reads the folder where there are entries. Blocks as file systems do.
    ///
    /// # Errors
    /// An entry is about no key.
    pub(in crate::core_server) fn new(
        settings: &section::Core,
        now: Timestamp,
    ) -> Result<Self, EntryError> {
        let folder = PeerKeys::new(settings.sslkeys_path.clone());
        let rules = Self { folder, entries: KeyEntries::new(settings) };
        if !rules.entries.is_empty() {
            let listed = rules.listed(now);
            rules.entries.check(&listed, rules.folder.folder())?;
        }
        Ok(rules)
    }

    /// What a key had to do with the former settings stays so, where its entry does.
    pub(in crate::core_server) fn carry_over(&self, former: &Self) {
        self.entries.carry_over(&former.entries);
    }

    /// What is in the folder now. Blocks as file systems do.
    pub(in crate::core_server) fn listed(&self, now: Timestamp) -> Arc<Listed> {
        let listed = self.folder.current(now);
        self.entries.learn(&listed);
        listed
    }

    /// The same as far as it concerns one key, which is quicker.
    pub(in crate::core_server) fn listed_for(
        &self,
        public_key: Fingerprint,
        now: Timestamp,
    ) -> Arc<Listed> {
        let listed = self.folder.current_for(public_key, now);
        self.entries.learn(&listed);
        listed
    }

    /// What a key may do; `address`: where its holder is,
    /// `None` where that was looked at before.
    ///
    /// # Errors
    /// It does not stand there, or its entry is no longer valid, or not from there.
    pub(in crate::core_server) fn grant(
        &self,
        listed: &Listed,
        public_key: Fingerprint,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<KeyGrant, Denied> {
        match listed.listing(public_key) {
            Listing::Listed(listed) => self.rights_of(public_key, &listed, address, now),
            Listing::Removed(file) => {
                Err(Denied::new(Reason::PublicKeyRemoved, format!("it was in {file}")))
            }
            Listing::Unlisted => {
                let why = listed.unreadable().unwrap_or("no file in sslkeys_path contains the key");
                Err(Denied::new(Reason::PublicKeyNotListed, why))
            }
        }
    }

    fn rights_of(
        &self,
        public_key: Fingerprint,
        listed: &ListedKey,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<KeyGrant, Denied> {
        // At least one file holds a key that is listed.
        let first = || listed.files[0].clone();
        let entry = match self.entries.of(public_key, &listed.files) {
            Said::Entry(entry) => entry,
            Said::System => {
                return Ok(KeyGrant { file: first(), rights: KeyRights::System, ends_at: None });
            }
            Said::Nothing => {
                return Err(Denied::new(Reason::PublicKeyNoEntry, first().to_string()));
            }
        };
        let file = entry.file.clone();
        if entry.not_after.is_some_and(|end| end < now) {
            return Err(Denied::new(Reason::PublicKeyExpired, file.to_string()));
        }
        if let Some(address) = address.filter(|address| !comes_from(entry, *address)) {
            return Err(Denied::new(Reason::PublicKeyAddress, format!("{file} from {address}")));
        }
        Ok(KeyGrant { file, rights: entry.rights.clone(), ends_at: entry.not_after })
    }
}

impl KeyGrant {
    /// Whom it signs on at a front: the one user that it may act as. Who holds a
    /// key for several, or for everything, is a program and no person.
    ///
    /// # Errors
    /// [`Reason::PublicKeyNoUser`].
    pub(in crate::core_server) fn user(self) -> Result<KeyUser, Denied> {
        let Self { file, rights, ends_at } = self;
        let may = match &rights {
            KeyRights::Service(act_as) => match act_as.as_slice() {
                [ActAs::User(user)] => return Ok(KeyUser { file, user: user.clone(), ends_at }),
                several => several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            },
            KeyRights::System => "SYSTEM".to_owned(),
            KeyRights::Front => "a front".to_owned(),
        };
        Err(Denied::new(Reason::PublicKeyNoUser, format!("{file} may act as {may}")))
    }
}

fn comes_from(entry: &CoreKey, address: IpAddr) -> bool {
    let address = address.to_canonical();
    entry.from.is_empty() || entry.from.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_signs_on_the_one_user_it_may_act_as_and_otherwise_nobody() {
        let john = || ActAs::User(LoginId::without_company("john"));
        for (rights, user) in [
            (KeyRights::Service(vec![john()]), Some("john")),
            (KeyRights::Service(vec![john(), ActAs::User(LoginId::without_company("mary"))]), None),
            (KeyRights::Service(vec![ActAs::Anybody]), None),
            (KeyRights::Service(vec![ActAs::Company("acme".into())]), None),
            (KeyRights::Service(vec![john(), ActAs::Anybody]), None),
            (KeyRights::Service(Vec::new()), None),
            (KeyRights::System, None),
            (KeyRights::Front, None),
        ] {
            let key =
                KeyGrant { file: "a.pem".parse().unwrap(), rights: rights.clone(), ends_at: None };
            match (key.user(), user) {
                (Ok(found), Some(user)) => {
                    assert_eq!(found.user, LoginId::without_company(user));
                }
                (Err(refused), None) => assert_eq!(refused.reason, Reason::PublicKeyNoUser),
                (other, _) => panic!("{rights:?}: {other:?}"),
            }
        }
    }
}
