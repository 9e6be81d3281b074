//! `[sso]`

use std::time::Duration;

use crate::config::checked::{ChannelBinding, Kerberos, Ntlm, Sso, UserName};
use crate::config::errors::{At, Notes};
use crate::config::raw;
use crate::config::surroundings::Surroundings;
use crate::config::value::Given;
use crate::config::words::{Offer, TargetName};
use crate::wire::Mechanism;

use super::within;

/// `certificates`: whether the front asks for certificates at all.
pub(super) fn check(
    file: &raw::File,
    certificates: bool,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> Sso {
    let raw = &file.sso;
    binding(raw.channel_binding.value, &raw.channel_binding.at, file, notes);
    Sso {
        enable_sso: raw.enable_sso.value,
        mechanisms: mechanisms(raw, certificates, surroundings, notes),
        mechanisms_by_default: !raw.mechanisms.is_set(),
        channel_binding: raw.channel_binding.value,
        kerberos: kerberos(&raw.kerberos, file, surroundings, notes),
        ntlm: ntlm(&raw.ntlm, notes),
    }
}

/// What is offered. Certificates take authorities whose word is taken; without
/// them nobody is asked for one. NTLM takes a program of Samba's: where that is
/// not installed, the default list goes without, and a list that asks for it
/// stands with a warning.
fn mechanisms(
    raw: &raw::Sso,
    certificates: bool,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> Vec<Mechanism> {
    let mut offered = known(&raw.mechanisms, certificates, notes);
    if raw.kerberos.user_name.value == UserName::Upn && offered.contains(&Mechanism::Ntlm) {
        if raw.mechanisms.is_set() {
            let said = "contains ntlm, which provides no user principal name: with sso.kerberos.user_name = \"upn\" nobody can sign on by NTLM; remove it";
            notes.error(&raw.mechanisms.at, said);
        } else {
            offered.retain(|mechanism| *mechanism != Mechanism::Ntlm);
        }
    }
    let ntlm_auth = &raw.ntlm.ntlm_auth.value;
    if !offered.contains(&Mechanism::Ntlm) || (surroundings.installed)(ntlm_auth) {
        return offered;
    }
    if raw.mechanisms.is_set() {
        let mend = "install Debian's package winbind, correct sso.ntlm.ntlm_auth, or remove ntlm";
        let said =
            format!("contains ntlm, but there is no program {}; {mend}", ntlm_auth.display());
        notes.warn(&raw.mechanisms.at, said);
    } else {
        offered.retain(|mechanism| *mechanism != Mechanism::Ntlm);
    }
    offered
}

/// What of a list can be offered. Whatever is written there and not offered is
/// told; the default list is not written.
pub(super) fn known(
    list: &Given<Vec<Given<Offer>>>,
    certificates: bool,
    notes: &mut Notes<'_>,
) -> Vec<Mechanism> {
    let mut offered = Vec::new();
    for given in list.iter() {
        let Offer(mechanism) = given.value;
        if offered.contains(&mechanism) {
            let said = format!("{:?} is in the list twice; remove one", mechanism.as_str());
            notes.error(&given.at, said);
        } else if mechanism == Mechanism::Certificate && !certificates {
            if list.is_set() {
                notes.warn(&given.at, "\"certificate\" needs front.listen_tls and an authority in front.client_ssl_ca_file; it is not offered");
            }
        } else {
            offered.push(mechanism);
        }
    }
    if offered.is_empty() && list.is_set() {
        notes.error(&list.at, "contains nothing that can be offered; write [\"negotiate\"]");
    }
    offered
}

/// Channel bindings need a channel: over plain HTTP nobody could sign on.
pub(super) fn binding(wanted: ChannelBinding, at: &At, file: &raw::File, notes: &mut Notes<'_>) {
    if wanted == ChannelBinding::Require && file.front.listen_tls.is_empty() {
        notes.warn(
            at,
            "is \"require\", but front.listen_tls is empty: nobody can sign on over plain HTTP",
        );
    }
}

fn kerberos(
    raw: &raw::Kerberos,
    file: &raw::File,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> Kerberos {
    if let Some(name) = &raw.acceptor.value
        && (name.contains(char::is_whitespace) || !name.contains('/'))
    {
        notes.error(
            &raw.acceptor.at,
            format!("{name:?} is not a service principal; write it as HTTP/web.example.org"),
        );
    }
    for realm in raw.realms_without_pac.iter() {
        super::core::is_place(realm, notes);
        let is_domain = |listed: &raw::Realm| {
            listed.realm.eq_ignore_ascii_case(realm) && !listed.domain.is_empty()
        };
        if file.core.realm.iter().any(|listed| is_domain(listed)) {
            let said = "is a Windows domain: its tickets have a PAC unless the client asks for none, and without a PAC the client chooses the name in the ticket; remove it";
            notes.warn(&realm.at, format!("{:?} {said}", realm.value));
        }
    }
    within(&raw.threads, &0, &1024, notes);
    within(&raw.queue, &1, &1_000_000, notes);
    Kerberos {
        keytab: raw.keytab.value.clone(),
        acceptor: raw.acceptor.value.clone(),
        threads: if raw.threads.value == 0 { surroundings.cores.max(1) } else { raw.threads.value },
        queue: raw.queue.value,
        user_name: raw.user_name.value,
        allow_computers: raw.allow_computers.value,
        realms_without_pac: raw
            .realms_without_pac
            .iter()
            .map(|given| given.value.clone())
            .collect(),
    }
}

fn ntlm(raw: &raw::Ntlm, notes: &mut Notes<'_>) -> Ntlm {
    within(&raw.helpers, &1, &1024, notes);
    within(&raw.queue, &1, &1_000_000, notes);
    for time in [&raw.helper_timeout, &raw.exchange_timeout] {
        within(time, &Duration::from_secs(1), &Duration::from_secs(600), notes);
    }
    for given in raw.ntlm_auth_args.iter() {
        if given.value.starts_with("--helper-protocol") {
            notes.error(&given.at, "belongs in sso.ntlm.helper_protocol; remove it here");
        }
    }
    Ntlm {
        ntlm_auth: raw.ntlm_auth.value.clone(),
        ntlm_auth_args: raw.ntlm_auth_args.iter().map(|given| given.value.clone()).collect(),
        helper_protocol: raw.helper_protocol.value,
        check_target_name: raw.target_name.value == TargetName::Check,
        helpers: raw.helpers.value,
        queue: raw.queue.value,
        helper_timeout: raw.helper_timeout.value,
        exchange_timeout: raw.exchange_timeout.value,
    }
}
