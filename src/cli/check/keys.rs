//! Authorities of certificates, and keys: of the core's peers, and of those who sign on by certificate.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustls::sign::CertifiedKey;

use super::finding::Finding;
use super::tls::time;
use crate::clock::{self, Timestamp};
use crate::config::Settings;
use crate::config::checked::{ActAs, AuthorityFiles, Core, CoreTls, KeyRights};
use crate::core_server::KeyEntries;
use crate::pki::certificate::Certificate;
use crate::pki::chain::Authorities;
use crate::pki::pair;
use crate::pki::peer_keys::{Listed, ListedKey, PeerKeys};

pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    let now = clock::now();
    let mut findings = Vec::new();
    if let Some(tls) = &settings.core.tls {
        findings.extend(own(tls, now));
        findings.push(authorities(tls));
    }
    if let Some(files) = &settings.front.clients {
        findings.push(judged_by(
            "client authorities",
            files,
            "correct client_ssl_ca_file in [front]",
        ));
    }
    if findings.is_empty() {
        return findings;
    }
    findings.extend(folder(&settings.core.sslkeys_path));
    let listed = PeerKeys::new(settings.core.sslkeys_path.clone()).current(now);
    findings.extend(keys(&listed, &settings.core, now));
    findings
}

/// The core's own certificate.
fn own(tls: &CoreTls, now: Timestamp) -> Vec<Finding> {
    match pair::load(&tls.certificate, "server_ssl_key_pass") {
        Ok(pair) => shown(&pair).map(|own| time(&own, now)).into_iter().collect(),
        Err(error) => {
            let mend = "name PEM files in [core] server_ssl_key_file and server_ssl_cert_file";
            vec![Finding::error("core certificate", &error.to_string(), mend)]
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
            "set [core] server_ssl_ca_file",
        );
    }
    judged_by("core authorities", files, "correct [core]")
}

fn judged_by(what: &'static str, files: &AuthorityFiles, mend: &'static str) -> Finding {
    let authorities = match Authorities::load(files.clone()) {
        Err(error) => return Finding::error(what, &error.to_string(), mend),
        Ok(authorities) => authorities.current(),
    };
    if let [first, ..] = authorities.unfit() {
        return Finding::fail(
            what,
            format!(
                "{} does not count as one: {}; so no certificate that it issued does",
                first.subject, first.unfit
            ),
            "have its certificate made anew, with basicConstraints CA:TRUE and keyCertSign in \
             keyUsage, or take it out of the file",
        );
    }
    match files.crl_file {
        None => Finding::ok(what, "readable; revocation is not looked at (no crl_file)"),
        Some(_) => Finding::ok(what, "readable, with lists of revoked certificates"),
    }
}

/// Who may write into the folder may let anybody in.
fn folder(path: &Path) -> Option<Finding> {
    let mode = path.metadata().ok()?.mode();
    let found = format!("{} may be written by others than its owner", path.display());
    let mend = format!("chmod go-w {}: a key that is put there is let in", path.display());
    (mode & 0o022 != 0).then(|| Finding::fail("keys", found, mend))
}

fn keys(listed: &Listed, core: &Core, now: Timestamp) -> Vec<Finding> {
    if let Some(error) = listed.unreadable() {
        return vec![Finding::fail(
            "keys",
            format!("sslkeys_path cannot be read: {error}"),
            "make the folder, and let the user that the core runs as read it",
        )];
    }
    let mut keys: Vec<&ListedKey> = listed.keys().collect();
    keys.sort_by(|one, other| one.files.cmp(&other.files));
    let mut findings: Vec<_> = keys.iter().map(|key| one(key, core, now)).collect();
    for key in keys.iter().filter(|key| key.files.len() > 1) {
        let found = format!("{} hold the same key", key.files.join(" and "));
        findings.push(Finding::warn("keys", found, "keep one of them: one file, one name"));
    }
    for (file, skip) in listed.skipped() {
        findings.push(Finding::warn(
            "keys",
            format!("{file} is skipped: {skip}"),
            "put the output of `openssl pkey -in KEY -pubout` there, or move the file away",
        ));
    }
    if let Err(error) = KeyEntries::new(core).check(listed, &core.sslkeys_path) {
        let mend = "correct it: the core neither starts nor reloads before";
        findings.push(Finding::fail("keys", error.to_string(), mend));
    }
    findings
}

fn one(key: &ListedKey, core: &Core, now: Timestamp) -> Finding {
    let name = format!("{} ({})", key.files.join(", "), key.algorithm);
    let Some(entry) = core.keys.iter().find(|entry| key.files.contains(&entry.file)) else {
        return if core.keys_without_entry_are_system {
            Finding::warn(
                "keys",
                format!("{name} has no [[core.key]]: its holder is SYSTEM, and may do everything"),
                "give it an entry with act_as, or with act_as = [\"SYSTEM\"] if that is meant",
            )
        } else {
            Finding::warn(
                "keys",
                format!("{name} has no [[core.key]]: its holder may do nothing"),
                "give it an entry with act_as or role, or remove the file",
            )
        };
    };
    if let Some(end) = entry.not_after.filter(|end| *end < now) {
        let found = format!("{name} counts no more since {end}");
        return Finding::warn(
            "keys",
            found,
            "remove the file, or give the entry another not_after",
        );
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
            files: vec!["a.pem".into(), "b.pem".into()],
            algorithm: Algorithm::Rsa(2048),
        };
        let said = |core: &Core, now| one(&key, core, Timestamp::from_unix(now));
        for (core, now, status, words) in [
            (core(""), 0, Status::Warn, "its holder is SYSTEM"),
            (core("[core]\nkeys_without_entry = 'refuse'\n"), 0, Status::Warn, "may do nothing"),
            (core_with("c.pem"), 0, Status::Warn, "may do nothing"),
            (core_with("b.pem"), 1_000, Status::Ok, "may act as john"),
            (core_with("b.pem"), 1_001, Status::Warn, "counts no more"),
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
        let found = keys(&listed, &core_with("gone.pem"), clock::now());
        let said: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(said[0].contains("README is skipped: it holds no public key"), "{said:?}");
        assert_eq!(found[1].status(), Status::Fail);
        assert!(said[1].contains("names gone.pem, and there is no such file"), "{said:?}");
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
