//! `[front]`

mod headers;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

pub(crate) use self::headers::HeaderNames;
use super::certificate::{AuthorityFiles, CertificateFiles, KeyPair};
use super::core_address::{CoreAddress, RemoteCore};
use crate::config::reading::{Given, Notes, section, within};
use crate::config::surroundings::Surroundings;
use crate::config::value_types::SecretText;

section! {
    /// `[front]`
    Written {
        listen: Vec<Given<SocketAddr>> = r#"["127.0.0.1:8080"]"#, Restart, "Addresses of plain HTTP.";
        listen_tls: Vec<Given<SocketAddr>> = "[]", Restart, "Addresses of HTTPS.";
        listen_status: Option<SocketAddr> = r#""""#, Restart, "Address of the status pages; empty: none.";
        server_ssl_key_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the private key of HTTPS.";
        server_ssl_cert_file: Option<PathBuf> = r#""""#, Reload, "PEM file with certificate and chain; empty: they are in the key file.";
        server_ssl_key_pass: SecretText = r#""""#, Reload, "Passphrase of the private key.";
        server_ssl_key_pass_file: Option<PathBuf> = r#""""#, Reload, "File with the passphrase of the private key.";
        trusted_proxies: Vec<Given<IpNet>> = "[]", Reload, "Networks of proxies whose forwarding headers are believed.";
        core: CoreAddress = r#""unix:/run/doorward/core.sock""#, Restart, "Where the front finds the core.";
        sslkey_file: Option<PathBuf> = r#""""#, Restart, "PEM file with the key and the certificate with which the front signs on to a core over TLS.";
        sslkey_pass: SecretText = r#""""#, Restart, "Passphrase of sslkey_file.";
        sslkey_pass_file: Option<PathBuf> = r#""""#, Restart, "File with the passphrase of sslkey_file.";
        server_ssl_ca_file: Option<PathBuf> = r#""""#, Restart, "PEM file with the authority of the core's certificate; empty: the system's authorities.";
        client_ssl_ca_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the authorities of client certificates; empty: nobody can sign on by certificate.";
        client_ssl_ca_path: Option<PathBuf> = r#""""#, Reload, "Folder of such PEM files.";
        crl_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the lists of revoked certificates of these authorities; empty: revocation is not checked.";
        max_connections: usize = "20000", Restart, "Maximum number of connections; if all are taken, a new one replaces the one that was idle for longest.";
        max_connections_per_address: usize = "0", Restart, "Maximum number of connections from one address; 0: three quarters of max_connections.";
        max_header_bytes: usize = "163840", Reload, "Maximum size of all header lines of a request together, in bytes.";
        header_timeout: Duration = r#""30s""#, Reload, "Time limit for a TLS handshake, and for a request head.";
        idle_timeout: Duration = r#""120s""#, Reload, "How long a connection may stay open without a request.";
        body_timeout: Duration = r#""60s""#, Reload, "How long a body may make no progress, in either direction.";
        connect_timeout: Duration = r#""5s""#, Reload, "Time limit for an application to accept a connection.";
        answer_timeout: Duration = r#""120s""#, Reload, "Time limit for an application to begin its answer.";
        tunnel_timeout: Duration = r#""1h""#, Reload, "How long a tunnel (websocket) may stay open without a byte.";
        stop_timeout: Duration = r#""10s""#, Restart, "How long open requests may take to finish when Doorward stops.";
        headers: headers::Written = "{}", Section, "Names of the headers that tell the application who is there.";
    }
    absent {
        proxy_header: String = r#""""#, Refused, "Header that identifies a node's own proxy in a multi-server set-up.";
    }
}

/// `[front]`
#[derive(Clone, Debug)]
pub(crate) struct Front {
    /// Plain HTTP listeners.
    pub listen: Vec<SocketAddr>,
    /// Whether nobody wrote that list.
    pub listen_by_default: bool,
    /// TLS listeners.
    pub listen_tls: Vec<SocketAddr>,
    /// The status listener, where there is one.
    pub listen_status: Option<SocketAddr>,
    /// Key and certificate of the TLS listeners; `None`: a self-signed one is made.
    pub certificate: Option<CertificateFiles>,
    /// Authorities of clients' certificates; `None`: clients are asked for none.
    pub clients: Option<AuthorityFiles>,
    /// Networks whose forwarding headers count.
    pub trusted_proxies: Vec<IpNet>,
    /// The core.
    pub core: CoreAddress,
    /// Connections at once.
    pub max_connections: usize,
    /// Connections at once from one address that is no trusted proxy, where that is set.
    pub max_connections_per_address: Option<usize>,
    /// A request's header lines at most, in bytes.
    pub max_header_bytes: usize,
    /// A TLS handshake or a request head must be complete within this time.
    pub header_timeout: Duration,
    /// A keep-alive connection may be idle this long.
    pub idle_timeout: Duration,
    /// A body may stand still this long, in either direction.
    pub body_timeout: Duration,
    /// An application must accept a connection within this time.
    pub connect_timeout: Duration,
    /// An application must begin its answer within this time.
    pub answer_timeout: Duration,
    /// A tunnel (websocket) may stand still this long.
    pub tunnel_timeout: Duration,
    /// Open requests are given this long to finish when the gateway stops.
    pub stop_timeout: Duration,
    /// Names of the identity headers.
    pub headers: HeaderNames,
}

impl Front {
    /// Connections at once from one address: unless it is set, so many that a network
    /// behind one address is served, and that no address takes all.
    pub(crate) fn connections_per_address(&self) -> usize {
        let usual = self.max_connections.saturating_mul(3) / 4;
        self.max_connections_per_address.unwrap_or(usual).max(1)
    }

