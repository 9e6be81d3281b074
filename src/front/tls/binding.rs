//! The channel binding `tls-server-end-point` (RFC 5929 section 4): a hash of
//! the server's certificate, which a relay between client and gateway cannot
//! have without the certificate's key.

use aws_lc_rs::digest::{Algorithm, SHA224, SHA256, SHA384, SHA512, digest};
use x509_parser::error::X509Error;
use x509_parser::oid_registry::{
    OID_NIST_HASH_SHA384, OID_NIST_HASH_SHA512, OID_PKCS1_RSASSAPSS, OID_PKCS1_SHA224WITHRSA,
    OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA, OID_SIG_ECDSA_WITH_SHA224,
    OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ECDSA_WITH_SHA512, Oid,
};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::x509::AlgorithmIdentifier;

use crate::mechanism::Bindings;

/// The GSS channel binding (RFC 4121 section 4.1.1.2) of connections that
/// present this certificate.
///
/// # Errors
/// The bytes are no X.509 certificate.
pub(crate) fn server_end_point(leaf: &[u8]) -> Result<Bindings, X509Error> {
    let (_, certificate) = X509Certificate::from_der(leaf).map_err(|error| match error {
        x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => error,
        x509_parser::nom::Err::Incomplete(_) => X509Error::InvalidCertificate,
    })?;
    let hash = digest(hash_of(&certificate.signature_algorithm), leaf);
    Ok(Bindings::tls_server_end_point(hash.as_ref()))
}

/// The hash that the certificate was signed with, where that is one of those
/// that the RFC keeps. SHA-256 is in for MD5 and SHA-1, as the RFC says,
/// and for signatures without a hash of their own (Ed25519, ML-DSA), of which
/// it says nothing: the clients that send a binding for such certificates at
/// all (pyspnego and what is built on it) use SHA-256; curl and OpenSSL's
/// users send none.
fn hash_of(signature: &AlgorithmIdentifier<'_>) -> &'static Algorithm {
    let oid = &signature.algorithm;
    if *oid == OID_PKCS1_RSASSAPSS {
        let parameters =
            signature.parameters.as_ref().and_then(|any| RsaSsaPssParams::try_from(any).ok());
        // Without parameters it is SHA-1 (RFC 4055 section 3.1), and so SHA-256 here.
        return parameters.map_or(&SHA256, |named| find(HASHES, named.hash_algorithm_oid()));
    }
    find(SIGNATURES, oid)
}

fn find(table: &[(Oid<'static>, &'static Algorithm)], oid: &Oid<'_>) -> &'static Algorithm {
    table.iter().find(|(known, _)| known == oid).map_or(&SHA256, |(_, hash)| *hash)
}

/// RFC 8017 appendix B.1.
const HASHES: &[(Oid<'static>, &Algorithm)] =
    &[(OID_NIST_HASH_SHA384, &SHA384), (OID_NIST_HASH_SHA512, &SHA512)];

/// RFC 5758 section 3.2 and RFC 8017 appendix A.2.4.
const SIGNATURES: &[(Oid<'static>, &Algorithm)] = &[
    (OID_PKCS1_SHA224WITHRSA, &SHA224),
    (OID_PKCS1_SHA384WITHRSA, &SHA384),
    (OID_PKCS1_SHA512WITHRSA, &SHA512),
    (OID_SIG_ECDSA_WITH_SHA224, &SHA224),
    (OID_SIG_ECDSA_WITH_SHA384, &SHA384),
    (OID_SIG_ECDSA_WITH_SHA512, &SHA512),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::tls::testing::openssl;
    use std::path::Path;

    /// A certificate made with OpenSSL, in DER.
    fn certificate(folder: &Path, key: &[&str], signature: &[&str]) -> Vec<u8> {
        let (pem, der) = (folder.join("c.pem"), folder.join("c.der"));
        let (pem, der) = (pem.to_str().unwrap(), der.to_str().unwrap());
        let private = folder.join("k.pem");
        let private = private.to_str().unwrap();
        openssl(&[&["genpkey", "-out", private], key].concat());
        openssl(
            &[&["req", "-x509", "-new", "-key", private, "-subj", "/CN=a", "-out", pem], signature]
                .concat(),
        );
        openssl(&["x509", "-in", pem, "-outform", "DER", "-out", der]);
        std::fs::read(der).unwrap()
    }

    /// What OpenSSL says is the hash of a file.
    fn hash(folder: &Path, hash: &str) -> Vec<u8> {
        let der = folder.join("c.der");
        openssl(&["dgst", hash, "-binary", der.to_str().unwrap()])
    }

    #[test]
    fn the_hash_is_that_of_the_signature_and_at_least_sha256() {
        const RSA: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
        const EC: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
        const PSS: &[&str] = &["-sigopt", "rsa_padding_mode:pss"];
        let folder = tempfile::tempdir().unwrap();
        for (key, signature, expected) in [
            (RSA, &["-md5"][..], "-sha256"),
            (RSA, &["-sha1"], "-sha256"),
            (RSA, &["-sha224"], "-sha224"),
            (RSA, &["-sha256"], "-sha256"),
            (RSA, &["-sha384"], "-sha384"),
            (RSA, &["-sha512"], "-sha512"),
            (RSA, &[PSS, &["-sha1"]].concat(), "-sha256"),
            (RSA, &[PSS, &["-sha256"]].concat(), "-sha256"),
            (RSA, &[PSS, &["-sha384"]].concat(), "-sha384"),
            (RSA, &[PSS, &["-sha512"]].concat(), "-sha512"),
            (EC, &["-sha1"], "-sha256"),
            (EC, &["-sha256"], "-sha256"),
            (EC, &["-sha384"], "-sha384"),
            (EC, &["-sha512"], "-sha512"),
            (&["-algorithm", "ED25519"], &[], "-sha256"),
        ] {
            let leaf = certificate(folder.path(), key, signature);
            let data = server_end_point(&leaf).unwrap();
            let hash = data.as_bytes().strip_prefix(b"tls-server-end-point:").unwrap();
            assert_eq!(hash, super::tests::hash(folder.path(), expected), "{key:?} {signature:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_certificate_have_no_binding() {
        assert!(server_end_point(b"").is_err());
        assert!(server_end_point(&[0x30, 0x82, 0xff, 0xff]).is_err());
    }
}
