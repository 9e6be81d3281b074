//! Which public keys of peers are accepted.

use x509_parser::prelude::{FromDer, X509Certificate};

use crate::pki::{Algorithm, PublicKey};
use crate::wire::Reason;

/// Why a public key is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// RSA of fewer than [`LEAST_RSA_BITS`].
    #[error("the RSA key has {0} bits, but at least {LEAST_RSA_BITS} are required; make a new key")]
    TooShort(usize),
    /// Neither RSA nor ECDSA on a curve of NIST nor Ed25519.
    #[error("the key is {0}; make one of RSA, ECDSA P-256 or Ed25519")]
    UnknownAlgorithm(Algorithm),
    /// No SubjectPublicKeyInfo.
    #[error("the key is damaged; export it again as PEM")]
    Damaged,
    /// A certificate that can be taken apart, but not used.
    #[error("neither X.509 version 3 nor 1")]
    OtherVersion,
}

/// The key in a SubjectPublicKeyInfo (RFC 5280 section 4.1), if it is taken.
///
/// # Errors
/// See [`Unfit`].
pub(crate) fn key(spki: &[u8]) -> Result<PublicKey, Unfit> {
    fit(PublicKey::from_spki(spki).map_err(|_| Unfit::Damaged)?)
}

/// The key of a certificate, if it is taken.
///
/// # Errors
/// See [`Unfit`]; bytes that are no X.509 certificate are damaged.
pub(crate) fn key_of_certificate(certificate: &[u8]) -> Result<PublicKey, Unfit> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| Unfit::Damaged)?;
    fit(PublicKey::of_certificate(&parsed))
}

/// Whether a client could not sign a handshake with the certificate's key by what
/// its keyUsage says (RFC 8446 section 4.4.2.4, as OpenSSL reads it).
pub(in crate::pki) fn lacks_signing(certificate: &[u8]) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return false };
    let usage = parsed.key_usage().ok().flatten().map(|usage| usage.value);
    usage.is_some_and(|usage| !usage.digital_signature() && !usage.key_agreement())
}

impl Unfit {
    /// The reason, where the key's owner is refused for it.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::TooShort(_) => Reason::PublicKeyTooShort,
            Self::UnknownAlgorithm(_) => Reason::PublicKeyAlgorithm,
            Self::Damaged | Self::OtherVersion => Reason::CertificateForm,
        }
    }
}

fn fit(key: PublicKey) -> Result<PublicKey, Unfit> {
    match key.algorithm() {
        Algorithm::Rsa(bits) if *bits < LEAST_RSA_BITS => Err(Unfit::TooShort(*bits)),
        Algorithm::Ecdsa(curve) if !matches!(&**curve, "P-256" | "P-384" | "P-521") => {
            Err(Unfit::UnknownAlgorithm(key.algorithm().clone()))
        }
        Algorithm::Other(_) => Err(Unfit::UnknownAlgorithm(key.algorithm().clone())),
        Algorithm::Rsa(_) | Algorithm::Ecdsa(_) | Algorithm::Ed25519 => Ok(key),
    }
}

/// NIST SP 800-131A: shorter moduli sign nothing any more.
pub(crate) const LEAST_RSA_BITS: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::file::openssl::{Key, public_key};

    #[test]
    fn keys_that_are_weak_or_unknown_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let unknown =
            |said: &str| Err(format!("the key is {said}; make one of RSA, ECDSA P-256 or Ed25519"));
        let short = |bits| Err(Unfit::TooShort(bits).to_string());
        for (made, expected) in [
            (Key::Rsa(2048), Ok("RSA 2048")),
            (Key::Rsa(3072), Ok("RSA 3072")),
            (Key::Rsa(1024), short(1024)),
            (Key::Rsa(2047), short(2047)),
            (Key::Ec("P-256"), Ok("ECDSA P-256")),
            (Key::Ec("P-384"), Ok("ECDSA P-384")),
            (Key::Ec("P-521"), Ok("ECDSA P-521")),
            (Key::Ec("secp256k1"), unknown("ECDSA 1.3.132.0.10")),
            (Key::Named("ED25519"), Ok("Ed25519")),
            (Key::Named("ED448"), unknown("Ed448")),
            (Key::Named("RSA-PSS"), unknown("RSA-PSS")),
        ] {
            let judged = key(&public_key(folder.path(), made));
            let judged =
                judged.map(|key| key.algorithm().to_string()).map_err(|unfit| unfit.to_string());
            assert_eq!(judged, expected.map(str::to_owned), "{made:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_key_are_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = public_key(folder.path(), Key::Ec("P-256"));
        bytes.push(0);
        for bytes in [&bytes[..], &bytes[..40], b"", &[0x30, 0x82, 0xff, 0xff]] {
            assert_eq!(key(bytes), Err(Unfit::Damaged));
        }
        assert_eq!(key_of_certificate(b"none"), Err(Unfit::Damaged));
    }
}
