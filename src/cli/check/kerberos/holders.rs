//! Whose ticket is used to ask the KDC for service tickets: that of the user who runs the check,
//! or of the keytab's own account.

use std::path::Path;

use crate::cli::check::bounded::thread;
use crate::krb5::kdc::ask::{self, Holder};
use crate::krb5::keytab::Keytab;
use crate::wire::{Denied, Reason};

/// What whoever started the check had, before it became `run_as_user`.
#[derive(Debug)]
pub(in crate::cli::check) struct Callers(Option<Holder>);

/// Those who can ask.
pub(super) struct Holders {
    held: Vec<Holder>,
    /// Keys of the keytab that the KDC does not take.
    pub(super) refused: Vec<(String, Denied)>,
}

impl Callers {
    /// Takes the ticket of the default cache. Begins no thread: root's rights may still
    /// have to be given up.
    pub(in crate::cli::check) fn take() -> Self {
        Self(ask::caller())
    }
}

impl Holders {
    /// Tries the keytab's own keys where nobody else has a ticket, in the realms whose
    /// KDC takes our clock for right.
    pub(super) fn gather(callers: &Callers, keytab: &Keytab, path: &Path, realms: &[&str]) -> Self {
        let usable = |holder: &&Holder| realms.contains(&holder.realm());
        let mut held: Vec<_> = callers.0.iter().filter(usable).cloned().collect();
        let mut refused = Vec::new();
        let begun: Vec<_> = realms
            .iter()
            .filter(|realm| !held.iter().any(|holder| holder.realm() == **realm))
            .map(|realm| {
                let (path, clients) = (path.to_owned(), clients(keytab, realm));
                thread::ask(move || by_own_key(&path, clients))
            })
            .collect();
        for asked in begun {
            match asked.wait() {
                Some(Ok(holder)) => held.extend(holder),
                Some(Err(failed)) => refused.push(failed),
                None => {}
            }
        }
        Self { held, refused }
    }

    /// Who asks for a ticket of this realm: somebody of the same, or of another, which
    /// may be trusted.
    pub(super) fn of(&self, realm: &str) -> Option<&Holder> {
        self.held.iter().find(|holder| holder.realm() == realm).or_else(|| self.held.first())
    }
}

/// The first of the keytab's principals that the KDC knows as a client. A wrong key is
/// tried once only: it counts as a failed sign-on of that account.
fn by_own_key(path: &Path, clients: Vec<String>) -> Result<Option<Holder>, (String, Denied)> {
    for client in clients {
        match ask::by_key(path, &client) {
            Ok(holder) => return Ok(Some(holder)),
            Err(refused) if is_wrong_key(&refused) => return Err((client, refused)),
            Err(_) => {}
        }
    }
    Ok(None)
}

fn is_wrong_key(refused: &Denied) -> bool {
    refused.reason == Reason::WrongPassword
}

/// The keytab's principals of the realm, the likeliest clients first: computers,
/// accounts by their own names, and services, which are clients where an account has
/// such a principal name (MIT; ktpass).
fn clients(keytab: &Keytab, realm: &str) -> Vec<String> {
    let here = |principal: &&str| principal.rsplit_once('@').is_some_and(|(_, own)| own == realm);
    let mut clients: Vec<_> = keytab.principals().into_iter().filter(here).collect();
    clients
        .sort_by_key(|name| (!is_computer(name), name.contains('/'), !name.starts_with("HTTP/")));
    clients.truncate(MAX_CLIENTS);
    clients.into_iter().map(str::to_owned).collect()
}

fn is_computer(principal: &str) -> bool {
    principal.rsplit_once('@').is_some_and(|(name, _)| name.ends_with('$'))
}

/// Principals that are tried as clients at most.
const MAX_CLIENTS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krb5::keytab::tests::held;

    #[test]
    fn computers_and_accounts_are_tried_before_services() {
        let keytab = held(&["host/a", "HTTP/a", "A$", "svc"], "LAB.TEST");
        let expected = ["A$@LAB.TEST", "svc@LAB.TEST", "HTTP/a@LAB.TEST"];
        assert_eq!(clients(&keytab, "LAB.TEST"), expected);
        assert_eq!(clients(&keytab, "OTHER.TEST"), [] as [&str; 0]);
    }
}
