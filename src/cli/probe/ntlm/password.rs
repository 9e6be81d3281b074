//! Where the password comes from. Never from the command line, which everybody
//! on this machine can read.

use std::fmt;
use std::io::{self, BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret as _, SecretString};

use super::account::Account;
use crate::cli::probe::error::ProbeError;
use crate::config::Secret;

/// Where the password is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// In a file (`--password-file`).
    File(PathBuf),
    Environment,
    /// In somebody's head: it is asked for.
    Terminal,
    /// On the first line of standard input.
    Input,
}

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub(super) enum PasswordError {
    /// The file does not do.
    #[error("the password cannot be read from {} ({source})", path.display())]
    File { path: PathBuf, source: io::Error },
    /// Nor does standard input.
    #[error("the password cannot be read from standard input ({0})")]
    Input(io::Error),
    /// It is somewhere, and nothing.
    #[error(
        "the password {0} is empty: write it on the first line of --password-file or of standard input, or set {VARIABLE}"
    )]
    Empty(Origin),
}

impl From<PasswordError> for ProbeError {
    fn from(error: PasswordError) -> Self {
        Self::Credential(error.to_string())
    }
}

impl Origin {
    /// The first of: the given file, the environment, the terminal, standard input.
    pub(super) fn of(file: Option<&Path>) -> Self {
        let set = std::env::var_os(VARIABLE).is_some_and(|value| !value.is_empty());
        match file {
            Some(path) => Self::File(path.to_owned()),
            None if set => Self::Environment,
            None if io::stdin().is_terminal() => Self::Terminal,
            None => Self::Input,
        }
    }
}

/// Reads it. Asking does not hold up the connection, which goes on in the meantime.
pub(super) async fn read(origin: Origin, account: &Account) -> Result<SecretString, PasswordError> {
    let prompt = format!("Password of {account}: ");
    let found = origin.clone();
    let reading = tokio::task::spawn_blocking(move || now(&found, &prompt));
    let password = reading.await.unwrap_or_else(|error| Err(PasswordError::Input(error.into())))?;
    if password.expose_secret().is_empty() {
        Err(PasswordError::Empty(origin))
    } else {
        Ok(password)
    }
}

fn now(origin: &Origin, prompt: &str) -> Result<SecretString, PasswordError> {
    match origin {
        Origin::File(path) => Secret::file(path.clone())
            .read()
            .map_err(|source| PasswordError::File { path: path.clone(), source }),
        Origin::Environment => {
            let password = std::env::var(VARIABLE);
            let odd = |error| PasswordError::Input(io::Error::other(error));
            password.map(SecretString::from).map_err(odd)
        }
        Origin::Terminal => ask(prompt).map_err(PasswordError::Input),
        Origin::Input => line().map_err(PasswordError::Input),
    }
}

/// Asks on the terminal, which shows nothing of the answer.
fn ask(prompt: &str) -> io::Result<SecretString> {
    let silence = Silence::begin()?;
    eprint!("{prompt}");
    let answer = line();
    drop(silence);
    eprintln!();
    answer
}

fn line() -> io::Result<SecretString> {
    let mut line = String::new();
    let read = io::stdin().lock().take(LONGEST).read_line(&mut line);
    let line = SecretString::from(line);
    read?;
    Ok(line.expose_secret().trim_end_matches(['\r', '\n']).into())
}

/// A terminal without echo, until this is dropped.
struct Silence(Termios);

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that has gone away needs no echo.
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.0);
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "in {}", path.display()),
            Self::Environment => write!(f, "in {VARIABLE}"),
            Self::Terminal => f.write_str("that is typed in"),
            Self::Input => f.write_str("on standard input"),
        }
    }
}

/// The variable of the environment that may hold it.
const VARIABLE: &str = "DOORWARD_PASSWORD";

/// Bytes of a line that are read at most.
const LONGEST: u64 = 4096;
