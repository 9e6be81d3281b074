//! Authorities of certificates, and keys: of the core's peers, and of those who sign on by certificate.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustls::sign::CertifiedKey;

use super::finding::Finding;
use super::tls::time;
use crate::advice::{self, account, authority, key};
use crate::clock::{self, Timestamp};
use crate::config::Settings;
use crate::config::checked::{ActAs, AuthorityFiles, CoreKey, CoreTls, KeyRights};
use crate::pki::certificate::Certificate;
use crate::pki::chain::Authorities;
use crate::pki::pair;
use crate::pki::peer_keys::{Listed, ListedKey, PeerKeys};
use crate::process::access::{self, Obstacle};

pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    let now = clock::now();
    let mut findings = Vec::new();
    if let Some(tls) = &settings.core.tls {
        findings.extend(own(tls, now));
        findings.push(authorities(tls));
    }
    if let Some(files) = &settings.front.clients {
        findings.push(judged_by("client authorities", files, authority::FRONT_FILES));
    }
    if findings.is_empty() {
        return findings;
    }
    findings.extend(folder(&settings.core.sslkeys_path));
    let listed = PeerKeys::new(settings.core.sslkeys_path.clone()).current(now);
    findings.extend(keys(&settings.core.sslkeys_path, &listed, &settings.core.keys, now));
    findings
}

/// The core's own certificate.
fn own(tls: &CoreTls, now: Timestamp) -> Vec<Finding> {
    match pair::load(&tls.certificate, "server_ssl_key_pass") {
        Ok(pair) => shown(&pair).map(|own| time(&own, now)).into_iter().collect(),
        Err(error) => {
            let mend = advice::certificate::name_files("core");
            vec![Finding::error("core certificate", &error.to_string(), &mend)]
        }
    }
}

fn shown(pair: &CertifiedKey) -> Option<Certificate> {
    Certificate::read(pair.end_entity_cert().ok()?).ok()
}

fn authorities(tls: &CoreTls) -> Finding {
    let files = &tls.authorities;
    if files.ca_file.is_none() && files.ca_path.is_none() {
        return Finding::warn(
            "core authorities",
            "none: no client certificate counts, and nobody signs on by a key",
            authority::CORE,
        );
    }
    judged_by("core authorities", files, authority::CORE_FILES)
}

fn judged_by(what: &'static str, files: &AuthorityFiles, mend: &'static str) -> Finding {
    match Authorities::load(files.clone()) {
        Err(error) => Finding::error(what, &error.to_string(), mend),
        Ok(_) if files.crl_file.is_none() => {
            Finding::ok(what, "readable; revocation is not looked at (no crl_file)")
        }
        Ok(_) => Finding::ok(what, "readable, with lists of revoked certificates"),
    }
}

/// Who may write into the folder may let anybody in.
fn folder(path: &Path) -> Option<Finding> {
    let mode = path.metadata().ok()?.mode();
    let found = format!("{} may be written by others than its owner", path.display());
    (mode & 0o022 != 0).then(|| Finding::fail("keys", found, key::close_folder(path)))
}

fn keys(path: &Path, listed: &Listed, entries: &[CoreKey], now: Timestamp) -> Vec<Finding> {
    if let Some(error) = listed.unreadable() {
        return vec![match access::check(path) {
            Err(refused) => {
                Finding::error("keys", &format!("sslkeys_path: {refused}"), account::LET_READ)
            }
            Ok(()) => Finding::fail(
                "keys",
                format!("sslkeys_path cannot be read: {error}"),
                key::make_folder(path),
            ),
        }];
    }
    let mut keys: Vec<&ListedKey> = listed.keys().collect();
    keys.sort_by(|one, other| one.files.cmp(&other.files));
    let mut findings: Vec<_> = keys.iter().map(|key| one(key, entries, now)).collect();
    for double in keys.iter().filter(|key| key.files.len() > 1) {
        let found = format!("{} hold the same key", double.files.join(" and "));
        findings.push(Finding::warn("keys", found, key::KEEP_ONE));
    }
    for (file, skip) in listed.skipped() {
        let mend = match access::check(&path.join(file)).map_err(|refused| refused.obstacle) {
            Err(Obstacle::Mode { advice, .. }) => advice,
            _ => key::PUT_KEY.to_owned(),
        };
        findings.push(Finding::warn("keys", format!("{file} is skipped: {skip}"), mend));
    }
    let held = |entry: &&CoreKey| !keys.iter().any(|key| key.files.contains(&entry.file));
    for entry in entries.iter().filter(held) {
        let found = format!("[[core.key]] names {}, and no such key is there", entry.file);
        findings.push(Finding::warn("keys", found, key::CORRECT_ENTRY));
    }
    findings
}

