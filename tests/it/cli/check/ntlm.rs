//! `doorward check` finds what would keep people from signing on by NTLM.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::check_as_nobody;
use crate::lab::{Doorward, realm, temp_dir, winbind};

/// A configuration that offers NTLM, with the domain's Samba behind it.
fn offering(smb_conf: &Path, ntlm: &str) -> String {
    format!(
        "[sso]\nmechanisms = [\"ntlm\"]\n[sso.kerberos]\nkeytab = \"{}\"\n\
         [sso.ntlm]\nntlm_auth_args = [\"--configfile={}\"]\n{ntlm}\n",
        realm().web_keytab.display(),
        smb_conf.display()
    )
}

/// smb.conf of the domain, with another line in it.
fn with_line(folder: &Path, line: &str) -> std::path::PathBuf {
    let path = folder.join("smb.conf");
    let key = line.split('=').next().unwrap().trim();
    let text = std::fs::read_to_string(&realm().smb_conf).unwrap();
    let others = text.lines().filter(|line| !line.trim_start().starts_with(key));
    let text: Vec<_> = others.chain([line]).collect();
    std::fs::write(&path, text.join("\n") + "\n").unwrap();
    path
}

/// All findings of a check, as (status, found, fix).
#[track_caller]
fn findings(output: &Output, check: &str) -> Vec<(String, String, String)> {
    let report: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |finding: &Value| {
        (text(&finding["status"]), text(&finding["found"]), text(&finding["mend"]))
    };
    let found: Vec<_> = report.iter().filter(|finding| finding["check"] == check).map(of).collect();
    assert!(!found.is_empty(), "no {check} in {report:#?}");
    found
}

/// The one finding of a check.
#[track_caller]
fn finding(output: &Output, check: &str) -> (String, String, String) {
    let mut found = findings(output, check);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[track_caller]
fn check(config: &str) -> Output {
    let _winbind = winbind::up();
    Doorward::run(&["check", "--json"], config)
}

#[test]
fn in_a_domain_all_is_well_by_either_protocol() {
    for protocol in ["ntlm-server-1", "squid-2.5-ntlmssp"] {
        let spoken = format!("helper_protocol = \"{protocol}\"");
        let output = check(&offering(&realm().smb_conf, &spoken));
        let (status, found, _) = finding(&output, "ntlm_auth");
        assert_eq!(status, "ok", "{found}");
        assert!(found.contains(protocol) && found.contains("--configfile="), "{found}");
        for what in ["winbind", "winbind pipe", "domain trust", "domain controller", "ntlm helper"]
        {
            let (status, found, _) = finding(&output, what);
            assert_eq!(status, "ok", "{what}: {found}");
        }
        assert!(finding(&output, "domain controller").1.contains("dc1.lab.example"));
        let samba = findings(&output, "smb.conf");
        assert!(samba.iter().all(|(status, ..)| status == "ok"), "{samba:?}");
        assert!(samba.iter().any(|(_, found, _)| found.contains(r"separator \")), "{samba:?}");
    }
}

#[test]
fn a_helper_that_is_missing_or_no_program_fails_with_its_mend() {
    let folder = temp_dir("ntlm-auth-");
    let path = folder.path().join("ntlm_auth");
    let config = offering(&realm().smb_conf, &format!("ntlm_auth = \"{}\"", path.display()));
    let (status, _, mend) = finding(&check(&config), "ntlm_auth");
    assert_eq!(status, "FAIL");
    assert!(mend.contains("winbind"), "{mend}");
    std::fs::write(&path, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let (status, found, mend) = finding(&check(&config), "ntlm_auth");
    assert_eq!((status.as_str(), mend), ("FAIL", format!("chmod 0755 {}", path.display())));
    assert!(found.contains("may not execute"), "{found}");
}

#[test]
fn guests_and_ntlm_that_is_switched_off_are_found_in_smb_conf() {
    let folder = temp_dir("smb-conf-");
    for (line, expected) in [
        ("map to guest = bad user", "warn"),
        ("ntlm auth = disabled", "FAIL"),
        ("ntlm auth = yes", "warn"),
    ] {
        let smb_conf = with_line(folder.path(), line);
        let samba = findings(&check(&offering(&smb_conf, "")), "smb.conf");
        let key = line.split(" =").next().unwrap();
        let (status, found, _) = samba.iter().find(|(_, found, _)| found.starts_with(key)).unwrap();
        assert_eq!(status, expected, "{line}: {found}");
    }
}

#[test]
fn a_file_that_is_not_there_fails() {
    let output = check(&offering(Path::new("/nonexistent/smb.conf"), ""));
    let (status, found, _) = finding(&output, "smb.conf");
    assert_eq!(status, "FAIL", "{found}");
    assert!(found.contains("/nonexistent/smb.conf"), "{found}");
}

#[test]
fn a_user_without_rights_is_told_about_winbind_s_pipe() {
    let _winbind = winbind::up();
    let output = check_as_nobody(&offering(&realm().smb_conf, ""));
    let (status, found, mend) = finding(&output, "winbind pipe");
    assert_eq!(status, "FAIL", "{found}");
    assert!(found.starts_with("nobody may not use "), "{found}");
    assert!(found.contains("winbindd_privileged"), "{found}");
    assert!(mend.contains("adduser nobody winbindd_priv"), "{mend}");
    assert_eq!(finding(&output, "winbind").0, "ok");
}
