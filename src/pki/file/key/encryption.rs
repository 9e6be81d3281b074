//! Private keys encrypted with a passphrase: PKCS#8 with PBES2 (RFC 8018 section 6.2).

use std::fmt;

use aws_lc_rs::rand;
use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Decode as _, Reader as _, SliceReader};
use pkcs8::pkcs5::pbes2::{self, Kdf, Pbkdf2Prf};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use thiserror::Error;

use crate::pki::file::pem;

/// How an `ENCRYPTED PRIVATE KEY` is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// In a way that is read here: derivation and cipher, in words.
    Pbes2(String),
    /// In one that is not, by its name or its object identifier.
    Unsupported(String),
}

impl Encryption {
    /// Reads it from an EncryptedPrivateKeyInfo (RFC 5958 section 3); nothing is decrypted.
    ///
    /// # Errors
    /// It is none; the words of the parser.
    pub(crate) fn of(der: &[u8]) -> Result<Self, String> {
        let scheme = scheme(der).map_err(|error| error.to_string())?;
        if scheme.oid != pbes2::PBES2_OID {
            return Ok(Self::Unsupported(name(&scheme.oid.to_string())));
        }
        match EncryptedPrivateKeyInfoRef::try_from(der) {
            Ok(info) => match info.encryption_algorithm.pbes2() {
                Some(parameters) => Ok(Self::Pbes2(words(parameters))),
                None => Ok(Self::Unsupported("a scheme without parameters".to_owned())),
            },
            Err(_) => Ok(Self::Unsupported("PBES2 with an unknown cipher".to_owned())),
        }
    }
}

impl fmt::Display for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Pbes2(words) | Self::Unsupported(words)) = self;
        f.write_str(words)
    }
}

/// Opens an EncryptedPrivateKeyInfo, and gives the PKCS#8 in it.
///
/// # Errors
/// [`PassPhraseError`]: what it decrypts to is no key.
pub(crate) fn open(der: &[u8], pass: &SecretString) -> Result<SecretSlice<u8>, PassPhraseError> {
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| PassPhraseError)?;
    let opened = info.decrypt(pass.expose_secret()).map_err(|_| PassPhraseError)?;
    // A wrong phrase may by chance leave bytes that look padded.
    PrivateKeyInfoRef::try_from(opened.as_bytes()).map_err(|_| PassPhraseError)?;
    Ok(opened.as_bytes().to_vec().into())
}

/// Encrypts a key in PKCS#8 by AES-256-CBC with a key from PBKDF2, which
/// OpenSSL, GnuTLS and Java all read. PEM.
///
/// # Errors
/// The bytes are no PKCS#8, or the system has no random numbers.
pub(crate) fn seal(pkcs8: &[u8], pass: &SecretString) -> Result<SecretString, SealError> {
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    rand::fill(&mut salt).and_then(|()| rand::fill(&mut iv)).map_err(|_| SealError)?;
    let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, iv);
    let parameters = parameters.map_err(|_| SealError)?;
    let info = PrivateKeyInfoRef::try_from(pkcs8).map_err(|_| SealError)?;
    let sealed =
        info.encrypt_with_params(parameters, pass.expose_secret()).map_err(|_| SealError)?;
    Ok(pem::encode(pem::ENCRYPTED_PRIVATE_KEY, sealed.as_bytes()).into())
}

/// The passphrase does not open the key.
#[derive(Debug, Error)]
#[error("the passphrase is wrong")]
pub(crate) struct PassPhraseError;

/// A key could not be encrypted.
#[derive(Debug, Error)]
#[error("the key cannot be encrypted")]
pub(crate) struct SealError;

/// The AlgorithmIdentifier, also where the scheme is one that the library does not know.
fn scheme(der: &[u8]) -> pkcs8::der::Result<AlgorithmIdentifierRef<'_>> {
    let outer = AnyRef::from_der(der)?;
    let mut reader = SliceReader::new(outer.value())?;
    reader.decode()
}

fn words(parameters: &pbes2::Parameters) -> String {
    let derivation = match &parameters.kdf {
        Kdf::Pbkdf2(kdf) => {
            let hash = match kdf.prf {
                Pbkdf2Prf::HmacWithSha1 => "SHA-1",
                Pbkdf2Prf::HmacWithSha224 => "SHA-224",
                Pbkdf2Prf::HmacWithSha256 => "SHA-256",
                Pbkdf2Prf::HmacWithSha384 => "SHA-384",
                Pbkdf2Prf::HmacWithSha512 => "SHA-512",
                _ => "another hash",
            };
            format!("PBKDF2 with {hash}, {} rounds", kdf.iteration_count)
        }
        Kdf::Scrypt(kdf) => format!("scrypt, N = {}", kdf.cost_parameter),
        other => other.oid().to_string(),
    };
    let cipher = match parameters.encryption {
        pbes2::EncryptionScheme::Aes128Cbc { .. } => "AES-128-CBC",
        pbes2::EncryptionScheme::Aes192Cbc { .. } => "AES-192-CBC",
        pbes2::EncryptionScheme::Aes256Cbc { .. } => "AES-256-CBC",
        pbes2::EncryptionScheme::Aes128Gcm { .. } => "AES-128-GCM",
        pbes2::EncryptionScheme::Aes256Gcm { .. } => "AES-256-GCM",
        pbes2::EncryptionScheme::DesEde3Cbc { .. } => "3DES-CBC",
        _ => "another cipher",
    };
    format!("PBES2: {cipher}; {derivation}")
}

