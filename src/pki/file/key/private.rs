//! A private key, plain or encrypted with a passphrase.

use std::fmt;
use std::path::Path;

use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::asn1::{AnyRef, UintRef};
use pkcs8::der::{Decode as _, Reader as _, SliceReader};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use secrecy::{ExposeSecret as _, SecretBox, SecretSlice};

use super::encryption::{self, Encryption};
use super::error::KeyError;
use super::public::PublicKey;
use super::unsupported_formats::UnsupportedFormat;
use crate::config::Secret;
use crate::pki::file::pem::{self, Block};

/// Where a private key stands, and how it is opened.
#[derive(Debug)]
pub(crate) struct KeySource<'a> {
    pub path: &'a Path,
    /// The passphrase, where one is given.
    pub pass: Option<&'a Secret>,
    /// The setting or option that gives the passphrase, for messages.
    pub pass_setting: &'static str,
}

/// A private key that TLS can be spoken with. It is wiped from memory with its
/// last use here; what libraries copy of it is theirs.
pub(crate) struct PrivateKey {
    der: SecretBox<PrivateKeyDer<'static>>,
    public: PublicKey,
}

impl PrivateKey {
    /// Reads the first private key of a PEM file: PKCS#8, encrypted by PBES2 or
    /// not, PKCS#1 or SEC 1; ECDSA, Ed25519, or RSA of 2048 bits and more.
    ///
    /// # Errors
    /// [`KeyError`] names the file, what it is instead, and what to do.
    pub(crate) fn read(source: &KeySource<'_>, file: &[u8]) -> Result<Self, KeyError> {
        let path = || source.path.to_owned();
        let blocks =
            pem::blocks(file).map_err(|fault| KeyError::Damaged { path: path(), fault })?;
        let Some(block) = blocks.iter().find(|block| block.is_private_key()) else {
            return Err(match UnsupportedFormat::of_file(file) {
                Some(format) => KeyError::UnsupportedFormat { path: path(), format },
                None => KeyError::NoKey { path: path() },
            });
        };
        Self::of_block(source, block)
    }

    /// Reads a private key from its block.
    ///
    /// # Errors
    /// As [`PrivateKey::read`].
    pub(crate) fn of_block(source: &KeySource<'_>, block: &Block) -> Result<Self, KeyError> {
        let path = || source.path.to_owned();
        if let Some(format) = UnsupportedFormat::of_block(block) {
            return Err(KeyError::UnsupportedFormat { path: path(), format });
        }
        let der = match &*block.label {
            pem::PRIVATE_KEY => pkcs8(&block.der),
            pem::ENCRYPTED_PRIVATE_KEY => pkcs8(&decrypt(source, block)?),
            "RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(copy(&block.der)).into(),
            "EC PRIVATE KEY" => PrivateSec1KeyDer::from(copy(&block.der)).into(),
            _ => return Err(KeyError::NoKey { path: path() }),
        };
        let der = SecretBox::new(Box::new(der));
        let spki = any_supported_type(der.expose_secret())
            .ok()
            .and_then(|key| key.public_key().map(|spki| spki.to_vec()));
        let public = spki.and_then(|spki| PublicKey::from_spki(&spki).ok());
        match public {
            Some(public) => Ok(Self { der, public }),
            None => Err(refusal(source.path, der.expose_secret())),
        }
    }

    /// The key, for TLS and for signing.
    pub(crate) const fn der(&self) -> &SecretBox<PrivateKeyDer<'static>> {
        &self.der
    }

    pub(crate) const fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, not shown)", self.public.algorithm())
    }
}

fn pkcs8(der: &SecretSlice<u8>) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(copy(der)).into()
}

/// The TLS library's types own their bytes; [`PrivateKey`] wipes them.
fn copy(der: &SecretSlice<u8>) -> Vec<u8> {
    der.expose_secret().to_vec()
}

fn decrypt(source: &KeySource<'_>, block: &Block) -> Result<SecretSlice<u8>, KeyError> {
    let (path, pass_setting) = (|| source.path.to_owned(), source.pass_setting);
    let der = block.der.expose_secret();
    Encryption::of(der).map_err(|fault| KeyError::Unusable { path: path(), fault })?;
    let Some(pass) = source.pass else {
        return Err(KeyError::Encrypted { path: path(), pass_setting });
    };
    let pass = pass.read().map_err(|source| KeyError::PassPhrase {
        path: path(),
        pass_setting,
        source,
    })?;
    encryption::open(der, &pass)
        .map_err(|_| KeyError::WrongPassPhrase { path: path(), pass_setting })
}

