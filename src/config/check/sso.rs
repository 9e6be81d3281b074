//! `[sso]`

use crate::config::checked::{ChannelBinding, Kerberos, Sso};
use crate::config::errors::{At, Notes};
use crate::config::raw;
use crate::config::surroundings::Surroundings;
use crate::config::value::Given;
use crate::config::words::Offer;
use crate::wire::Mechanism;

use super::within;

pub(super) fn check(file: &raw::File, surroundings: &Surroundings, notes: &mut Notes<'_>) -> Sso {
    let raw = &file.sso;
    binding(raw.channel_binding.value, &raw.channel_binding.at, file, notes);
    Sso {
        enable_sso: raw.enable_sso.value,
        mechanisms: offered(&raw.mechanisms, notes),
        channel_binding: raw.channel_binding.value,
        kerberos: kerberos(&raw.kerberos, surroundings, notes),
    }
}

/// What of a list this version offers. Whatever is written there and not
/// offered is told; the default list is not written.
pub(super) fn offered(list: &Given<Vec<Given<Offer>>>, notes: &mut Notes<'_>) -> Vec<Mechanism> {
    let mut offered = Vec::new();
    for given in list.iter() {
        match given.value {
            Offer::Here(mechanism) if offered.contains(&mechanism) => {
                notes.error(
                    &given.at,
                    format!("{:?} stands there twice; take one out", mechanism.as_str()),
                );
            }
            Offer::Here(mechanism) => offered.push(mechanism),
            Offer::NotHere(_) if !list.is_set() => {}
            Offer::NotHere(name) => {
                notes.warn(
                    &given.at,
                    format!("{name:?} is not in this version of Doorward, not offered"),
                );
            }
        }
    }
    if offered.is_empty() && list.is_set() {
        notes.error(
            &list.at,
            "offers nothing that this version of Doorward has; write [\"negotiate\"]",
        );
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

fn kerberos(raw: &raw::Kerberos, surroundings: &Surroundings, notes: &mut Notes<'_>) -> Kerberos {
    if let Some(name) = &raw.acceptor.value
        && (name.contains(char::is_whitespace) || !name.contains('/'))
    {
        notes.error(
            &raw.acceptor.at,
            format!("{name:?} is not a service principal; write it as HTTP/web.example.org"),
        );
    }
    within(&raw.threads, &0, &1024, notes);
    within(&raw.queue, &1, &1_000_000, notes);
    Kerberos {
        keytab: raw.keytab.value.clone(),
        acceptor: raw.acceptor.value.clone(),
        threads: if raw.threads.value == 0 { surroundings.cores.max(1) } else { raw.threads.value },
        queue: raw.queue.value,
    }
}