fn name(oid: &str) -> String {
    let known = FOREIGN.iter().find(|(known, _)| *known == oid);
    known.map_or_else(|| format!("the scheme {oid}"), |(_, name)| format!("PBES1 ({name})"))
}

/// What OWASP asks for PBKDF2 with SHA-256: a fifth of a second.
const ROUNDS: u32 = 600_000;

/// RFC 8018 appendix A.3 and RFC 7292 appendix C: schemes of one fixed cipher each.
const FOREIGN: &[(&str, &str)] = &[
    ("1.2.840.113549.1.5.1", "MD2 and DES"),
    ("1.2.840.113549.1.5.3", "MD5 and DES"),
    ("1.2.840.113549.1.5.4", "MD2 and RC2"),
    ("1.2.840.113549.1.5.6", "MD5 and RC2"),
    ("1.2.840.113549.1.5.10", "SHA-1 and DES"),
    ("1.2.840.113549.1.5.11", "SHA-1 and RC2"),
    ("1.2.840.113549.1.12.1.1", "SHA-1 and RC4"),
    ("1.2.840.113549.1.12.1.2", "SHA-1 and RC4-40"),
    ("1.2.840.113549.1.12.1.3", "SHA-1 and 3DES"),
    ("1.2.840.113549.1.12.1.4", "SHA-1 and 2-key 3DES"),
    ("1.2.840.113549.1.12.1.5", "SHA-1 and RC2"),
    ("1.2.840.113549.1.12.1.6", "SHA-1 and RC2-40"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::testing::{Folder, key};

    fn der_of(pem: &[u8]) -> SecretSlice<u8> {
        pem::blocks(pem).unwrap().remove(0).der
    }

    #[test]
    fn openssl_opens_what_is_sealed_here_and_only_with_the_phrase() {
        let folder = Folder::new();
        let plain = key(&folder, "EC", "ec_paramgen_curve:P-256");
        let der = der_of(&plain);
        let pass = SecretString::from("Öffne dich");
        let sealed = seal(der.expose_secret(), &pass).unwrap();
        let sealed = sealed.expose_secret().as_bytes();
        let path = folder.write("sealed.pem", sealed);
        let opened = folder.openssl(&["pkey", "-in", &path, "-passin", "pass:Öffne dich"]);
        assert_eq!(opened, plain);
        let sealed = der_of(sealed);
        let sealed = sealed.expose_secret();
        assert_eq!(open(sealed, &pass).unwrap().expose_secret(), der.expose_secret());
        assert!(open(sealed, &"guess".into()).is_err());
        let said = Encryption::of(sealed).unwrap().to_string();
        assert_eq!(said, "PBES2: AES-256-CBC; PBKDF2 with SHA-256, 600000 rounds");
    }

    #[test]
    fn keys_are_opened_that_openssl_encrypts_by_any_usual_cipher() {
        let folder = Folder::new();
        let plain = key(&folder, "RSA", "rsa_keygen_bits:2048");
        let plain = der_of(&plain);
        for (how, said) in [
            (&["-v2", "aes128"][..], "AES-128-CBC; PBKDF2 with SHA-256, 2048 rounds"),
            (&["-v2", "aes192"], "AES-192-CBC; PBKDF2 with SHA-256"),
            (&["-v2", "aes256", "-iter", "600000"], "AES-256-CBC; PBKDF2 with SHA-256, 600000"),
            // OpenSSL of ZCP's days.
            (&["-v2", "des3", "-v2prf", "hmacWithSHA1"], "3DES-CBC; PBKDF2 with SHA-1"),
            (&["-v2", "aes256", "-v2prf", "hmacWithSHA512"], "PBKDF2 with SHA-512"),
            (&["-scrypt"], "AES-256-CBC; scrypt, N = 16384"),
        ] {
            let sealed = folder.encrypted("key.pem", how);
            let der = der_of(&sealed);
            let der = der.expose_secret();
            let opened = open(der, &"sesame".into()).unwrap();
            assert_eq!(opened.expose_secret(), plain.expose_secret(), "{how:?}");
            let words = Encryption::of(der).unwrap().to_string();
            assert!(words.contains(said), "{words}");
        }
    }

    #[test]
    fn other_encryption_is_named() {
        let folder = Folder::new();
        key(&folder, "EC", "ec_paramgen_curve:P-256");
        for (how, said) in [
            (&["-v1", "PBE-SHA1-3DES"][..], "PBES1 (SHA-1 and 3DES)"),
            (&["-v2", "camellia-256-cbc"], "PBES2 with an unknown cipher"),
        ] {
            let sealed = folder.encrypted("key.pem", how);
            let der = der_of(&sealed);
            let der = der.expose_secret();
            let encryption = Encryption::of(der).unwrap();
            assert!(matches!(encryption, Encryption::Unsupported(_)), "{encryption:?}");
            assert_eq!(encryption.to_string(), said);
            assert!(open(der, &"sesame".into()).is_err());
        }
        assert!(Encryption::of(&[0x30, 0x80]).is_err());
        assert!(Encryption::of(b"").is_err());
    }
}
