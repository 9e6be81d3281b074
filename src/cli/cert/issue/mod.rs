//! The contents of a new certificate. Pure: key, clock and files are arguments.

use std::net::IpAddr;
use std::time::Duration;

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyUsagePurpose, SanType, SerialNumber,
};
use time::OffsetDateTime;

use super::error::CertError;
use crate::clock::Timestamp;
use crate::pki::Algorithm;

mod authority;
pub(super) mod ca;
pub(super) mod leaf;
mod material;
mod renewal;

/// From when until when a certificate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Validity {
    /// From a little before `now`, for hosts whose clock is slow, for `lifetime`,
    /// but not beyond `end`: a certificate that outlives its CA is worth nothing then.
    pub(super) fn new(now: Timestamp, lifetime: Duration, end: Option<Timestamp>) -> Self {
        let from = Timestamp::from_unix(now.unix().saturating_sub(SLOW_CLOCK.as_secs()));
        let until = now.plus(lifetime);
        Self { from, until: end.map_or(until, |end| until.min(end)) }
    }
}

/// What a CA's certificate says: signs certificates and lists of revoked ones,
/// and none of another CA.
pub(super) fn authority(
    subject: DistinguishedName,
    validity: Validity,
    serial: [u8; SERIAL],
) -> CertificateParams {
    let mut parameters = parameters(subject, validity, serial);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

/// What a server's certificate says (RFC 9525: its names stand in the SAN).
pub(super) fn server(
    name: &str,
    names: Vec<SanType>,
    key: &Algorithm,
    validity: Validity,
    serial: [u8; SERIAL],
) -> CertificateParams {
    let mut parameters = parameters(common_name(name), validity, serial);
    parameters.subject_alt_names = names;
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if let Algorithm::Rsa(_) = key {
        // Key exchange by RSA alone: gone from TLS 1.3, but old programs look for the right.
        parameters.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters
}

/// What a service's certificate says.
pub(super) fn client(name: &str, validity: Validity, serial: [u8; SERIAL]) -> CertificateParams {
    let mut parameters = parameters(common_name(name), validity, serial);
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.use_authority_key_identifier_extension = true;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    parameters
}

/// A subject of a common name only.
pub(super) fn common_name(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

/// Whether a CA can have this name.
///
/// # Errors
/// It cannot: RFC 5280 appendix A.1 allows 64 characters.
pub(super) fn authority_name(name: &str) -> Result<(), CertError> {
    let fault = match name.chars().count() {
        0 => "it is empty",
        count if count > LONGEST_NAME => "it is longer than 64 characters",
        _ if name.chars().any(char::is_control) => "it has control characters",
        _ => return Ok(()),
    };
    Err(CertError::Name { name: name.to_owned(), kind: "CA", fault })
}

/// A host name, one with a wildcard as its first label, or an address.
///
/// # Errors
/// It is none of them.
pub(super) fn host(name: &str) -> Result<SanType, CertError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let plain = name.strip_prefix("*.").unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let good = plain.len() <= 253 && plain.split('.').all(is_label);
    match Ia5String::try_from(name) {
        Ok(text) if good => Ok(SanType::DnsName(text)),
        _ => Err(CertError::Host(name.to_owned())),
    }
}

/// A name that is good as a common name and as the beginning of a file's name.
///
/// # Errors
/// It is not.
pub(super) fn file_name(name: &str, kind: &'static str) -> Result<(), CertError> {
    let odd = |fault| Err(CertError::Name { name: name.to_owned(), kind, fault });
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    match name.as_bytes() {
        [] => odd("it is empty"),
        [b'.' | b'-', ..] => odd("it begins with a dot or hyphen"),
        bytes if bytes.len() > LONGEST_NAME => {
            odd("it is longer than 64 characters; give a long host name by --san")
        }
        bytes if !bytes.iter().copied().all(allowed) => {
            odd("it may have letters, digits, dot, hyphen and underscore")
        }
        _ => Ok(()),
    }
}

fn parameters(
    subject: DistinguishedName,
    validity: Validity,
    serial: [u8; SERIAL],
) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = subject;
    parameters.not_before = moment(validity.from);
    parameters.not_after = moment(validity.until);
    parameters.serial_number = Some(positive(serial));
    parameters
}

/// RFC 5280 section 4.1.2.2: positive, and 20 bytes at most. The first byte is
/// neither zero nor negative, so every serial has the same length.
fn positive(mut serial: [u8; SERIAL]) -> SerialNumber {
    let [first, ..] = &mut serial;
    *first = *first & 0x3f | 0x40;
    SerialNumber::from_slice(&serial)
}

fn moment(timestamp: Timestamp) -> OffsetDateTime {
    timestamp.date_time().unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Bytes of a serial number; 158 bits of them are random.
pub(super) const SERIAL: usize = 20;
const SLOW_CLOCK: Duration = Duration::from_secs(24 * 60 * 60);
/// RFC 5280 appendix A.1: ub-common-name.
const LONGEST_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_never_outlives_its_ca() {
        let now = Timestamp::from_unix(1_900_000_000);
        let day = Duration::from_secs(86_400);
        let end = now.plus(day * 10);
        assert_eq!(Validity::new(now, day * 5, Some(end)).until, now.plus(day * 5));
        assert_eq!(Validity::new(now, day * 50, Some(end)).until, end);
        assert!(Validity::new(now, day, None).from < now);
    }

    #[test]
    fn serials_are_positive_and_of_twenty_bytes_whatever_is_drawn() {
        for drawn in [[0; SERIAL], [0xff; SERIAL]] {
            let serial = positive(drawn).to_bytes();
            assert_eq!(serial.len(), 20);
            assert!((0x40..0x80).contains(&serial[0]), "{serial:?}");
        }
    }

    #[test]
    fn hosts_are_names_wildcards_and_addresses() {
        for good in ["web", "WEB.example", "*.lab.example", "192.0.2.1", "2001:db8::1", "a_b.c"] {
            assert!(host(good).is_ok(), "{good}");
        }
        assert_eq!(host("192.0.2.1").unwrap(), SanType::IpAddress([192, 0, 2, 1].into()));
        let long = "a".repeat(64);
        for bad in ["", "*", "a..b", "-a", "a-", "*.*.b", "a b", "bücher.example", "a/b", &long] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_files_stay_in_their_folder() {
        for good in ["client", "dagent-1", "web.example", "2001:db8::1", "spooler_2"] {
            assert!(file_name(good, "client").is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "../x", "a/b", ".x", "-x", "a b", "a\0", "*.example", "ä", &long] {
            assert!(file_name(bad, "client").is_err(), "{bad}");
        }
    }
}
