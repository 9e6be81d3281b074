//! What the tests of this room share.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::config::Secret;
use crate::config::section::CertificateFiles;

/// Runs the openssl command, and gives what it prints.
pub(super) fn openssl(arguments: &[&str]) -> Vec<u8> {
    let done = Command::new("openssl").args(arguments).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// A key and a certificate for it, made with OpenSSL.
pub(super) fn pair(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let key = folder.join(format!("{name}-key.pem"));
    let certificate = folder.join(format!("{name}.pem"));
    let (key_text, text) = (key.to_str().unwrap(), certificate.to_str().unwrap());
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let rest = ["-subj", "/CN=web.example", "-keyout", key_text, "-out", text];
    openssl(&[&["req", "-x509"], &curve[..], &rest[..]].concat());
    (key, certificate)
}

/// Files as the configuration names them.
pub(super) fn files(key: &Path, certificate: &Path, pass: Option<&str>) -> CertificateFiles {
    let key_pass = pass.map(|pass| Secret::text(pass.to_owned()));
    CertificateFiles { key: key.to_owned(), certificate: certificate.to_owned(), key_pass }
}
