//! A CA that signs: `cacert.pem` and `cakey.pem` in a folder.

use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, Issuer, KeyIdMethod, KeyPair};
use rustls::pki_types::CertificateDer;
use secrecy::ExposeSecret as _;
use x509_parser::der_parser::asn1_rs::Tag;
use x509_parser::prelude::{ParsedExtension, X509Certificate};

use super::Validity;
use super::material::serial;
use crate::cli::cert::error::CertError;
use crate::cli::cert::files::{blocks, certificates, ends_at, parse};
use crate::cli::cert::issue;
use crate::cli::cert::passphrase::PassPhrase;
use crate::clock::Timestamp;
use crate::pki::{KeyError, KeySource, PrivateKey, PublicKey};

/// Certificate and key of the CA in a folder.
pub(super) fn paths(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join("cacert.pem"), folder.join("cakey.pem"))
}

/// A CA, made here or by another program.
pub(super) struct Authority {
    key: KeyPair,
    certificate: CertificateDer<'static>,
    path: PathBuf,
    /// When its certificate ends.
    pub(super) ends_at: Timestamp,
    /// Certificates to send with those that it signs: itself and those above it,
    /// without the root, which the other side has or does not believe.
    pub(super) chain: Vec<CertificateDer<'static>>,
}

impl Authority {
    /// Reads certificate and key.
    pub(super) fn open(folder: &Path, pass: &PassPhrase) -> Result<Self, CertError> {
        let (path, key_path) = paths(folder);
        if !path.exists() && !key_path.exists() {
            return Err(CertError::NoAuthority(folder.to_owned()));
        }
        let (certificate, above) = certificates(&path, &blocks(&path)?)?;
        let key = private_key(&key_path, pass)?;
        let parsed = parse(&path, &certificate)?;
        if PublicKey::of_certificate(&parsed) != *key.public() {
            return Err(CertError::Mismatch { key: key_path, certificate: path });
        }
        if !parsed.is_ca() {
            return Err(CertError::NotAuthority(path));
        }
        let ends_at = ends_at(&parsed);
        let is_root = |der: &CertificateDer<'_>| {
            parse(&path, der).is_ok_and(|parsed| parsed.subject() == parsed.issuer())
        };
        let chain = std::iter::once(&certificate).chain(&above).filter(|der| !is_root(der));
        let chain = chain.cloned().collect();
        Ok(Self {
            key: KeyPair::try_from(key.der().expose_secret())?,
            certificate,
            path,
            ends_at,
            chain,
        })
    }

    /// A certificate for a key.
    pub(super) fn sign(
        &self,
        parameters: &CertificateParams,
        key: &KeyPair,
        now: Timestamp,
    ) -> Result<CertificateDer<'static>, CertError> {
        if self.ends_at <= now {
            return Err(CertError::AuthorityEnded(self.path.clone()));
        }
        let issuer = Issuer::from_ca_cert_der(&self.certificate, &self.key)?;
        let signed = parameters.signed_by(key, &issuer)?;
        let own = parse(&self.path, &self.certificate)?;
        // Whoever builds the chain compares the names, byte by byte.
        if own.subject().as_raw() != parse(&self.path, signed.der())?.issuer().as_raw() {
            return Err(CertError::AuthorityName(self.path.clone()));
        }
        Ok(signed.into())
    }

    /// A new certificate of the same name and key, and with the key identifier
    /// that the certificates which this CA has signed speak of.
    pub(super) fn renewed(&self, validity: Validity) -> Result<CertificateDer<'static>, CertError> {
        let old = parse(&self.path, &self.certificate)?;
        let other_name = || CertError::AuthorityName(self.path.clone());
        let subject = subject(&old).ok_or_else(other_name)?;
        let mut parameters = issue::authority(subject, validity, serial()?);
        if let Some(identifier) = key_identifier(&old) {
            parameters.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
        }
        let renewed = parameters.self_signed(&self.key)?;
        let names = [old.issuer().as_raw(), parse(&self.path, renewed.der())?.subject().as_raw()]
            .map(|name| name == old.subject().as_raw());
        if names != [true, true] {
            return Err(other_name());
        }
        Ok(renewed.into())
    }
}

fn private_key(path: &Path, pass: &PassPhrase) -> Result<PrivateKey, CertError> {
    let source = KeySource { path, pass: pass.secret.as_ref(), pass_setting: pass.options };
    let blocks = blocks(path)?;
    let key = blocks.iter().find(|block| block.is_private_key());
    let key = key.ok_or_else(|| KeyError::NoKey { path: path.to_owned() })?;
    Ok(PrivateKey::of_block(&source, key)?)
}

/// A subject, taken apart to be written again. Where it has the same attribute
/// twice, what is written will differ: compare.
fn subject(certificate: &X509Certificate<'_>) -> Option<DistinguishedName> {
    let mut subject = DistinguishedName::new();
    for attribute in certificate.subject().iter_attributes() {
        let oid: Vec<u64> = attribute.attr_type().iter()?.collect();
        let text = attribute.as_str().ok()?;
        let value = match attribute.attr_value().header.tag() {
            Tag::PrintableString => DnValue::PrintableString(text.try_into().ok()?),
            Tag::Ia5String => DnValue::Ia5String(text.try_into().ok()?),
            _ => DnValue::Utf8String(text.to_owned()),
        };
        subject.push(DnType::from_oid(&oid), value);
    }
    Some(subject)
}

fn key_identifier(certificate: &X509Certificate<'_>) -> Option<Vec<u8>> {
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
        _ => None,
    })
}
