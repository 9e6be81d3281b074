//! The lab: a real Active Directory domain, a real MIT realm, and real clients and
//! servers around Doorward. Nothing here is in for the real thing.
//!
//! `enter.sh` gives a test run namespaces of its own, `realm.sh` makes the realms;
//! this module is how tests reach them.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "shared by test files that each use a part; a test may panic"
)]

pub mod clients;
pub mod pki;
pub mod process;
pub mod realm;
pub mod servers;

pub use clients::ntlm::Login;
pub use clients::ticket::{Ticket, TokenOptions};
pub use clients::{chromium, chromium_ntlm, curl, curl_ntlm, java, python};
pub use clients::{h2, http, ntlm, resumption};
pub use pki::Pki;
pub use process::{Process, pass, timed, wait_until};
pub use realm::kdc::Kdc;
pub use realm::{Realm, realm, winbind};
pub use servers::doorward::Doorward;
pub use servers::faulty_helper::FaultyHelper;
pub use servers::scripted::Scripted;
pub use servers::{doorward, scripted};

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// How long anything in the lab may take before a test fails: long enough for a
/// loaded machine, for what takes a moment on an idle one.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The directory `tests/lab`.
pub fn lab_path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab").join(file)
}

/// A directory of this test run; it goes with the run.
pub fn temp_dir(prefix: &str) -> tempfile::TempDir {
    let run = std::env::var("LAB_TMP").unwrap_or_else(|_| env!("CARGO_TARGET_TMPDIR").into());
    let dir = tempfile::Builder::new().prefix(prefix).tempdir_in(run).unwrap();
    // Daemons of the lab that drop root's rights reach their files too.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(dir.path(), open).unwrap();
    dir
}

/// Writes a program. Another process does it: what this one has open for writing, children
/// that are started meanwhile have open as well, and then nobody may execute it (ETXTBSY).
#[track_caller]
pub fn write_program(path: &Path, text: &str) {
    let whole = path.with_extension("text");
    std::fs::write(&whole, text).unwrap();
    install(&whole, path);
}

/// Copies a program, as [`write_program`] writes one.
#[track_caller]
pub fn install(program: &Path, to: &Path) {
    let mut install = Command::new("install");
    assert!(install.args(["-m", "755"]).arg(program).arg(to).status().unwrap().success());
}

/// A free port for a server that cannot choose its own and say so. The range lies
/// below that of outgoing connections, so none of them takes it meanwhile.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(port < 32_000, "no free port between 20000 and 32000");
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// What the command printed on stdout, and on stderr; the second is empty if it
/// succeeded.
fn output(command: &mut Command) -> (String, String) {
    let done = command
        .output()
        .unwrap_or_else(|e| panic!("{} does not start: {e}", command.get_program().display()));
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    let err = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    match done.status.success() {
        true => (out, String::new()),
        false if err.is_empty() => (out, done.status.to_string()),
        false => (out, err),
    }
}
