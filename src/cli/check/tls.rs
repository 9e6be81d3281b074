//! Key and certificate of the TLS listeners.

use std::path::Path;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::finding::Finding;
use crate::advice::certificate as advice;
use crate::clock::{self, Timestamp};
use crate::config::Settings;
use crate::config::checked::HostPattern;
use crate::front::tls::ServerTls;
use crate::pki::certificate::Certificate;

pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    if settings.front.listen_tls.is_empty() {
        return Vec::new();
    }
    let Some(files) = &settings.front.certificate else {
        return vec![Finding::warn(
            "certificate",
            "none is configured: a self-signed one is made, which no browser trusts",
            advice::NONE,
        )];
    };
    if let Err(error) = ServerTls::load(files, None) {
        let mend = advice::name_files("front");
        return vec![Finding::error("certificate", &error.to_string(), &mend)];
    }
    let mut findings = Vec::new();
    if let Some(certificate) = leaf(&files.certificate) {
        findings.push(time(&certificate, clock::now()));
        findings.push(names(&certificate, settings));
    }
    findings
}

/// The server's own certificate comes first in its file.
fn leaf(path: &Path) -> Option<Certificate> {
    let first = CertificateDer::pem_file_iter(path).ok()?.next()?.ok()?;
    Certificate::read(&first).ok()
}

pub(super) fn time(certificate: &Certificate, now: Timestamp) -> Finding {
    let Certificate { subject, begins_at, ends_at, .. } = certificate;
    let mend = advice::RENEW;
    if now < *begins_at {
        let found = format!("{subject} is not valid before {begins_at}");
        return Finding::fail("certificate", found, advice::NOT_YET);
    }
    if *ends_at < now {
        return Finding::fail("certificate", format!("{subject} ended {ends_at}"), mend);
    }
    let found = format!("{subject} fits its key and ends {ends_at}");
    if now.until(*ends_at) < SOON {
        return Finding::warn("certificate", format!("{found}, within 30 days"), mend);
    }
    Finding::ok("certificate", found)
}

fn names(certificate: &Certificate, settings: &Settings) -> Finding {
    let uncovered: Vec<_> =
        hosts(settings).into_iter().filter(|host| !certificate.covers(host)).collect();
    let names = certificate.names.join(", ");
    if uncovered.is_empty() {
        return Finding::ok("certificate names", format!("it is for {names}"));
    }
    Finding::warn(
        "certificate names",
        format!("it is for {names}, and not for {}", uncovered.join(", ")),
        advice::ALL_NAMES,
    )
}

/// Names the certificate has to cover; any name below a suffix stands for all of them.
fn hosts(settings: &Settings) -> Vec<String> {
    let below = settings.sites.iter().filter_map(|site| match &site.host {
        HostPattern::Suffix(suffix) => Some(format!("any{suffix}")),
        HostPattern::Exact(_) | HostPattern::Any => None,
    });
    super::names::hosts(settings).into_iter().chain(below).collect()
}

/// Time enough to have a certificate renewed by people.
const SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::finding::Status;
    use crate::config::{self, Surroundings};

    fn certificate() -> Certificate {
        let names = vec!["web.example".to_owned(), "*.lab.example".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let mut certificate = Certificate::read(made.cert.der()).unwrap();
        certificate.begins_at = Timestamp::from_unix(1_000_000_000);
        certificate.ends_at = Timestamp::from_unix(1_100_000_000);
        certificate
    }

    /// A gateway at `web.example` that serves these hosts.
    fn serving(hosts: &[&str]) -> Settings {
        let site = |host| format!("[[site]]\nhost = \"{host}\"\n");
        let sites: String = hosts.iter().map(site).collect();
        let text = format!("server_hostname = \"web.example\"\n{sites}");
        config::parse(&text, "test", &Surroundings::here()).unwrap().settings
    }

    #[test]
    fn a_certificate_that_ends_soon_is_warned_about_before_it_fails() {
        let certificate = certificate();
        let at = |seconds| time(&certificate, Timestamp::from_unix(seconds)).status();
        assert_eq!(at(999_999_999), Status::Fail);
        assert_eq!(at(1_000_000_000), Status::Ok);
        assert_eq!(at(1_099_000_000), Status::Warn);
        assert_eq!(at(1_100_000_001), Status::Fail);
    }

    #[test]
    fn every_site_needs_a_name_in_the_certificate() {
        let status = |hosts: &[&str]| names(&certificate(), &serving(hosts)).status();
        assert_eq!(status(&[]), Status::Ok);
        assert_eq!(status(&["*"]), Status::Ok);
        assert_eq!(status(&["web.example", "*.lab.example"]), Status::Ok);
        assert_eq!(status(&["web.example", "other.example"]), Status::Warn);
        assert_eq!(status(&["*.example"]), Status::Warn);
    }
}
