//! One process of `ntlm_auth`: started, asked with a time limit, and ended with everything that it
//! started.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::failure::Broken;
use crate::config::section::{HelperProtocol, Ntlm};
use lines::{Lines, log_errors};

pub(super) mod commands;
pub(super) mod lines;

/// The two ends of a helper's pipes.
#[derive(Debug)]
pub(super) struct Process {
    input: ChildStdin,
    output: Lines,
    limit: Duration,
}

/// The process itself. Dropping it kills the process and its whole group.
#[derive(Debug)]
pub(super) struct Life {
    child: Child,
}

impl Process {
    /// Starts a helper, which is heard of only when it is asked something.
    ///
    /// # Errors
    /// The program is not there or cannot be executed.
    pub(super) fn start(settings: &Ntlm, protocol: HelperProtocol) -> io::Result<(Self, Life)> {
        let mut child = Command::new(&settings.ntlm_auth)
            .args(&settings.ntlm_auth_args)
            .arg(format!("--helper-protocol={}", protocol.as_str()))
            .env_clear()
            .envs(environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(errors)) = pipes else {
            return Err(io::Error::other("it was started without its pipes"));
        };
        tokio::spawn(log_errors(errors, child.id().unwrap_or_default()));
        let output = Lines::new(output);
        Ok((Self { input, output, limit: settings.helper_timeout }, Life { child }))
    }

    /// Whether the helper is there and says nothing: only then may it be asked.
    pub(super) fn quiet(&self) -> Result<(), Broken> {
        Ok(self.output.quiet()?)
    }

    /// Writes a question. Nothing may wait to be read then: what does would be
    /// taken for the answer.
    pub(super) async fn ask(&mut self, question: &[u8]) -> Result<(), Broken> {
        self.quiet()?;
        let writing = self.input.write_all(question);
        timeout(self.limit, writing).await.map_err(|_| Broken::Silent(self.limit))??;
        Ok(())
    }

    /// Reads a line of the answer.
    pub(super) async fn line(&mut self) -> Result<Vec<u8>, Broken> {
        self.line_within(self.limit).await
    }

    /// Reads a line that has to be there within that time.
    pub(super) async fn line_within(&mut self, limit: Duration) -> Result<Vec<u8>, Broken> {
        Ok(timeout(limit, self.output.line()).await.map_err(|_| Broken::Silent(limit))??)
    }
}

impl Life {
    /// The id of the process, for the log.
    pub(super) fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Waits until the process ends by itself. May be given up and begun again.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Ends the process and waits for its end.
    pub(super) async fn kill(mut self) {
        self.kill_group();
        // Whatever hinders it: the process is not ours to wait for any more.
        let _ = self.child.wait().await;
    }

    fn kill_group(&self) {
        // No id: it has been waited for, and the number may be somebody else's by now.
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(Pid::from_raw) {
            // It leads its own group. One that is gone needs no killing.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// All that a helper sees of our environment: Samba looks for its programs by
/// PATH, and writes names in the locale's character set.
pub(super) fn environment() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    std::env::var_os("PATH")
        .map(|path| ("PATH", path))
        .into_iter()
        .chain([("LANG", "C.UTF-8".into())])
}
