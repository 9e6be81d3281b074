//! Whether a certificate may be an authority's: TLS libraries check little in authorities that an
//! administrator names, so it is checked here, as OpenSSL does.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Version;

use crate::clock::Timestamp;

/// What the certificates below an authority are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// By clients.
    Client,
    /// By servers.
    Server,
}

/// Why a certificate is no authority's. Reads as a fragment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// X.509 version 3 without basicConstraints.
    #[error("it has no basicConstraints, so it is not an authority (CA:TRUE)")]
    NoConstraints,
    #[error("its basicConstraints say CA:FALSE")]
    NotAuthority,
    /// It may sign other things.
    #[error("its keyUsage lacks keyCertSign")]
    KeyUsage,
    /// Its certificates are for something else.
    #[error("its extendedKeyUsage lacks {0}")]
    Purpose(&'static str),
    /// X.509 version 1, which says nothing of all that.
    #[error("it is X.509 version 1 or 2, which is not accepted for an intermediate authority")]
    Version,
    /// Something in it must be understood, and is not.
    #[error("it has an unknown critical extension ({0})")]
    Critical(String),
    /// It cannot be read.
    #[error("it is damaged")]
    Damaged,
}

/// What binds an authority besides what the TLS library looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pki) struct Bounds {
    /// Authorities between it and a client at most.
    pub(in crate::pki) path_length: Option<u32>,
    /// It counts from then,
    pub(in crate::pki) begins_at: i64,
    /// and until then.
    pub(in crate::pki) ends_at: i64,
    /// Whether it may sign for some names only.
    pub(in crate::pki) names_constrained: bool,
    /// Its name, as it is in what it issues.
    pub(in crate::pki) subject: Vec<u8>,
    /// Its key (SubjectPublicKeyInfo).
    pub(in crate::pki) key: Vec<u8>,
}

impl Bounds {
    pub(in crate::pki) fn hold_at(&self, moment: Timestamp) -> bool {
        let moment = i64::try_from(moment.unix()).unwrap_or(i64::MAX);
        (self.begins_at..=self.ends_at).contains(&moment)
    }
}

/// An authority that an administrator names. One of X.509 version 1 says nothing
/// of itself, and is believed where it signed itself.
///
/// # Errors
/// See [`Unfit`].
pub(in crate::pki) fn root(der: &[u8], purpose: Purpose) -> Result<Bounds, Unfit> {
    let certificate = read(der)?;
    let self_issued = certificate.subject().as_raw() == certificate.issuer().as_raw();
    let path_length = match certificate.version() {
        X509Version::V3 => constraints(&certificate, Some(purpose))?,
        _ if self_issued => None,
        _ => return Err(Unfit::Version),
    };
    let validity = certificate.validity();
    Ok(Bounds {
        path_length,
        begins_at: validity.not_before.timestamp(),
        ends_at: validity.not_after.timestamp(),
        names_constrained: certificate.name_constraints().map_err(|_| Unfit::Damaged)?.is_some(),
        subject: certificate.subject().as_raw().to_vec(),
        key: certificate.public_key().raw.to_vec(),
    })
}

/// An authority between, as a peer shows it. Its purposes are the library's to judge.
///
/// # Errors
/// See [`Unfit`].
pub(crate) fn intermediate(der: &[u8]) -> Result<(), Unfit> {
    let certificate = read(der)?;
    match certificate.version() {
        X509Version::V3 => constraints(&certificate, None).map(|_| ()),
        _ => Err(Unfit::Version),
    }
}

/// Whether a certificate says of itself that it is an authority's.
pub(crate) fn claims_to_be_one(certificate: &X509Certificate<'_>) -> bool {
    let says_so = |extension: &_| matches!(extension, Ok(Some(value)) if is_authority(value));
    says_so(&certificate.basic_constraints())
}

fn is_authority(
    extension: &x509_parser::certificate::BasicExtension<
        &x509_parser::extensions::BasicConstraints,
    >,
) -> bool {
    extension.value.ca
}

fn read(der: &[u8]) -> Result<X509Certificate<'_>, Unfit> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(Unfit::Damaged),
    }
}

fn constraints(
    certificate: &X509Certificate<'_>,
    purpose: Option<Purpose>,
) -> Result<Option<u32>, Unfit> {
    let damaged = |_| Unfit::Damaged;
    for extension in certificate.extensions().iter().filter(|extension| extension.critical) {
        match extension.parsed_extension() {
            ParsedExtension::UnsupportedExtension { oid } => {
                return Err(Unfit::Critical(oid.to_id_string()));
            }
            ParsedExtension::ParseError { .. } => return Err(Unfit::Damaged),
            _ => {}
        }
    }
    let path_length = match certificate.basic_constraints().map_err(damaged)? {
        None => return Err(Unfit::NoConstraints),
        Some(constraints) if !constraints.value.ca => return Err(Unfit::NotAuthority),
        Some(constraints) => constraints.value.path_len_constraint,
    };
    let usage = certificate.key_usage().map_err(damaged)?;
    if usage.is_some_and(|usage| !usage.value.key_cert_sign()) {
        return Err(Unfit::KeyUsage);
    }
    let extended = certificate.extended_key_usage().map_err(damaged)?;
    let lacks = match (extended, purpose) {
        (Some(usage), Some(Purpose::Client)) if !usage.value.client_auth => Some("clientAuth"),
        (Some(usage), Some(Purpose::Server)) if !usage.value.server_auth => Some("serverAuth"),
        _ => None,
    };
    lacks.map_or(Ok(path_length), |lacks| Err(Unfit::Purpose(lacks)))
}

/// The name of a certificate's subject, as it stands there.
pub(in crate::pki) fn subject(der: &[u8]) -> Option<Vec<u8>> {
    Some(read(der).ok()?.subject().as_raw().to_vec())
}

/// The name of its issuer.
pub(in crate::pki) fn issuer(der: &[u8]) -> Option<Vec<u8>> {
    Some(read(der).ok()?.issuer().as_raw().to_vec())
}
