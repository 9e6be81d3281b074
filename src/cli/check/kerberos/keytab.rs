//! The keytab: what it contains, who may read it, and whether its keys may be used.

use std::path::Path;

use crate::advice::kerberos as advice;
use crate::cli::check::report::Finding;
use crate::config::Settings;
use crate::krb5::kdc::ask::permitted;
use crate::krb5::keytab::{self, Enctype, Keytab, KeytabError, Whole};
use crate::process::files::reader::Reader;
use crate::process::files::rights::{self, Found, Need};

/// The keytab, if it can be read, and what is to be said of it.
pub(super) fn check(settings: &Settings) -> (Option<Keytab>, Vec<Finding>) {
    let kerberos = &settings.sso.kerberos;
    let Whole { keytab, flaw } = match keytab::read_what_is_whole(&kerberos.keytab) {
        Ok(whole) => whole,
        Err(error) => return (None, vec![unusable(&error)]),
    };
    let mut findings = Vec::new();
    if let Some(flaw) = flaw {
        if keytab.entries.is_empty() {
            return (None, vec![unusable(&flaw)]);
        }
        let flaw = flaw.to_string();
        let found = flaw.split_once("; ").map_or(flaw.as_str(), |(found, _)| found);
        let found = format!("{found}; the keys before that place are used");
        findings.push(Finding::warn("keytab", found, advice::EXPORT_AGAIN));
    }
    findings.push(contents(&kerberos.keytab, &keytab));
    findings.extend(permissions(&kerberos.keytab, &settings.state_path));
    findings.extend(encryption(&keytab));
    // What krb5.conf permits is not known where it cannot be read; that has a line of its own.
    findings.extend(permitted().ok().and_then(|permitted| forbidden(&keytab, &permitted)));
    findings.extend(kerberos.acceptor.as_deref().map(|acceptor| configured(acceptor, &keytab)));
    (Some(keytab), findings)
}

fn unusable(error: &KeytabError) -> Finding {
    Finding::error("keytab", &error.to_string(), advice::EXPORT)
}

fn contents(path: &Path, keytab: &Keytab) -> Finding {
    let path = path.display();
    if keytab.entries.is_empty() {
        return Finding::fail("keytab", format!("{path} contains no key"), advice::EXPORT);
    }
    let keys: Vec<_> =
        keytab.principals().into_iter().map(|principal| keys_of(principal, keytab)).collect();
    Finding::ok("keytab", format!("{path} contains {}", keys.join("; ")))
}

/// `HTTP/web@REALM (kvno 3 aes256-cts-hmac-sha1-96, …)`
fn keys_of(principal: &str, keytab: &Keytab) -> String {
    let keys = keytab.keys_for(principal).into_iter();
    let keys: Vec<_> = keys.map(|key| format!("kvno {} {}", key.kvno, key.enctype)).collect();
    format!("{principal} ({})", keys.join(", "))
}

fn permissions(path: &Path, state: &Path) -> Option<Finding> {
    let keytab = Found::at(path).filter(|keytab| keytab.mode & OTHERS != 0)?;
    let found = format!(
        "{} has mode {:04o}: whoever can read it can sign on here as anybody",
        path.display(),
        keytab.mode
    );
    let advice = rights::shut(&keytab, &Reader::of_gateway(state), Need::Read);
    Some(Finding::fail("keytab mode", found, advice))
}

fn encryption(keytab: &Keytab) -> Vec<Finding> {
    let weak = keytab.principals().into_iter().filter(|principal| keytab.only_rc4(principal));
    weak.map(|principal| {
        Finding::warn(
            "encryption",
            format!("{principal} has only RC4 keys, for which domain controllers no longer issue tickets"),
            advice::ADD_AES,
        )
    })
    .collect()
}

