//! The core's TLS, and `[[core.key]]`.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::certificate::KeyPair;
use crate::config::checked::{ActAs, AuthorityFiles, CoreKey, CoreTls, KeyRights};
use crate::config::errors::Notes;
use crate::config::keys::{Role, WithoutEntry};
use crate::config::raw;
use crate::config::surroundings::Surroundings;
use crate::config::value::Given;

/// What runs on the core's TLS listeners; `None` where there are none.
pub(super) fn tls(
    raw: &raw::Core,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> Option<CoreTls> {
    let given = KeyPair {
        section: "core",
        key: ("server_ssl_key_file", &raw.server_ssl_key_file),
        certificate: Some(&raw.server_ssl_cert_file),
        pass: &raw.server_ssl_key_pass,
        pass_file: &raw.server_ssl_key_pass_file,
    };
    let certificate = given.files(surroundings, notes);
    let listen = &raw.listen_tls.0;
    let Some(first) = listen.first() else {
        unused(raw, notes);
        return None;
    };
    same_twice(listen, notes);
    let authorities = AuthorityFiles {
        ca_file: raw.server_ssl_ca_file.value.clone(),
        ca_path: raw.server_ssl_ca_path.value.clone(),
        crl_file: raw.crl_file.value.clone(),
    };
    if authorities.ca_file.is_none() && authorities.ca_path.is_none() {
        notes.warn(
            &first.at,
            "lets nobody sign on with a key, because core.server_ssl_ca_file is not set",
        );
        if authorities.crl_file.is_some() {
            notes.error(&raw.crl_file.at, "belongs to an authority; set core.server_ssl_ca_file");
        }
    }
    let Some(certificate) = certificate else {
        notes.error(&first.at, "needs the core's own certificate; set core.server_ssl_key_file (`doorward cert server` makes one)");
        return None;
    };
    Some(CoreTls {
        listen: listen.iter().map(|given| given.value).collect(),
        certificate,
        authorities,
    })
}

/// What the holders of keys may do.
pub(super) fn keys(list: &[Given<raw::Key>], notes: &mut Notes<'_>) -> Vec<CoreKey> {
    twins(list, notes);
    list.iter().map(|given| key(given, notes)).collect()
}

/// Whether a key without an entry is SYSTEM. As soon as there is an entry, a
/// slip of the pen in one must not make its key more than it says.
pub(super) fn without_entry_are_system(raw: &raw::Core) -> bool {
    raw.keys_without_entry.value.map_or(raw.key.is_empty(), |said| said == WithoutEntry::System)
}

fn key(raw: &Given<raw::Key>, notes: &mut Notes<'_>) -> CoreKey {
    if raw.file.0.is_empty() {
        notes.error(&raw.at, "names no file; set file to a file name in core.sslkeys_path");
    }
    let act_as: Vec<ActAs> = raw.act_as.iter().map(|given| given.value.clone()).collect();
    let rights = match (raw.role.value, act_as.as_slice()) {
        (Role::Front, []) => KeyRights::Front,
        (Role::Front, _) => {
            notes.error(&raw.act_as.at, "is not for fronts, because they authenticate users themselves; remove it, or set role = \"service\"");
            KeyRights::Front
        }
        (Role::Service, []) => {
            notes.error(&raw.at, "gives no rights; set act_as (SYSTEM, *, login names, company:NAME) or role = \"front\"");
            KeyRights::Service(act_as)
        }
        (Role::Service, _) if act_as.contains(&ActAs::System) => KeyRights::System,
        (Role::Service, _) => KeyRights::Service(act_as),
    };
    // Networks that could not be read are complained of already, and look like none.
    if notes.is_sound() && raw.from.is_set() && raw.from.is_empty() {
        notes.error(
            &raw.from.at,
            "is empty; list networks, or remove it to accept the key from everywhere",
        );
    }
    CoreKey {
        file: raw.file.0.clone(),
        rights,
        from: raw.from.iter().map(|given| given.value).collect(),
        not_after: raw.not_after.0,
    }
}

fn twins(keys: &[Given<raw::Key>], notes: &mut Notes<'_>) {
    for (index, key) in keys.iter().enumerate() {
        let earlier = keys.iter().take(index).find(|earlier| earlier.file.0 == key.file.0);
        if let Some(earlier) = earlier.filter(|_| !key.file.0.is_empty()) {
            let line = notes.line(&earlier.at);
            let sentence =
                format!("{:?} already has an entry (line {line}); remove one", key.file.0);
            notes.error(&key.file.at, sentence);
        }
    }
}

fn same_twice(listen: &[Given<SocketAddr>], notes: &mut Notes<'_>) {
    for (index, given) in listen.iter().enumerate() {
        let again = listen.iter().take(index).any(|earlier| earlier.value == given.value);
        if again && given.port() != 0 {
            notes.error(&given.at, format!("{} is already in use; remove one", given.value));
        }
    }
}

/// What belongs to TLS and stands there without it. Keys do not: a front may
/// ask as whom they sign on.
fn unused(raw: &raw::Core, notes: &mut Notes<'_>) {
    let said = |given: &Given<Option<PathBuf>>| given.value.is_some().then(|| given.at.clone());
    let files =
        [&raw.server_ssl_key_file, &raw.server_ssl_ca_file, &raw.server_ssl_ca_path, &raw.crl_file];
    for at in files.into_iter().filter_map(said) {
        notes.warn(&at, "is not used, because core.listen_tls is empty");
    }
}
