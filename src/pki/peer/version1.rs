//! Certificates of X.509 version 1, as `openssl x509 -req` makes them without a file of
//! extensions. TLS libraries no longer read them. A client's is accepted if an authority of ours
//! has signed it directly. None is accepted as an authority's.

use pkcs8::der::asn1::{AnyRef, BitStringRef};
use pkcs8::der::{Decode, Reader, SliceReader};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, DigitallySignedStruct, Error};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};
use x509_parser::x509::X509Version;

use super::anchors::{Anchors, algorithms};
use crate::clock::Timestamp;
use crate::wire::{Denied, Reason};

/// Whether a certificate is of version 1.
pub(in crate::pki) fn is_version_1(der: &[u8]) -> bool {
    X509Certificate::from_der(der)
        .is_ok_and(|(rest, parsed)| rest.is_empty() && parsed.version() == X509Version::V1)
}

/// Whether a client's certificate of version 1 counts; `lists` are those of revoked
/// ones, `None` where revocation is not looked at.
///
/// # Errors
/// It does not, and why.
pub(in crate::pki) fn validate(
    der: &CertificateDer<'_>,
    anchors: &Anchors,
    lists: Option<&[Vec<u8>]>,
    now: Timestamp,
) -> Result<(), Denied> {
    let refused = |reason, detail: &str| Err(Denied::new(reason, detail));
    let Ok((_, parsed)) = X509Certificate::from_der(der) else {
        return refused(Reason::CertificateForm, "it is damaged");
    };
    let moment = i64::try_from(now.unix()).unwrap_or(i64::MAX);
    if moment > parsed.validity().not_after.timestamp() {
        return refused(Reason::CertificateExpired, "it has expired");
    }
    if moment < parsed.validity().not_before.timestamp() {
        return refused(Reason::CertificateNotYetValid, "it is not valid yet");
    }
    let issuer = parsed.issuer().as_raw();
    let self_signed = parsed.subject().as_raw() == issuer;
    let signer = anchors
        .named(issuer)
        .find(|bounds| !bounds.names_constrained && is_signed_by(der, &bounds.key) == Some(true));
    let Some(signer) = signer.filter(|_| !self_signed) else {
        if self_signed {
            return refused(Reason::CertificateSelfSigned, "it is signed by itself");
        }
        let detail = "it is X.509 version 1, and was not signed directly by a listed authority";
        return refused(Reason::CertificateNoChain, detail);
    };
    if !signer.hold_at(now) {
        return refused(Reason::CertificateExpired, "its authority has expired");
    }
    let Some(lists) = lists else { return Ok(()) };
    let list = lists.iter().find_map(|list| {
        let (_, parsed) = CertificateRevocationList::from_der(list).ok()?;
        let ours =
            parsed.issuer().as_raw() == issuer && is_signed_by(list, &signer.key) == Some(true);
        ours.then_some(parsed)
    });
    match list {
        None => refused(Reason::CrlMissing, "crl_file has no list of its authority"),
        Some(list) if list.next_update().is_none_or(|next| next.timestamp() < moment) => {
            refused(Reason::CrlOutdated, "the list of its authority is out of date")
        }
        Some(list)
            if list
                .iter_revoked_certificates()
                .any(|revoked| revoked.raw_serial() == parsed.raw_serial()) =>
        {
            refused(Reason::CertificateRevoked, "it is in the list of its authority")
        }
        Some(_) => Ok(()),
    }
}

/// Whether a handshake was signed with the key of such a certificate, by TLS 1.3.
pub(in crate::pki) fn verify_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let key = SubjectPublicKeyInfoDer::from(key(certificate)?);
    verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
}

/// The same by TLS 1.2, where a scheme says less of the key.
pub(in crate::pki) fn verify_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let bad = || Error::InvalidCertificate(CertificateError::BadSignature);
    let key = key(certificate)?;
    let (algorithm, bits) = parts_of_key(&key).ok_or_else(bad)?;
    let known = algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme);
    let verifies = known.flat_map(|(_, known)| known.iter()).any(|known| {
        known.public_key_alg_id().as_ref() == algorithm
            && known.verify_signature(bits, message, signed.signature()).is_ok()
    });
    if verifies { Ok(HandshakeSignatureValid::assertion()) } else { Err(bad()) }
}

fn key(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, Error> {
    X509Certificate::from_der(certificate)
        .map(|(_, parsed)| parsed.public_key().raw.to_vec())
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))
}

/// Whether a certificate or list, which have one shape, is signed with a key;
/// `None` where they are damaged.
fn is_signed_by(der: &[u8], spki: &[u8]) -> Option<bool> {
    let outer = AnyRef::from_der(der).ok()?;
    let mut items = SliceReader::new(outer.value()).ok()?;
    let signed = items.tlv_bytes().ok()?;
    let algorithm: AnyRef<'_> = items.decode().ok()?;
    let signature: BitStringRef<'_> = items.decode().ok()?;
    let (key_algorithm, key) = parts_of_key(spki)?;
    Some(algorithms().iter().any(|known| {
        known.signature_alg_id().as_ref() == algorithm.value()
            && known.public_key_alg_id().as_ref() == key_algorithm
            && known.verify_signature(key, signed, signature.raw_bytes()).is_ok()
    }))
}

/// The algorithm of a SubjectPublicKeyInfo, without its frame, and the key.
fn parts_of_key(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let outer = AnyRef::from_der(spki).ok()?;
    let mut items = SliceReader::new(outer.value()).ok()?;
    let algorithm: AnyRef<'_> = items.decode().ok()?;
    let key: BitStringRef<'_> = items.decode().ok()?;
    Some((algorithm.value(), key.raw_bytes()))
}
