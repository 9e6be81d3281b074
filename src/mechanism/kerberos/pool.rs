//! The threads that do the library's work: GSSAPI blocks, and one credential
//! shared by several threads would make them wait for each other.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::ticket::{TicketService, Unreadable};
use super::workers::{NoAnswer, Workers};
use super::{Accept, Answer, Context, Established, failure, realm};
use crate::config::section;
use crate::krb5::gss::{Accepted, Credential, Facts, Failure, Service, Store};
use crate::krb5::keytab::{self, SoleRealm};
use crate::wire::Reason;

/// Accepts Kerberos tokens on threads of its own. They end when it is dropped,
/// which waits for the token that each may be at, well under a millisecond; it
/// has to be dropped before the process ends: MIT tidies up then, and aborts on a thread that is still inside.
#[derive(Debug)]
pub(crate) struct Pool {
    workers: Workers<Accept, Answer>,
}

impl Pool {
    /// Starts the threads. The keytab is not opened yet: one that appears or is
    /// replaced later is used without a restart. Tokens that were seen are
    /// remembered in `replay_cache`, a file that the library makes.
    ///
    /// # Errors
    /// A path that holds a NUL byte, or no threads to be had.
    pub(crate) fn start(settings: &section::Kerberos, replay_cache: &Path) -> io::Result<Self> {
        let store = store(settings, replay_cache)?;
        let (threads, queue) = (settings.threads, settings.queue);
        let settings = Arc::new(settings.clone());
        let make = move || {
            let mut acceptor = Acceptor {
                store: store.clone(),
                sole_realm: SoleRealm::new(settings.keytab.clone()),
                settings: Arc::clone(&settings),
                credential: None,
            };
            move |accept| acceptor.answer(accept)
        };
        let workers = Workers::start("gss", threads, queue, make)?;
        Ok(Self { workers })
    }

    /// Does what the threads do before their first token, and no more: acquires
    /// the credential from the keytab. For checks; blocks, and writes nothing.
    ///
    /// # Errors
    /// Why no token could be accepted, and the story behind it.
    pub(crate) fn rehearse(
        settings: &section::Kerberos,
        replay_cache: &Path,
    ) -> Result<(), (Reason, String)> {
        let store = store(settings, replay_cache)
            .map_err(|error| (Reason::KeytabUnreadable, error.to_string()))?;
        let acquired = Credential::acquire(&store);
        acquired
            .map(drop)
            .map_err(|failure| failure::explain(&failure, &settings.keytab, keytab::read))
    }

    /// Accepts one token. Never blocks; an overfull queue is answered at once.
    pub(crate) async fn accept(&self, accept: Accept) -> Answer {
        match self.workers.ask(accept).await {
            Ok(answer) => answer,
            Err(NoAnswer::Full) => {
                refused(Reason::Busy, "the queue before the Kerberos threads is full")
            }
            Err(NoAnswer::Panicked) => refused(
                Reason::KerberosFailure,
                "the Kerberos thread panicked; it continues with a new credential",
            ),
        }
    }
}

/// One thread's work.
struct Acceptor {
    store: Store,
    sole_realm: SoleRealm,
    settings: Arc<section::Kerberos>,
    credential: Option<Credential>,
}

impl Acceptor {
    fn answer(&mut self, accept: Accept) -> Answer {
        let realm = self.sole_realm.get().map(str::to_owned);
        let service = TicketService::read(&accept.token).or_else(|| accept.context.service.clone());
        match self.accept(accept, realm.is_none()) {
            Ok(Accepted::Continue { context, token }) => {
                Answer::Continue { context: Context { library: context, service }, token }
            }
            Ok(Accepted::Complete(facts)) => {
                let established = establish(facts, service, realm, &self.settings);
                established
                    .map_or_else(|(reason, detail)| refused(reason, &detail), Answer::Established)
            }
            Err(failure) => {
                let (reason, mut detail) =
                    failure::explain(&failure, &self.settings.keytab, keytab::read);
                if let Some(only) = &self.settings.acceptor
                    && reason != Reason::Replay
                {
                    detail = format!("{detail} ([sso.kerberos] acceptor allows only {only})");
                }
                if suspects_credential(reason) {
                    self.credential = None;
                }
                Answer::Refused { reason, detail, reply: failure.reply }
            }
        }
    }

    fn accept(&mut self, accept: Accept, name_acceptor: bool) -> Result<Accepted, Failure> {
        let credential = match self.credential.take() {
            Some(credential) => credential,
            None => Credential::acquire(&self.store)?,
        };
        let Accept { context, token, bindings } = accept;
        let credential = self.credential.insert(credential);
        credential.accept(context.library, &token, bindings.as_deref(), name_acceptor)
    }
}

