//! The files that the configuration names, and whether this process may read them.

use std::path::Path;

use crate::config::Settings;
use crate::process::access::{self, Unreadable};

/// The key of the keytab.
pub(super) const KEYTAB: &str = "[sso.kerberos] keytab";

/// Every file of the front that this process has no right to read, with the key
/// that names it.
pub(super) fn unreadable(settings: &Settings) -> Vec<(&'static str, Unreadable)> {
    let refused = |(key, path)| access::check(path).err().map(|unreadable| (key, unreadable));
    files(settings).into_iter().filter_map(refused).collect()
}

fn files(settings: &Settings) -> Vec<(&'static str, &Path)> {
    let mut files = Vec::new();
    if settings.sso.enable_sso {
        files.push((KEYTAB, settings.sso.kerberos.keytab.as_path()));
    }
    if let Some(certificate) = &settings.front.certificate
        && !settings.front.listen_tls.is_empty()
    {
        files.push(("[front] server_ssl_key_file", &certificate.key));
        if certificate.certificate != certificate.key {
            files.push(("[front] server_ssl_cert_file", &certificate.certificate));
        }
    }
    files
}
