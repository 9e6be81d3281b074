//! Whether clients can follow a certificate to a root.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, Error, RootCertStore};

use super::cert::Cert;
use super::known::{Known, Places};
use crate::advice::certificate as advice;
use crate::cli::check::report::Finding;
use crate::clock::Timestamp;

/// A server's certificate and those that issued it, as far as they can be had.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    /// All of the file, in its order.
    file: &'a [Cert],
    /// The server's own, and each one that issued the one before: places in the file.
    path: Vec<usize>,
    /// Who issued the last of them.
    end: End<'a>,
}

#[derive(Clone, Copy, Debug)]
enum End<'a> {
    Root,
    /// One that stands elsewhere.
    Known(Known<'a>),
    /// Nobody knows.
    Missing,
}

impl<'a> Chain<'a> {
    /// Follows the first certificate of a file.
    pub(super) fn of(file: &'a [Cert], places: &'a Places) -> Self {
        let mut path: Vec<usize> = (0..file.len()).take(1).collect();
        let mut end = End::Missing;
        while let Some(last) = path.last().and_then(|index| file.get(*index)) {
            if last.is_self_issued() {
                end = End::Root;
                break;
            }
            let issued_it = |(index, cert): &(usize, &Cert)| {
                !path.contains(index) && cert.subject == last.issuer
            };
            match file.iter().enumerate().find(issued_it) {
                Some((index, _)) => path.push(index),
                None => {
                    end = places.issuer_of(last).map_or(End::Missing, End::Known);
                    break;
                }
            }
        }
        Self { file, path, end }
    }

    /// The server's own certificate first, then those that issued it, also one that
    /// is not in the file.
    pub(super) fn links(&self) -> impl Iterator<Item = &Cert> {
        let elsewhere = match &self.end {
            End::Known(Known::InFile(_, cert)) => Some(*cert),
            End::Known(Known::Trusted(_)) | End::Root | End::Missing => None,
        };
        self.in_file().chain(elsewhere)
    }

    fn in_file(&self) -> impl Iterator<Item = &Cert> {
        self.path.iter().filter_map(|index| self.file.get(*index))
    }

    pub(super) fn findings(&self, line: &'static str, file: &Path, now: Timestamp) -> Vec<Finding> {
        let mut findings = vec![self.complete(line, file)];
        findings.extend(self.order(line, file));
        findings.extend(self.unsigned(line, now));
        findings
    }

    fn complete(&self, line: &'static str, file: &Path) -> Finding {
        let Some(last) = self.in_file().last() else { return Finding::ok(line, "empty") };
        let (issuer, file) = (last.told.issuer.as_str(), file.display().to_string());
        let missing = format!("{issuer}, which issued {}, is not in {file}", last.name());
        match self.end {
            End::Root if self.path.len() == 1 => {
                let found = format!("{} is signed by itself: no browser trusts it", last.name());
                Finding::warn(line, found, advice::SELF_SIGNED)
            }
            End::Root => Finding::ok(line, format!("complete, up to {}", last.name())),
            End::Known(Known::Trusted(root)) => Finding::ok(
                line,
                format!("complete, up to {}, which this host trusts", root.name()),
            ),
            End::Known(Known::InFile(place, root)) if root.is_self_issued() => {
                let place = place.display();
                Finding::ok(line, format!("complete, up to {} ({place})", root.name()))
            }
            End::Known(Known::InFile(place, _)) => Finding::warn(
                line,
                format!("{missing}: phones and Java will not trust the site"),
                advice::append_from(issuer, place, &file),
            ),
            End::Missing => Finding::warn(
                line,
                format!(
                    "{missing}, and this host does not know it: clients that lack it will not trust the site"
                ),
                advice::append_or_trust(issuer, &file),
            ),
        }
    }

    fn order(&self, line: &'static str, file: &Path) -> Option<Finding> {
        let stray = (0..self.file.len()).find(|index| !self.path.contains(index));
        let file = file.display();
        let found = match stray.and_then(|index| self.file.get(index)) {
            Some(cert) => format!(
                "{} in {file} did not issue any of the other certificates there",
                cert.name()
            ),
            None if self.path.is_sorted() => return None,
            None => {
                format!("the certificates in {file} are not in the order in which they were issued")
            }
        };
        Some(Finding::warn(line, found, advice::ORDER))
    }

    /// Signatures and limits, as the TLS library of a client verifies them. What it says
    /// of times, names and uses is told by other lines, with more words.
    fn unsigned(&self, line: &'static str, now: Timestamp) -> Option<Finding> {
        let links: Vec<&Cert> = match self.end {
            End::Known(known) => self.in_file().chain([known.cert()]).collect(),
            End::Root | End::Missing => self.in_file().collect(),
        };
        let (leaf, above) = links.split_first()?;
        let (anchor, between) = above.split_last()?;
        let mut roots = RootCertStore::empty();
        roots.add(anchor.der.clone()).ok()?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::new(default_provider()));
        let host = leaf.told.names.first()?.replace('*', "any");
        let between: Vec<_> = between.iter().map(|cert| cert.der.clone()).collect();
        let moment = UnixTime::since_unix_epoch(Duration::from_secs(now.unix()));
        let judged = verifier.build().ok()?.verify_server_cert(
            &leaf.der,
            &between,
            &ServerName::try_from(host).ok()?,
            &[],
            moment,
        );
        let name = leaf.name();
        match judged {
            Err(Error::InvalidCertificate(
                CertificateError::BadSignature | CertificateError::UnknownIssuer,
            )) => {
                let issuers: Vec<_> = above.iter().map(|cert| cert.name()).collect();
                let found = format!(
                    "the signature between {name} and {} is not by the key in the file: two authorities have the same name",
                    issuers.join(", ")
                );
                Some(Finding::fail(line, found, advice::RIGHT_ISSUER))
            }
            Err(Error::InvalidCertificate(CertificateError::Other(why)))
                if self.links().all(|link| link.is_version_3) =>
            {
                let found = format!("clients refuse {name}: {why}");
                Some(Finding::fail(line, found, advice::ISSUE_AGAIN))
            }
            _ => None,
        }
    }
}
