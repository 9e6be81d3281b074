//! NTLM, through Samba.

/// The helper is not there.
pub(crate) const INSTALL: &str = "install Debian's package winbind, correct [sso.ntlm] ntlm_auth, or take ntlm out of [sso] mechanisms";

/// The helper has a password of its own.
pub(crate) const NO_PASSWORD: &str = "take it out: it is for trying things out";

/// testparm is missing.
pub(crate) const TESTPARM: &str = "install Debian's package samba-common-bin";

/// wbinfo is missing.
pub(crate) const WBINFO: &str = "install Debian's package winbind";

/// smb.conf cannot be read.
pub(crate) const SMB_CONF: &str = "correct smb.conf (testparm shows what is wrong with it), or --configfile in [sso.ntlm] ntlm_auth_args";

/// Samba takes no NTLM, and decides for the domain.
pub(crate) const PERMIT: &str = "set ntlm auth = ntlmv2-only, or take ntlm out of [sso] mechanisms";

/// Samba takes no NTLM for accounts of this host.
pub(crate) const PERMIT_HERE: &str =
    "set ntlm auth = ntlmv2-only, and look whether the domain permits NTLM";

/// Samba takes the first version.
pub(crate) const VERSION_2: &str = "set ntlm auth = ntlmv2-only";

/// Samba lets strangers in as guests.
pub(crate) const NO_GUESTS: &str = "set map to guest = never";

/// winbind does not answer.
pub(crate) const START_WINBIND: &str = "systemctl start winbind (on a domain controller: samba-ad-dc) and look at its log, or take ntlm out of [sso] mechanisms";

/// The domain does not trust this host.
pub(crate) const JOIN: &str = "join the domain again (net ads join), and start winbind anew: the host's account may have been deleted or reset";

/// The helper answers late.
pub(crate) const SLOW: &str = "look at the load of this host, and at log level in smb.conf";

/// This host belongs to no domain, and nobody asked for NTLM.
pub(crate) const JOIN_OR_LEAVE_OUT: &str = "for NTLM, let this host join the domain (docs/ntlm.md); without NTLM, set mechanisms = [\"negotiate\", \"basic\"] in [sso], and this line is gone";

/// This host has never joined a domain.
pub(crate) const JOIN_FIRST: &str = "join a domain (security = ads in smb.conf, then net ads join), or take ntlm out of [sso] mechanisms";

/// winbind reaches no domain controller.
pub(crate) const REACH_CONTROLLER: &str = "look whether the domain controllers are up and reachable (ports 135, 445 and 49152 and above), and whether DNS names them (_ldap._tcp.dc._msdcs)";

/// What stands in the helper's place is another program.
pub(crate) const RIGHT_HELPER: &str =
    "set [sso.ntlm] ntlm_auth = \"/usr/bin/ntlm_auth\", which Debian's package winbind brings";

/// The helper says nothing.
pub(crate) const HANGING_HELPER: &str = "look whether winbind answers (wbinfo --ping) and what it logs, and whether [sso.ntlm] ntlm_auth is Samba's program (usually /usr/bin/ntlm_auth)";

/// The helper does not start, or dies.
pub(crate) const RUN_HELPER: &str = "run it by hand with the same arguments: it says what it lacks";
