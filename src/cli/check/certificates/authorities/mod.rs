//! Accepted authorities: of the core's peers, and of users who sign on by certificate.

use std::fs;
use std::path::PathBuf;

use super::cert::{self, Cert};
use super::time::{self, Moment};
use crate::advice::authority as advice;
use crate::cli::check::report::Finding;
use crate::config::Settings;
use crate::config::section::{AuthorityFiles, CoreTls};
use crate::pki::peer::chain::Authorities;

mod lists;

pub(in crate::cli::check) fn check(settings: &Settings) -> Vec<Finding> {
    let moment = &Moment::here(settings);
    let core = settings.core.tls.iter().flat_map(|tls| of_core(tls, moment));
    let front = settings.front.clients.iter();
    let front = front.flat_map(|files| findings_on(FRONT, files, advice::FRONT_FILES, moment));
    core.chain(front).collect()
}

fn of_core(tls: &CoreTls, moment: &Moment<'_>) -> Vec<Finding> {
    let files = &tls.authorities;
    if files.ca_file.is_none() && files.ca_path.is_none() {
        return vec![Finding::warn(
            CORE,
            "none: no client certificate is accepted, and nobody can sign on with a key",
            advice::CORE,
        )];
    }
    findings_on(CORE, files, advice::CORE_FILES, moment)
}

fn findings_on(
    line: &'static str,
    files: &AuthorityFiles,
    mend: &'static str,
    moment: &Moment<'_>,
) -> Vec<Finding> {
    let loaded = match Authorities::load(files.clone()) {
        Ok(authorities) => authorities.current(),
        Err(error) => return vec![Finding::error(line, &error.to_string(), mend)],
    };
    let authorities = all(files);
    let mut findings: Vec<_> = authorities
        .iter()
        .filter_map(|authority| time::of_authority(line, authority, moment))
        .collect();
    findings.extend(loaded.unfit().iter().map(|one| {
        let found = format!(
            "the certificate of {} may not sign certificates ({}): certificates that it signed are not accepted",
            one.subject, one.unfit
        );
        Finding::fail(line, found, advice::NEW_CA)
    }));
    let revocation = match &files.crl_file {
        Some(file) => {
            findings.extend(lists::check(line, file, &authorities, moment.now));
            "with lists of revoked certificates"
        }
        None => "revocation is not checked (no crl_file)",
    };
    if findings.is_empty() {
        let names = names(&authorities);
        findings
            .push(Finding::ok(line, format!("certificates of {names} are accepted; {revocation}")));
    }
    findings
}

/// All certificates of authorities, by file.
pub(in crate::cli::check) fn all(files: &AuthorityFiles) -> Vec<Cert> {
    let folder = files.ca_path.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
    let mut in_folder: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
    in_folder.sort();
    let files =
        files.ca_file.iter().cloned().chain(in_folder.into_iter().filter(|path| path.is_file()));
    files.flat_map(|file| cert::of_file(&file)).collect()
}

/// `CN=a and CN=b`, or how many there are.
pub(in crate::cli::check) fn names(authorities: &[Cert]) -> String {
    let names: Vec<_> = authorities.iter().map(Cert::name).collect();
    match names.len() {
        0 => "no authority".to_owned(),
        1..=8 => names.join(" and "),
        many => format!("{many} authorities"),
    }
}

const CORE: &str = "core authorities";
const FRONT: &str = "client authorities";
