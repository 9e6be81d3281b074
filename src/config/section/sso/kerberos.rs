//! `[sso.kerberos]`

use std::path::PathBuf;

use super::super::core::is_place;
use super::File;
use crate::config::reading::{Given, Notes, Word, section, within};
use crate::config::surroundings::Surroundings;
use crate::config::value_types::one_of;

section! {
    /// `[sso.kerberos]`
    Written {
        keytab: PathBuf = r#""/etc/krb5.keytab""#, Reload, "The keytab with the keys of this service.";
        acceptor: Option<String> = r#""""#, Reload, "The only principal whose tickets are accepted; empty: any HTTP/ service in the keytab.";
        threads: usize = "0", Reload, "Number of threads that check tickets; 0: one for each processor core.";
        queue: usize = "1024", Reload, "Maximum number of tickets that wait to be checked; further ones get 503.";
        user_name: UserName = r#""sam""#, Reload, "Which name of an account becomes the login.";
        allow_computers: bool = "false", Reload, "Whether computers may sign on, by any mechanism.";
        realms_without_pac: Vec<Given<String>> = "[]", Reload, "Realms whose KDC makes tickets without a PAC; never a realm of Active Directory.";
    }
}

/// `[sso.kerberos]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kerberos {
    /// The keytab.
    pub keytab: PathBuf,
    /// The one principal to accept for (`HTTP/host` or `HTTP/host@REALM`); `None`: any in the keytab.
    pub acceptor: Option<String>,
    /// Threads that do GSS work; each has a credential of its own.
    pub threads: usize,
    /// Tokens that may wait for a thread; further ones are answered 503.
    pub queue: usize,
    /// Which name of an account becomes the login.
    pub user_name: UserName,
    /// Whether computers may sign on.
    pub allow_computers: bool,
    /// Realms whose tickets are believed without a PAC.
    pub realms_without_pac: Vec<String>,
}

impl Kerberos {
    /// Whether a ticket of this realm is believed though it has no PAC.
    pub(crate) fn goes_without_pac(&self, realm: &str) -> bool {
        self.realms_without_pac.iter().any(|listed| listed.eq_ignore_ascii_case(realm))
    }
}

/// `sso.kerberos.user_name`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserName {
    /// The SAM account name.
    Sam,
    /// The user principal name.
    Upn,
    /// The client's name in the ticket, where it is a name of the account.
    Principal,
}

pub(super) fn check(
    written: &Written,
    file: &File,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> Kerberos {
    if let Some(name) = &written.acceptor.value
        && (name.contains(char::is_whitespace) || !name.contains('/'))
    {
        notes.error(
            &written.acceptor.at,
            format!("{name:?} is not a service principal; write it as HTTP/web.example.org"),
        );
    }
    for realm in written.realms_without_pac.iter() {
        is_place(realm, notes);
        let is_domain =
            file.core.realm.iter().any(|listed| {
                listed.realm.eq_ignore_ascii_case(realm) && !listed.domain.is_empty()
            });
        if is_domain {
            let said = "is a Windows domain: its tickets have a PAC unless the client asks for none, and without a PAC the client chooses the name in the ticket; remove it";
            notes.warn(&realm.at, format!("{:?} {said}", realm.value));
        }
    }
    within(&written.threads, &0, &1024, notes);
    within(&written.queue, &1, &1_000_000, notes);
    Kerberos {
        keytab: written.keytab.value.clone(),
        acceptor: written.acceptor.value.clone(),
        threads: if written.threads.value == 0 {
            surroundings.cores.max(1)
        } else {
            written.threads.value
        },
        queue: written.queue.value,
        user_name: written.user_name.value,
        allow_computers: written.allow_computers.value,
        realms_without_pac: written
            .realms_without_pac
            .iter()
            .map(|given| given.value.clone())
            .collect(),
    }
}

impl Word for UserName {
    const TYPE: &'static str = "sam, upn or principal";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("sam", Self::Sam), ("upn", Self::Upn), ("principal", Self::Principal)])
    }
}
