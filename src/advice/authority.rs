//! Authorities whose certificates are accepted, and their lists of revoked ones.

/// `[core]` names no authority.
pub(crate) const CORE: &str = "set [core] server_ssl_ca_file";

/// The files of `[core]`, where the error does not say what to do.
pub(crate) const CORE_FILES: &str =
    "correct [core] server_ssl_ca_file, server_ssl_ca_path or crl_file";

/// The files of `[front]`, where the error does not say what to do.
pub(crate) const FRONT_FILES: &str =
    "correct [front] client_ssl_ca_file, client_ssl_ca_path or crl_file";

/// It may not sign certificates.
pub(crate) const NEW_CA: &str = "have the authority's certificate issued again with basicConstraints CA:TRUE and keyUsage keyCertSign, as `doorward cert ca` does";

/// It ended, or ends soon.
pub(crate) const RENEW_CA: &str = "have the authority's certificate issued again for the same key, or make a new authority, and put it into the file before the old one ends";

/// A list of revoked certificates ended, or ends soon.
pub(crate) const FETCH_LIST: &str =
    "fetch a new list from the authority into crl_file, and do so regularly: no reload is needed";

/// An authority has no list.
pub(crate) const ADD_LIST: &str = "append the list of this authority to crl_file (-----BEGIN X509 CRL-----), or remove the authority";

/// It may not sign the list that is given for it.
pub(crate) const SIGN_LISTS: &str = "have the authority's certificate issued again with keyUsage cRLSign as well as keyCertSign, or remove crl_file";
