//! Runs the system's own programs, with a time limit.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// What a program said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::check) struct Said {
    /// Whether it ended with 0.
    pub(in crate::cli::check) succeeded: bool,
    /// Its standard output, without the blanks around it.
    pub(in crate::cli::check) out: String,
    /// The line that tells most of what it said: one with a status of Samba's, else the last.
    pub(in crate::cli::check) last: String,
}

/// Runs a program to its end.
///
/// # Errors
/// A fragment of a sentence: it does not start, or does not end.
pub(in crate::cli::check) async fn ask(
    program: &Path,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    limit: Duration,
) -> Result<Said, String> {
    let shown = program.display();
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).kill_on_drop(true);
    let ended = match timeout(limit, command.output()).await {
        Ok(ended) => ended.map_err(|error| format!("{shown} cannot be run ({error})"))?,
        Err(_) => return Err(format!("{shown} does not answer within {} s", limit.as_secs())),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let (out, err) = (text(&ended.stdout), text(&ended.stderr));
    let lines = || err.lines().chain(out.lines());
    let status = lines().find(|line| line.contains("NT_STATUS_"));
    let last = status.or_else(|| err.lines().next_back()).or_else(|| out.lines().next_back());
    let last = last.unwrap_or("it gives no reason").to_owned();
    Ok(Said { succeeded: ended.status.success(), out, last })
}

/// A program that stands beside another, or where programs stand.
pub(in crate::cli::check) fn beside(neighbour: &Path, name: &str) -> Option<PathBuf> {
    let own = neighbour.parent().into_iter();
    let folders = own.chain(["/usr/bin", "/usr/sbin"].map(Path::new));
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    async fn shell(script: &str, limit: Duration) -> Result<Said, String> {
        ask(Path::new("/bin/sh"), ["-c", script], limit).await
    }

    #[tokio::test]
    async fn what_a_program_says_and_how_it_ends_is_told() {
        let said = shell("echo ' one '; echo two >&2; exit 3", LIMIT).await.unwrap();
        let expected = Said { succeeded: false, out: "one".to_owned(), last: "two".to_owned() };
        assert_eq!(said, expected);
        assert!(shell("", LIMIT).await.unwrap().succeeded);
    }

    #[tokio::test]
    async fn a_status_of_samba_tells_more_than_the_last_line() {
        let script = "echo 'wbcPing(LAB): error code was NT_STATUS_ACCESS_DENIED (0xc0000022)'; \
                      echo 'Could not check secret' >&2; exit 1";
        let said = shell(script, LIMIT).await.unwrap();
        assert_eq!(said.last, "wbcPing(LAB): error code was NT_STATUS_ACCESS_DENIED (0xc0000022)");
    }

    #[tokio::test]
    async fn one_that_hangs_or_is_not_there_is_said() {
        let hanging = shell("exec cat /dev/zero", Duration::from_millis(1)).await;
        assert_eq!(hanging, Err("/bin/sh does not answer within 0 s".to_owned()));
        let missing = ask(Path::new("/nonexistent"), ["-p"], LIMIT).await.unwrap_err();
        assert!(missing.starts_with("/nonexistent cannot be run"), "{missing}");
    }

    #[test]
    fn a_program_is_found_beside_its_neighbour_first() {
        let folder = tempfile::tempdir().unwrap();
        let neighbour = folder.path().join("ntlm_auth");
        assert_eq!(beside(&neighbour, "env"), Some("/usr/bin/env".into()));
        std::fs::write(folder.path().join("env"), "").unwrap();
        assert_eq!(beside(&neighbour, "env"), Some(folder.path().join("env")));
        assert_eq!(beside(&neighbour, "no-such-program"), None);
    }
}