/// Keys of a type that krb5.conf does not permit open nothing.
fn forbidden(keytab: &Keytab, permitted: &[Enctype]) -> Option<Finding> {
    let named = |types: &[Enctype]| {
        let names: Vec<_> = types.iter().map(ToString::to_string).collect();
        if names.is_empty() { "no known type".to_owned() } else { names.join(", ") }
    };
    let mut held: Vec<_> = keytab.entries.iter().map(|key| key.enctype).collect();
    held.sort_unstable();
    held.dedup();
    let forbidden: Vec<_> =
        held.iter().copied().filter(|enctype| !permitted.contains(enctype)).collect();
    if forbidden.is_empty() {
        return None;
    }
    let strong = held.iter().any(|enctype| permitted.contains(enctype) && !enctype.is_rc4());
    // Old types that are forbidden by default are not missed where there are new ones.
    if strong {
        return None;
    }
    let found = format!(
        "krb5.conf permits {} (permitted_enctypes), but the keytab has {}: nobody can sign on",
        named(permitted),
        named(&held)
    );
    Some(Finding::fail("encryption", found, advice::PERMIT))
}

fn configured(acceptor: &str, keytab: &Keytab) -> Finding {
    if keytab.keys_for(acceptor).is_empty() {
        let found = format!("the keytab has no key of {acceptor}, the configured acceptor");
        return Finding::fail("acceptor", found, advice::acceptor(acceptor, &keytab.principals()));
    }
    Finding::ok("acceptor", format!("{acceptor}, the configured acceptor, has keys"))
}

/// Permissions of everybody else.
const OTHERS: u32 = 0o007;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cli::check::report::Status;
    use crate::clock::Timestamp;
    use crate::krb5::keytab::{Enctype, Entry};

    const AES: u16 = 18;
    const RC4: u16 = 23;

    fn keytab(keys: &[(&str, u16)]) -> Keytab {
        let entry = |(principal, enctype): &(&str, u16)| Entry {
            principal: format!("{principal}@LAB.TEST"),
            realm: "LAB.TEST".to_owned(),
            kvno: 2,
            enctype: Enctype(*enctype),
            written: Timestamp::from_unix(0),
        };
        Keytab { entries: keys.iter().map(entry).collect() }
    }

    #[test]
    fn a_principal_without_aes_keys_is_warned_about() {
        let mixed = keytab(&[("HTTP/a", RC4), ("HTTP/a", AES), ("HTTP/b", RC4)]);
        let weak = encryption(&mixed);
        assert_eq!(weak.len(), 1);
        assert!(weak[0].to_string().contains("HTTP/b@LAB.TEST"));
    }

    #[test]
    fn keys_of_types_that_are_not_permitted_fail() {
        let mixed = keytab(&[("HTTP/a", RC4), ("HTTP/a", AES)]);
        assert_eq!(forbidden(&mixed, &[Enctype(AES)]), None);
        assert_eq!(forbidden(&mixed, &[Enctype(AES), Enctype(RC4)]), None);
        let only_rc4 = forbidden(&mixed, &[Enctype(RC4)]).unwrap();
        assert_eq!(only_rc4.status(), Status::Fail);
        let words = "krb5.conf permits arcfour-hmac (permitted_enctypes), but the keytab has \
                     aes256-cts-hmac-sha1-96, arcfour-hmac";
        assert!(only_rc4.to_string().contains(words), "{only_rc4}");
        assert!(forbidden(&keytab(&[("HTTP/a", RC4)]), &[Enctype(AES)]).is_some());
    }

    #[test]
    fn the_configured_acceptor_must_have_keys() {
        let held = keytab(&[("HTTP/web", AES)]);
        assert_eq!(configured("HTTP/web", &held).status(), Status::Ok);
        assert_eq!(configured("HTTP/we", &held).status(), Status::Fail);
    }

    #[test]
    fn a_keytab_for_everybody_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.keytab");
        std::fs::write(&path, "").unwrap();
        let set = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        set(0o644);
        assert_eq!(
            permissions(&path, folder.path()).map(|finding| finding.status()),
            Some(Status::Fail)
        );
        set(0o640);
        assert_eq!(permissions(&path, folder.path()), None);
    }
}
