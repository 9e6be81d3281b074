//! From a proven or vouched-for name to a login name: pure functions.
//!
//! ```text
//! text ─▶ Principal ─▶ altnames? ─▶ realm listed? ─▶ stripped ─▶ canonical, checked ─▶ Identity
//!        (principal)  └────────────────── mapping ───────────┘  └───── login ─────┘
//! ```
//!
//! A realm that is not listed is refused, never stripped: `alice@OTHER.REALM`
//! does not become `alice`. Every odd form has its answer in
//! `tests/cases/principals.case`, which the unit tests of this module run.
//!
//! Where a verifier tells the account (the PAC of a ticket, winbind), that account
//! is who signs on, whatever the principal says: see `account`.

use crate::wire::LoginId;

mod account;
mod login;
mod mapping;
mod named;
mod principal;
mod rules;
#[cfg(test)]
mod tests;
mod typed;

pub(crate) use account::verified;
pub(crate) use login::is_login;
pub(crate) use mapping::{Rules, Via, identify};
pub(crate) use named::Named;
pub(crate) use principal::{Origin, Principal};
pub(crate) use rules::{Realm, Strip, UserName};
pub(crate) use typed::{Typed, typed};

/// Who somebody is here. Made only by [`identify`], so whoever holds one knows
/// that the realm is allowed and the login name canonical.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    login_id: LoginId,
}

impl Identity {
    /// The login name in its one canonical form: lower case (as written where
    /// the realm is case-sensitive), without its realm, or with it where the
    /// realm says `strip = false`: `john`, `john@ADSDOMAIN.EXAMPLE`.
    pub(crate) fn login(&self) -> &str {
        self.login_id.login()
    }

    /// Login and tenant, by which people are compared.
    pub(crate) const fn login_id(&self) -> &LoginId {
        &self.login_id
    }
}
