//! What a certificate says, for people.

use std::net::IpAddr;

use aws_lc_rs::digest;
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use x509_parser::asn1_rs::{Oid, oid};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::clock::Timestamp;

/// What is worth telling of a certificate.
#[derive(Debug)]
pub(super) struct Certificate {
    /// The subject's distinguished name.
    pub(super) subject: String,
    /// The issuer's; the subject's own where it is self-signed.
    pub(super) issuer: String,
    /// DNS names and addresses it is for.
    pub(super) names: Vec<String>,
    /// It counts from then,
    pub(super) begins_at: Timestamp,
    /// and until then.
    pub(super) ends_at: Timestamp,
    der: CertificateDer<'static>,
    hash: Option<&'static digest::Algorithm>,
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// It is not X.509; the words of the parser.
    pub(super) fn read(der: &CertificateDer<'_>) -> Result<Self, String> {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        let alternatives = parsed.subject_alternative_name().ok().flatten();
        let names = alternatives.iter().flat_map(|extension| &extension.value.general_names);
        let moment = |seconds: i64| Timestamp::from_unix(u64::try_from(seconds).unwrap_or(0));
        Ok(Self {
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            names: names.filter_map(name).collect(),
            begins_at: moment(parsed.validity().not_before.timestamp()),
            ends_at: moment(parsed.validity().not_after.timestamp()),
            der: der.clone().into_owned(),
            hash: end_point_hash(&parsed),
        })
    }

    /// Whether it is for a host of this name, by the rules of RFC 6125.
    pub(super) fn covers(&self, host: &str) -> bool {
        let Ok(host) = ServerName::try_from(host) else { return false };
        let Ok(parsed) = ParsedCertificate::try_from(&self.der) else { return false };
        verify_server_name(&parsed, &host).is_ok()
    }

    /// Whether it counts at a moment.
    pub(super) fn is_valid_at(&self, moment: Timestamp) -> bool {
        self.begins_at <= moment && moment <= self.ends_at
    }

    /// Its hash for `tls-server-end-point` bindings (RFC 5929 section 4.1);
    /// `None` where its signature algorithm has no single hash.
    pub(super) fn end_point(&self) -> Option<Vec<u8>> {
        self.hash.map(|algorithm| digest::digest(algorithm, &self.der).as_ref().to_vec())
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(dns) => Some((*dns).to_owned()),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(IpAddr::from([a, b, c, d]).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|v6| IpAddr::from(v6).to_string()),
        },
        _ => None,
    }
}

/// The hash of the certificate's signature; SHA-256 in place of MD5 and SHA-1.
fn end_point_hash(certificate: &X509Certificate<'_>) -> Option<&'static digest::Algorithm> {
    let signature = &certificate.signature_algorithm;
    let found = HASHES.iter().find(|(oid, _)| *oid == signature.algorithm);
    found.map(|(_, algorithm)| *algorithm)
}

static HASHES: [(Oid<'static>, &digest::Algorithm); 8] = [
    (oid!(1.2.840.113549.1.1.4), &digest::SHA256), // md5WithRSAEncryption
    (oid!(1.2.840.113549.1.1.5), &digest::SHA256), // sha1WithRSAEncryption
    (oid!(1.2.840.113549.1.1.11), &digest::SHA256), // sha256WithRSAEncryption
    (oid!(1.2.840.113549.1.1.12), &digest::SHA384), // sha384WithRSAEncryption
    (oid!(1.2.840.113549.1.1.13), &digest::SHA512), // sha512WithRSAEncryption
    (oid!(1.2.840.10045.4.3.2), &digest::SHA256),  // ecdsa-with-SHA256
    (oid!(1.2.840.10045.4.3.3), &digest::SHA384),  // ecdsa-with-SHA384
    (oid!(1.2.840.10045.4.3.4), &digest::SHA512),  // ecdsa-with-SHA512
];
