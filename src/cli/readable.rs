//! The files that the configuration names, and whether this process may read them.

use std::path::{Path, PathBuf};

use super::role::Role;
use crate::config::Settings;
use crate::config::section::{Core, Front, Sso};
use crate::process::files::access::{self, Unreadable};

/// The key of the keytab.
pub(super) const KEYTAB: &str = "[sso.kerberos] keytab";

/// Every file of a role that this process has no right to read, with the key
/// that names it.
pub(super) fn unreadable(role: Role, settings: &Settings) -> Vec<(&'static str, Unreadable)> {
    let refused = |(key, path)| access::check(path).err().map(|unreadable| (key, unreadable));
    let front = (role != Role::Core).then(|| of_front(&settings.front, &settings.sso));
    let core = (role != Role::Front).then(|| of_core(&settings.core));
    front.into_iter().chain(core).flatten().filter_map(refused).collect()
}

fn of_front<'a>(front: &'a Front, sso: &'a Sso) -> Vec<(&'static str, &'a Path)> {
    let mut files = Vec::new();
    if sso.enable_sso {
        files.push((KEYTAB, sso.kerberos.keytab.as_path()));
    }
    if let Some(certificate) = &front.certificate
        && !front.listen_tls.is_empty()
    {
        files.push(("[front] server_ssl_key_file", &certificate.key));
        if certificate.certificate != certificate.key {
            files.push(("[front] server_ssl_cert_file", &certificate.certificate));
        }
    }
    if let Some(clients) = &front.clients {
        files.extend(present([
            ("[front] client_ssl_ca_file", &clients.ca_file),
            ("[front] client_ssl_ca_path", &clients.ca_path),
            ("[front] crl_file", &clients.crl_file),
        ]));
    }
    files
}

fn of_core(core: &Core) -> Vec<(&'static str, &Path)> {
    let sslkeys = ("[core] sslkeys_path", core.sslkeys_path.as_path());
    let Some(tls) = &core.tls else {
        // Only who is named here signs on by certificate.
        return if core.keys.is_empty() { Vec::new() } else { vec![sslkeys] };
    };
    let mut files = vec![("[core] server_ssl_key_file", tls.certificate.key.as_path())];
    if tls.certificate.certificate != tls.certificate.key {
        files.push(("[core] server_ssl_cert_file", &tls.certificate.certificate));
    }
    let authorities = &tls.authorities;
    files.extend(present([
        ("[core] server_ssl_ca_file", &authorities.ca_file),
        ("[core] server_ssl_ca_path", &authorities.ca_path),
        ("[core] crl_file", &authorities.crl_file),
    ]));
    files.push(sslkeys);
    files
}

/// Those of the files that are named.
fn present<'a>(
    named: [(&'static str, &'a Option<PathBuf>); 3],
) -> impl Iterator<Item = (&'static str, &'a Path)> {
    named.into_iter().filter_map(|(key, path)| Some((key, path.as_deref()?)))
}
