//! From when until when a certificate counts.

use std::time::Duration;

use super::cert::Cert;
use crate::advice::{authority, certificate};
use crate::cli::check::finding::Finding;
use crate::clock::Timestamp;
use crate::pki::certificate::Certificate;

/// A server's own certificate.
pub(super) fn of_server(line: &'static str, cert: &Cert, now: Timestamp) -> Finding {
    let found = format!("{} fits its key and ends {}", cert.name(), cert.told.ends_at);
    let (renew, not_yet) = (certificate::RENEW, certificate::NOT_YET);
    odd(line, &cert.told, now, renew, not_yet).unwrap_or_else(|| Finding::ok(line, found))
}

/// A certificate between it and its root.
pub(super) fn of_link(line: &'static str, cert: &Cert, now: Timestamp) -> Option<Finding> {
    odd(line, &cert.told, now, certificate::RENEW_LINK, certificate::NOT_YET)
}

/// A certificate by which somebody signs on.
pub(in crate::cli::check) fn of_key(
    line: &'static str,
    cert: &Cert,
    now: Timestamp,
) -> Option<Finding> {
    odd(line, &cert.told, now, certificate::RENEW_CLIENT, certificate::NOT_YET)
}

/// An authority whose certificates are taken.
pub(in crate::cli::check) fn of_authority(
    line: &'static str,
    cert: &Cert,
    now: Timestamp,
) -> Option<Finding> {
    odd(line, &cert.told, now, authority::RENEW_CA, authority::NOT_YET)
}

/// What is to be said of its time: nothing, as long as it goes on to count.
fn odd(
    line: &'static str,
    certificate: &Certificate,
    now: Timestamp,
    renew: &str,
    not_yet: &str,
) -> Option<Finding> {
    let Certificate { subject, begins_at, ends_at, .. } = certificate;
    if now < *begins_at {
        let found =
            format!("{subject} is not valid before {begins_at}, and this host's clock says {now}");
        return Some(Finding::fail(line, found, not_yet));
    }
    if *ends_at < now {
        return Some(Finding::fail(line, format!("{subject} ended {ends_at}"), renew));
    }
    let days = [7, 30].into_iter().find(|days| now.until(*ends_at) < DAY * *days)?;
    Some(Finding::warn(line, format!("{subject} ends {ends_at}, within {days} days"), renew))
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::finding::Status;

    #[test]
    fn a_certificate_that_ends_soon_is_warned_about_before_it_fails() {
        let made = rcgen::generate_simple_self_signed(["web.example".to_owned()]).unwrap();
        let mut cert = Cert::read(made.cert.der()).unwrap();
        cert.told.begins_at = Timestamp::from_unix(1_000_000_000);
        cert.told.ends_at = Timestamp::from_unix(1_100_000_000);
        let at = |seconds| of_server("certificate", &cert, Timestamp::from_unix(seconds));
        assert_eq!(at(999_999_999).status(), Status::Fail);
        assert!(at(999_999_999).to_string().contains("timedatectl"));
        assert_eq!(at(1_000_000_000).status(), Status::Ok);
        assert!(at(1_099_000_000).to_string().contains("within 30 days"));
        assert!(at(1_099_900_000).to_string().contains("within 7 days"));
        assert_eq!(at(1_099_900_000).status(), Status::Warn);
        assert_eq!(at(1_100_000_001).status(), Status::Fail);
    }
}
