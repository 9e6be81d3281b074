//! Handshakes with the key of a certificate, and with another one.

use super::*;
use crate::pki::file::openssl::{Key, certificates, issue, make_ca, make_key};
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

/// The TLS library does not read certificates of version 1: the signature is verified here.
#[test]
fn nor_does_one_with_a_certificate_of_version_1() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    make_ca(folder, "ca");
    make_key(folder, "core", Key::Ec("P-256"));
    issue(folder, "ca", "core", "basicConstraints=CA:FALSE", &[]);
    for key in [Key::Ec("P-256"), Key::Ec("P-384"), Key::Rsa(2048), Key::Named("ED25519")] {
        for name in ["old", "thief"] {
            make_key(folder, name, key);
        }
        issue(folder, "ca", "old", "", &[]);
        assert!(can_be_admitted(&certificates(folder, "old.pem")[0]));
        for version in [&TLS12, &TLS13] {
            let server = || shown(folder, "core", "core");
            let own = shake(version, server(), shown(folder, "old", "old"));
            assert_eq!(own, Ok(1), "{key:?} {version:?}");
            let stolen = shake(version, server(), shown(folder, "old", "thief"));
            assert!(matches!(stolen, Err(Error::InvalidCertificate(_))), "{key:?} {stolen:?}");
        }
    }
}

#[test]
fn a_weak_key_can_never_be_admitted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    make_ca(folder, "ca");
    make_key(folder, "short", Key::Rsa(1024));
    issue(folder, "ca", "short", "basicConstraints=CA:FALSE", &[]);
    assert!(!can_be_admitted(&certificates(folder, "short.pem")[0]));
}
