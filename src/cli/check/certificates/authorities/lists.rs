//! Lists of revoked certificates: one for each authority, and not too old.

use std::path::Path;
use std::time::Duration;

use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use super::Cert;
use crate::advice::authority as advice;
use crate::cli::check::report::Finding;
use crate::clock::Timestamp;

/// A list, as far as it is looked at.
#[derive(Debug)]
struct List {
    issuer: Vec<u8>,
    name: String,
    ends_at: Option<Timestamp>,
}

pub(super) fn check(
    line: &'static str,
    file: &Path,
    authorities: &[Cert],
    now: Timestamp,
) -> Vec<Finding> {
    let lists = read(file);
    let mut findings: Vec<_> =
        lists.iter().filter_map(|list| outdated(line, file, list, now)).collect();
    for authority in authorities {
        let name = authority.name();
        if !lists.iter().any(|list| list.issuer == authority.subject) {
            let found = format!(
                "{} has no list of {name}: none of its certificates is accepted",
                file.display()
            );
            findings.push(Finding::fail(line, found, advice::ADD_LIST));
        } else if !authority.may_sign_lists() {
            let found = format!(
                "{name} may not sign lists of revoked certificates (key usage lacks cRLSign): none of its certificates is accepted"
            );
            findings.push(Finding::fail(line, found, advice::SIGN_LISTS));
        }
    }
    findings
}

fn read(file: &Path) -> Vec<List> {
    let lists = CertificateRevocationListDer::pem_file_iter(file).into_iter().flatten().flatten();
    lists.filter_map(|der| list(&der)).collect()
}

fn list(der: &CertificateRevocationListDer<'_>) -> Option<List> {
    let (_, parsed) = CertificateRevocationList::from_der(der).ok()?;
    let moment = |seconds: i64| Timestamp::from_unix(u64::try_from(seconds).unwrap_or(0));
    Some(List {
        issuer: parsed.issuer().as_raw().to_vec(),
        name: parsed.issuer().to_string(),
        ends_at: parsed.next_update().map(|time| moment(time.timestamp())),
    })
}

fn outdated(line: &'static str, file: &Path, list: &List, now: Timestamp) -> Option<Finding> {
    let List { name, ends_at, .. } = list;
    let (ends_at, file) = ((*ends_at)?, file.display());
    if ends_at <= now {
        let found = format!(
            "crl_file {file}: the list of {name} expired {ends_at}, so none of its certificates is \
             accepted"
        );
        return Some(Finding::fail(line, found, advice::FETCH_LIST));
    }
    (now.until(ends_at) < SOON).then(|| {
        let found = format!("crl_file {file}: the list of {name} expires {ends_at}, within a day");
        Finding::warn(line, found, advice::FETCH_LIST)
    })
}

/// Lists are commonly renewed at least a day before they end.
const SOON: Duration = Duration::from_secs(24 * 60 * 60);
