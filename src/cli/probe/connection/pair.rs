//! The client certificate that a probe shows.

use std::sync::Arc;

use rustls::sign::CertifiedKey;

use super::target::Target;
use crate::cli::ProbeArguments;
use crate::cli::probe::error::ProbeError;
use crate::config::Secret;
use crate::config::section::CertificateFiles;
use crate::pki::file::certificate::Certificate;
use crate::pki::file::pair;

/// Key and certificate of `--cert`, where it is given.
pub(in crate::cli::probe) fn read(
    target: &Target,
    arguments: &ProbeArguments,
) -> Result<Option<Arc<CertifiedKey>>, ProbeError> {
    let Some(file) = &arguments.cert else { return Ok(None) };
    if !target.tls {
        let what = "a certificate needs TLS, and this is plain HTTP: use https://";
        return Err(ProbeError::Usage(what.to_owned()));
    }
    let files = CertificateFiles {
        key: file.clone(),
        certificate: file.clone(),
        key_pass: arguments.cert_pass_file.clone().map(Secret::file),
    };
    Ok(Some(pair::load(&files, "--cert-pass-file")?))
}

/// What the certificate says of itself.
pub(in crate::cli::probe) fn certificate(pair: &CertifiedKey) -> Result<Certificate, ProbeError> {
    // A pair is only loaded with its certificate.
    let own = pair.cert.first().ok_or(ProbeError::NoCertificate)?;
    Certificate::read(own).map_err(|what| {
        ProbeError::Usage(format!("the certificate of --cert cannot be read: {what}"))
    })
}
