//! What peers may ask, and the settings that decide.

use std::sync::Arc;
use std::time::Duration;

use super::password::PasswordRules;
use super::peer::{Peer, Standing};
use super::sessions::Limits;
use crate::clock;
use crate::config::CoreSettings;
use crate::core_server::peer::accounts::PeerRules;
use crate::core_server::peer::keys::{EntryError, KeyRules};
use crate::identity::Rules;
use crate::krb5::keytab;

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// A session for whom the caller says it has proven.
    OpenByProof,
    /// A session for whom the caller vouches.
    OpenTrusted,
    /// A session for whoever has the password.
    OpenByPassword,
    /// Leave to check a password elsewhere.
    Attempts,
    /// A session for the caller's own account.
    OpenOwn,
    /// Whose session an id is.
    Resolve,
    /// The end of the session of an id.
    End,
    /// Whom the core takes the caller for.
    Whoami,
    /// To be told of ended sessions.
    Events,
    /// To see or end sessions whose secret the caller does not have.
    Sessions,
    /// To see the keys of peers.
    Keys,
}

impl Ask {
    /// The word in the audit log.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::OpenByProof => "open a session by proof",
            Self::OpenTrusted => "open a session for a trusted name",
            Self::OpenByPassword => "open a session by password",
            Self::Attempts => "count attempts at passwords",
            Self::OpenOwn => "open a session of its own",
            Self::Resolve => "resolve a session",
            Self::End => "end a session",
            Self::Whoami => "whoami",
            Self::Events => "hear events",
            Self::Sessions => "see or end the sessions of others",
            Self::Keys => "see the keys of peers",
        }
    }
}

/// The table of who may ask what. Who presents a session's id proves to be its
/// bearer, so everybody who is somebody may resolve and end sessions; and a
/// password is a proof whoever brings it.
pub(super) const fn allowed(peer: &Peer, ask: Ask) -> bool {
    use Ask::{
        Attempts, End, Events, Keys, OpenByPassword, OpenByProof, OpenOwn, OpenTrusted, Resolve,
        Sessions, Whoami,
    };
    match (peer.standing(), ask) {
        (Standing::System, _) | (_, Whoami | OpenByPassword) => true,
        (Standing::Anonymous, _) => false,
        (_, Resolve | End) => true,
        (_, Sessions | Keys) => false,
        (Standing::Front, OpenByProof | Attempts | Events) => true,
        (Standing::Front, OpenTrusted | OpenOwn) => false,
        (Standing::Service, OpenTrusted) => true,
        (Standing::Service, OpenByProof | Attempts | OpenOwn | Events) => false,
        (Standing::Local, OpenOwn) => true,
        (Standing::Local, OpenByProof | Attempts | OpenTrusted | Events) => false,
    }
}

/// The settings that decide; swapped as a whole at a reload.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) peers: PeerRules,
    pub(super) keys: Arc<KeyRules>,
    pub(super) identity: Rules,
    pub(super) limits: Limits,
    pub(super) lifetime: Duration,
    pub(super) ip_check: bool,
    pub(super) server_name: String,
    pub(super) passwords: PasswordRules,
}

impl Policy {
    /// # Errors
    /// A `[[core.key]]` is about no key.
    pub(super) fn new(settings: &CoreSettings) -> Result<Self, EntryError> {
        let core = &settings.core;
        Ok(Self {
            peers: PeerRules::new(
                &core.local_admin_users,
                &core.front_users,
                core.allow_local_users,
            ),
            keys: Arc::new(KeyRules::new(core, clock::now())?),
            identity: Rules::new(&core.realms, &core.altnames, own_realms(settings))
                .naming(settings.kerberos.user_name, settings.kerberos.allow_computers),
            passwords: PasswordRules::new(settings),
            limits: Limits {
                timeout: core.session_timeout,
                unclaimed: core.session_unclaimed,
                lifetime: core.session_lifetime,
                per_user: core.max_sessions_per_user,
            },
            lifetime: core.session_lifetime,
            ip_check: core.session_ip_check,
            server_name: settings.server_name.clone(),
        })
    }
}

/// Without any `[[core.realm]]` the keytab's realms are allowed in trusted names.
/// A core without front may have no keytab: then such names must have no realm.
fn own_realms(settings: &CoreSettings) -> Vec<String> {
    if !settings.core.realms.is_empty() {
        return Vec::new();
    }
    match keytab::read(&settings.kerberos.keytab) {
        Ok(keytab) => keytab.realms().into_iter().map(str::to_owned).collect(),
        Err(error) => {
            tracing::info!(%error, "without [[core.realm]] and keytab, trusted names must have no realm");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::KeyRights;
    use crate::core_server::peer::KeyPeer;
    use std::net::{IpAddr, Ipv4Addr};

    const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn key(rights: KeyRights) -> Peer {
        Peer::Key(KeyPeer { file: "a-public.pem".into(), rights, address: ADDRESS })
    }

    #[test]
    fn every_peer_may_ask_what_the_table_says() {
        use Ask::{
            Attempts, End, Events, Keys, OpenByPassword, OpenByProof, OpenOwn, OpenTrusted,
            Resolve, Sessions, Whoami,
        };
        const ALL: [Ask; 11] = [
            OpenByProof,
            Attempts,
            OpenTrusted,
            OpenByPassword,
            OpenOwn,
            Resolve,
            End,
            Whoami,
            Events,
            Sessions,
            Keys,
        ];
        let local =
            |account: Option<&str>| Peer::Local { uid: 7, account: account.map(Into::into) };
        for (peer, may) in [
            (Peer::System { uid: 0 }, ALL.to_vec()),
            (
                Peer::Front { uid: 33 },
                vec![OpenByProof, Attempts, OpenByPassword, Resolve, End, Whoami, Events],
            ),
            (local(Some("john")), vec![OpenByPassword, OpenOwn, Resolve, End, Whoami]),
            (local(None), vec![OpenByPassword, OpenOwn, Resolve, End, Whoami]),
            (key(KeyRights::System), ALL.to_vec()),
            (
                key(KeyRights::Front),
                vec![OpenByProof, Attempts, OpenByPassword, Resolve, End, Whoami, Events],
            ),
            (
                key(KeyRights::Service(Vec::new())),
                vec![OpenTrusted, OpenByPassword, Resolve, End, Whoami],
            ),
            (Peer::Anonymous { address: ADDRESS }, vec![OpenByPassword, Whoami]),
        ] {
            let granted: Vec<Ask> = ALL.into_iter().filter(|&ask| allowed(&peer, ask)).collect();
            assert_eq!(granted, may, "{peer:?}");
        }
    }
}
