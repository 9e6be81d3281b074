//! `[core]`

use std::path::PathBuf;
use std::time::Duration;

use super::{keys, within};
use crate::config::checked::{Core, Passwords, Realm};
use crate::config::errors::Notes;
use crate::config::raw;
use crate::config::surroundings::Surroundings;
use crate::config::value::Given;
use crate::config::words::Account;

pub(super) fn check(
    raw: &raw::Core,
    listen: PathBuf,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> Core {
    let second = Duration::from_secs(1);
    within(&raw.session_timeout, &SHORTEST_SESSION, &Duration::MAX, notes);
    within(&raw.session_lifetime, &SHORTEST_SESSION, &Duration::MAX, notes);
    within(&raw.session_unclaimed, &second, &Duration::MAX, notes);
    within(&raw.max_sessions_per_user, &1, &usize::MAX, notes);
    Core {
        listen,
        tls: keys::tls(raw, surroundings, notes),
        sslkeys_path: raw.sslkeys_path.value.clone(),
        keys: keys::keys(&raw.key, notes),
        keys_without_entry_are_system: keys::without_entry_are_system(raw),
        local_admin_users: accounts(&raw.local_admin_users),
        front_users: accounts(&raw.front_users),
        allow_local_users: raw.allow_local_users.value,
        session_timeout: raw.session_timeout.value,
        session_lifetime: raw.session_lifetime.value,
        session_unclaimed: raw.session_unclaimed.value,
        max_sessions_per_user: raw.max_sessions_per_user.value,
        session_ip_check: raw.session_ip_check.value,
        passwords: passwords(raw, notes),
        realms: realms(&raw.realm, notes),
        altnames: raw.altnames.0.clone(),
    }
}

fn passwords(raw: &raw::Core, notes: &mut Notes<'_>) -> Passwords {
    // What does not fit is complained of already.
    let small = |number| u32::try_from(number).unwrap_or(u32::MAX);
    let (second, hour) = (Duration::from_secs(1), Duration::from_secs(60 * 60));
    within(&raw.password_attempts_per_address, &1, &1_000_000, notes);
    within(&raw.password_attempts_per_account, &1, &1_000_000, notes);
    within(&raw.password_attempts_window, &second, &(24 * hour), notes);
    within(&raw.password_cache, &Duration::ZERO, &hour, notes);
    Passwords {
        attempts_per_address: small(raw.password_attempts_per_address.value),
        attempts_per_account: small(raw.password_attempts_per_account.value),
        attempts_window: raw.password_attempts_window.value,
        cache: raw.password_cache.value,
    }
}

fn accounts(list: &[Given<Account>]) -> Vec<String> {
    list.iter().map(|given| given.0.clone()).collect()
}

fn realms(list: &[Given<raw::Realm>], notes: &mut Notes<'_>) -> Vec<Realm> {
    for (index, entry) in list.iter().enumerate() {
        if entry.realm.is_empty() && entry.domain.is_empty() {
            notes.error(&entry.at, "has neither realm nor domain; set one");
        }
        is_place(&entry.realm, notes);
        is_place(&entry.domain, notes);
        let capitals = entry.realm.to_ascii_uppercase();
        if *entry.realm != capitals {
            let said = format!(
                "{:?} has small letters, and case matters in Kerberos: passwords are checked in a realm of exactly this spelling; write {capitals:?}, unless klist shows the realm with this spelling",
                entry.realm.value
            );
            notes.warn(&entry.realm.at, said);
        }
        for earlier in list.iter().take(index) {
            twins(&earlier.realm, &entry.realm, notes);
            twins(&earlier.domain, &entry.domain, notes);
        }
    }
    let realm = |given: &Given<raw::Realm>| Realm {
        realm: given.realm.value.clone(),
        domain: given.domain.value.clone(),
        strip: given.strip.value,
        company: String::new(),
        case_sensitive: given.case_sensitive.value,
    };
    list.iter().map(realm).collect()
}

/// Complains of what is no name of a realm or domain.
pub(super) fn is_place(name: &Given<String>, notes: &mut Notes<'_>) {
    if name.contains(|c: char| c.is_whitespace() || matches!(c, '@' | '\\' | '/')) {
        let said = format!(
            "{:?} is not the name of a realm or domain; write it alone, as EXAMPLE.ORG",
            name.value
        );
        notes.error(&name.at, said);
    }
}

fn twins(earlier: &Given<String>, later: &Given<String>, notes: &mut Notes<'_>) {
    if !later.is_empty() && later.eq_ignore_ascii_case(earlier) {
        let line = notes.line(&earlier.at);
        notes.error(
            &later.at,
            format!("{:?} is already in the list (line {line}); remove one", later.value),
        );
    }
}

/// Shorter than this, a person would sign on at every click.
const SHORTEST_SESSION: Duration = Duration::from_secs(10);
