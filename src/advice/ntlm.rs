//! NTLM, through Samba.

use std::path::Path;

/// The helper is not there.
pub const INSTALL: &str = "install Debian's package winbind, correct [sso.ntlm] ntlm_auth, or take ntlm out of [sso] mechanisms";

/// The helper may not be executed.
pub fn executable(path: &Path) -> String {
    format!("chmod 0755 {}", path.display())
}

/// The helper has a password of its own.
pub const NO_PASSWORD: &str = "take it out: it is for trying things out";

/// testparm is missing.
pub const TESTPARM: &str = "install Debian's package samba-common-bin";

/// wbinfo is missing.
pub const WBINFO: &str = "install Debian's package winbind";

/// smb.conf cannot be read.
pub const SMB_CONF: &str = "correct smb.conf (testparm shows what is wrong with it), or --configfile in [sso.ntlm] ntlm_auth_args";

/// winbind does not answer.
pub const START_WINBIND: &str = "systemctl start winbind (on a domain controller: samba-ad-dc) and look at its log, or take ntlm out of [sso] mechanisms";

/// The domain does not trust this host.
pub const JOIN: &str = "join the domain again (net ads join), and start winbind anew: the host's account may have been deleted or reset";

/// The helper answers late.
pub const SLOW: &str = "look at the load of this host, and at log level in smb.conf";

/// This host belongs to no domain, and nobody asked for NTLM.
pub const JOIN_OR_LEAVE_OUT: &str = "nothing, if Kerberos is enough: mechanisms = [\"negotiate\", \"basic\"] in [sso] ends this line. For NTLM, let the host join the domain (docs/ntlm.md)";
