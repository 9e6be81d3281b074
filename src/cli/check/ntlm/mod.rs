//! NTLM: Samba's helper, its settings, and the domain behind it.

use nix::unistd::{AccessFlags, access};

use self::samba::Samba;
use super::report::Finding;
use crate::advice::ntlm as ntlm_advice;
use crate::config::Settings;
use crate::config::section::Ntlm;
use crate::process::files::access::{Obstacle, explain};
use crate::process::files::rights::{self, Need};
use crate::wire::Mechanism;

mod domain;
mod helper;
mod samba;
mod winbind;

pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let ntlm = &settings.sso.ntlm;
    if !settings.sso.enable_sso {
        return Vec::new();
    }
    if !is_offered(settings) {
        return not_installed(ntlm).into_iter().collect();
    }
    let (findings, member) = all(settings).await;
    // Debian's winbind runs without belonging to a domain, and whoever wrote no list of
    // mechanisms has not asked for NTLM: then it is not offered, and that is all.
    match findings.iter().find(|finding| finding.failed()) {
        Some(failed) if !member && !settings.for_front().asks_for(Mechanism::Ntlm) => {
            vec![not_joined(failed)]
        }
        _ => findings,
    }
}

/// What is found, and whether this host belongs to a domain, as far as smb.conf says.
async fn all(settings: &Settings) -> (Vec<Finding>, bool) {
    let ntlm = &settings.sso.ntlm;
    let mut member = false;
    let mut findings = vec![program(ntlm)];
    if findings.iter().any(Finding::failed) {
        return (findings, member);
    }
    if let Some(own_password) = own_password(ntlm) {
        findings.push(own_password);
        findings.push(helper::check(ntlm).await);
        return (findings, member);
    }
    match Samba::read(ntlm).await {
        Ok(samba) => {
            member = samba.is_member();
            findings.extend(samba.findings());
            findings.extend(
                winbind::check(
                    ntlm,
                    &samba,
                    &settings.core.realms,
                    settings.for_front().asks_for(Mechanism::Ntlm),
                )
                .await,
            );
        }
        Err(failed) => findings.push(failed),
    }
    findings.push(helper::check(ntlm).await);
    (findings, member)
}

fn not_joined(failed: &Finding) -> Finding {
    let found =
        format!("NTLM is not offered: this host belongs to no domain. winbind: {}", failed.found());
    Finding::warn(CHECK, found, ntlm_advice::JOIN_OR_LEAVE_OUT)
}

fn is_offered(settings: &Settings) -> bool {
    let sites = settings.sites.iter().map(|site| &site.mechanisms);
    sites.chain([&settings.sso.mechanisms]).any(|offered| offered.contains(&Mechanism::Ntlm))
}

/// The default list offers NTLM only where the helper is installed.
fn not_installed(ntlm: &Ntlm) -> Option<Finding> {
    let path = ntlm.ntlm_auth.display();
    let found = format!("not offered: there is no {path}; it is in Debian's package winbind");
    (!ntlm.ntlm_auth.exists()).then(|| Finding::ok(CHECK, found))
}

fn program(ntlm: &Ntlm) -> Finding {
    let path = ntlm.ntlm_auth.display();
    if !ntlm.ntlm_auth.is_file() {
        return Finding::fail(
            CHECK,
            format!("there is no program {path}, so nobody can sign on by NTLM"),
            ntlm_advice::INSTALL,
        );
    }
    if access(&ntlm.ntlm_auth, AccessFlags::X_OK).is_err() {
        let found = format!("this user may not execute {path}");
        let mend = match explain(&ntlm.ntlm_auth, Need::Run).obstacle {
            Obstacle::Mode { found, advice } if found.folder => advice,
            _ => format!("chmod 0755 {}", rights::quoted(&ntlm.ntlm_auth)),
        };
        return Finding::fail(CHECK, found, mend);
    }
    let arguments: Vec<_> = ntlm.ntlm_auth_args.iter().map(|argument| shown(argument)).collect();
    let with = match arguments.join(" ") {
        none if none.is_empty() => none,
        arguments => format!(" with {arguments}"),
    };
    let spoken = ntlm.helper_protocol.as_str();
    Finding::ok(CHECK, format!("Doorward speaks {spoken} with {path}{with}"))
}

