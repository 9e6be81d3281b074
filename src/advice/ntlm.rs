//! NTLM, through Samba.

/// The helper is not there.
pub(crate) const INSTALL: &str = "install Debian's package winbind, correct [sso.ntlm] ntlm_auth, or remove ntlm from [sso] mechanisms";

/// The helper has a password of its own.
pub(crate) const NO_PASSWORD: &str = "remove it: it is only for tests";

/// testparm is missing.
pub(crate) const TESTPARM: &str = "install Debian's package samba-common-bin";

/// wbinfo is missing.
pub(crate) const WBINFO: &str = "install Debian's package winbind";

/// smb.conf cannot be read.
pub(crate) const SMB_CONF: &str = "correct smb.conf (testparm shows what is wrong with it), or --configfile in [sso.ntlm] ntlm_auth_args";

/// Samba takes no NTLM, and decides for the domain.
pub(crate) const PERMIT: &str = "set ntlm auth = ntlmv2-only, or remove ntlm from [sso] mechanisms";

/// Samba takes no NTLM for accounts of this host.
pub(crate) const PERMIT_HERE: &str =
    "set ntlm auth = ntlmv2-only, and check that the domain permits NTLM";

/// Samba takes the first version.
pub(crate) const VERSION_2: &str = "set ntlm auth = ntlmv2-only";

/// Samba lets strangers in as guests.
pub(crate) const NO_GUESTS: &str = "set map to guest = never";

/// winbind does not answer.
pub(crate) const START_WINBIND: &str = "systemctl start winbind (on a domain controller: samba-ad-dc) and look at its log, or remove ntlm from [sso] mechanisms";

/// The domain does not trust this host.
pub(crate) const JOIN: &str = "join the domain again (net ads join), and restart winbind: the host's account may have been deleted or reset";

/// The helper answers late.
pub(crate) const SLOW: &str = "check the load of this host, and log level in smb.conf";

/// This host belongs to no domain, and nobody asked for NTLM.
pub(crate) const JOIN_OR_LEAVE_OUT: &str = "for NTLM, let this host join the domain (docs/ntlm.md); without NTLM, set mechanisms = [\"negotiate\", \"basic\"] in [sso] to remove this warning";

/// This host has never joined a domain.
pub(crate) const JOIN_FIRST: &str = "join a domain (security = ads in smb.conf, then net ads join), or remove ntlm from [sso] mechanisms";

/// winbind reaches no domain controller.
pub(crate) const REACH_CONTROLLER: &str = "check that the domain controllers run and can be reached (ports 135, 445 and 49152 and above), and that DNS names them (_ldap._tcp.dc._msdcs)";

/// What is in the helper's place is another program.
pub(crate) const RIGHT_HELPER: &str =
    "set [sso.ntlm] ntlm_auth = \"/usr/bin/ntlm_auth\", from Debian's package winbind";

/// The helper says nothing.
pub(crate) const HANGING_HELPER: &str = "check that winbind answers (wbinfo --ping), look at its log, and check that [sso.ntlm] ntlm_auth is Samba's program (usually /usr/bin/ntlm_auth)";

/// The helper does not start, or dies.
pub(crate) const RUN_HELPER: &str = "run it by hand with the same arguments: it says what is wrong";
