//! Host names and DNS.

/// The host's name has no domain.
pub const FULL_NAME: &str =
    "set server_hostname to the full name by which browsers reach this host";

/// A name has no address.
pub const ADD: &str = "add the name to DNS, or correct server_hostname";

/// The address has another name.
pub const AGREE: &str = "make the PTR record agree, or set rdns = false in the krb5.conf of the clients: they may ask for a ticket of the other name";
