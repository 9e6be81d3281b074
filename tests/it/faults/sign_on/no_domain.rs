//! Debian's winbind, installed and running, on a host that has joined nothing.

use std::process::Command;

use serde_json::Value;

use crate::gateway::Setup;
use crate::lab::{realm, temp_dir};

/// In a mount namespace of its own: a winbindd that knows no domain, and the check beside it.
/// `$1` is a folder, the rest is the check.
const BESIDE_STOCK_WINBIND: &str = r#"
dir=$1; shift
mount -t tmpfs tmpfs /run/samba
printf '[global]\nserver role = standalone server\nworkgroup = WORKGROUP\n' >"$dir/smb.conf"
for key in 'private dir' 'state directory' 'cache directory' 'lock directory' 'pid directory' 'ncalrpc dir'; do
    mkdir -p "$dir/$key"
    printf '%s = %s/%s\n' "$key" "$dir" "$key" >>"$dir/smb.conf"
done
winbindd --foreground --no-process-group -s "$dir/smb.conf" >"$dir/winbindd.log" 2>&1 &
tries=0
until wbinfo --ping >/dev/null 2>&1; do
    tries=$((tries + 1)); [ $tries -lt 200 ] || { cat "$dir/winbindd.log" >&2; exit 99; }
    sleep 0.05
done
"$@"
code=$?
kill %1 $!
exit $code
"#;

#[test]
fn where_nobody_asked_for_ntlm_one_warning_says_that_it_is_not_offered() {
    let dir = temp_dir("stock-winbind-");
    let app = crate::lab::servers::app();
    let helper = format!("ntlm_auth_args = [\"--configfile={}/smb.conf\"]", dir.path().display());
    let by_default =
        Setup::default().config(app.port).replace("mechanisms = [\"negotiate\"]\n", "");
    let with_helper = |text: &str| format!("{text}\n[sso.ntlm]\n{helper}\n");
    for (text, code, statuses) in [
        (with_helper(&by_default), 0, vec!["warn"]),
        (
            with_helper(
                &by_default.replace("[sso]\n", "[sso]\nmechanisms = [\"negotiate\", \"ntlm\"]\n"),
            ),
            1,
            vec!["FAIL"],
        ),
    ] {
        let file = dir.path().join("doorward.toml");
        let text = format!("state_path = \"{{dir}}/state\"\n{text}");
        std::fs::write(&file, text.replace("{dir}", dir.path().to_str().unwrap())).unwrap();
        let output = Command::new("unshare")
            .args(["--mount", "--", "sh", "-c", BESIDE_STOCK_WINBIND, "sh"])
            .arg(dir.path())
            .arg(env!("CARGO_BIN_EXE_doorward"))
            .args(["check", "--json", "--config"])
            .arg(&file)
            .env("KRB5_CONFIG", &realm().krb5_config_two_realms)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let report: Vec<Value> = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        assert_eq!(output.status.code(), Some(code), "{report:#?} {said}");
        let about_ntlm = |finding: &&Value| {
            let check = finding["check"].as_str().unwrap();
            ["ntlm", "winbind", "smb.conf", "domain"].iter().any(|word| check.contains(word))
        };
        let ntlm: Vec<_> = report.iter().filter(about_ntlm).collect();
        for status in statuses {
            assert!(ntlm.iter().any(|finding| finding["status"] == status), "{ntlm:#?}");
        }
        assert_eq!(ntlm.len() == 1, code == 0, "{ntlm:#?}");
    }
}
