//! Keytab and Kerberos library.

/// Nobody can sign on at all.
pub const ENABLE: &str = "set enable_sso = true in [sso]";

/// There is no keytab, or none that can be used.
pub const EXPORT: &str = "export the keys of HTTP/ and the site's host (ktpass; samba-tool domain exportkeytab; kadmin ktadd), and name the file in [sso.kerberos] keytab";

/// Keys of RC4 alone.
pub const ADD_AES: &str = "set msDS-SupportedEncryptionTypes of the account to 24, set its password again, and export the keytab again";

/// The configured acceptor has no keys.
pub fn acceptor(acceptor: &str, held: &[&str]) -> String {
    format!(
        "export the keys of {acceptor} to the keytab, or set acceptor to one of {}",
        held.join(", ")
    )
}

/// A site's host has no service name.
pub fn register(service: &str) -> String {
    format!(
        "add the service principal to the account (setspn -S {service} ACCOUNT) and export the keytab again"
    )
}
