//! `core.listen_tls`, and what belongs to it.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::super::certificate::{AuthorityFiles, CertificateFiles, KeyPair};
use super::Written;
use crate::config::reading::{Diagnostics, Located};
use crate::config::surroundings::Surroundings;

/// `core.listen_tls`, and what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct CoreTls {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// Key and certificate of the core.
    pub certificate: CertificateFiles,
    /// Authorities of peers' certificates.
    pub authorities: AuthorityFiles,
}

/// What runs on the core's TLS listeners; `None` where there are none.
pub(super) fn check(
    written: &Written,
    surroundings: &Surroundings,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<CoreTls> {
    let given = KeyPair {
        section: "core",
        key: ("server_ssl_key_file", &written.server_ssl_key_file),
        certificate: Some(&written.server_ssl_cert_file),
        pass: &written.server_ssl_key_pass,
        pass_file: &written.server_ssl_key_pass_file,
    };
    let certificate = given.files(surroundings, diagnostics);
    let listen = &written.listen_tls.0;
    let Some(first) = listen.first() else {
        unused(written, diagnostics);
        return None;
    };
    same_twice(listen, diagnostics);
    let authorities = AuthorityFiles {
        ca_file: written.server_ssl_ca_file.value.clone(),
        ca_path: written.server_ssl_ca_path.value.clone(),
        crl_file: written.crl_file.value.clone(),
    };
    if authorities.ca_file.is_none() && authorities.ca_path.is_none() {
        diagnostics.warn(
            &first.at,
            "lets nobody sign on with a key, because core.server_ssl_ca_file is not set",
        );
        if authorities.crl_file.is_some() {
            diagnostics.error(
                &written.crl_file.at,
                "belongs to an authority; set core.server_ssl_ca_file",
            );
        }
    }
    let Some(certificate) = certificate else {
        diagnostics.error(&first.at, "needs the core's own certificate; set core.server_ssl_key_file (`doorward cert server` makes one)");
        return None;
    };
    Some(CoreTls {
        listen: listen.iter().map(|given| given.value).collect(),
        certificate,
        authorities,
    })
}

fn same_twice(listen: &[Located<SocketAddr>], diagnostics: &mut Diagnostics<'_>) {
    for (index, given) in listen.iter().enumerate() {
        let again = listen.iter().take(index).any(|earlier| earlier.value == given.value);
        if again && given.port() != 0 {
            diagnostics.error(&given.at, format!("{} is already in use; remove one", given.value));
        }
    }
}

/// Warns of what belongs to TLS and is set without it. `[[core.key]]` is not: a front may
/// ask as whom keys sign on.
fn unused(written: &Written, diagnostics: &mut Diagnostics<'_>) {
    let said = |given: &Located<Option<PathBuf>>| given.value.is_some().then(|| given.at.clone());
    let files = [
        &written.server_ssl_key_file,
        &written.server_ssl_ca_file,
        &written.server_ssl_ca_path,
        &written.crl_file,
    ];
    for at in files.into_iter().filter_map(said) {
        diagnostics.warn(&at, "is not used, because core.listen_tls is empty");
    }
}
