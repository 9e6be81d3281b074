//! Certificates and lists of revoked certificates that expire soon, or have expired.

use std::path::Path;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use super::state::State;
use crate::advice::certificate as advice;
use crate::clock::Timestamp;
use crate::config::FrontSettings;
use crate::config::section::{AuthorityFiles, CoreAddress, RemoteCore};
use crate::pki::file::certificate::Certificate;

/// What ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// What this gateway shows to browsers.
    Server,
    /// What the core shows to its peers.
    Core,
    /// What this front shows to the core.
    Client,
    /// An authority of clients' certificates.
    Authority,
    /// A list of revoked certificates.
    Crl,
}

impl Kind {
    /// The word in metrics.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Core => "core",
            Self::Client => "client",
            Self::Authority => "authority",
            Self::Crl => "crl",
        }
    }

    /// What it means when it has ended.
    const fn consequence(self) -> &'static str {
        match self {
            Self::Server => "browsers refuse this site",
            Self::Core => "fronts and programs refuse the core",
            Self::Client => "the core refuses this front",
            Self::Authority => "no certificate that it issued is accepted",
            Self::Crl => "nobody can sign on by a certificate",
        }
    }

    /// What to do about it.
    const fn fix(self) -> &'static str {
        match self {
            Self::Server | Self::Core | Self::Client => advice::RENEW,
            Self::Authority => {
                "replace the authority's certificate, and have all its certificates issued again"
            }
            Self::Crl => {
                "fetch a new list from the authority, best with a timer; no reload is needed"
            }
        }
    }
}

/// Something that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) kind: Kind,
    pub(super) file: String,
    /// Whose it is.
    subject: String,
    pub(super) begins_at: Timestamp,
    pub(super) ends_at: Timestamp,
}

/// All that ends, of what these settings name and this process can read. Of each file
/// and kind, what ends first.
pub(super) fn all(settings: &FrontSettings) -> Vec<Ending> {
    let mut found = Vec::new();
    if let (Some(files), false) =
        (&settings.front.certificate, settings.front.listen_tls.is_empty())
    {
        found.extend(certificates(Kind::Server, &files.certificate));
    }
    if let Some(authorities) = &settings.front.clients {
        found.extend(of_authorities(authorities));
    }
    if let CoreAddress::Https(RemoteCore { client: Some(files), .. }) = &settings.front.core {
        found.extend(certificates(Kind::Client, &files.certificate));
    }
    if let Some(tls) = &settings.core_tls {
        found.extend(certificates(Kind::Core, &tls.certificate.certificate));
        found.extend(of_authorities(&tls.authorities));
    }
    found.sort_by(|a, b| (a.kind, &a.file, a.ends_at).cmp(&(b.kind, &b.file, b.ends_at)));
    found.dedup_by(|later, first| (later.kind, &later.file) == (first.kind, &first.file));
    found
}

/// What to say of each at this moment.
pub(super) fn state_of(endings: &[Ending], now: Timestamp) -> State {
    endings.iter().map(|ending| one(ending, now)).fold(State::OK, State::and)
}

fn one(ending: &Ending, now: Timestamp) -> State {
    let Ending { kind, file, subject, begins_at, ends_at } = ending;
    let consequence = format!("{}: {}", kind.consequence(), kind.fix());
    if now < *begins_at {
        return State::broken(format!(
            "{subject} in {file} is not valid before {begins_at}: compare this host's clock with \
             another; if it is right, use this file from that time on"
        ));
    }
    if *ends_at <= now {
        return State::broken(format!(
            "{subject} in {file} expired on {ends_at}, so {consequence}"
        ));
    }
    let left = now.until(*ends_at);
    // Lists of revoked certificates are short-lived by nature.
    let soon = if *kind == Kind::Crl { SOON_FOR_LISTS } else { SOON };
    if left > soon {
        return State::OK;
    }
    let left = match left.as_secs() / DAY {
        0 => format!("{} h", left.as_secs() / 3600),
        days => format!("{days} d"),
    };
    State::notice(format!(
        "{subject} in {file} expires in {left}, on {ends_at}; then {consequence}"
    ))
}

fn certificates(kind: Kind, file: &Path) -> Vec<Ending> {
    let Ok(found) = CertificateDer::pem_file_iter(file) else { return Vec::new() };
    found
        .filter_map(|der| Certificate::read(&der.ok()?).ok())
        .map(|certificate| Ending {
            kind,
            file: file.display().to_string(),
            subject: format!("the certificate of {}", certificate.subject),
            begins_at: certificate.begins_at,
            ends_at: certificate.ends_at,
        })
        .collect()
}

fn of_authorities(files: &AuthorityFiles) -> Vec<Ending> {
    let mut found = Vec::new();
    if let Some(file) = &files.ca_file {
        found.extend(certificates(Kind::Authority, file));
    }
    if let Some(file) = &files.crl_file {
        found.extend(lists(file));
    }
    found
}

fn lists(file: &Path) -> Vec<Ending> {
    let Ok(found) = CertificateRevocationListDer::pem_file_iter(file) else { return Vec::new() };
    let moment = |seconds: i64| Timestamp::from_unix(u64::try_from(seconds).unwrap_or(0));
    found
        .filter_map(|der| {
            let der = der.ok()?;
            let (_, list) = CertificateRevocationList::from_der(&der).ok()?;
            Some(Ending {
                kind: Kind::Crl,
                file: file.display().to_string(),
                subject: format!("the list of revoked certificates of {}", list.issuer()),
                begins_at: moment(list.last_update().timestamp()),
                ends_at: moment(list.next_update()?.timestamp()),
            })
        })
        .collect()
}

const DAY: u64 = 86_400;
const SOON: Duration = Duration::from_secs(30 * DAY);
const SOON_FOR_LISTS: Duration = Duration::from_secs(2 * DAY);

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(kind: Kind, days: u64) -> Ending {
        Ending {
            kind,
            file: "/etc/doorward/web.pem".to_owned(),
            subject: "the certificate of CN=web".to_owned(),
            begins_at: Timestamp::from_unix(0),
            ends_at: Timestamp::from_unix(days * DAY),
        }
    }

    #[test]
    fn an_end_is_told_before_it_comes_and_after() {
        let at = |days| Timestamp::from_unix(days * DAY);
        let said = |days| state_of(&[ending(Kind::Server, 100)], at(days));
        assert_eq!(said(69), State::OK);
        let [soon] = &said(93).notices[..] else { panic!() };
        assert!(soon.contains("expires in 7 d, on 1970-04-11T00:00:00Z; then browsers"), "{soon}");
        let ended = said(100).broken.unwrap();
        assert!(
            ended.contains("expired on 1970-04-11") && ended.contains("issued again"),
            "{ended}"
        );
        let list = state_of(&[ending(Kind::Crl, 100)], at(93));
        assert_eq!(list, State::OK, "a list that lives for a week is no news each day");
    }

    #[test]
    fn what_ends_first_in_a_file_counts() {
        let made = |days: u64| {
            let mut parameters = rcgen::CertificateParams::new(vec!["web.example".into()]).unwrap();
            parameters.not_after = Timestamp::from_unix(days * DAY).date_time().unwrap();
            let key = rcgen::KeyPair::generate().unwrap();
            parameters.self_signed(&key).unwrap().pem()
        };
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("web.pem");
        std::fs::write(&file, [made(30_000), made(20_000)].concat()).unwrap();
        let ends: Vec<_> = certificates(Kind::Server, &file).iter().map(|e| e.ends_at).collect();
        assert_eq!(ends, [30_000, 20_000].map(|days| Timestamp::from_unix(days * DAY)));
    }
}
