//! The threads that do the library's work: GSSAPI blocks, and one credential
//! shared by several threads would make them wait for each other.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::config::checked;
use crate::front::mechanism::kerberos::gss::{Accept, Accepted, Credential, Facts, Failure, Store};
use crate::front::mechanism::kerberos::workers::{NoAnswer, Workers};
use crate::front::mechanism::kerberos::{Answer, Established, failure, pac};
use crate::wire::Reason;
use crate::wire::reason::Fault;

/// Accepts Kerberos tokens on threads of its own, which end when it is dropped.
#[derive(Debug)]
pub struct Pool {
    workers: Workers<Accept, Answer>,
}

impl Pool {
    /// Starts the threads. The keytab is not opened yet: one that appears or is
    /// replaced later is used without a restart. Tokens that were seen are
    /// remembered in `replay_cache`, a file that the library makes.
    ///
    /// # Errors
    /// A path that holds a NUL byte, or no threads to be had.
    pub fn start(settings: &checked::Kerberos, replay_cache: &Path) -> io::Result<Self> {
        let store = Store {
            keytab: labelled("FILE:", &settings.keytab)?,
            replay_cache: labelled("file2:", replay_cache)?,
        };
        let keytab = settings.keytab.clone();
        let only = settings.acceptor.clone();
        let make = move || {
            let acceptor = Acceptor {
                store: store.clone(),
                keytab: keytab.clone(),
                only: only.clone(),
                credential: None,
            };
            acceptor.into_function()
        };
        let workers = Workers::start("gss", settings.threads, settings.queue, make)?;
        Ok(Self { workers })
    }

    /// Accepts one token. Never blocks; an overfull queue is answered at once.
    pub async fn accept(&self, accept: Accept) -> Answer {
        match self.workers.ask(accept).await {
            Ok(answer) => answer,
            Err(NoAnswer::Full) => {
                refused(Reason::Busy, "the queue before the Kerberos threads is full")
            }
            Err(NoAnswer::Panicked) => refused(
                Reason::KerberosFailure,
                "the Kerberos thread panicked; it goes on with a new credential",
            ),
        }
    }
}

/// One thread's work.
struct Acceptor {
    store: Store,
    keytab: PathBuf,
    only: Option<String>,
    credential: Option<Credential>,
}

impl Acceptor {
    fn into_function(mut self) -> impl FnMut(Accept) -> Answer {
        move |accept| self.answer(accept)
    }

    fn answer(&mut self, accept: Accept) -> Answer {
        match self.accept(accept) {
            Ok(Accepted::Continue { context, token }) => Answer::Continue { context, token },
            Ok(Accepted::Complete(facts)) => establish(facts, self.only.as_deref()),
            Err(failure) => {
                let (reason, detail) = failure::explain(&failure, &self.keytab);
                if reason.fault() != Fault::Client {
                    // It may be the credential that is at fault.
                    self.credential = None;
                }
                Answer::Refused { reason, detail, reply: failure.reply }
            }
        }
    }

    fn accept(&mut self, accept: Accept) -> Result<Accepted, Failure> {
        let credential = match self.credential.take() {
            Some(credential) => credential,
            None => Credential::acquire(&self.store)?,
        };
        self.credential.insert(credential).accept(accept)
    }
}

fn establish(facts: Facts, only: Option<&str>) -> Answer {
    let acceptor = facts.acceptor.as_deref().unwrap_or_default();
    if let Some(only) = only
        && !names(only, acceptor)
    {
        let detail = format!(
            "the ticket is for {}, and [sso.kerberos] acceptor admits only {only}",
            String::from_utf8_lossy(acceptor)
        );
        return refused(Reason::WrongPrincipal, &detail);
    }
    Answer::Established(Established {
        groups: facts.logon_info.as_deref().map(groups).unwrap_or_default(),
        principal: facts.principal,
        acceptor: facts.acceptor,
        channel_bound: facts.channel_bound,
        ends_at: facts.ends_at,
        reply: facts.reply,
    })
}

/// Whether `acceptor` is the principal that the setting names, which may leave
/// out the realm.
fn names(setting: &str, acceptor: &[u8]) -> bool {
    match acceptor.strip_prefix(setting.as_bytes()) {
        Some([]) => true,
        Some([b'@', ..]) => !setting.contains('@'),
        _ => false,
    }
}

/// A PAC that cannot be read costs the groups, not the sign-on.
fn groups(logon_info: &[u8]) -> Vec<String> {
    pac::group_sids(logon_info).unwrap_or_else(|error| {
        tracing::warn!(%error, "the ticket's PAC is not readable; signed on without its groups");
        Vec::new()
    })
}

fn refused(reason: Reason, detail: &str) -> Answer {
    Answer::Refused { reason, detail: detail.to_owned(), reply: None }
}

fn labelled(label: &str, path: &Path) -> io::Result<CString> {
    let bytes = [label.as_bytes(), path.as_os_str().as_bytes()].concat();
    CString::new(bytes).map_err(|_| {
        let message = format!("{}: a path cannot hold a NUL byte", path.display());
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acceptor_without_realm_fits_every_realm_and_no_longer_name() {
        assert!(names("HTTP/web", b"HTTP/web@A"));
        assert!(names("HTTP/web", b"HTTP/web@B"));
        assert!(names("HTTP/web@A", b"HTTP/web@A"));
        assert!(!names("HTTP/web@A", b"HTTP/web@A@B"));
        assert!(!names("HTTP/web@A", b"HTTP/web@B"));
        assert!(!names("HTTP/web", b"HTTP/web.example@A"));
        assert!(!names("HTTP/web", b"HTTP/we@A"));
        assert!(!names("HTTP/web", b""));
    }
}