fn one(listed: &ListedKey, entries: &[CoreKey], now: Timestamp) -> Finding {
    let name = format!("{} ({})", listed.files.join(", "), listed.algorithm);
    let Some(entry) = entries.iter().find(|entry| listed.files.contains(&entry.file)) else {
        return Finding::warn(
            "keys",
            format!("{name} has no [[core.key]]: its holder is SYSTEM, and may do everything"),
            key::GIVE_ENTRY,
        );
    };
    if let Some(end) = entry.not_after.filter(|end| *end < now) {
        let found = format!("{name} counts no more since {end}");
        return Finding::warn("keys", found, key::REMOVE_KEY);
    }
    Finding::ok("keys", format!("{name} {}", may(&entry.rights)))
}

fn may(rights: &KeyRights) -> String {
    match rights {
        KeyRights::System => "may do everything, as SYSTEM".to_owned(),
        KeyRights::Front => "is a front's".to_owned(),
        KeyRights::Service(users) => {
            let users: Vec<_> = users.iter().map(ActAs::to_string).collect();
            format!("may act as {}", users.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::finding::Status;
    use crate::pki::Algorithm;
    use std::fs;

    fn entry(file: &str) -> CoreKey {
        CoreKey {
            file: file.to_owned(),
            rights: KeyRights::Service(vec![ActAs::User("john".to_owned())]),
            from: Vec::new(),
            not_after: Some(Timestamp::from_unix(1_000)),
        }
    }

    #[test]
    fn a_key_without_entry_is_warned_about_and_so_is_one_whose_time_is_over() {
        let key = ListedKey {
            files: vec!["a.pem".into(), "b.pem".into()],
            algorithm: Algorithm::Rsa(2048),
        };
        let status = |entries: &[CoreKey], now| one(&key, entries, Timestamp::from_unix(now));
        assert_eq!(status(&[], 0).status(), Status::Warn);
        assert_eq!(status(&[entry("c.pem")], 0).status(), Status::Warn);
        assert_eq!(status(&[entry("b.pem")], 1_000).status(), Status::Ok);
        assert_eq!(status(&[entry("b.pem")], 1_001).status(), Status::Warn);
        assert!(status(&[entry("b.pem")], 0).to_string().contains("may act as john"));
    }

    #[test]
    fn skipped_files_and_entries_without_file_are_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("README"), "keys").unwrap();
        let listed = PeerKeys::new(directory.path().to_owned()).current(clock::now());
        let found = keys(directory.path(), &listed, &[entry("gone.pem")], clock::now());
        assert!(found.iter().all(|finding| finding.status() == Status::Warn));
        let said: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(said[0].contains("README is skipped: it holds no public key"), "{said:?}");
        assert!(said[1].contains("names gone.pem, and no such key is there"), "{said:?}");
    }

    #[test]
    fn a_folder_that_others_may_write_fails() {
        let directory = tempfile::tempdir().unwrap();
        let mode = |mode| {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            fs::set_permissions(directory.path(), mode).unwrap();
            folder(directory.path()).map(|finding| finding.status())
        };
        assert_eq!(mode(0o775), Some(Status::Fail));
        assert_eq!(mode(0o755), None);
    }
}
