//! Where the core is, and how a connection to it is made.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore, version};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::spawn_blocking;
use tokio_rustls::TlsConnector;

use super::ClientError;
use crate::config::section::{CoreAddress, RemoteCore};
use crate::pki::file::pair::{self, PairError};
use crate::pki::peer::chain::AuthorityError;
use crate::pki::tls::{CoreTrust, ServerVerifier};
use crate::process::files::stamp::FileStamp;

/// The core's address; on TLS, with the settings that its files were last read to.
#[derive(Debug)]
pub(super) struct Target {
    address: CoreAddress,
    read: Mutex<Option<Read>>,
}

#[derive(Clone, Debug)]
struct Read {
    stamps: Vec<Option<FileStamp>>,
    config: Arc<ClientConfig>,
}

/// Why nobody can come to a core by TLS.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// Our key and certificate.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// The authority of the core's certificate.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// This system trusts nobody.
    #[error("this system has no trusted authorities; name the core's in server_ssl_ca_file")]
    NoAuthorities,
    /// The TLS library cannot do with them.
    #[error("TLS does not work: {0}")]
    Tls(#[from] rustls::Error),
}

/// What requests and answers travel on.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Target {
    pub(super) fn new(address: CoreAddress) -> Self {
        Self { address, read: Mutex::default() }
    }

    /// Connects; on TLS, only to who proves to be the core.
    pub(super) async fn connect(&self) -> Result<Box<dyn Stream>, ClientError> {
        match &self.address {
            CoreAddress::Unix(path) => match UnixStream::connect(path).await {
                Ok(stream) => Ok(Box::new(stream)),
                Err(error) => Err(self.unreachable(error)),
            },
            CoreAddress::Https(core) => self.connect_tls(core).await,
        }
    }

    /// Reads the files of TLS, where they are needed and have changed.
    pub(super) async fn prepare(&self) -> Result<(), ClientError> {
        match &self.address {
            CoreAddress::Unix(_) => Ok(()),
            CoreAddress::Https(core) => self.config(core).await.map(|_| ()),
        }
    }

    pub(super) fn unreachable(&self, source: io::Error) -> ClientError {
        ClientError::Unreachable { core: self.to_string(), source }
    }

    async fn connect_tls(&self, core: &RemoteCore) -> Result<Box<dyn Stream>, ClientError> {
        let config = self.config(core).await?;
        let name = ServerName::try_from(core.host.clone())
            .map_err(|error| self.unreachable(io::Error::other(error)))?;
        let connected = TcpStream::connect((core.host.as_str(), core.port)).await;
        let stream = connected
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|error| self.unreachable(error))?;
        match TlsConnector::from(config).connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(source) if is_untrusted(&source) => {
                Err(ClientError::Untrusted { core: self.to_string(), source })
            }
            Err(error) => Err(self.unreachable(error)),
        }
    }

    /// The settings; a renewed key or certificate counts for the next connection.
    async fn config(&self, core: &RemoteCore) -> Result<Arc<ClientConfig>, ClientError> {
        let stamps = stamps(core);
        let held = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(read) = held.filter(|read| read.stamps == stamps) {
            return Ok(read.config);
        }
        let core = core.clone();
        // An encrypted key takes its time to open.
        let config = match spawn_blocking(move || config(&core)).await {
            Ok(read) => read
                .map_err(Box::new)
                .map_err(|source| ClientError::Credentials { core: self.to_string(), source })?,
            Err(error) => return Err(self.unreachable(io::Error::other(error))),
        };
        let read = Read { stamps, config: Arc::clone(&config) };
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        Ok(config)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

fn is_untrusted(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}

fn config(core: &RemoteCore) -> Result<Arc<ClientConfig>, CredentialError> {
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?;
    let builder = match &core.ca_file {
        Some(path) => {
            let verifier = ServerVerifier::new(Arc::new(CoreTrust::load(path)?), provider);
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
        None => builder.with_root_certificates(system_roots()?),
    };
    let mut config = match &core.client {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let shown: Arc<dyn ResolvesClientCert> =
                Arc::new(SingleCertAndKey::from(pair::load(files, "sslkey_pass")?));
            builder.with_client_cert_resolver(shown)
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn system_roots() -> Result<RootCertStore, CredentialError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(CredentialError::NoAuthorities) } else { Ok(roots) }
}

fn stamps(core: &RemoteCore) -> Vec<Option<FileStamp>> {
    let pair = core.client.iter().flat_map(|files| [&files.key, &files.certificate]);
    let paths: Vec<&PathBuf> = pair.chain(&core.ca_file).collect();
    paths.into_iter().map(|path| FileStamp::of(path)).collect()
}
