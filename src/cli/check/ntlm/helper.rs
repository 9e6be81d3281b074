//! One helper, started and asked twice. The questions name an account that does not exist, so that
//! they cause no failed sign-on.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::advice::ntlm as advice;
use crate::cli::check::report::Finding;
use crate::clock;
use crate::config::section::{HelperProtocol, Ntlm};

pub(super) async fn check(ntlm: &Ntlm) -> Finding {
    let asked = timeout(ntlm.helper_timeout, twice(ntlm)).await;
    match asked.unwrap_or(Err(Fault::Silent)) {
        Ok((first, second)) => finding_on(first, second),
        Err(Fault::Silent) => {
            let limit = ntlm.helper_timeout.as_secs_f32();
            let found = format!("it does not answer within {limit} s");
            Finding::fail(CHECK, found, advice::HANGING_HELPER)
        }
        Err(Fault::Foreign(line)) => {
            let program = ntlm.ntlm_auth.display();
            let found = format!("{program} answers {line:?}: this is not Samba's ntlm_auth");
            Finding::fail(CHECK, found, advice::RIGHT_HELPER)
        }
        Err(Fault::Gone(why)) => Finding::fail(CHECK, why, advice::RUN_HELPER),
    }
}

/// What is wrong with a helper.
enum Fault {
    /// It neither answers nor ends.
    Silent,
    /// It says what no helper says.
    Foreign(String),
    /// It does not run.
    Gone(String),
}

fn finding_on(first: Duration, second: Duration) -> Finding {
    let [first, second] = [first, second].map(|time| time.as_secs_f64() * 1000.0);
    let found =
        format!("the first answer took {first:.0} ms with the start, the second {second:.2} ms");
    if second > SLOW {
        return Finding::warn(CHECK, found, advice::SLOW);
    }
    Finding::ok(CHECK, found)
}

/// How long it took to start and answer, and to answer once more.
async fn twice(ntlm: &Ntlm) -> Result<(Duration, Duration), Fault> {
    let begun = clock::instant();
    let mut helper = Command::new(&ntlm.ntlm_auth)
        .args(&ntlm.ntlm_auth_args)
        .arg(format!("--helper-protocol={}", ntlm.helper_protocol.as_str()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Fault::Gone(format!("it does not start ({error})")))?;
    let (Some(mut to), Some(from)) = (helper.stdin.take(), helper.stdout.take()) else {
        return Err(Fault::Gone("it has no pipes".to_owned()));
    };
    let mut from = BufReader::new(from.take(LONGEST)).lines();
    let (question, answers) = harmless(ntlm.helper_protocol);
    let mut times = [Duration::ZERO; 2];
    let mut last = begun;
    for time in &mut times {
        let sent = to.write_all(question.as_bytes()).await;
        for begins in answers {
            match from.next_line().await {
                Ok(Some(line)) if sent.is_ok() && line.starts_with(begins) => {}
                Ok(Some(line)) => return Err(Fault::Foreign(line)),
                Ok(None) | Err(_) => return Err(Fault::Gone(ended(helper).await)),
            }
        }
        *time = last.elapsed();
        last = clock::instant();
    }
    let [first, second] = times;
    Ok((first, second))
}

/// What a helper said that did not answer.
async fn ended(mut helper: Child) -> String {
    let mut said = String::new();
    if let Some(stderr) = helper.stderr.take() {
        // What is no text tells nothing.
        let _ = stderr.take(LONGEST).read_to_string(&mut said).await;
    }
    let first = said.lines().map(str::trim).find(|line| !line.is_empty());
    format!("it ends without an answer ({})", first.unwrap_or("and says nothing"))
}

/// A question about nobody, and how the lines of its answer begin.
fn harmless(protocol: HelperProtocol) -> (String, &'static [&'static str]) {
    match protocol {
        // A question that is ended before it was asked.
        HelperProtocol::NtlmServer1 => (".\n".to_owned(), &["Error: ", "."]),
        HelperProtocol::Squid25Ntlmssp => {
            (format!("YR {}\n", STANDARD.encode(FIRST_MESSAGE)), &["TT "])
        }
    }
}

/// A first message that tells no names (MS-NLMP 2.2.1.1): Unicode, NTLM, session
/// security of version 2, and the server's name.
const FIRST_MESSAGE: &[u8; 32] =
    b"NTLMSSP\0\x01\0\0\0\x05\x82\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

const CHECK: &str = "ntlm helper";

/// Milliseconds. A warm helper answers within one.
const SLOW: f64 = 100.0;

/// Bytes that are read of it at most.
const LONGEST: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;
    use crate::cli::check::report::Status;
    use crate::config::{self, Surroundings};

    /// A helper that is this shell script.
    fn script(folder: &Path, lines: &str, helper_timeout: Duration) -> Ntlm {
        let path = folder.join("ntlm_auth");
        std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let parsed = config::parse("", "test", &Surroundings::here()).unwrap();
        Ntlm { ntlm_auth: path, helper_timeout, ..parsed.settings.sso.ntlm }
    }

    #[tokio::test]
    async fn a_helper_that_dies_hangs_or_says_something_else_fails() {
        let folder = tempfile::tempdir().unwrap();
        let (soon, late) = (Duration::from_millis(50), Duration::from_secs(30));
        for (lines, limit, said) in [
            ("echo sorry >&2", late, "it ends without an answer (sorry)"),
            ("exec cat >/dev/null", soon, "it does not answer within 0.05 s"),
            ("exec cat", late, "answers \".\": this is not Samba's ntlm_auth"),
        ] {
            let finding = check(&script(folder.path(), lines, limit)).await;
            assert_eq!(finding.status(), Status::Fail, "{lines}");
            assert!(finding.to_string().contains(said), "{finding}");
        }
    }

    #[test]
    fn a_slow_helper_is_warned_about() {
        let milliseconds = Duration::from_millis;
        assert_eq!(finding_on(milliseconds(500), milliseconds(2)).status(), Status::Ok);
        assert_eq!(finding_on(milliseconds(500), milliseconds(150)).status(), Status::Warn);
    }
}
