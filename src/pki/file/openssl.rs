//! Keys and certificates made by OpenSSL, for the unit tests of this room.

use std::path::Path;
use std::process::Command;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};

/// What kind of key to make.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Rsa(usize),
    Ec(&'static str),
    Named(&'static str),
}

/// Runs the openssl command in a folder.
pub(in crate::pki) fn openssl(folder: &Path, arguments: &[&str]) {
    let done = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Makes `NAME.key` and `NAME-public.pem`.
pub(in crate::pki) fn make_key(folder: &Path, name: &str, key: Key) {
    let (file, option) = (
        format!("{name}.key"),
        match key {
            Key::Rsa(bits) => Some(format!("rsa_keygen_bits:{bits}")),
            Key::Ec(curve) => Some(format!("ec_paramgen_curve:{curve}")),
            Key::Named(_) => None,
        },
    );
    let algorithm = match key {
        Key::Rsa(_) => "RSA",
        Key::Ec(_) => "EC",
        Key::Named(name) => name,
    };
    let mut arguments = vec!["genpkey", "-algorithm", algorithm, "-out", &file];
    if let Some(option) = &option {
        arguments.extend(["-pkeyopt", option]);
    }
    openssl(folder, &arguments);
    openssl(folder, &["pkey", "-in", &file, "-pubout", "-out", &format!("{name}-public.pem")]);
}

/// The SubjectPublicKeyInfo of a new key.
pub(crate) fn public_key(folder: &Path, key: Key) -> Vec<u8> {
    make_key(folder, "one", key);
    SubjectPublicKeyInfoDer::from_pem_file(folder.join("one-public.pem")).unwrap().to_vec()
}

/// The same in PEM.
pub(crate) fn public_key_pem(folder: &Path, key: Key) -> Vec<u8> {
    make_key(folder, "one", key);
    std::fs::read(folder.join("one-public.pem")).unwrap()
}

/// Makes an authority: `NAME.key` and the self-signed `NAME.pem`.
pub(in crate::pki) fn make_ca(folder: &Path, name: &str) {
    make_key(folder, name, Key::Ec("P-256"));
    let (key, pem, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
    openssl(
        folder,
        &["req", "-x509", "-key", &key, "-subj", &subject, "-days", "30", "-out", &pem],
    );
}

/// Lets an authority sign a certificate for `NAME.key`, with these extensions
/// and further arguments of `openssl x509`.
pub(in crate::pki) fn issue(folder: &Path, ca: &str, name: &str, extensions: &str, more: &[&str]) {
    let (key, request, pem) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
    let (ca_pem, ca_key) = (format!("{ca}.pem"), format!("{ca}.key"));
    openssl(
        folder,
        &["req", "-new", "-key", &key, "-subj", &format!("/CN={name}"), "-out", &request],
    );
    std::fs::write(folder.join("ext"), extensions).unwrap();
    let fixed = ["x509", "-req", "-in", &request, "-CA", &ca_pem, "-CAkey", &ca_key, "-out", &pem];
    openssl(folder, &[&fixed[..], &["-extfile", "ext"], more].concat());
}

/// The certificates of a PEM file in the folder.
pub(in crate::pki) fn certificates(folder: &Path, name: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(folder.join(name)).unwrap().map(Result::unwrap).collect()
}
