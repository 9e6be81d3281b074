//! Files with keys and certificates, read and written with errors for people.

use std::fs;
use std::io;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret as _, SecretSlice};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::error::CertError;
use crate::clock::Timestamp;
use crate::pki::file::pem::{self, Block};
use crate::pki::file::write::{self as file, Readers};

/// The blocks of a PEM file.
pub(super) fn blocks(path: &Path) -> Result<Vec<Block>, CertError> {
    let bytes =
        fs::read(path).map_err(|source| CertError::Read { path: path.to_owned(), source })?;
    let bytes = SecretSlice::from(bytes);
    pem::blocks(bytes.expose_secret())
        .map_err(|fault| CertError::Damaged { path: path.to_owned(), fault })
}

/// The certificates among them: the first, and those that follow.
pub(super) fn certificates(
    path: &Path,
    blocks: &[Block],
) -> Result<(CertificateDer<'static>, Vec<CertificateDer<'static>>), CertError> {
    let mut found = blocks
        .iter()
        .filter(|block| block.label == pem::CERTIFICATE)
        .map(|block| CertificateDer::from(block.der.expose_secret().to_vec()));
    let first = found.next().ok_or_else(|| CertError::NoCertificate(path.to_owned()))?;
    Ok((first, found.collect()))
}

/// What a certificate says; `path` is where it stands.
pub(super) fn parse<'a>(path: &Path, der: &'a [u8]) -> Result<X509Certificate<'a>, CertError> {
    let parsed = X509Certificate::from_der(der).map(|(_, certificate)| certificate);
    parsed.map_err(|error| CertError::OddCertificate {
        path: path.to_owned(),
        fault: error.to_string(),
    })
}

/// When a certificate ends.
pub(super) fn ends_at(certificate: &X509Certificate<'_>) -> Timestamp {
    let end = certificate.validity().not_after.timestamp();
    Timestamp::from_unix(u64::try_from(end).unwrap_or(0))
}

/// Refuses to go on where a file of this name exists.
pub(super) fn absent(path: &Path) -> Result<(), CertError> {
    match path.symlink_metadata() {
        Ok(_) => Err(CertError::Exists(path.to_owned())),
        Err(_) => Ok(()),
    }
}

/// Makes a file that is not there yet.
pub(super) fn put(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), CertError> {
    file::create(path, bytes, readers).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => CertError::Exists(path.to_owned()),
        _ => CertError::Write { path: path.to_owned(), source },
    })
}

/// Replaces a file; who may read it stays.
pub(super) fn renew(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), CertError> {
    file::renew(path, bytes, readers)
        .map_err(|source| CertError::Write { path: path.to_owned(), source })
}
