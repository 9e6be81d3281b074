//! Handshakes with the key of a certificate, and with another one.

use super::*;
use crate::pki::openssl::{Key, certificates, issue, make_ca, make_key};
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::{default_provider, sign::any_supported_type};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use std::path::Path;

/// A client that does not care who the server is.
#[derive(Debug)]
struct Careless;

impl ServerCertVerifier for Careless {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// The certificate of one name with the key of another.
fn shown(folder: &Path, certificate: &str, key: &str) -> Arc<SingleCertAndKey> {
    let chain = certificates(folder, &format!("{certificate}.pem"));
    let key = PrivateKeyDer::from_pem_file(folder.join(format!("{key}.key"))).unwrap();
    let pair = CertifiedKey::new(chain, any_supported_type(&key).unwrap());
    Arc::new(SingleCertAndKey::from(pair))
}

/// Shakes hands; the certificates that the server then has of the client.
fn shake(
    version: &'static rustls::SupportedProtocolVersion,
    server: Arc<SingleCertAndKey>,
    client: Arc<SingleCertAndKey>,
) -> Result<usize, Error> {
    let provider = Arc::new(default_provider());
    let verifier = Arc::new(PossessionVerifier::new(Arc::clone(&provider)));
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(server);
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Careless))
        .with_client_cert_resolver(client);
    let mut server = ServerConnection::new(Arc::new(server))?;
    let name = ServerName::try_from("core.example").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name)?;
    while server.is_handshaking() || client.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut &wire[..]).unwrap();
        server.process_new_packets()?;
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut &wire[..]).unwrap();
        client.process_new_packets()?;
    }
    Ok(server.peer_certificates().map_or(0, <[_]>::len))
}

#[test]
fn who_does_not_hold_the_key_does_not_get_through_the_handshake() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    make_ca(folder, "ca");
    for name in ["core", "web", "thief"] {
        make_key(folder, name, Key::Ec("P-256"));
        issue(folder, "ca", name, "basicConstraints=CA:FALSE", &[]);
    }
    for version in [&TLS12, &TLS13] {
        let server = || shown(folder, "core", "core");
        assert_eq!(shake(version, server(), shown(folder, "web", "web")), Ok(1));
        let stolen = shake(version, server(), shown(folder, "web", "thief"));
        assert!(matches!(stolen, Err(Error::InvalidCertificate(_))), "{stolen:?}");
    }
}

#[test]
fn a_certificate_that_can_never_count_is_let_through_to_be_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    make_ca(folder, "ca");
    make_key(folder, "core", Key::Ec("P-256"));
    issue(folder, "ca", "core", "basicConstraints=CA:FALSE", &[]);
    make_key(folder, "old", Key::Rsa(2048));
    issue(folder, "ca", "old", "", &[]);
    let (old, core) = (certificates(folder, "old.pem"), certificates(folder, "core.pem"));
    assert!(!can_be_admitted(&old[0]), "version 1");
    assert!(can_be_admitted(&core[0]));
    let shaken = shake(&TLS13, shown(folder, "core", "core"), shown(folder, "old", "old"));
    assert_eq!(shaken, Ok(1));
}
