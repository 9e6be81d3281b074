//! Key and certificate of the TLS listeners.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::finding::Finding;
use crate::cli::certificate::Certificate;
use crate::clock::{self, Timestamp};
use crate::config::Settings;
use crate::config::checked::{CertificateFiles, HostPattern};

pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    if settings.front.listen_tls.is_empty() {
        return Vec::new();
    }
    let Some(files) = &settings.front.certificate else {
        return vec![Finding::warn(
            "certificate",
            "none is configured: a self-signed one is made, which no browser trusts",
            "set server_ssl_key_file and server_ssl_cert_file in [front]",
        )];
    };
    let chain = match chain(&files.certificate) {
        Ok(chain) => chain,
        Err(finding) => return vec![finding],
    };
    let mut findings = vec![key(files, &chain)];
    let Some(leaf) = chain.first() else { return findings };
    match Certificate::read(leaf) {
        Ok(certificate) => {
            findings.push(time(&certificate, clock::now()));
            findings.extend(names(&certificate, settings));
        }
        Err(what) => findings.push(Finding::fail(
            "certificate",
            format!("{} cannot be read: {what}", files.certificate.display()),
            "have the certificate issued again",
        )),
    }
    findings
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Finding> {
    let mend = "name a PEM file that holds the certificate, and after it those of its issuers";
    let wrong = |what: String| {
        Finding::fail("certificate", format!("{}: {what}", path.display()), mend)
    };
    let certificates: Result<Vec<_>, pem::Error> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match certificates {
        Ok(chain) if chain.is_empty() => Err(wrong("it holds no certificate".to_owned())),
        Ok(chain) => Ok(chain),
        Err(error) => Err(wrong(error.to_string())),
    }
}
