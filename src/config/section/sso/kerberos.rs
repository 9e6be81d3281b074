//! `[sso.kerberos]`

use std::path::PathBuf;

use crate::config::reading::{Diagnostics, Located, TextValue, section};
use crate::config::section::core;
use crate::config::surroundings::Surroundings;
use crate::config::value_types::one_of;
use crate::identity::UserName;

section! {
    /// `[sso.kerberos]`
    Written {
        keytab: PathBuf = r#""/etc/krb5.keytab""#, Reload, "The keytab with the keys of this service.";
        acceptor: Option<String> = r#""""#, Reload, "The only principal whose tickets are accepted; empty: any HTTP/ service in the keytab.";
        threads: usize = "0", Reload, "Number of threads that check tickets; 0: one for each processor core.";
        queue: usize = "1024", Reload, "Maximum number of tickets that wait to be checked; further ones get 503.";
        user_name: UserName = r#""sam""#, Reload, "Which name of an account becomes the login.";
        allow_computers: bool = "false", Reload, "Whether computers may sign on, by any mechanism.";
        realms_without_pac: Vec<Located<String>> = "[]", Reload, "Realms whose KDC makes tickets without a PAC; never a realm of Active Directory.";
    }
}

/// `[sso.kerberos]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kerberos {
    pub keytab: PathBuf,
    pub acceptor: Option<String>,
    /// Threads that do GSS work; each has a credential of its own.
    pub threads: usize,
    pub queue: usize,
    pub user_name: UserName,
    pub allow_computers: bool,
    pub realms_without_pac: Vec<String>,
}

impl Kerberos {
    /// Whether a ticket of this realm is believed though it has no PAC.
    pub(crate) fn goes_without_pac(&self, realm: &str) -> bool {
        self.realms_without_pac.iter().any(|listed| listed.eq_ignore_ascii_case(realm))
    }
}

pub(super) fn check(
    written: &Written,
    core: &core::Written,
    surroundings: &Surroundings,
    diagnostics: &mut Diagnostics<'_>,
) -> Kerberos {
    if let Some(name) = &written.acceptor.value
        && (name.contains(char::is_whitespace) || !name.contains('/'))
    {
        diagnostics.error(
            &written.acceptor.at,
            format!("{name:?} is not a service principal; write it as HTTP/web.example.org"),
        );
    }
    for realm in written.realms_without_pac.iter() {
        core::is_place(realm, diagnostics);
        let is_domain = core
            .realm
            .iter()
            .any(|listed| listed.realm.eq_ignore_ascii_case(realm) && !listed.domain.is_empty());
        if is_domain {
            let said = "is a Windows domain: its tickets have a PAC unless the client asks for none, and without a PAC the client chooses the name in the ticket; remove it";
            diagnostics.warn(&realm.at, format!("{:?} {said}", realm.value));
        }
    }
    written.threads.within(&0, &1024, diagnostics);
    written.queue.within(&1, &1_000_000, diagnostics);
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

impl TextValue for UserName {
    const TYPE: &'static str = "sam, upn or principal";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("sam", Self::Sam), ("upn", Self::Upn), ("principal", Self::Principal)])
    }
}
