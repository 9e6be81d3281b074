//! Asks a realm's KDC whether a password is right, and believes it only if it also knows a key in
//! our own keytab. Blocks; keeps no ticket and no cache.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretSlice};

use super::keytab::{self, Keytab};
use super::pac::Said;
use crate::wire::{Denied, Password, Reason};

mod answer;
pub(crate) mod ask;
mod gss;
mod profile;

pub(crate) use answer::is_fault_of_user;
use answer::{Stage, denial};
pub(crate) use profile::{ProfileFault, fault as profile_fault};

/// By which of our keys a KDC must prove itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prover {
    pub keytab: PathBuf,
    /// The one service in it that counts (`HTTP/host` or `HTTP/host@REALM`); `None`: any.
    pub service: Option<String>,
    /// Realms whose tickets are believed without a PAC.
    pub realms_without_pac: Vec<String>,
}

/// Whether `password` is that of `user` in `realm`, by the word of a KDC that
/// has proven itself, and whose account that is: `None` where the realm's tickets
/// name no account, and the KDC went by the name. Which KDC that is says
/// krb5.conf, or DNS.
///
/// # Errors
/// The KDC refuses ([`Reason::WrongPassword`], [`Reason::UnknownUser`],
/// [`Reason::AccountDisabled`], [`Reason::PasswordExpired`]), does not answer
/// ([`Reason::KdcUnreachable`]), cannot prove itself ([`Reason::KdcUnproven`]),
/// does not say whose account it is ([`Reason::PacMissing`]), or the keytab is of
/// no use.
pub(crate) fn verify(
    user: &str,
    realm: &str,
    password: &Password,
    prover: &Prover,
) -> Result<Option<Said>, Denied> {
    let wrong = |detail: &str| refused(Reason::WrongPassword, detail);
    let secret = SecretSlice::from([password.expose_secret().as_bytes(), b"\0"].concat());
    let secret = std::ffi::CStr::from_bytes_with_nul(secret.expose_secret())
        .map_err(|_| wrong("the password contains a NUL byte"))?;
    let name = name(user, realm)?;
    let keytab = keytab::read(&prover.keytab)
        .map_err(|error| refused(Reason::KeytabUnreadable, &error.to_string()))?;

    let first = |failure| denial(&failure, Stage::InitialTicket, realm);
    let context = gss::Context::new().map_err(|failure| denial(&failure, Stage::Library, realm))?;
    let client = context.principal(&name).map_err(first)?;
    let mut ticket = context.initial_ticket(&client, secret).map_err(first)?;
    let cache = ticket.cache(&client).map_err(first)?;

    let mut last = refused(
        Reason::KeytabUnreadable,
        &format!("{} contains no key of a service", prover.keytab.display()),
    );
    for service in services(&keytab, realm, prover.service.as_deref()) {
        let unproven = |failure: &_| denial(failure, Stage::Proof { service }, realm);
        // A name out of a keytab holds no NUL byte that was not quoted; an empty
        // text is refused by the library.
        let text = gss::text(service).unwrap_or_default();
        match context.principal(&text).and_then(|service| cache.get(&service)) {
            Ok(()) => {
                let shown = cache.show(&text, &file(&prover.keytab));
                let shown = shown.map_err(|failure| unproven(&failure))?;
                return account(shown, realm, prover);
            }
            Err(failure) => {
                last = unproven(&failure);
                if !answer::is_unknown_service(&failure) {
                    break;
                }
            }
        }
    }
    Err(last)
}

/// Whose account the ticket is for that the KDC gave.
fn account(
    shown: gss::shown::Client,
    realm: &str,
    prover: &Prover,
) -> Result<Option<Said>, Denied> {
    let unreadable = |error| {
        refused(
            Reason::PacMissing,
            &format!("the PAC of the KDC's ticket is not readable: {error}"),
        )
    };
    let said = shown.pac.read().map_err(unreadable)?;
    let without = || prover.realms_without_pac.iter().any(|of| of.eq_ignore_ascii_case(realm));
    if said.is_none() && !shown.has_pac && !without() {
        let detail = format!(
            "the KDC's ticket has no PAC: this gateway's account gets none (NO_AUTH_DATA_REQUIRED \
             in userAccountControl). If the KDC of {realm} makes none at all (MIT before 1.20, \
             Heimdal), list it in [sso.kerberos] realms_without_pac"
        );
        return Err(refused(Reason::PacMissing, &detail));
    }
    Ok(said)
}

