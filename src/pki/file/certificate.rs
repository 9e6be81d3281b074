//! The contents of a certificate, for people.

use std::fmt;
use std::net::IpAddr;

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::clock::Timestamp;

/// What is worth telling of a certificate.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// The subject's distinguished name.
    pub subject: String,
    /// The issuer's; the subject's own where it is self-signed.
    pub issuer: String,
    /// DNS names and addresses it is for.
    pub names: Vec<String>,
    /// It counts from then,
    pub begins_at: Timestamp,
    /// and until then.
    pub ends_at: Timestamp,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// Reads a certificate.
    ///
    /// # Errors
    /// It is not X.509; the words of the parser.
    pub(crate) fn read(der: &CertificateDer<'_>) -> Result<Self, String> {
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
        })
    }

    /// Whether it is for a host of this name, by the rules of RFC 6125.
    pub(crate) fn covers(&self, host: &str) -> bool {
        let Ok(host) = ServerName::try_from(host) else { return false };
        let Ok(parsed) = ParsedCertificate::try_from(&self.der) else { return false };
        verify_server_name(&parsed, &host).is_ok()
    }

    /// Whether it counts at a moment.
    pub(crate) fn is_valid_at(&self, moment: Timestamp) -> bool {
        self.begins_at <= moment && moment <= self.ends_at
    }
}

/// `CN=backup, issued by CN=Our CA, valid from … until …`
impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, issuer, names, begins_at, ends_at, .. } = self;
        write!(f, "{subject}")?;
        if !names.is_empty() {
            write!(f, " ({})", names.join(", "))?;
        }
        write!(f, ", issued by {issuer}, valid from {begins_at} until {ends_at}")
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) => Some((*text).to_owned()),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(IpAddr::from([a, b, c, d]).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|v6| IpAddr::from(v6).to_string()),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_for(names: &[&str]) -> Certificate {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        Certificate::read(made.cert.der()).unwrap()
    }

    #[test]
    fn names_and_addresses_are_told() {
        let certificate = made_for(&["web.example", "*.lab.example", "192.0.2.1"]);
        assert_eq!(certificate.names, ["web.example", "*.lab.example", "192.0.2.1"]);
        assert_eq!(certificate.subject, certificate.issuer);
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        let certificate = made_for(&["web.example", "*.lab.example", "192.0.2.1"]);
        for host in ["web.example", "WEB.example", "a.lab.example", "192.0.2.1"] {
            assert!(certificate.covers(host), "{host}");
        }
        for host in ["example", "b.a.lab.example", "lab.example", "192.0.2.2", "not a host", ""] {
            assert!(!certificate.covers(host), "{host}");
        }
    }

    #[test]
    fn bytes_that_are_no_certificate_are_said() {
        assert!(Certificate::read(&CertificateDer::from(vec![0x30, 0x80])).is_err());
    }
}
