//! Handshakes with the key of a certificate, and with another one.

use super::*;
use crate::pki::file::openssl::{Key, certificates, issue, make_ca, make_key};
use crate::pki::peer::presented::{PresentedCertificate, ProvenCertificate};
use crate::pki::tls::{ServerVerifier, TrustServer};
use crate::wire::Reason;
use rustls::crypto::aws_lc_rs::{default_provider, sign::any_supported_type};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use std::path::Path;

/// A client that does not care who the server is.
#[derive(Debug)]
struct Anybody;

impl TrustServer for Anybody {
    fn trusts(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: UnixTime,
    ) -> Result<(), Error> {
        Ok(())
    }
}

/// The certificate of one name with the key of another.
fn shown(folder: &Path, certificate: &str, key: &str) -> Arc<SingleCertAndKey> {
    let chain = certificates(folder, &format!("{certificate}.pem"));
    let key = PrivateKeyDer::from_pem_file(folder.join(format!("{key}.key"))).unwrap();
    let pair = CertifiedKey::new(chain, any_supported_type(&key).unwrap());
    Arc::new(SingleCertAndKey::from(pair))
}

/// Shakes hands; what the server then has of the client.
fn shake(
    version: &'static rustls::SupportedProtocolVersion,
    server: Arc<SingleCertAndKey>,
    client: Arc<SingleCertAndKey>,
) -> Result<Option<PresentedCertificate>, Error> {
    let provider = Arc::new(default_provider());
    let verifier = PossessionVerifier::new(Arc::clone(&provider), Vec::new());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(server);
    let verifier = ServerVerifier::new(Arc::new(Anybody), Arc::clone(&provider));
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
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
    Ok(server.peer_certificates().and_then(PresentedCertificate::of_handshake))
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
        let own = shake(version, server(), shown(folder, "web", "web"));
        let key = public_key_of(folder, "web");
        assert_eq!(own.unwrap().unwrap().proven().unwrap().public_key(), key);
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
        for version in [&TLS12, &TLS13] {
            let server = || shown(folder, "core", "core");
            let own = shake(version, server(), shown(folder, "old", "old"));
            assert!(own.unwrap().unwrap().proven().is_ok(), "{key:?} {version:?}");
            let stolen = shake(version, server(), shown(folder, "old", "thief"));
            assert!(matches!(stolen, Err(Error::InvalidCertificate(_))), "{key:?} {stolen:?}");
        }
    }
}

/// Nobody is kept out of the handshake by a key that is never taken, and so whoever shows
/// such a certificate, its owner or not, has proven nothing.
#[test]
fn a_certificate_whose_signature_is_not_verified_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    make_ca(folder, "ca");
    for name in ["core", "thief"] {
        make_key(folder, name, Key::Ec("P-256"));
        issue(folder, "ca", name, "basicConstraints=CA:FALSE", &[]);
    }
    for (key, reason) in [
        (Key::Rsa(1024), Reason::PublicKeyTooShort),
        (Key::Ec("secp256k1"), Reason::PublicKeyAlgorithm),
        (Key::Named("ED448"), Reason::PublicKeyAlgorithm),
    ] {
        make_key(folder, "weak", key);
        issue(folder, "ca", "weak", "basicConstraints=CA:FALSE", &[]);
        for version in [&TLS12, &TLS13] {
            let stolen = shown(folder, "weak", "thief");
            let presented = shake(version, shown(folder, "core", "core"), stolen).unwrap();
            let refused =
                presented.unwrap().proven().map(ProvenCertificate::public_key).unwrap_err();
            assert_eq!(refused.reason, reason, "{key:?} {version:?}");
        }
    }
}

/// A certificate of a version that does not exist is read by nobody, whatever its key.
#[test]
fn nor_does_a_certificate_of_an_unknown_version() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    make_ca(folder, "ca");
    make_key(folder, "web", Key::Ec("P-256"));
    issue(folder, "ca", "web", "basicConstraints=CA:FALSE", &[]);
    let mut changed = certificates(folder, "web.pem")[0].to_vec();
    let version = changed.windows(5).position(|tag| tag == [0xa0, 3, 2, 1, 2]).unwrap();
    changed[version + 4] = 1;
    let presented = PresentedCertificate::of_handshake(&[changed.into()]).unwrap();
    let refused = presented.proven().map(ProvenCertificate::public_key).unwrap_err();
    assert_eq!(refused.reason, Reason::CertificateForm);
}

fn public_key_of(folder: &Path, name: &str) -> Fingerprint {
    let certificate = &certificates(folder, &format!("{name}.pem"))[0];
    key_policy::key_of_certificate(certificate).unwrap().fingerprint()
}
