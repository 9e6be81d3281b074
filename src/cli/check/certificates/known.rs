//! Where this host has the certificate of an issuer: its authorities, the files that the
//! configuration names, and those beside the server's certificate.

use std::fs;
use std::path::{Path, PathBuf};

use super::cert::{self, Cert};
use crate::config::Settings;
use crate::config::section::CoreAddress;

/// Certificates of possible issuers.
#[derive(Debug, Default)]
pub(super) struct Places {
    trusted: Vec<Cert>,
    /// Those of files, in the order of the files.
    found: Vec<(PathBuf, Cert)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Known<'a> {
    /// This host trusts it.
    Trusted(&'a Cert),
    /// Its certificate is in a file.
    InFile(&'a Path, &'a Cert),
}

/// Reads all that can be had.
pub(super) fn places(settings: &Settings, certificate: &Path) -> Places {
    let system = rustls_native_certs::load_native_certs().certs;
    let front = settings.front.clients.iter();
    let core = settings.core.tls.iter().map(|tls| &tls.authorities);
    let configured = front.chain(core).filter_map(|files| files.ca_file.clone());
    let remote = match &settings.front.core {
        CoreAddress::Https(remote) => remote.ca_file.clone(),
        CoreAddress::Unix(_) => None,
    };
    let files = configured.chain(remote).chain(beside(certificate));
    Places {
        trusted: system.iter().filter_map(|der| Cert::read(der).ok()).collect(),
        found: files
            .flat_map(|file| cert::of_file(&file).into_iter().map(move |cert| (file.clone(), cert)))
            .collect(),
    }
}

impl Places {
    /// The issuer of this name, by preference a root.
    pub(super) fn issuer_of(&self, cert: &Cert) -> Option<Known<'_>> {
        let trusted = self.trusted.iter().find(|known| known.subject == cert.issuer);
        let mut found: Vec<_> =
            self.found.iter().filter(|(_, known)| known.subject == cert.issuer).collect();
        found.sort_by_key(|(_, known)| !known.is_self_issued());
        let in_file = found.first().map(|(path, known)| Known::InFile(path, known));
        trusted.map(Known::Trusted).or(in_file)
    }
}

impl<'a> Known<'a> {
    pub(super) const fn cert(self) -> &'a Cert {
        match self {
            Self::Trusted(cert) | Self::InFile(_, cert) => cert,
        }
    }
}

/// Small files that look like certificates.
fn beside(certificate: &Path) -> Vec<PathBuf> {
    let entries = certificate.parent().and_then(|folder| fs::read_dir(folder).ok());
    let named = |path: &PathBuf| {
        path.extension()
            .is_some_and(|ending| ["pem", "crt", "cer"].iter().any(|one| ending == *one))
    };
    let small = |path: &PathBuf| {
        path.metadata().is_ok_and(|found| found.is_file() && found.len() < LARGEST)
    };
    let paths = entries.into_iter().flatten().flatten().map(|entry| entry.path());
    let others = paths.filter(|path| path != certificate).filter(named).filter(small);
    let mut files: Vec<_> = others.take(MOST).collect();
    files.sort();
    files
}

/// Bytes of a file, and files of a folder, that are looked at.
const LARGEST: u64 = 256 << 10;
const MOST: usize = 100;
