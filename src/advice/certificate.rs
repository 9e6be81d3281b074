//! Certificates that Doorward shows to clients.

use std::path::Path;

/// None is configured.
pub(crate) const NONE: &str = "set server_ssl_key_file in [front]";

/// The files cannot be used, and the error does not say what to do.
pub(crate) fn name_files(section: &str) -> String {
    format!("set [{section}] server_ssl_key_file and server_ssl_cert_file to PEM files")
}

/// The files by which a front signs on to the core cannot be used.
pub(crate) const NAME_SSLKEY: &str =
    "set [front] sslkey_file to a PEM file with key and certificate (`doorward cert client`)";

/// A certificate for signing on is not for clients.
pub(crate) const CLIENT_USE: &str = "have it issued again as a client's certificate (extended key usage clientAuth), as `doorward cert client` does";

/// It ended, or ends soon.
pub(crate) const RENEW: &str =
    "have the certificate issued again, replace the file, and reload the gateway (SIGHUP)";

/// The certificate of an issuer in the file ended, or ends soon.
pub(crate) const RENEW_LINK: &str = "fetch the issuer's new certificate, or have both issued again, replace the file, and reload the gateway (SIGHUP)";

/// The certificate of somebody who signs on with it ended, or ends soon.
pub(crate) const RENEW_CLIENT: &str = "have the certificate issued again for the same key: you can keep the file here, or replace it with the new certificate";

/// It begins later, and nobody knows whether the clock is right.
pub(crate) const NOT_YET: &str = "compare this host's clock with another (`timedatectl`); if it is right, the certificate is for a later time: install it then, or have it issued again from today";

/// It begins later, and the clock is right.
pub(crate) const LATER: &str = "install it then, or have it issued again from today";

/// The clock is wrong.
pub(crate) const SET_CLOCK: &str =
    "set this host's clock by a time server (`timedatectl set-ntp true`), and check again";

/// It is not for every host.
pub(crate) const ALL_NAMES: &str = "have a certificate issued for all names of the sites: browsers do not trust it for other names";

/// The certificate of its issuer is not in the file, and was found elsewhere.
pub(crate) fn append_from(issuer: &str, place: &Path, file: &str) -> String {
    format!(
        "append the certificate of {issuer}, which is in {}, to {file}, after the certificate that it issued, and reload the gateway (SIGHUP)",
        place.display()
    )
}

/// Two authorities have the same name.
pub(crate) const RIGHT_ISSUER: &str =
    "replace the issuer's certificate in the file with the one for the key that signed";

/// Nobody knows whether the issuer is a root or is in between.
pub(crate) fn append_or_trust(issuer: &str, file: &str) -> String {
    format!(
        "if {issuer} is an intermediate, append its certificate to {file}; if it is your own root, all clients need it, and this host too (Debian: put it into /usr/local/share/ca-certificates as NAME.crt, and run update-ca-certificates)"
    )
}

/// Certificates in the file are not in the order of the chain.
pub(crate) const ORDER: &str = "write the file in this order: the server's own certificate first, then its issuer's, and so on";

/// Its own key may not be used by servers.
pub(crate) const SERVER_USE: &str = "have it issued again as a server's certificate (key usage digitalSignature, extended key usage serverAuth), as `doorward cert server` does";

/// It is an authority's certificate.
pub(crate) const NOT_A_CA: &str = "have a certificate issued for the server by this authority, and use that one: browsers refuse an authority's certificate as a server's";

/// It is signed by itself.
pub(crate) const SELF_SIGNED: &str = "have a certificate issued by an authority that browsers trust, or by your own (`doorward cert ca`, `doorward cert server`)";

/// Browsers do not speak with such a key.
pub(crate) const COMMON_KEY: &str = "have a certificate issued for a key of ECDSA on P-256 or P-384, or RSA of 2048 bits or more (`doorward cert server` makes P-256)";

/// Its signature can be forged.
pub(crate) const SIGNATURE: &str =
    "have it issued again with SHA-256: clients refuse this signature";

/// Clients refuse it for a reason that only the library names.
pub(crate) const ISSUE_AGAIN: &str = "have it issued again";
