//! A key and certificate in a file, to be renewed.

use std::path::Path;

use rcgen::SanType;
use rcgen::string::Ia5String;
use secrecy::SecretString;
use x509_parser::prelude::{GeneralName, X509Certificate};

use crate::cli::cert::error::CertError;
use crate::cli::cert::files::{blocks, certificates, parse};
use crate::cli::cert::passphrase::PassPhrase;
use crate::pki::file::pem::ENCRYPTED_PRIVATE_KEY;
use crate::pki::{KeyError, KeySource, PrivateKey, PublicKey};

/// What a certificate is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Server,
    Client,
}

/// What a file holds.
pub(super) struct Renewal {
    pub(super) key: PrivateKey,
    /// Its block as it stands: a renewed file has the same, encrypted in the same way.
    pub(super) key_text: SecretString,
    /// Names and addresses in the certificate.
    pub(super) names: Vec<SanType>,
    encrypted: bool,
}

impl Renewal {
    /// Reads a file that is to be renewed for a purpose.
    pub(super) fn read(
        path: &Path,
        purpose: Purpose,
        pass: &PassPhrase,
    ) -> Result<Self, CertError> {
        if !path.exists() {
            return Err(CertError::NothingToRenew(path.to_owned()));
        }
        let blocks = blocks(path)?;
        let block = blocks.iter().find(|block| block.is_private_key());
        let block = block.ok_or_else(|| KeyError::NoKey { path: path.to_owned() })?;
        let source = KeySource { path, pass: pass.secret.as_ref(), pass_setting: pass.options };
        let key = PrivateKey::of_block(&source, block)?;
        let (certificate, _) = certificates(path, &blocks)?;
        let certificate = parse(path, &certificate)?;
        if PublicKey::of_certificate(&certificate) != *key.public() {
            let path = path.to_owned();
            return Err(CertError::Mismatch { key: path.clone(), certificate: path });
        }
        purpose.check(path, &certificate)?;
        Ok(Self {
            key,
            key_text: block.text.clone(),
            names: names(&certificate),
            encrypted: block.label == ENCRYPTED_PRIVATE_KEY,
        })
    }

    /// Whether the key is encrypted, in words.
    pub(super) const fn words(&self) -> &'static str {
        if self.encrypted { "encrypted" } else { "not encrypted" }
    }
}

impl Purpose {
    /// Refuses a certificate that is expressly for the other purpose alone.
    fn check(self, path: &Path, certificate: &X509Certificate<'_>) -> Result<(), CertError> {
        let Ok(Some(usage)) = certificate.extended_key_usage() else { return Ok(()) };
        let (fits, is, wanted) = match self {
            Self::Server => (usage.value.server_auth, "client", "server"),
            Self::Client => (usage.value.client_auth, "server", "client"),
        };
        let of_other = usage.value.server_auth || usage.value.client_auth;
        if !fits && of_other && !usage.value.any {
            return Err(CertError::OtherPurpose { path: path.to_owned(), is, wanted });
        }
        Ok(())
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<SanType> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Ia5String::try_from(*name).ok().map(SanType::DnsName),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| SanType::IpAddress(bytes.into())),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| SanType::IpAddress(bytes.into())),
        },
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}
