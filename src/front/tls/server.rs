//! Everything a handshake needs.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::binding::server_end_point;
use super::clients::Clients;
use super::error::TlsError;
use crate::clock::Timestamp;
use crate::config::section::CertificateFiles;
use crate::mechanism::Bindings;
use crate::pki::file::pair;
use crate::pki::tls::server_config;

/// Settings and certificate of a TLS listener, and the channel binding of
/// connections that begin with them.
#[derive(Clone, Debug)]
pub(crate) struct ServerTls {
    config: Arc<ServerConfig>,
    /// The same, asking the client for a certificate.
    asking: Option<Arc<ServerConfig>>,
    binding: Arc<Bindings>,
    clients: Option<Clients>,
}

impl ServerTls {
    /// Reads key, certificate and chain. Clients are asked for a certificate where
    /// it is said whose are taken.
    ///
    /// # Errors
    /// [`TlsError`] names the file and what is wrong with it.
    pub(crate) fn load(
        files: &CertificateFiles,
        clients: Option<Clients>,
    ) -> Result<Self, TlsError> {
        let pair = pair::load(files, "server_ssl_key_pass")?;
        // The pair was loaded with a certificate.
        let leaf = pair.cert.first().cloned().unwrap_or_else(|| CertificateDer::from(Vec::new()));
        let odd =
            |fault: String| TlsError::OddCertificate { path: files.certificate.clone(), fault };
        let binding = server_end_point(&leaf).map_err(|error| odd(error.to_string()))?;
        expires_at(&leaf).map_err(odd)?;
        let asking = clients.as_ref().map(|clients| config(Arc::clone(&pair), Some(clients)));
        let asking = asking.transpose()?.map(Arc::new);
        let config = Arc::new(config(pair, None)?);
        Ok(Self { config, asking, binding: Arc::new(binding), clients })
    }

    /// What rustls needs for a handshake that asks the client for no certificate;
    /// every connection gets its own reference.
    pub(crate) const fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// The same for one that does; `None` where nobody's certificates are taken.
    pub(crate) const fn asking(&self) -> Option<&Arc<ServerConfig>> {
        self.asking.as_ref()
    }

    /// The channel binding (RFC 5929 tls-server-end-point).
    pub(crate) const fn binding(&self) -> &Arc<Bindings> {
        &self.binding
    }

    /// Whose certificates are taken from clients; `None`: they are asked for none.
    pub(crate) const fn clients(&self) -> Option<&Clients> {
        self.clients.as_ref()
    }
}

/// When a certificate ends; the fault, where it is none.
pub(super) fn expires_at(leaf: &CertificateDer<'_>) -> Result<Timestamp, String> {
    let (_, certificate) = X509Certificate::from_der(leaf).map_err(|error| error.to_string())?;
    let end = certificate.validity().not_after.timestamp();
    Ok(Timestamp::from_unix(u64::try_from(end).unwrap_or(0)))
}

fn config(
    pair: Arc<CertifiedKey>,
    clients: Option<&Clients>,
) -> Result<ServerConfig, rustls::Error> {
    let asks = clients.map(Clients::subjects);
    server_config(pair, asks, &["h2", "http/1.1"], RESUMABLE_SESSIONS)
}

/// TLS sessions that clients may resume, two to a client; a reload forgets them.
const RESUMABLE_SESSIONS: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::tls::self_signed;
    use crate::front::tls::testing::{files, openssl, pair};
    use rustls::pki_types::pem::PemObject as _;
    use std::fs;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    #[test]
    fn key_and_certificate_may_stand_in_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = pair(folder.path(), "web");
        let both = folder.path().join("both.pem");
        fs::write(&both, [fs::read(key).unwrap(), fs::read(certificate).unwrap()].concat())
            .unwrap();
        let tls = ServerTls::load(&files(&both, &both, None), None).unwrap();
        let month = std::time::Duration::from_secs(30 * 24 * 60 * 60);
        let written = fs::read(&both).unwrap();
        let (_, leaf) = crate::pki::file::pem::certificates(&written).unwrap().remove(0);
        let end = expires_at(&leaf).unwrap();
        assert_eq!(**tls.binding(), server_end_point(&leaf).unwrap(), "it is that certificate");
        assert!(crate::clock::now().until(end) <= month, "OpenSSL gives 30 days");
    }

    #[test]
    fn an_encrypted_key_is_opened_with_its_pass_phrase() {
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = pair(folder.path(), "web");
        let sealed = folder.path().join("sealed.pem");
        let paths = ["-in", key.to_str().unwrap(), "-out", sealed.to_str().unwrap()];
        openssl(&[&["pkcs8", "-topk8"], &paths[..], &["-passout", "pass:sesame"]].concat());
        ServerTls::load(&files(&sealed, &certificate, Some("sesame")), None).unwrap();
        for (pass, words) in [(None, "set server_ssl_key_pass"), (Some("guess"), "correct")] {
            let fault = ServerTls::load(&files(&sealed, &certificate, pass), None).unwrap_err();
            assert!(fault.to_string().contains(words), "{fault}");
        }
    }

    #[test]
    fn the_error_names_the_file_and_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = pair(folder.path(), "web");
        let (other_key, _) = pair(folder.path(), "other");
        let missing = folder.path().join("missing.pem");
        for (key, certificate, named, words) in [
            (&missing, &certificate, &missing, "cannot read"),
            (&key, &missing, &missing, "cannot read"),
            (&key, &key, &key, "contains no certificate"),
            (&other_key, &certificate, &certificate, "does not belong to the first certificate"),
        ] {
            let fault =
                ServerTls::load(&files(key, certificate, None), None).unwrap_err().to_string();
            assert!(fault.contains(words), "{fault}");
            assert!(fault.contains(named.to_str().unwrap()), "{fault}");
        }
    }

    /// What a client of OpenSSL says about a connection with one version of TLS.
    async fn handshake(tls: &ServerTls, version: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let acceptor = TlsAcceptor::from(Arc::clone(tls.config()));
        let client = tokio::task::spawn_blocking(move || {
            let arguments =
                ["s_client", "-connect", &address, version, "-alpn", "h2", "-showcerts"];
            String::from_utf8(openssl(&arguments)).unwrap()
        });
        let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        stream.shutdown().await.unwrap();
        client.await.unwrap()
    }

    #[tokio::test]
    async fn the_binding_is_that_of_the_certificate_clients_see() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["web.example".to_owned(), "127.0.0.1".to_owned()];
        let tls = self_signed::load(folder.path(), &names, None, crate::clock::now()).unwrap();
        for version in ["-tls1_2", "-tls1_3"] {
            let seen = handshake(&tls, version).await;
            assert!(seen.contains("ALPN protocol: h2"), "{seen}");
            let leaf = CertificateDer::from_pem_slice(seen.as_bytes()).unwrap();
            assert_eq!(server_end_point(&leaf).unwrap(), **tls.binding());
        }
    }
}
