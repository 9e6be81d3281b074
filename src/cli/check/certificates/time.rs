//! From when until when a certificate is valid.

use std::cell::LazyCell;
use std::time::Duration;

use super::cert::Cert;
use crate::advice::{authority, certificate};
use crate::cli::check::kerberos;
use crate::cli::check::report::Finding;
use crate::clock::{self, Timestamp};
use crate::config::Settings;
use crate::pki::file::certificate::Certificate;

/// When certificates are judged, and whether this host's clock can be believed.
pub(in crate::cli::check) struct Moment<'a> {
    /// By this host's clock.
    pub(in crate::cli::check) now: Timestamp,
    /// Whether a KDC agrees: asked when it matters.
    agreed: LazyCell<Option<bool>, Box<dyn FnOnce() -> Option<bool> + 'a>>,
}

impl<'a> Moment<'a> {
    pub(in crate::cli::check) fn here(settings: &'a Settings) -> Self {
        Self::at(clock::now(), || kerberos::clock_is_right(settings))
    }

    pub(super) fn at(now: Timestamp, agreed: impl FnOnce() -> Option<bool> + 'a) -> Self {
        Self { now, agreed: LazyCell::new(Box::new(agreed)) }
    }
}

/// A server's own certificate.
pub(super) fn of_server(line: &'static str, cert: &Cert, moment: &Moment<'_>) -> Finding {
    let found = format!("{} fits its key and expires {}", cert.name(), cert.told.ends_at);
    odd(line, &cert.told, moment, certificate::RENEW).unwrap_or_else(|| Finding::ok(line, found))
}

/// A certificate between it and its root.
pub(super) fn of_link(line: &'static str, cert: &Cert, moment: &Moment<'_>) -> Option<Finding> {
    odd(line, &cert.told, moment, certificate::RENEW_LINK)
}

/// A certificate by which somebody signs on.
pub(in crate::cli::check) fn of_key(
    line: &'static str,
    cert: &Cert,
    moment: &Moment<'_>,
) -> Option<Finding> {
    odd(line, &cert.told, moment, certificate::RENEW_CLIENT)
}

/// An authority whose certificates are taken.
pub(in crate::cli::check) fn of_authority(
    line: &'static str,
    cert: &Cert,
    moment: &Moment<'_>,
) -> Option<Finding> {
    odd(line, &cert.told, moment, authority::RENEW_CA)
}

/// What is to be said of its time: nothing, as long as it goes on to count.
fn odd(
    line: &'static str,
    certificate: &Certificate,
    moment: &Moment<'_>,
    renew: &str,
) -> Option<Finding> {
    let Certificate { subject, begins_at, ends_at, .. } = certificate;
    let now = moment.now;
    if now < *begins_at {
        let found = format!("{subject} is not valid before {begins_at}");
        return Some(Finding::fail(
            line,
            format!("{found}, and this host's clock says {now}{}", beside_the_kdc(moment)),
            not_yet(moment),
        ));
    }
    if *ends_at < now {
        let found = format!("{subject} expired {ends_at}");
        // With a clock that is wrong it may count still.
        return Some(if *moment.agreed == Some(false) {
            let found = format!("{found}, by this host's clock{}", beside_the_kdc(moment));
            Finding::fail(line, found, certificate::SET_CLOCK)
        } else {
            Finding::fail(line, found, renew)
        });
    }
    let days = [7, 30].into_iter().find(|days| now.until(*ends_at) < DAY * *days)?;
    Some(Finding::warn(line, format!("{subject} expires {ends_at}, within {days} days"), renew))
}

fn beside_the_kdc(moment: &Moment<'_>) -> &'static str {
    match *moment.agreed {
        Some(true) => "; the KDC's clock agrees, so the certificate is for a later time",
        Some(false) => "; the KDC's clock does not agree",
        None => "",
    }
}

fn not_yet(moment: &Moment<'_>) -> &'static str {
    match *moment.agreed {
        Some(true) => certificate::LATER,
        Some(false) => certificate::SET_CLOCK,
        None => certificate::NOT_YET,
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;

    fn cert() -> Cert {
        let made = rcgen::generate_simple_self_signed(["web.example".to_owned()]).unwrap();
        let mut cert = Cert::read(made.cert.der()).unwrap();
        cert.told.begins_at = Timestamp::from_unix(1_000_000_000);
        cert.told.ends_at = Timestamp::from_unix(1_100_000_000);
        cert
    }

    fn judged(seconds: u64, agreed: Option<bool>) -> Finding {
        let moment = Moment::at(Timestamp::from_unix(seconds), move || agreed);
        of_server("certificate", &cert(), &moment)
    }

    #[test]
    fn a_certificate_that_ends_soon_is_warned_about_before_it_fails() {
        for (seconds, status, words) in [
            (999_999_999, Status::Fail, "is not valid before"),
            (1_000_000_000, Status::Ok, "expires 2004-11-09"),
            (1_099_000_000, Status::Warn, "within 30 days"),
            (1_099_900_000, Status::Warn, "within 7 days"),
            (1_100_000_001, Status::Fail, "issued again"),
        ] {
            let finding = judged(seconds, None);
            assert_eq!(finding.status(), status, "{finding}");
            assert!(finding.to_string().contains(words), "{finding}");
        }
    }

    #[test]
    fn whose_fault_a_time_is_depends_on_the_kdc_s_clock() {
        for (agreed, words) in [
            (None, "timedatectl"),
            (Some(true), "so the certificate is for a later time. Fix: install it then"),
            (Some(false), "the KDC's clock does not agree. Fix: set this host's clock"),
        ] {
            let said = judged(999_999_999, agreed).to_string();
            assert!(said.contains(words), "{said}");
        }
        assert!(judged(1_100_000_001, Some(false)).to_string().contains("set this host's clock"));
    }
}
