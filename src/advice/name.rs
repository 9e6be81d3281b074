//! Host names and DNS.

/// A host's name has no domain.
pub(crate) const FULL_NAME: &str =
    "let people use the full name, and set server_hostname, or host of the [[site]], to it";

/// A name has no address.
pub(crate) const ADD: &str =
    "add the name to DNS, or correct server_hostname, or host of the [[site]]";

/// A site is named by an address.
pub(crate) const NO_ADDRESS: &str =
    "give the host a name in DNS, set host of the [[site]] to it, and let people use it";

/// DNS is silent.
pub(crate) const RESOLVER: &str =
    "check /etc/resolv.conf (resolvectl status), and that its servers can be reached";

/// The address has another name.
pub(crate) const AGREE: &str =
    "make the PTR record agree, or set rdns = false in the krb5.conf of the clients";

/// A name leads to another.
pub(crate) fn alias(host: &str, canonical: &str) -> String {
    format!(
        "make {host} an address record (A, AAAA) instead of a CNAME, or register HTTP/{canonical} for the same account (setspn -S HTTP/{canonical} ACCOUNT) and export the keytab again"
    )
}