/// Why TLS cannot be spoken with a key.
fn refusal(path: &Path, der: &PrivateKeyDer<'_>) -> KeyError {
    let path = path.to_owned();
    let rsa = |der: &[u8]| rsa_bits(der).ok();
    let (bits, fault) = match der {
        PrivateKeyDer::Pkcs1(key) => (rsa(key.secret_pkcs1_der()), "a damaged RSA key".to_owned()),
        PrivateKeyDer::Pkcs8(key) => match PrivateKeyInfoRef::try_from(key.secret_pkcs8_der()) {
            Ok(info) if info.algorithm.oid == RSA => {
                (rsa(info.private_key.as_bytes()), "a damaged RSA key".to_owned())
            }
            Ok(info) if info.algorithm.oid == DSA => {
                return KeyError::UnsupportedFormat { path, format: UnsupportedFormat::Dsa };
            }
            Ok(info) => {
                let curve = info.algorithm.parameters_oid().ok();
                let curve = curve.map(|curve| format!(", curve {curve}")).unwrap_or_default();
                (None, format!("algorithm {}{curve}", info.algorithm.oid))
            }
            Err(error) => (None, error.to_string()),
        },
        _ => (None, "an unknown elliptic curve, or a damaged key".to_owned()),
    };
    match bits {
        Some(bits) if bits < SHORTEST_RSA => KeyError::Short { path, bits },
        Some(bits) => KeyError::Unusable { path, fault: format!("RSA of {bits} bits") },
        None => KeyError::Unusable { path, fault },
    }
}

/// The bits of the modulus of an RSAPrivateKey (RFC 8017 appendix A.1.2).
fn rsa_bits(der: &[u8]) -> pkcs8::der::Result<usize> {
    let outer = AnyRef::from_der(der)?;
    let mut items = SliceReader::new(outer.value())?;
    let _version: u8 = items.decode()?;
    let modulus: UintRef<'_> = items.decode()?;
    let bytes = modulus.as_bytes();
    let spare = bytes.first().map_or(0, |first| first.leading_zeros() as usize);
    Ok((bytes.len() * 8).saturating_sub(spare))
}

const RSA: pkcs8::ObjectIdentifier = pkcs8::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const DSA: pkcs8::ObjectIdentifier = pkcs8::ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");
const SHORTEST_RSA: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::testing::{Folder, key};

    fn read(pem: &[u8], pass: Option<&str>) -> Result<PrivateKey, KeyError> {
        let pass = pass.map(|pass| Secret::text(pass.to_owned()));
        let path = Path::new("/etc/doorward/key.pem");
        let pass_setting = "server_ssl_key_pass";
        PrivateKey::read(&KeySource { path, pass: pass.as_ref(), pass_setting }, pem)
    }

    #[test]
    fn every_form_of_a_key_is_read_and_its_public_half_known() {
        let folder = Folder::new();
        for (algorithm, option, forms) in [
            ("RSA", "rsa_keygen_bits:2048", &[&["rsa", "-traditional"][..], &["pkey"]][..]),
            ("EC", "ec_paramgen_curve:P-256", &[&["ec"], &["pkey"]]),
            ("EC", "ec_paramgen_curve:P-384", &[&["ec"], &["pkey"]]),
            ("EC", "ec_paramgen_curve:P-521", &[&["ec"], &["pkey"]]),
            ("ED25519", "", &[&["pkey"]]),
        ] {
            key(&folder, algorithm, option);
            let public = folder.openssl(&["pkey", "-in", "key.pem", "-pubout"]);
            for form in forms {
                let pem = folder.openssl(&[form, &["-in", "key.pem"][..]].concat());
                let read = read(&pem, None).unwrap();
                assert_eq!(read.public().to_pem().as_bytes(), public, "{form:?}");
            }
            let sealed = folder.encrypted("key.pem", &[]);
            let behind_text = [b"friendlyName: w\xe4b\n", &sealed[..]].concat();
            let opened = read(&behind_text, Some("sesame")).unwrap();
            assert_eq!(opened.public().to_pem().as_bytes(), public, "{algorithm}");
        }
    }

    #[test]
    fn a_key_too_short_is_refused_with_the_reason() {
        let folder = Folder::new();
        key(&folder, "RSA", "rsa_keygen_bits:1024");
        for form in [&["rsa", "-traditional"][..], &["pkey"]] {
            let pem = folder.openssl(&[form, &["-in", "key.pem"]].concat());
            let said = read(&pem, None).unwrap_err().to_string();
            assert!(said.contains("is RSA of 1024 bits, which can be broken"), "{said}");
        }
    }

    #[test]
    fn the_error_names_the_file_and_the_mend() {
        let folder = Folder::new();
        key(&folder, "ED448", "");
        let ed448 = folder.read("key.pem");
        key(&folder, "EC", "ec_paramgen_curve:secp256k1");
        let curve = folder.read("key.pem");
        let sealed = folder.encrypted("key.pem", &[]);
        let broken = "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n";
        let empty = "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n";
        for (pem, pass, words) in [
            (&sealed[..], None, "is encrypted; set server_ssl_key_pass, or decrypt it with"),
            (&sealed, Some("guess"), "cannot be opened with the passphrase"),
            (b"", None, "contains no private key"),
            (broken.as_bytes(), None, "is damaged"),
            (empty.as_bytes(), None, "cannot be used"),
            (&ed448, None, "algorithm 1.3.101.113"),
            (&curve, None, "curve 1.3.132.0.10"),
        ] {
            let fault = read(pem, pass).unwrap_err().to_string();
            assert!(fault.contains(words), "{fault}");
            assert!(fault.contains("/etc/doorward/key.pem"), "{fault}");
        }
    }
}