/// By what the KDC tells one account from another, whatever name it is asked for
/// by: the salt of its keys, which is asked for without a password. `None` where
/// the KDC tells none, or knows no such name.
///
/// # Errors
/// No KDC answers, or krb5.conf is of no use.
pub(crate) fn salt(user: &str, realm: &str) -> Result<Option<Vec<u8>>, Denied> {
    let name = name(user, realm)?;
    let context = gss::Context::new().map_err(|failure| denial(&failure, Stage::Library, realm))?;
    let asked = context.principal(&name).and_then(|client| context.salt(&client));
    match asked {
        // One that is the realm's alone tells nobody apart.
        Ok(salt) => Ok(Some(salt).filter(|salt| !salt.is_empty() && salt != realm.as_bytes())),
        Err(failure) => match denial(&failure, Stage::InitialTicket, realm) {
            refused
                if matches!(
                    refused.reason,
                    Reason::KdcUnreachable | Reason::KerberosConfiguration
                ) =>
            {
                Err(refused)
            }
            _ => Ok(None),
        },
    }
}

fn name(user: &str, realm: &str) -> Result<std::ffi::CString, Denied> {
    gss::text(&format!("{user}@{realm}"))
        .ok_or_else(|| refused(Reason::OddPrincipal, "the name contains a NUL byte"))
}

/// Whether the library takes its configuration (krb5.conf) as it is at this moment.
///
/// # Errors
/// [`Reason::KerberosConfiguration`]: it does not, and which line it is.
pub(crate) fn configuration() -> Result<(), Denied> {
    let Err(failure) = gss::Context::new() else { return Ok(()) };
    let detail = match profile_fault() {
        Some(fault) => fault.to_string(),
        None => format!("{} (code {}): correct krb5.conf", failure.text, failure.code),
    };
    Err(refused(Reason::KerberosConfiguration, &detail))
}

/// The library's name of a keytab file.
fn file(keytab: &Path) -> std::ffi::CString {
    let path = [b"FILE:", keytab.as_os_str().as_bytes()].concat();
    // Neither a path that was read nor a name out of a keytab holds a NUL byte
    // that was not quoted; an empty text is refused by the library.
    std::ffi::CString::new(path).unwrap_or_default()
}

/// The services by which a KDC of `realm` may prove itself, the likeliest first:
/// those of its own realm, services before plain accounts, for which Active
/// Directory gives no tickets.
fn services<'a>(keytab: &'a Keytab, realm: &str, only: Option<&str>) -> Vec<&'a str> {
    let foreign = |name: &str| !name.ends_with(&format!("@{realm}"));
    let mut names = only.map_or_else(|| keytab.principals(), |only| keytab.principals_of(only));
    names.sort_by_key(|name| (foreign(name), !name.starts_with("HTTP/"), !name.contains('/')));
    names.truncate(MAX_SERVICES);
    names
}

fn refused(reason: Reason, detail: &str) -> Denied {
    Denied::new(reason, detail)
}

/// Asked for by checks.
const NOBODY: &str = "doorward-check-nobody";
/// Services that a KDC is asked about at most.
const MAX_SERVICES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::krb5::keytab::{Enctype, Entry};

    fn keytab(names: &[&str]) -> Keytab {
        let entry = |name: &&str| Entry {
            principal: (*name).to_owned(),
            realm: name.rsplit('@').next().unwrap().to_owned(),
            kvno: 1,
            enctype: Enctype(18),
            written: Timestamp::from_unix(0),
        };
        Keytab { entries: names.iter().map(entry).collect() }
    }

    #[test]
    fn a_kdc_is_asked_for_a_service_of_its_own_realm_first() {
        let held = keytab(&["HTTP/web@B", "WEB$@A", "host/web@A", "HTTP/web@A"]);
        assert_eq!(
            services(&held, "A", None),
            ["HTTP/web@A", "host/web@A", "WEB$@A", "HTTP/web@B"]
        );
        assert_eq!(services(&held, "B", None)[0], "HTTP/web@B");
    }

    #[test]
    fn where_one_service_is_configured_no_other_proves_a_kdc() {
        let held = keytab(&["HTTP/web@B", "HTTP/web@A", "HTTP/other@A"]);
        assert_eq!(services(&held, "A", Some("HTTP/web")), ["HTTP/web@A", "HTTP/web@B"]);
        assert_eq!(services(&held, "A", Some("HTTP/web@B")), ["HTTP/web@B"]);
        assert_eq!(services(&held, "A", Some("HTTP/we")), [] as [&str; 0]);
    }
}
