//! The output of a helper, in lines of limited length.

use std::io;

use rustix::io::Errno;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{ChildStderr, ChildStdout};

use crate::clock;

/// The answers of one helper.
#[derive(Debug)]
pub(in crate::mechanism::ntlm::helper) struct Lines {
    pipe: ChildStdout,
    /// What was read and not yet taken.
    held: Vec<u8>,
}

/// Why there is no line. Displayed as a fragment for a log line.
#[derive(Debug, Error)]
pub(in crate::mechanism::ntlm::helper) enum NoLine {
    /// The helper ended, perhaps in the middle of a line.
    #[error("it ended")]
    End,
    /// A line without end.
    #[error("its answer has more than {LONGEST_LINE} bytes without a line's end")]
    TooLong,
    /// The pipe failed.
    #[error("its output cannot be read: {0}")]
    Failed(#[from] io::Error),
}

/// Why nothing may be asked now. Displayed as a fragment for a log line.
#[derive(Debug, Error, PartialEq, Eq)]
pub(in crate::mechanism::ntlm::helper) enum NotQuiet {
    /// The helper ended.
    #[error("it ended")]
    End,
    /// The helper talked without being asked: the next answer would not be ours.
    #[error("it wrote something without being asked")]
    Chatter,
}

impl Lines {
    /// Reads what the helper writes into this pipe.
    pub(in crate::mechanism::ntlm::helper) fn new(pipe: ChildStdout) -> Self {
        Self { pipe, held: Vec::new() }
    }

    /// The next line, without its end.
    pub(in crate::mechanism::ntlm::helper) async fn line(&mut self) -> Result<Vec<u8>, NoLine> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.held.iter().skip(searched).position(|byte| *byte == b'\n') {
                let rest = self.held.split_off(searched + at + 1);
                let mut line = std::mem::replace(&mut self.held, rest);
                line.pop();
                return Ok(line);
            }
            searched = self.held.len();
            if searched > LONGEST_LINE {
                return Err(NoLine::TooLong);
            }
            if self.pipe.read_buf(&mut self.held).await? == 0 {
                return Err(NoLine::End);
            }
        }
    }

    /// Whether nothing waits to be read. Looks into the pipe itself: the runtime
    /// may not have heard yet of what is there.
    pub(in crate::mechanism::ntlm::helper) fn quiet(&self) -> Result<(), NotQuiet> {
        if !self.held.is_empty() {
            return Err(NotQuiet::Chatter);
        }
        // Non-blocking, as every pipe of the runtime is.
        match rustix::io::read(&self.pipe, &mut [0; 1]) {
            Err(Errno::AGAIN) => Ok(()),
            Ok(0) | Err(_) => Err(NotQuiet::End),
            Ok(_) => Err(NotQuiet::Chatter),
        }
    }
}

/// Logs what a helper writes to its standard error, until it ends. It is shown
/// and never believed: at most [`MOST_A_SECOND`] lines a second, cut to
/// [`LOGGED`] bytes.
pub(in crate::mechanism::ntlm::helper) async fn log_errors(stderr: ChildStderr, pid: u32) {
    let mut lines = BufReader::new(stderr);
    let mut second = clock::now();
    let mut logged = 0;
    while let Ok(Some(line)) = start_of_line(&mut lines).await {
        let now = clock::now();
        if now != second {
            (second, logged) = (now, 0);
        }
        logged += 1;
        let said = String::from_utf8_lossy(&line);
        match logged {
            1..=MOST_A_SECOND => {
                tracing::warn!(pid, %said, "ntlm_auth writes to its standard error")
            }
            PAST => tracing::warn!(pid, "ntlm_auth writes more to its standard error; not shown"),
            _ => {}
        }
    }
}

/// The beginning of the next line; the rest of it is read and forgotten.
async fn start_of_line(
    from: &mut (impl AsyncRead + AsyncBufReadExt + Unpin),
) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if (&mut *from).take(LOGGED).read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    let mut whole = line.ends_with(b"\n");
    while !whole {
        let more = from.fill_buf().await?;
        let (read, end) = match more.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (more.len(), more.is_empty()),
        };
        from.consume(read);
        whole = end;
    }
    Ok(Some(line.trim_ascii_end().to_vec()))
}

/// The longest answer, in bytes: a challenge in base64 has far less.
const LONGEST_LINE: usize = 64 << 10;

/// How much of a line is in the log, in bytes.
const LOGGED: u64 = 400;

/// Lines of one helper that are logged in one second.
const MOST_A_SECOND: u32 = 10;
const PAST: u32 = MOST_A_SECOND + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_long_line_of_errors_is_cut_and_the_next_one_is_whole() {
        let long = format!("{}\nnext\n\nlast", "x".repeat(1000));
        let mut from = BufReader::new(long.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = start_of_line(&mut from).await.unwrap() {
            lines.push(String::from_utf8(line).unwrap());
        }
        assert_eq!(lines, [&"x".repeat(400), "next", "", "last"]);
    }
}
