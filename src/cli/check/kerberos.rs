//! The keytab, and whether the Kerberos library takes it.

use std::env;
use std::path::Path;

use super::finding::Finding;
use super::names;
use crate::advice::rights::{self, Found, Need};
use crate::config::Settings;
use crate::front::mechanism::kerberos::Pool;
use crate::keytab::{self, Keytab};
use crate::process::access::Reader;

pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    let kerberos = &settings.sso.kerberos;
    if !settings.sso.enable_sso {
        return vec![Finding::warn(
            "kerberos",
            "enable_sso is off: nobody can sign on",
            "set enable_sso = true in [sso]",
        )];
    }
    let keytab = match keytab::read(&kerberos.keytab) {
        Ok(keytab) => keytab,
        Err(error) => return vec![Finding::error("keytab", &error.to_string(), EXPORT)],
    };
    let mut findings = vec![contents(&kerberos.keytab, &keytab)];
    findings.extend(permissions(&kerberos.keytab));
    findings.extend(encryption(&keytab));
    match &kerberos.acceptor {
        Some(acceptor) => findings.push(configured(acceptor, &keytab)),
        // Below a suffix any name may be asked for; the gateway's own stands for them.
        None => findings.extend(names::hosts(settings).iter().map(|host| service(host, &keytab))),
    }
    findings.push(library(settings));
    findings
}

fn contents(path: &Path, keytab: &Keytab) -> Finding {
    let path = path.display();
    if keytab.entries.is_empty() {
        return Finding::fail("keytab", format!("{path} holds no key"), EXPORT);
    }
    let keys: Vec<_> =
        keytab.principals().into_iter().map(|principal| keys_of(principal, keytab)).collect();
    Finding::ok("keytab", format!("{path} holds {}", keys.join("; ")))
}

/// `HTTP/web@REALM (kvno 3 aes256-cts-hmac-sha1-96, …)`
fn keys_of(principal: &str, keytab: &Keytab) -> String {
    let keys = keytab.keys_for(principal).into_iter();
    let keys: Vec<_> = keys.map(|key| format!("kvno {} {}", key.kvno, key.enctype)).collect();
    format!("{principal} ({})", keys.join(", "))
}

fn permissions(path: &Path) -> Option<Finding> {
    let keytab = Found::at(path).filter(|keytab| keytab.mode & OTHERS != 0)?;
    let found = format!(
        "{} has mode {:04o}: whoever can read it can sign on as anybody here",
        path.display(),
        keytab.mode
    );
    let advice = rights::shut(&keytab, &Reader::here(), Need::Read);
    Some(Finding::fail("keytab mode", found, advice))
}

fn encryption(keytab: &Keytab) -> Vec<Finding> {
    let weak = keytab.principals().into_iter().filter(|principal| keytab.only_rc4(principal));
    weak.map(|principal| {
        Finding::warn(
            "encryption",
            format!("{principal} has RC4 keys only, for which domain controllers give no tickets any more"),
            "set msDS-SupportedEncryptionTypes of the account to 24, set its password again, and export the keytab again",
        )
    })
    .collect()
}

fn configured(acceptor: &str, keytab: &Keytab) -> Finding {
    if keytab.keys_for(acceptor).is_empty() {
        let found = format!("the keytab has no key of {acceptor}, the configured acceptor");
        return Finding::fail(
            "service",
            found,
            format!(
                "export the keys of {acceptor} to the keytab, or set acceptor to one of {}",
                keytab.principals().join(", ")
            ),
        );
    }
    Finding::ok("service", format!("{acceptor}, the configured acceptor, has keys"))
}

fn service(host: &str, keytab: &Keytab) -> Finding {
    let wanted = format!("HTTP/{host}");
    let serves = |principal: &&str| {
        let name = principal.split_once('@').map_or(*principal, |(name, _)| name);
        name.eq_ignore_ascii_case(&wanted)
    };
    if let Some(principal) = keytab.principals().into_iter().find(serves) {
        return Finding::ok("service", format!("{host} is served with the keys of {principal}"));
    }
    let mend = format!(
        "add the service principal to the account (setspn -S {wanted} ACCOUNT) and export the keytab again"
    );
    if keytab.principals().iter().any(|principal| principal.starts_with("HTTP/")) {
        let found = format!(
            "the keytab has no key of {wanted}: browsers sign on only if {host} is an alias of a name that has"
        );
        return Finding::warn("service", found, mend);
    }
    let found =
        "the keytab has no key of HTTP/ and any host: browsers have no ticket for this gateway";
    Finding::fail("service", found, mend)
}

fn library(settings: &Settings) -> Finding {
    let file = env::var("KRB5_CONFIG").unwrap_or_else(|_| "/etc/krb5.conf".to_owned());
    let replay_cache = settings.state_path.join("replay-cache");
    match Pool::rehearse(&settings.sso.kerberos, &replay_cache) {
        Ok(()) => Finding::ok("kerberos", format!("the library takes {file} and the keytab")),
        Err((reason, detail)) => {
            Finding::fail("kerberos", format!("the library refuses: {detail}"), reason.sentence())
        }
    }
}

const EXPORT: &str = "export the keys of HTTP/ and the site's host (ktpass; samba-tool domain exportkeytab; kadmin ktadd), and name the file in [sso.kerberos] keytab";

/// Permissions of everybody else.
const OTHERS: u32 = 0o007;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cli::check::finding::Status;
    use crate::clock::Timestamp;
    use crate::keytab::{Enctype, Entry};

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
    fn a_site_needs_a_service_principal_of_its_host() {
        let held = keytab(&[("HTTP/web.lab.test", AES)]);
        assert_eq!(service("web.lab.test", &held).status(), Status::Ok);
        assert_eq!(service("WEB.lab.test", &held).status(), Status::Ok);
        assert_eq!(service("other.lab.test", &held).status(), Status::Warn);
        assert_eq!(service("web.lab.test", &keytab(&[("host/web", AES)])).status(), Status::Fail);
    }

    #[test]
    fn a_principal_without_aes_keys_is_warned_about() {
        let mixed = keytab(&[("HTTP/a", RC4), ("HTTP/a", AES), ("HTTP/b", RC4)]);
        let weak = encryption(&mixed);
        assert_eq!(weak.len(), 1);
        assert!(weak[0].to_string().contains("HTTP/b@LAB.TEST"));
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
        assert_eq!(permissions(&path).map(|finding| finding.status()), Some(Status::Fail));
        set(0o640);
        assert_eq!(permissions(&path), None);
    }
}
