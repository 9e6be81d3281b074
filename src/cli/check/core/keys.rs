//! `sslkeys_path`: the keys of the core's peers, and of those who sign on by certificate.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::advice::{account, key};
use crate::cli::check::certificates::authorities;
use crate::cli::check::certificates::cert::{self, Cert};
use crate::cli::check::certificates::time::{self, Moment};
use crate::cli::check::report::Finding;
use crate::clock::Timestamp;
use crate::config::Settings;
use crate::config::section::{ActAs, Core, KeyRights};
use crate::core_server::KeyEntries;
use crate::pki::peer::peer_keys::{Listed, ListedKey, PeerKeys};
use crate::process::files::access::{self, Obstacle};
use crate::wire::KeyFile;

pub(in crate::cli::check) fn check(settings: &Settings) -> Vec<Finding> {
    let core = settings.core.tls.as_ref().map(|tls| &tls.authorities);
    let judges: Vec<_> = core.into_iter().chain(&settings.front.clients).collect();
    // Where nobody comes by certificate no key is of use, but the core starts on no
    // entry without one.
    let of_no_use = judges.is_empty();
    if of_no_use && settings.core.keys.is_empty() {
        return Vec::new();
    }
    let moment = Moment::here(settings);
    let now = moment.now;
    let path = &settings.core.sslkeys_path;
    let listed = PeerKeys::new(path.clone()).current(now);
    let authorities: Vec<_> = judges.into_iter().flat_map(authorities::all).collect();
    let mut findings: Vec<_> = folder(path).into_iter().collect();
    findings.extend(keys(path, &listed, &settings.core, now));
    let files = listed.keys().flat_map(|key| &key.files);
    let mut files: Vec<_> = files.collect();
    files.sort();
    if of_no_use {
        return findings;
    }
    findings.extend(files.into_iter().filter_map(|file| issued(path, file, &authorities, &moment)));
    findings
}

/// Who may write into the folder may let anybody in.
fn folder(path: &Path) -> Option<Finding> {
    let mode = path.metadata().ok()?.mode();
    let found = format!("users other than the owner may write to {}", path.display());
    (mode & 0o022 != 0).then(|| Finding::fail("keys", found, key::close_folder(path)))
}

fn keys(path: &Path, listed: &Listed, core: &Core, now: Timestamp) -> Vec<Finding> {
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
    let mut findings: Vec<_> = keys.iter().map(|key| finding_on(key, core, now)).collect();
    for double in keys.iter().filter(|key| key.files.len() > 1) {
        let found = format!("{} contain the same key", double.files.join(" and "));
        findings.push(Finding::warn("keys", found, key::KEEP_ONE));
    }
    for (file, skip) in listed.skipped() {
        let said = format!("{file} is skipped: {skip}");
        findings.push(match access::check(&path.join(file)).map_err(|refused| refused.obstacle) {
            Err(Obstacle::Mode { advice, .. }) => Finding::warn("keys", said, advice),
            _ => Finding::warning("keys", &said, key::PUT_KEY),
        });
    }
    if let Err(error) = KeyEntries::new(core).check(listed, path) {
        findings.push(Finding::fail("keys", error.to_string(), key::CORRECT_ENTRY));
    }
    findings
}

fn finding_on(listed: &ListedKey, core: &Core, now: Timestamp) -> Finding {
    let name = format!("{} ({})", listed.files.join(", "), listed.algorithm);
    let Some(entry) = core.keys.iter().find(|entry| listed.files.contains(&entry.file)) else {
        return if core.keys_without_entry_are_system {
            let found = "has no [[core.key]]: its holder is SYSTEM, and may do everything";
            Finding::warn("keys", format!("{name} {found}"), key::GIVE_ENTRY)
        } else {
            let found = "has no [[core.key]]: its holder may do nothing";
            Finding::warn("keys", format!("{name} {found}"), key::GIVE_RIGHTS)
        };
    };
    if let Some(end) = entry.not_after.filter(|end| *end < now) {
        let found = format!("{name} expired on {end}");
        return Finding::warn("keys", found, key::REMOVE_KEY);
    }
    Finding::ok("keys", format!("{name} {}", may(&entry.rights)))
}

/// A file may hold a certificate instead of the bare key: then more can be said of it.
fn issued(
    folder: &Path,
    file: &KeyFile,
    authorities: &[Cert],
    moment: &Moment<'_>,
) -> Option<Finding> {
    let certificates = cert::of_file(&folder.join(file));
    let cert = certificates.first()?;
    if !authorities.iter().any(|authority| authority.subject == cert.issuer) {
        let issuer = &cert.told.issuer;
        let names = authorities::names(authorities);
        let found = format!(
            "the certificate in {file} was issued by {issuer}, but only certificates of {names} are accepted"
        );
        return Some(Finding::warn("keys", found, key::ISSUE_OR_TRUST));
    }
    time::of_key("keys", cert, moment)
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
    use crate::cli::check::report::Status;
    use crate::clock;
    use crate::pki::Algorithm;
    use std::fs;

    fn core(text: &str) -> Core {
        let surroundings = crate::config::Surroundings::here();
        crate::config::parse(text, "test", &surroundings).unwrap().settings.core
    }

    fn core_with(file: &str) -> Core {
        let not_after = "1970-01-01T00:16:40Z";
        core(&format!(
            "[[core.key]]\nfile = '{file}'\nact_as = ['john']\nnot_after = {not_after}\n"
        ))
    }

    #[test]
    fn a_key_without_entry_is_warned_about_and_so_is_one_whose_time_is_over() {
        let key = ListedKey {
            files: vec!["a.pem".parse().unwrap(), "b.pem".parse().unwrap()],
            algorithm: Algorithm::Rsa(2048),
        };
        let said = |core: &Core, now| finding_on(&key, core, Timestamp::from_unix(now));
        for (core, now, status, words) in [
            (core(""), 0, Status::Warn, "its holder is SYSTEM"),
            (core("[core]\nkeys_without_entry = 'refuse'\n"), 0, Status::Warn, "may do nothing"),
            (core_with("c.pem"), 0, Status::Warn, "may do nothing"),
            (core_with("b.pem"), 1_000, Status::Ok, "may act as john"),
            (core_with("b.pem"), 1_001, Status::Warn, "expired on"),
        ] {
            let found = said(&core, now);
            assert_eq!(found.status(), status, "{found}");
            assert!(found.to_string().contains(words), "{found}");
        }
    }

    #[test]
    fn skipped_files_are_named_and_an_entry_without_its_file_fails() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("README"), "keys").unwrap();
        let listed = PeerKeys::new(directory.path().to_owned()).current(clock::now());
        let found = keys(directory.path(), &listed, &core_with("gone.pem"), clock::now());
        let said: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(said[0].contains("README is skipped: it contains no public key"), "{said:?}");
        assert_eq!(found[1].status(), Status::Fail);
        assert!(said[1].contains("names gone.pem, but there is no such file"), "{said:?}");
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
