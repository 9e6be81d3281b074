//! Which public keys are taken, and how they are named.

use std::fmt;

use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521,
    OID_PKCS1_RSAENCRYPTION, OID_SIG_ED25519,
};
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::wire::Reason;

/// A kind of public key that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, with the bits of its modulus.
    Rsa(usize),
    /// ECDSA on NIST's curve of so many bits: 256, 384 or 521.
    Ecdsa(u16),
    /// Ed25519 (RFC 8410).
    Ed25519,
}

/// Why a public key is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// RSA of fewer than [`LEAST_RSA_BITS`].
    #[error("the RSA key has {0} bits, and {LEAST_RSA_BITS} are the least; make a new key")]
    TooShort(usize),
    /// Neither RSA nor ECDSA on a curve of NIST nor Ed25519.
    #[error("the key is of an unknown algorithm ({0}); make one of RSA, ECDSA P-256 or Ed25519")]
    UnknownAlgorithm(String),
    /// No SubjectPublicKeyInfo.
    #[error("the key is damaged; export it again as PEM")]
    Damaged,
}

/// The kind of a key, from its SubjectPublicKeyInfo (RFC 5280 section 4.1) in DER.
///
/// # Errors
/// See [`Unfit`].
pub fn kind(spki: &[u8]) -> Result<KeyKind, Unfit> {
    match SubjectPublicKeyInfo::from_der(spki) {
        Ok((rest, parsed)) if rest.is_empty() => kind_of(&parsed),
        _ => Err(Unfit::Damaged),
    }
}

/// The SubjectPublicKeyInfo of a certificate, in DER, as it stands in it.
///
/// # Errors
/// [`Unfit::Damaged`]: the bytes are no X.509 certificate.
pub fn of_certificate(certificate: &[u8]) -> Result<Vec<u8>, Unfit> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| Unfit::Damaged)?;
    Ok(parsed.public_key().raw.to_vec())
}

impl Unfit {
    /// The reason, where the key's owner is refused for it.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::TooShort(_) => Reason::PublicKeyTooShort,
            Self::UnknownAlgorithm(_) => Reason::PublicKeyAlgorithm,
            Self::Damaged => Reason::CertificateForm,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::Ecdsa(bits) => write!(f, "ECDSA P-{bits}"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

fn kind_of(spki: &SubjectPublicKeyInfo<'_>) -> Result<KeyKind, Unfit> {
    let algorithm = &spki.algorithm;
    if algorithm.algorithm == OID_PKCS1_RSAENCRYPTION {
        let Ok(PublicKey::RSA(key)) = spki.parsed() else { return Err(Unfit::Damaged) };
        let modulus = key.modulus.iter().skip_while(|byte| **byte == 0);
        let bits = modulus.clone().next().map_or(0, |first| {
            8 * modulus.count() - usize::try_from(first.leading_zeros()).unwrap_or(0)
        });
        return if bits < LEAST_RSA_BITS {
            Err(Unfit::TooShort(bits))
        } else {
            Ok(KeyKind::Rsa(bits))
        };
    }
    if algorithm.algorithm == OID_SIG_ED25519 {
        return Ok(KeyKind::Ed25519);
    }
    if algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
        let curves = [(OID_EC_P256, 256), (OID_NIST_EC_P384, 384), (OID_NIST_EC_P521, 521)];
        let known = curves.iter().find(|(known, _)| curve.as_ref() == Some(known));
        return known.map(|(_, bits)| KeyKind::Ecdsa(*bits)).ok_or_else(|| {
            let curve = curve.map_or_else(|| "without a name".to_owned(), |oid| oid.to_string());
            Unfit::UnknownAlgorithm(format!("elliptic curve {curve}"))
        });
    }
    Err(Unfit::UnknownAlgorithm(algorithm.algorithm.to_string()))
}

/// NIST SP 800-131A: shorter moduli sign nothing any more.
pub const LEAST_RSA_BITS: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::openssl::{Key, public_key};

    #[test]
    fn keys_are_named_and_weak_ones_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let unknown = |what: &str| Err(Unfit::UnknownAlgorithm(what.to_owned()));
        for (key, expected) in [
            (Key::Rsa(2048), Ok(KeyKind::Rsa(2048))),
            (Key::Rsa(3072), Ok(KeyKind::Rsa(3072))),
            (Key::Rsa(1024), Err(Unfit::TooShort(1024))),
            (Key::Rsa(2047), Err(Unfit::TooShort(2047))),
            (Key::Ec("P-256"), Ok(KeyKind::Ecdsa(256))),
            (Key::Ec("P-384"), Ok(KeyKind::Ecdsa(384))),
            (Key::Ec("P-521"), Ok(KeyKind::Ecdsa(521))),
            (Key::Ec("secp256k1"), unknown("elliptic curve 1.3.132.0.10")),
            (Key::Named("ED25519"), Ok(KeyKind::Ed25519)),
            (Key::Named("ED448"), unknown("1.3.101.113")),
            (Key::Named("RSA-PSS"), unknown("1.2.840.113549.1.1.10")),
        ] {
            assert_eq!(kind(&public_key(folder.path(), key)), expected, "{key:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_key_are_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let mut key = public_key(folder.path(), Key::Ec("P-256"));
        key.push(0);
        for bytes in [&key[..], &key[..40], b"", &[0x30, 0x82, 0xff, 0xff]] {
            assert_eq!(kind(bytes), Err(Unfit::Damaged));
        }
        assert_eq!(of_certificate(b"none"), Err(Unfit::Damaged));
    }
}
