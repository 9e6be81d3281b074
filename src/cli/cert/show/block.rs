//! What one block of a PEM file is.

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::ago::ago;
use crate::clock::Timestamp;
use crate::pki::file::certificate::Certificate;
use crate::pki::file::key::encryption::Encryption;
use crate::pki::file::pem::{self, Block};
use crate::pki::peer::authority;
use crate::pki::{Algorithm, KeyError, KeySource, PrivateKey, PublicKey};
use crate::wire::Fingerprint;

/// A block, explained. What it has not, or what is not known, is left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Entry {
    /// Its number in the file, from 1.
    #[serde(skip)]
    pub(super) number: usize,
    pub(super) label: String,
    pub(super) line: usize,
    #[serde(flatten)]
    pub(super) certificate: Option<CertificateFacts>,
    /// How a private key is encrypted; `no` where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encryption: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key_sha256: Option<Fingerprint>,
    /// The number of the certificate that a key belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) belongs_to: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct CertificateFacts {
    pub(super) subject: String,
    pub(super) names: Vec<String>,
    pub(super) issuer: String,
    pub(super) serial: String,
    pub(super) begins_at: Timestamp,
    pub(super) ends_at: Timestamp,
    /// `ca`, `server`, `client`; empty where it may be used for anything.
    pub(super) purposes: Vec<&'static str>,
    pub(super) sha256: String,
}

impl Entry {
    /// Explains a block, and adds what stands against its use.
    pub(super) fn of(
        source: &KeySource<'_>,
        block: &Block,
        now: Timestamp,
        problems: &mut Vec<String>,
    ) -> Self {
        let (label, line) = (block.label.clone(), block.line);
        let mut entry = Self { label, line, ..Self::default() };
        if block.is_private_key() {
            entry.private_key(source, block, problems);
        } else if block.label == pem::CERTIFICATE {
            match certificate(block.der.expose_secret()) {
                Ok((facts, key)) => {
                    problems.extend(untimely(&facts, line, now));
                    problems.extend(no_authority(block.der.expose_secret(), &facts, line));
                    problems.extend(short(&key, line));
                    entry.public_key(&key);
                    entry.certificate = Some(facts);
                }
                Err(fault) => problems.push(unreadable(&block.label, line, &fault)),
            }
        } else if block.label == pem::PUBLIC_KEY {
            match PublicKey::from_spki(block.der.expose_secret()) {
                Ok(key) => {
                    problems.extend(short(&key, line));
                    entry.public_key(&key);
                }
                Err(fault) => problems.push(unreadable(&block.label, line, &fault)),
            }
        }
        entry
    }

    pub(super) fn is_private_key(&self) -> bool {
        self.encryption.is_some()
    }

    fn private_key(&mut self, source: &KeySource<'_>, block: &Block, problems: &mut Vec<String>) {
        self.encryption = Some(match &*block.label {
            pem::ENCRYPTED_PRIVATE_KEY => Encryption::of(block.der.expose_secret())
                .map_or_else(|fault| format!("unknown ({fault})"), |known| known.to_string()),
            _ if block.encrypted_by_header => "by its header (Proc-Type: 4,ENCRYPTED)".to_owned(),
            _ => "no".to_owned(),
        });
        match PrivateKey::of_block(source, block) {
            Ok(key) => self.public_key(key.public()),
            // Without the passphrase it is as good as it can be.
            Err(KeyError::Encrypted { .. }) => {}
            Err(error) => problems.push(error.to_string()),
        }
    }

    fn public_key(&mut self, key: &PublicKey) {
        self.key = Some(key.algorithm().to_string());
        self.key_sha256 = Some(key.fingerprint());
    }
}

/// Why an authority's certificate is taken for none.
fn no_authority(der: &[u8], facts: &CertificateFacts, line: usize) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    let self_issued =
        facts.issuer == facts.subject && parsed.subject_alternative_name().ok()?.is_none();
    let usage = parsed.key_usage().ok()?;
    let signs = usage.is_some_and(|usage| usage.value.key_cert_sign());
    if !authority::claims_to_be_one(&parsed) && !signs && !self_issued {
        return None;
    }
    let unfit = authority::intermediate(der).err()?;
    Some(format!(
        "the certificate in line {line} is not accepted as an authority's: {unfit}. Have it issued \
         again with basicConstraints CA:TRUE, and keyCertSign in its keyUsage"
    ))
}

/// Numbers the blocks, and finds the certificate of each key.
pub(super) fn pair(entries: &mut [Entry], problems: &mut Vec<String>) {
    for (at, entry) in entries.iter_mut().enumerate() {
        entry.number = at + 1;
    }
    let certificates: Vec<_> = entries
        .iter()
        .filter(|entry| entry.certificate.is_some())
        .map(|entry| (entry.number, entry.key_sha256))
        .collect();
    for entry in entries.iter_mut().filter(|entry| entry.certificate.is_none()) {
        let Some(hash) = entry.key_sha256 else { continue };
        let own = certificates.iter().find(|(_, key)| *key == Some(hash));
        entry.belongs_to = own.map(|(number, _)| *number);
        if own.is_none() && !certificates.is_empty() {
            problems.push(format!(
                "the key in block {} does not belong to any certificate in this file: one of them is of another server or service, or older",
                entry.number
            ));
        }
    }
}

fn certificate(der: &[u8]) -> Result<(CertificateFacts, PublicKey), String> {
    let Certificate { subject, issuer, names, begins_at, ends_at, .. } =
        Certificate::read(&CertificateDer::from(der))?;
    let (_, parsed) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
    let mut purposes = Vec::new();
    if parsed.is_ca() {
        purposes.push("ca");
    }
    if let Ok(Some(usage)) = parsed.extended_key_usage() {
        let named = [(usage.value.server_auth, "server"), (usage.value.client_auth, "client")];
        purposes.extend(named.iter().filter(|(has, _)| *has).map(|(_, name)| name));
    }
    let facts = CertificateFacts {
        subject,
        names,
        issuer,
        serial: parsed.raw_serial_as_string(),
        begins_at,
        ends_at,
        purposes,
        sha256: sha256(der),
    };
    Ok((facts, PublicKey::of_certificate(&parsed)))
}

/// As OpenSSL writes the hash of a certificate.
fn sha256(der: &[u8]) -> String {
    let hash = digest(&SHA256, der);
    hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

fn untimely(facts: &CertificateFacts, line: usize, now: Timestamp) -> Option<String> {
    let CertificateFacts { begins_at, ends_at, subject, .. } = facts;
    let which = format!("the certificate in line {line} ({subject})");
    if *ends_at < now {
        return Some(format!("{which} expired {}: renew it", ago(*ends_at, now)));
    }
    let early = format!("{which} is not valid before {begins_at}: check the clock");
    (now < *begins_at).then_some(early)
}

fn short(key: &PublicKey, line: usize) -> Option<String> {
    match key.algorithm() {
        Algorithm::Rsa(bits) if *bits < 2048 => Some(format!(
            "the key in line {line} is RSA of {bits} bits, which can be broken: less than 2048 are refused; make a new key"
        )),
        _ => None,
    }
}

fn unreadable(label: &str, line: usize, fault: &str) -> String {
    format!("the {label} in line {line} cannot be read: {fault}")
}