/// An argument, without the secret that one may hold.
fn shown(argument: &str) -> &str {
    if argument.starts_with(PASSWORD) { "--password=…" } else { argument }
}

/// Given a password of its own, the helper asks nobody else.
fn own_password(ntlm: &Ntlm) -> Option<Finding> {
    let given = ntlm.ntlm_auth_args.iter().any(|argument| argument.starts_with(PASSWORD));
    given.then(|| {
        Finding::warn(
            CHECK,
            "ntlm_auth_args contain a --password: ntlm_auth then checks everybody by that password, which all users of this host can read, and asks no domain",
            ntlm_advice::NO_PASSWORD,
        )
    })
}

const CHECK: &str = "ntlm_auth";

/// Of ntlm_auth(1).
const PASSWORD: &str = "--password=";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cli::check::report::Status;
    use crate::config::section::HelperProtocol;
    use crate::config::{self, Surroundings};

    fn settings(text: &str) -> Settings {
        config::parse(text, "test", &Surroundings::here()).unwrap().settings
    }

    #[tokio::test]
    async fn where_samba_is_missing_one_line_says_that_ntlm_is_not_offered() {
        let default = settings("[sso.ntlm]\nntlm_auth = \"/nonexistent/ntlm_auth\"\n");
        let findings = check(&default).await;
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].status(), Status::Ok);
        assert!(findings[0].to_string().contains("not offered"), "{}", findings[0]);
    }

    #[tokio::test]
    async fn nobody_is_bothered_with_ntlm_who_did_not_ask_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ntlm_auth");
        std::fs::write(&path, "#!/bin/sh\nexit 1\n").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let smb_conf = folder.path().join("smb.conf");
        std::fs::write(&smb_conf, "[global]\nserver role = standalone server\n").unwrap();
        let helper = format!(
            "[sso.ntlm]\nntlm_auth = {path:?}\nntlm_auth_args = [\"--configfile={}\"]\n",
            smb_conf.display()
        );
        let findings = check(&settings(&helper)).await;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].status(), Status::Warn);
        let asked = check(&settings(&format!("[sso]\nmechanisms = [\"ntlm\"]\n{helper}"))).await;
        assert!(asked.iter().any(Finding::failed), "{asked:?}");
    }

    #[tokio::test]
    async fn whoever_asks_for_ntlm_needs_the_helper() {
        let asked = settings(
            "[sso]\nmechanisms = [\"ntlm\"]\n[sso.ntlm]\nntlm_auth = \"/nonexistent/ntlm_auth\"\n",
        );
        let findings = check(&asked).await;
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].status(), Status::Fail);
    }

    #[test]
    fn a_password_of_the_helper_s_own_is_warned_about_and_not_shown() {
        let given = settings("[sso.ntlm]\nntlm_auth_args = [\"--password=hunter2\", \"-d0\"]\n");
        let warning = own_password(&given.sso.ntlm).unwrap();
        assert_eq!(warning.status(), Status::Warn);
        assert!(!format!("{warning}{}", program(&given.sso.ntlm)).contains("hunter2"));
        assert_eq!(own_password(&settings("").sso.ntlm), None);
    }

    #[test]
    fn a_helper_that_is_no_program_fails() {
        let folder = tempfile::tempdir().unwrap();
        let mut ntlm = settings("").sso.ntlm;
        ntlm.ntlm_auth = folder.path().join("ntlm_auth");
        assert_eq!(program(&ntlm).status(), Status::Fail);
        std::fs::write(&ntlm.ntlm_auth, "#!/bin/sh\n").unwrap();
        let set = |mode| std::fs::set_permissions(&ntlm.ntlm_auth, PermissionsExt::from_mode(mode));
        set(0o644).unwrap();
        assert_eq!(program(&ntlm).status(), Status::Fail);
        set(0o755).unwrap();
        assert_eq!(ntlm.helper_protocol, HelperProtocol::NtlmServer1);
        assert!(program(&ntlm).to_string().contains("speaks ntlm-server-1 with"));
    }
}
