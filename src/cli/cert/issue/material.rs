//! New keys and serial numbers.

use aws_lc_rs::rand;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};
use secrecy::SecretString;

use super::SERIAL;
use crate::cli::cert::arguments::RsaBits;
use crate::cli::cert::error::CertError;
use crate::cli::cert::passphrase::PassPhrase;
use crate::pki::file::key::encryption;
use crate::pki::file::pem;

/// A new private key, ECDSA on P-256 or RSA, and the PEM block of it: encrypted
/// where there is a passphrase.
pub(super) fn new_key(
    rsa: Option<RsaBits>,
    pass: &PassPhrase,
) -> Result<(KeyPair, SecretString), CertError> {
    let size = |bits| match bits {
        RsaBits::Short => RsaKeySize::_2048,
        RsaBits::Middle => RsaKeySize::_3072,
        RsaBits::Long => RsaKeySize::_4096,
    };
    let key = match rsa {
        None => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        Some(bits) => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size(bits))?,
    };
    let text = match pass.read()? {
        None => pem::encode(pem::PRIVATE_KEY, key.serialized_der()).into(),
        Some(phrase) => {
            encryption::seal(key.serialized_der(), &phrase).map_err(|_| CertError::Seal)?
        }
    };
    Ok((key, text))
}

/// Random bytes for a serial number.
pub(super) fn serial() -> Result<[u8; SERIAL], CertError> {
    let mut serial = [0; SERIAL];
    rand::fill(&mut serial).map_err(|_| CertError::Random)?;
    Ok(serial)
}
