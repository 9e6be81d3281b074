//! Faults of NTLM, of Samba's helper and of winbind.

use crate::doctor::{Fault, OTHERWISE, Site, says};
use crate::gateway::Setup;
use crate::lab::{realm, winbind, write_program};

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "W1",
        what: "`ntlm_auth` does not exist",
        site: || with_ntlm("ntlm_auth = \"{dir}/ntlm_auth\"", ""),
        check: says(
            &["there is no program {dir}/ntlm_auth"],
            &["install Debian's package winbind"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "W2",
        what: "`ntlm_auth` may not be executed",
        site: || {
            let site = with_ntlm("ntlm_auth = \"{dir}/ntlm_auth\"", "");
            site.write("ntlm_auth", "#!/bin/sh\n");
            site
        },
        check: says(&["{dir}/ntlm_auth", "execute"], &["chmod", "{dir}/ntlm_auth"]),
        ..OTHERWISE
    },
    Fault {
        id: "W3",
        what: "The account that Doorward runs as may not use winbind's privileged pipe",
        site: || {
            let site = with_ntlm("", "").keep(winbind::up());
            site.prepend("run_as_user = \"nobody\"\n")
        },
        check: says(&["nobody may not use", "winbindd_privileged"], &["winbindd_priv"]),
        ..OTHERWISE
    },
    Fault {
        id: "W4",
        what: "`--configfile` names no smb.conf",
        site: || {
            let arguments = "ntlm_auth_args = [\"--configfile=/nonexistent/smb.conf\"]";
            let setup = Setup { ntlm: Some(arguments.to_owned()), ..Setup::default() };
            Site::with(&setup)
        },
        check: says(
            &["/nonexistent/smb.conf cannot be read"],
            &["correct smb.conf", "--configfile in [sso.ntlm] ntlm_auth_args"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "W5",
        what: "winbind does not run",
        site: || beside("exit 1", "exec cat >/dev/null"),
        check: says(&["winbind: it does not answer"], &["systemctl start winbind"]),
        ..OTHERWISE
    },
    Fault {
        id: "W6",
        what: "Another program is in the place of `ntlm_auth`",
        site: || beside(SOUND, "while read -r line; do echo 'what is this?'; done"),
        check: says(
            &["answers \"what is this?\": this is not Samba's ntlm_auth"],
            &["set [sso.ntlm] ntlm_auth = \"/usr/bin/ntlm_auth\""],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "W7",
        what: "winbind reaches no domain controller",
        site: || {
            let away = "could not ping our DC";
            let dc = format!(
                "case $1 in --ping-dc) echo 'checking the NETLOGON for domain[LAB] dc connection to \
                 \"\" failed'; echo 'failed to call wbcPingDc: WBC_ERR_DOMAIN_NOT_FOUND'; \
                 echo '{away} (NT_STATUS_NO_LOGON_SERVERS)' >&2; exit 1;; *) {SOUND};; esac"
            );
            beside(&dc, HELPER)
        },
        check: says(
            &["winbind reaches none", "NT_STATUS_NO_LOGON_SERVERS"],
            &["domain controllers run and can be reached", "DNS names them"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "W8",
        what: "The domain no longer trusts the host",
        site: || beside(&refusing_secret("NT_STATUS_ACCESS_DENIED (0xc0000022)"), HELPER),
        check: says(
            &["no longer accepts this host as a member", "NT_STATUS_ACCESS_DENIED"],
            &["join the domain again (net ads join)"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "W9",
        what: "The clock of the host differs from the domain controller's",
        site: || beside(&refusing_secret("NT_STATUS_TIME_DIFFERENCE_AT_DC (0xc0000133)"), HELPER),
        check: says(
            &["the clocks of this host and of the domain controller differ"],
            &["set both from the same time servers"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "W13",
        what: "`ntlm_auth` hangs",
        site: || {
            let site = beside(SOUND, "exec cat >/dev/null");
            site.replace("[sso.ntlm]\n", "[sso.ntlm]\nhelper_timeout = \"1s\"\n")
        },
        check: says(
            &["it does not answer within 1 s"],
            &["check that winbind answers (wbinfo --ping)"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "W14",
        what: "`ntlm_auth` dies at once",
        site: || beside(SOUND, "echo 'cannot load the module' >&2; exit 3"),
        check: says(
            &["it ends without an answer (cannot load the module)"],
            &["run it by hand with the same arguments"],
        ),
        ..OTHERWISE
    },
];

/// A site that asks for NTLM, with the domain's Samba behind it.
pub(super) fn with_ntlm(lines: &str, more: &str) -> Site {
    let smb_conf = realm().smb_conf.display();
    let lines = format!("ntlm_auth_args = [\"--configfile={smb_conf}\"]\n{lines}");
    let more = more.to_owned();
    Site::with(&Setup { ntlm: Some(lines), more, ..Setup::default() })
}

/// Samba's own programs replaced by scripts, with Samba's own sentences.
fn beside(wbinfo: &str, ntlm_auth: &str) -> Site {
    let site = with_ntlm("ntlm_auth = \"{dir}/ntlm_auth\"", "");
    write_program(&site.dir().join("wbinfo"), &format!("#!/bin/sh\n{wbinfo}\n"));
    write_program(&site.dir().join("ntlm_auth"), &format!("#!/bin/sh\n{ntlm_auth}\n"));
    // The pipe that is looked at is the lab's.
    site.keep(winbind::up())
}

/// What wbinfo says when the domain refuses the host's secret.
fn refusing_secret(status: &str) -> String {
    format!(
        "case $1 in --check-secret) echo 'checking the trust secret for domain LAB via RPC calls \
         failed'; echo 'wbcCheckTrustCredentials(LAB): error code was {status}' >&2; echo 'failed \
         to call wbcCheckTrustCredentials: WBC_ERR_AUTH_ERROR' >&2; echo 'Could not check secret' \
         >&2; exit 1;; *) {SOUND};; esac"
    )
}

const SOUND: &str = "exec /usr/bin/wbinfo \"$@\"";
const HELPER: &str = "exec /usr/bin/ntlm_auth \"$@\"";
