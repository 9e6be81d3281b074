//! A certificate, with the fields that clients check.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, KeyUsage, X509Certificate, X509Version};

use crate::pki::file::certificate::Certificate;

#[derive(Debug)]
pub(in crate::cli::check) struct Cert {
    pub(in crate::cli::check) told: Certificate,
    pub(super) der: CertificateDer<'static>,
    /// Subject and issuer, as they are compared.
    pub(in crate::cli::check) subject: Vec<u8>,
    pub(in crate::cli::check) issuer: Vec<u8>,
    /// Whether it is X.509 version 3, in which alone it can say what it is for.
    pub(super) is_version_3: bool,
    /// Whether it says that it is an authority's.
    pub(in crate::cli::check) is_ca: bool,
    /// Key usage and extended key usage, where it limits them.
    usage: Option<u16>,
    purposes: Option<Purposes>,
    /// The algorithm of its signature, as numbers.
    pub(super) signature: String,
}

#[derive(Clone, Copy, Debug)]
struct Purposes {
    server: bool,
    client: bool,
}

impl Cert {
    /// Reads a certificate.
    ///
    /// # Errors
    /// It is not X.509; the words of the parser.
    pub(in crate::cli::check) fn read(der: &CertificateDer<'_>) -> Result<Self, String> {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        let constraints = parsed.basic_constraints().ok().flatten();
        let usage = parsed.key_usage().ok().flatten();
        let purposes = parsed.extended_key_usage().ok().flatten();
        Ok(Self {
            told: Certificate::read(der)?,
            subject: parsed.subject().as_raw().to_vec(),
            issuer: parsed.issuer().as_raw().to_vec(),
            is_version_3: parsed.version() == X509Version::V3,
            is_ca: constraints.is_some_and(|constraints| constraints.value.ca),
            usage: usage.map(|usage| usage.value.flags),
            purposes: purposes.map(|purposes| Purposes {
                server: purposes.value.server_auth || purposes.value.any,
                client: purposes.value.client_auth || purposes.value.any,
            }),
            signature: parsed.signature_algorithm.algorithm.to_id_string(),
            der: der.clone().into_owned(),
        })
    }

    /// The subject, for people.
    pub(in crate::cli::check) fn name(&self) -> &str {
        &self.told.subject
    }

    /// Whether subject and issuer are the same.
    pub(in crate::cli::check) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether its key may sign what a server says in a handshake.
    pub(super) fn may_serve_by_usage(&self) -> bool {
        self.allows(KeyUsage::digital_signature)
    }

    /// Whether it is for servers.
    pub(super) fn is_for_servers(&self) -> bool {
        self.purposes.is_none_or(|purposes| purposes.server)
    }

    /// Whether it is for clients.
    pub(super) fn is_for_clients(&self) -> bool {
        self.purposes.is_none_or(|purposes| purposes.client)
    }

    /// Whether its key may sign lists of revoked certificates (cRLSign).
    pub(in crate::cli::check) fn may_sign_lists(&self) -> bool {
        self.allows(KeyUsage::crl_sign)
    }

    /// One that says nothing of its usage allows every one (RFC 5280 section 4.2.1.3).
    fn allows(&self, usage: impl Fn(&KeyUsage) -> bool) -> bool {
        self.usage.is_none_or(|flags| usage(&KeyUsage { flags }))
    }
}

/// The certificates of a PEM file; why they cannot be read is told elsewhere.
pub(in crate::cli::check) fn of_file(path: &Path) -> Vec<Cert> {
    let found = CertificateDer::pem_file_iter(path).into_iter().flatten().flatten();
    found.filter_map(|der| Cert::read(&der).ok()).collect()
}
