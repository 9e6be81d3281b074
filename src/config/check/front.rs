//! `[front]`

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http::HeaderName;

use super::certificate::KeyPair;
use super::within;
use crate::config::checked::{
    AuthorityFiles, CertificateFiles, CoreAddress, Front, HeaderNames, RemoteCore,
};
use crate::config::errors::Notes;
use crate::config::raw;
use crate::config::surroundings::Surroundings;
use crate::config::value::Given;

pub(super) fn check(
    raw: &raw::Front,
    core_socket: &Path,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> Front {
    let plain = plain(raw);
    listeners(raw, plain, notes);
    limits(raw, notes);
    for given in raw.trusted_proxies.iter().filter(|given| given.prefix_len() == 0) {
        notes.warn(
            &given.at,
            "contains all addresses, so any client could pretend to be any other; list only the proxies",
        );
    }
    Front {
        listen: plain.iter().map(|given| given.value).collect(),
        listen_by_default: !raw.listen.is_set(),
        listen_tls: raw.listen_tls.iter().map(|given| given.value).collect(),
        listen_status: raw.listen_status.value,
        certificate: certificate(raw, surroundings, notes),
        clients: clients(raw, notes),
        trusted_proxies: raw.trusted_proxies.iter().map(|given| given.value).collect(),
        core: core(raw, core_socket, surroundings, notes),
        max_connections: raw.max_connections.value,
        max_connections_per_address: Some(raw.max_connections_per_address.value)
            .filter(|most| *most > 0),
        max_header_bytes: raw.max_header_bytes.value,
        header_timeout: raw.header_timeout.value,
        idle_timeout: raw.idle_timeout.value,
        body_timeout: raw.body_timeout.value,
        connect_timeout: raw.connect_timeout.value,
        answer_timeout: raw.answer_timeout.value,
        tunnel_timeout: raw.tunnel_timeout.value,
        stop_timeout: raw.stop_timeout.value,
        headers: headers(&raw.headers, notes),
    }
}

/// The listeners of plain HTTP. The default one is for a file that names no address.
fn plain(raw: &raw::Front) -> &[Given<SocketAddr>] {
    if raw.listen.is_set() || raw.listen_tls.is_empty() { &raw.listen } else { &[] }
}

fn listeners(raw: &raw::Front, plain: &[Given<SocketAddr>], notes: &mut Notes<'_>) {
    let status =
        raw.listen_status.value.map(|value| Given { at: raw.listen_status.at.clone(), value });
    let mut seen: Vec<&Given<SocketAddr>> = Vec::new();
    for given in plain.iter().chain(raw.listen_tls.iter()).chain(&status) {
        // Port 0 is a new port each time.
        let twin = seen.iter().find(|other| other.value == given.value && given.port() != 0);
        if let Some(twin) = twin {
            let line = notes.line(&twin.at);
            notes.error(
                &given.at,
                format!("{} is already in the list (line {line}); remove one", given.value),
            );
        }
        seen.push(given);
    }
    if plain.is_empty() && raw.listen_tls.is_empty() {
        notes.warn(
            &raw.listen.at,
            "is empty, and so is front.listen_tls: no client can reach the front",
        );
    }
}

fn limits(raw: &raw::Front, notes: &mut Notes<'_>) {
    within(&raw.max_connections, &1, &10_000_000, notes);
    within(&raw.max_header_bytes, &8192, &(16 << 20), notes);
    let times = [
        &raw.header_timeout,
        &raw.idle_timeout,
        &raw.body_timeout,
        &raw.connect_timeout,
        &raw.answer_timeout,
        &raw.tunnel_timeout,
    ];
    for time in times {
        within(time, &Duration::from_secs(1), &Duration::MAX, notes);
    }
}

fn certificate(
    raw: &raw::Front,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> Option<CertificateFiles> {
    let given = KeyPair {
        section: "front",
        key: ("server_ssl_key_file", &raw.server_ssl_key_file),
        certificate: Some(&raw.server_ssl_cert_file),
        pass: &raw.server_ssl_key_pass,
        pass_file: &raw.server_ssl_key_pass_file,
    };
    let files = given.files(surroundings, notes)?;
    if raw.listen_tls.is_empty() {
        notes.warn(&raw.server_ssl_key_file.at, "is not used, because front.listen_tls is empty");
    }
    Some(files)
}

/// By whose word clients' certificates are taken.
fn clients(raw: &raw::Front, notes: &mut Notes<'_>) -> Option<AuthorityFiles> {
    let files = AuthorityFiles {
        ca_file: raw.client_ssl_ca_file.value.clone(),
        ca_path: raw.client_ssl_ca_path.value.clone(),
        crl_file: raw.crl_file.value.clone(),
    };
    if files.ca_file.is_none() && files.ca_path.is_none() {
        if files.crl_file.is_some() {
            notes.error(&raw.crl_file.at, "belongs to an authority; set front.client_ssl_ca_file");
        }
        return None;
    }
    if raw.listen_tls.is_empty() {
        for given in [&raw.client_ssl_ca_file, &raw.client_ssl_ca_path] {
            if given.value.is_some() {
                notes.warn(&given.at, "is not used, because front.listen_tls is empty");
            }
        }
        return None;
    }
    Some(files)
}

/// Where the core is, and who the front is to it.
fn core(
    raw: &raw::Front,
    core_socket: &Path,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> CoreAddress {
    let given = KeyPair {
        section: "front",
        key: ("sslkey_file", &raw.sslkey_file),
        certificate: None,
        pass: &raw.sslkey_pass,
        pass_file: &raw.sslkey_pass_file,
    };
    let client = given.files(surroundings, notes);
    match &raw.core.value {
        CoreAddress::Https(core) => {
            if client.is_none() {
                notes.error(&raw.core.at, "needs a key to sign on with; set front.sslkey_file");
            }
            let ca_file = raw.server_ssl_ca_file.value.clone();
            CoreAddress::Https(RemoteCore { client, ca_file, ..core.clone() })
        }
        CoreAddress::Unix(path) => {
            let unused = [&raw.sslkey_file, &raw.server_ssl_ca_file];
            for given in unused.into_iter().filter(|given| given.value.is_some()) {
                notes.warn(&given.at, "is not used, because front.core is a unix socket");
            }
            let path = if raw.core.is_set() { path } else { core_socket };
            CoreAddress::Unix(path.to_owned())
        }
    }
}

fn headers(raw: &raw::Headers, notes: &mut Notes<'_>) -> HeaderNames {
    let names = [
        &raw.user,
        &raw.name,
        &raw.email,
        &raw.groups,
        &raw.company,
        &raw.admin,
        &raw.mechanism,
        &raw.assertion,
    ];
    for (index, given) in names.iter().enumerate() {
        let twin = names.iter().take(index).find(|other| folded(other) == folded(given));
        if let Some(twin) = twin {
            // One of the two may be a default: the complaint goes to the one that is written.
            let (here, there) = if given.is_set() { (given, twin) } else { (twin, given) };
            notes.error(
                &here.at,
                format!(
                    "{} reads the same as the name in {}; choose another",
                    here.value, there.at.key
                ),
            );
        }
    }
    HeaderNames {
        user: raw.user.value.clone(),
        name: raw.name.value.clone(),
        email: raw.email.value.clone(),
        groups: raw.groups.value.clone(),
        company: raw.company.value.clone(),
        admin: raw.admin.value.clone(),
        mechanism: raw.mechanism.value.clone(),
        assertion: raw.assertion.value.clone(),
    }
}

/// The name as an application sees it through CGI (RFC 3875 4.1.18): what differs only there is one name.
fn folded(name: &HeaderName) -> String {
    name.as_str().replace(['_', '.'], "-")
}