    /// All addresses that are listened on.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let tls_and_status = self.listen_tls.iter().chain(&self.listen_status);
        self.listen.iter().chain(tls_and_status).copied().collect()
    }
}

pub(super) fn check(
    written: &Written,
    core_socket: &Path,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> Front {
    let plain = plain(written);
    listeners(written, plain, notes);
    limits(written, notes);
    for given in written.trusted_proxies.iter().filter(|given| given.prefix_len() == 0) {
        notes.warn(
            &given.at,
            "contains all addresses, so any client could pretend to be any other; list only the proxies",
        );
    }
    Front {
        listen: plain.iter().map(|given| given.value).collect(),
        listen_by_default: !written.listen.is_set(),
        listen_tls: written.listen_tls.iter().map(|given| given.value).collect(),
        listen_status: written.listen_status.value,
        certificate: certificate(written, surroundings, notes),
        clients: clients(written, notes),
        trusted_proxies: written.trusted_proxies.iter().map(|given| given.value).collect(),
        core: core(written, core_socket, surroundings, notes),
        max_connections: written.max_connections.value,
        max_connections_per_address: Some(written.max_connections_per_address.value)
            .filter(|most| *most > 0),
        max_header_bytes: written.max_header_bytes.value,
        header_timeout: written.header_timeout.value,
        idle_timeout: written.idle_timeout.value,
        body_timeout: written.body_timeout.value,
        connect_timeout: written.connect_timeout.value,
        answer_timeout: written.answer_timeout.value,
        tunnel_timeout: written.tunnel_timeout.value,
        stop_timeout: written.stop_timeout.value,
        headers: headers::check(&written.headers, notes),
    }
}

/// The listeners of plain HTTP. The default one is for a file that names no address.
fn plain(written: &Written) -> &[Given<SocketAddr>] {
    if written.listen.is_set() || written.listen_tls.is_empty() { &written.listen } else { &[] }
}

fn listeners(written: &Written, plain: &[Given<SocketAddr>], notes: &mut Notes<'_>) {
    let status = written
        .listen_status
        .value
        .map(|value| Given { at: written.listen_status.at.clone(), value });
    let mut seen: Vec<&Given<SocketAddr>> = Vec::new();
    for given in plain.iter().chain(written.listen_tls.iter()).chain(&status) {
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
    if plain.is_empty() && written.listen_tls.is_empty() {
        notes.warn(
            &written.listen.at,
            "is empty, and so is front.listen_tls: no client can reach the front",
        );
    }
}

fn limits(written: &Written, notes: &mut Notes<'_>) {
    within(&written.max_connections, &1, &10_000_000, notes);
    within(&written.max_header_bytes, &8192, &(16 << 20), notes);
    let times = [
        &written.header_timeout,
        &written.idle_timeout,
        &written.body_timeout,
        &written.connect_timeout,
        &written.answer_timeout,
        &written.tunnel_timeout,
    ];
    for time in times {
        within(time, &Duration::from_secs(1), &Duration::MAX, notes);
    }
}

fn certificate(
    written: &Written,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> Option<CertificateFiles> {
    let given = KeyPair {
        section: "front",
        key: ("server_ssl_key_file", &written.server_ssl_key_file),
        certificate: Some(&written.server_ssl_cert_file),
        pass: &written.server_ssl_key_pass,
        pass_file: &written.server_ssl_key_pass_file,
    };
    let files = given.files(surroundings, notes)?;
    if written.listen_tls.is_empty() {
        notes.warn(
            &written.server_ssl_key_file.at,
            "is not used, because front.listen_tls is empty",
        );
    }
    Some(files)
}

/// By whose word clients' certificates are taken.
fn clients(written: &Written, notes: &mut Notes<'_>) -> Option<AuthorityFiles> {
    let files = AuthorityFiles {
        ca_file: written.client_ssl_ca_file.value.clone(),
        ca_path: written.client_ssl_ca_path.value.clone(),
        crl_file: written.crl_file.value.clone(),
    };
    if files.ca_file.is_none() && files.ca_path.is_none() {
        if files.crl_file.is_some() {
            notes.error(
                &written.crl_file.at,
                "belongs to an authority; set front.client_ssl_ca_file",
            );
        }
        return None;
    }
    if written.listen_tls.is_empty() {
        for given in [&written.client_ssl_ca_file, &written.client_ssl_ca_path] {
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
    written: &Written,
    core_socket: &Path,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> CoreAddress {
    let given = KeyPair {
        section: "front",
        key: ("sslkey_file", &written.sslkey_file),
        certificate: None,
        pass: &written.sslkey_pass,
        pass_file: &written.sslkey_pass_file,
    };
    let client = given.files(surroundings, notes);
    match &written.core.value {
        CoreAddress::Https(core) => {
            if client.is_none() {
                notes.error(&written.core.at, "needs a key to sign on with; set front.sslkey_file");
            }
            let ca_file = written.server_ssl_ca_file.value.clone();
            CoreAddress::Https(RemoteCore { client, ca_file, ..core.clone() })
        }
        CoreAddress::Unix(path) => {
            let unused = [&written.sslkey_file, &written.server_ssl_ca_file];
            for given in unused.into_iter().filter(|given| given.value.is_some()) {
                notes.warn(&given.at, "is not used, because front.core is a unix socket");
            }
            let path = if written.core.is_set() { path } else { core_socket };
            CoreAddress::Unix(path.to_owned())
        }
    }
}
