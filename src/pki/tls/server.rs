//! The settings of a TLS server: the front's and the core's.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::ServerSessionMemoryCache;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{DistinguishedName, Error, ServerConfig, version};

use crate::pki::peer::key_possession::PossessionVerifier;

/// What a server shakes hands by.
///
/// `asks`: clients are asked for a certificate, and none is demanded. Where it names
/// authorities, only for certificates of these: a browser then asks its user only where
/// there is one to choose. `None`: they are not asked.
///
/// `protocols`: for ALPN, the preferred first. `resumable`: TLS sessions that clients may
/// resume; new settings forget them.
///
/// # Errors
/// The TLS library cannot do with them.
pub(crate) fn server_config(
    certificate: Arc<CertifiedKey>,
    asks: Option<Vec<DistinguishedName>>,
    protocols: &[&str],
    resumable: usize,
) -> Result<ServerConfig, Error> {
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?;
    let builder = match asks {
        Some(authorities) => {
            let verifier = PossessionVerifier::new(provider, authorities);
            builder.with_client_cert_verifier(Arc::new(verifier))
        }
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certificate)));
    // The strongest suite that both sides have, whatever the client prefers.
    config.ignore_client_order = true;
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config.session_storage = ServerSessionMemoryCache::new(resumable);
    Ok(config)
}