/// Whether a new credential may help where the old one failed.
fn suspects_credential(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::KeytabUnreadable
            | Reason::KerberosConfiguration
            | Reason::KerberosFailure
            | Reason::ReplayCacheFailed
    )
}

fn establish(
    facts: Facts,
    service: Option<Result<TicketService, Unreadable>>,
    sole_realm: Option<String>,
    settings: &section::Kerberos,
) -> Result<Established, (Reason, String)> {
    for_us(service, settings)?;
    let principal = String::from_utf8_lossy(&facts.principal);
    let said = facts.pac.read().map_err(|error| {
        (
            Reason::PacMissing,
            format!("the PAC of the ticket of {principal} is not readable: {error}"),
        )
    })?;
    let of = realm(&principal).unwrap_or_default();
    if !facts.has_pac && !settings.goes_without_pac(of) {
        let detail = format!(
            "the ticket of {principal} has no PAC: the client asked for none, or this gateway's account gets none (NO_AUTH_DATA_REQUIRED in userAccountControl). If the KDC \
             of {of} makes none at all (MIT before 1.20, Heimdal), list it in [sso.kerberos] \
             realms_without_pac"
        );
        return Err((Reason::PacMissing, detail));
    }
    let (account, groups) = match said {
        Some(said) => (Some(Box::new(said.account)), said.groups),
        None => (None, Vec::new()),
    };
    let acceptor = facts.acceptor.map(|name| String::from_utf8_lossy(&name).into_owned());
    Ok(Established {
        acceptor_realm: sole_realm
            .or_else(|| acceptor.as_deref().and_then(realm).map(str::to_owned)),
        account,
        groups,
        principal: facts.principal,
        channel_bound: facts.channel_bound,
        ends_at: facts.ends_at,
        reply: facts.reply,
    })
}

/// Whether the ticket is for a service that is served here: any key of the keytab
/// opens it, and the library says only which one did.
fn for_us(
    service: Option<Result<TicketService, Unreadable>>,
    settings: &section::Kerberos,
) -> Result<(), (Reason, String)> {
    let service = service.unwrap_or(Err("there was no ticket")).map_err(|part| {
        (Reason::DefectiveToken, format!("the service of the ticket is not readable: {part}"))
    })?;
    let (right, admitted) = match &settings.acceptor {
        Some(only) => (service.is(only), format!("[sso.kerberos] acceptor allows only {only}")),
        None => (service.is_http(), "this gateway serves only HTTP/ and a host".to_owned()),
    };
    if right {
        return Ok(());
    }
    Err((Reason::WrongPrincipal, format!("the ticket is for {service}, and {admitted}")))
}

fn refused(reason: Reason, detail: &str) -> Answer {
    Answer::Refused { reason, detail: detail.to_owned(), reply: None }
}

fn store(settings: &section::Kerberos, replay_cache: &Path) -> io::Result<Store> {
    Ok(Store {
        keytab: labelled("FILE:", &settings.keytab)?,
        replay_cache: labelled("file2:", replay_cache)?,
        service: settings.acceptor.as_deref().map(service).transpose()?,
    })
}

/// `HTTP/host` means that service in whichever realm the keytab has it.
fn service(setting: &str) -> io::Result<Service> {
    let odd = || {
        let message = format!("[sso.kerberos] acceptor {setting:?} contains a NUL byte");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    };
    match setting.split_once('/') {
        Some((kind, host)) if !setting.contains('@') => {
            CString::new(format!("{kind}@{host}")).map(Service::HostBased).map_err(|_| odd())
        }
        _ => CString::new(setting).map(Service::Principal).map_err(|_| odd()),
    }
}

fn labelled(label: &str, path: &Path) -> io::Result<CString> {
    let bytes = [label.as_bytes(), path.as_os_str().as_bytes()].concat();
    CString::new(bytes).map_err(|_| {
        let message = format!("{}: a path cannot contain a NUL byte", path.display());
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::kerberos::Context;

    #[tokio::test]
    async fn a_keytab_that_is_missing_is_told_by_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let keytab = directory.path().join("absent.keytab");
        let settings = section::Kerberos {
            keytab: keytab.clone(),
            acceptor: None,
            threads: 1,
            queue: 1,
            user_name: crate::identity::UserName::Sam,
            allow_computers: false,
            realms_without_pac: Vec::new(),
        };
        let pool = Pool::start(&settings, &directory.path().join("replay-cache")).unwrap();
        let accept =
            Accept { context: Context::fresh(), token: b"\x60\0".to_vec(), bindings: None };
        let answer = pool.accept(accept).await;
        let Answer::Refused { reason, detail, .. } = answer else { panic!("{answer:?}") };
        assert_eq!(reason, Reason::KeytabUnreadable);
        assert!(detail.starts_with(&format!("{} does not exist", keytab.display())), "{detail}");
    }
}
