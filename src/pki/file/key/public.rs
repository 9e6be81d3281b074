//! Public keys: kind, size, and the hash that identifies them.

use std::fmt;

use x509_parser::der_parser::asn1_rs::Oid;
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_DSA, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521,
    OID_PKCS1_RSAENCRYPTION, OID_PKCS1_RSASSAPSS, OID_SIG_ED448, OID_SIG_ED25519,
};
use x509_parser::prelude::{FromDer as _, SubjectPublicKeyInfo, X509Certificate};

use crate::pki::file::pem;
use crate::wire::Fingerprint;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    spki: Vec<u8>,
    algorithm: Algorithm,
}

/// What a key is for, and its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with a modulus of so many bits.
    Rsa(usize),
    /// ECDSA on a curve, by its name or its object identifier.
    Ecdsa(String),
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// One that TLS is not spoken with here, by its name or its object identifier.
    Other(String),
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280 section 4.1), as in `NAME-public.pem`.
    ///
    /// # Errors
    /// It is none; the words of the parser.
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, String> {
        let (rest, spki) =
            SubjectPublicKeyInfo::from_der(der).map_err(|error| error.to_string())?;
        if !rest.is_empty() {
            return Err("there are bytes after the key".to_owned());
        }
        Ok(Self { spki: der.to_vec(), algorithm: Algorithm::of(&spki) })
    }

    /// The key that a certificate speaks of.
    pub(crate) fn of_certificate(certificate: &X509Certificate<'_>) -> Self {
        let spki = certificate.public_key();
        Self { spki: spki.raw.to_vec(), algorithm: Algorithm::of(spki) }
    }

    /// What kind of key it is.
    pub(crate) const fn algorithm(&self) -> &Algorithm {
        &self.algorithm
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_spki(&self.spki)
    }

    /// A PEM block that may be shown to anybody.
    pub(crate) fn to_pem(&self) -> String {
        pem::encode(pem::PUBLIC_KEY, &self.spki)
    }
}

impl Algorithm {
    fn of(spki: &SubjectPublicKeyInfo<'_>) -> Self {
        let oid = &spki.algorithm.algorithm;
        let parameter = spki.algorithm.parameters.as_ref();
        if *oid == OID_PKCS1_RSAENCRYPTION {
            return Self::Rsa(match spki.parsed() {
                Ok(x509_parser::public_key::PublicKey::RSA(key)) => bits(key.modulus),
                _ => 0,
            });
        }
        if *oid == OID_KEY_TYPE_EC_PUBLIC_KEY {
            let curve = parameter.and_then(|any| Oid::try_from(any).ok());
            return Self::Ecdsa(curve.map_or_else(|| "of its own".to_owned(), |oid| name(&oid)));
        }
        if *oid == OID_SIG_ED25519 { Self::Ed25519 } else { Self::Other(name(oid)) }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::Ecdsa(curve) => write!(f, "ECDSA {curve}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

/// The length of a number, in bits.
fn bits(number: &[u8]) -> usize {
    let significant = number.iter().skip_while(|byte| **byte == 0);
    significant.clone().next().map_or(0, |first| {
        8 * significant.count() - usize::try_from(first.leading_zeros()).unwrap_or(0)
    })
}

fn name(oid: &Oid<'_>) -> String {
    let known = NAMES.iter().find(|(known, _)| known == oid);
    known.map_or_else(|| oid.to_id_string(), |(_, name)| (*name).to_owned())
}

const NAMES: &[(Oid<'static>, &str)] = &[
    (OID_EC_P256, "P-256"),
    (OID_NIST_EC_P384, "P-384"),
    (OID_NIST_EC_P521, "P-521"),
    (OID_PKCS1_RSASSAPSS, "RSA-PSS"),
    (OID_KEY_TYPE_DSA, "DSA"),
    (OID_SIG_ED448, "Ed448"),
];

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::pki::testing::{Folder, key};

    #[test]
    fn kind_size_and_hash_are_those_that_openssl_says() {
        let folder = Folder::new();
        for (algorithm, option, said) in [
            ("RSA", "rsa_keygen_bits:2048", "RSA 2048"),
            ("RSA", "rsa_keygen_bits:1024", "RSA 1024"),
            ("EC", "ec_paramgen_curve:P-256", "ECDSA P-256"),
            ("EC", "ec_paramgen_curve:P-521", "ECDSA P-521"),
            ("EC", "ec_paramgen_curve:secp256k1", "ECDSA 1.3.132.0.10"),
            ("ED25519", "", "Ed25519"),
            ("ED448", "", "Ed448"),
        ] {
            key(&folder, algorithm, option);
            let pem = folder.openssl(&["pkey", "-in", "key.pem", "-pubout"]);
            let public =
                PublicKey::from_spki(pem::blocks(&pem).unwrap()[0].der.expose_secret()).unwrap();
            assert_eq!(public.algorithm().to_string(), said);
            assert_eq!(public.to_pem().as_bytes(), pem);
            folder
                .openssl(&["pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "der"]);
            let hash = folder.openssl(&["dgst", "-sha256", "-c", "der"]);
            let hash = String::from_utf8(hash).unwrap().to_uppercase();
            assert!(hash.trim().ends_with(&public.fingerprint().to_string()), "{hash}");
        }
    }

    #[test]
    fn bytes_that_are_no_key_are_said() {
        assert!(PublicKey::from_spki(b"").is_err());
        assert!(PublicKey::from_spki(&[0x30, 0x03, 0x02, 0x01, 0x01]).is_err());
    }
}
