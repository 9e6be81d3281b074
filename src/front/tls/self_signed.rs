//! The certificate of a gateway without a configured one: self-signed, and kept, so that clients
//! that trust it still do after a restart.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use time::OffsetDateTime;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::clients::Clients;
use super::error::TlsError;
use super::server::{ServerTls, expires_at};
use crate::clock::Timestamp;
use crate::config::section::CertificateFiles;
use crate::pki::file::pair::{chain, read};
use crate::pki::file::write as file;

/// Uses the certificate in the state folder; makes one where there is none, where it
/// ends within a month, or where it lacks one of the names (host names and addresses,
/// at least one).
///
/// # Errors
/// It can be neither used nor made.
pub(super) fn load(
    state_path: &Path,
    names: &[String],
    clients: Option<Clients>,
    now: Timestamp,
) -> Result<ServerTls, TlsError> {
    let path = obtain(state_path, names, now)?;
    let files = CertificateFiles { key: path.clone(), key_pass: None, certificate: path };
    ServerTls::load(&files, clients)
}

/// The file that holds key and certificate for these names, made where it does not.
fn obtain(state_path: &Path, names: &[String], now: Timestamp) -> Result<PathBuf, TlsError> {
    let path = state_path.join(FILE);
    if !path.exists() || !still_good(&path, names, now)? {
        let pem = generate(names, now)?;
        file::write(&path, pem.as_bytes())
            .map_err(|source| TlsError::Write { path: path.clone(), source })?;
    }
    Ok(path)
}

fn still_good(path: &Path, names: &[String], now: Timestamp) -> Result<bool, TlsError> {
    let chain = chain(path, &read(path)?)?;
    let Some(leaf) = chain.first() else { return Ok(false) };
    let Ok(end) = expires_at(leaf) else { return Ok(false) };
    let held = names_of(leaf);
    Ok(now.until(end) > RENEW_BEFORE && names.iter().all(|name| held.contains(name)))
}

/// The names and addresses that a certificate is for (RFC 5280 section 4.2.1.6).
fn names_of(leaf: &[u8]) -> BTreeSet<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(leaf) else { return BTreeSet::new() };
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return BTreeSet::new();
    };
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
        },
        _ => None,
    };
    extension.value.general_names.iter().filter_map(text).collect()
}

fn generate(names: &[String], now: Timestamp) -> Result<String, TlsError> {
    let failed = |source| TlsError::Generate { names: names.join(", "), source };
    let mut parameters = CertificateParams::new(names).map_err(failed)?;
    parameters.not_before = moment(Timestamp::from_unix(now.unix().saturating_sub(DAY.as_secs())));
    parameters.not_after = moment(now.plus(LIFETIME));
    if let Some(name) = names.first() {
        parameters.distinguished_name.push(DnType::CommonName, name);
    }
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let certificate = parameters.self_signed(&key).map_err(failed)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

fn moment(timestamp: Timestamp) -> OffsetDateTime {
    timestamp.date_time().unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

const FILE: &str = "self-signed.pem";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Browsers take no server certificate of more than 398 days.
const LIFETIME: Duration = DAY.saturating_mul(397);
const RENEW_BEFORE: Duration = DAY.saturating_mul(30);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::file::pair::PairError;
    use std::os::unix::fs::PermissionsExt;

    const NOW: Timestamp = Timestamp::from_unix(1_900_000_000);

    fn binding(folder: &Path, names: &[&str], days: u32) -> Vec<u8> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let tls = load(folder, &names, None, NOW.plus(DAY * days)).unwrap();
        tls.binding().as_bytes().to_vec()
    }

    #[test]
    fn the_certificate_outlives_restarts_and_is_renewed_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = binding(folder.path(), &["web.example", "192.0.2.1", "2001:db8::1"], 0);
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(binding(folder.path(), &["web.example", "2001:db8::1"], 366), first);
        let renewed = binding(folder.path(), &["web.example"], 367);
        assert_ne!(renewed, first, "thirty days before its end");
        assert_eq!(binding(folder.path(), &["web.example"], 367), renewed);
    }

    #[test]
    fn a_new_name_needs_a_new_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let first = binding(folder.path(), &["web.example"], 0);
        assert_ne!(binding(folder.path(), &["web.example", "other.example"], 0), first);
    }

    #[test]
    fn a_damaged_file_and_a_folder_that_is_not_there_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["web.example".to_owned()];
        std::fs::write(folder.path().join(FILE), "junk").unwrap();
        let error = load(folder.path(), &names, None, NOW).unwrap_err();
        assert!(matches!(error, TlsError::Pair(PairError::NoCertificate { .. })), "{error}");
        let error = load(&folder.path().join("none"), &names, None, NOW).unwrap_err();
        assert!(error.to_string().contains("state_path must be a folder"), "{error}");
    }
}
