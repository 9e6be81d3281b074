//! Asks a realm's KDC whether a password is right, and believes it only when it
//! knows a key of our own keytab as well. Blocks; keeps no ticket and no cache.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::keytab::{self, Keytab};
use crate::wire::{Password, Reason};

mod answer;
pub mod ask;
mod gss;
mod profile;

use answer::{Stage, judge};
pub use profile::{ProfileFault, fault as profile_fault};

/// By which of our keys a KDC must prove itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prover {
    /// The keytab.
    pub keytab: PathBuf,
    /// The one service in it that counts (`HTTP/host` or `HTTP/host@REALM`); `None`: any.
    pub service: Option<String>,
}

/// Why a password is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The reason. Whether the user is at fault is the reason's to say.
    pub reason: Reason,
    /// The library's words, and what mends it.
    pub detail: String,
}

/// Whether `password` is that of `user` in `realm`, by the word of a KDC that
/// has proven itself. Which KDC that is says krb5.conf, or DNS.
///
/// # Errors
/// The KDC refuses ([`Reason::WrongPassword`], [`Reason::UnknownUser`],
/// [`Reason::AccountDisabled`], [`Reason::PasswordExpired`]), does not answer
/// ([`Reason::KdcUnreachable`]), cannot prove itself ([`Reason::KdcUnproven`]),
/// or the keytab is of no use.
pub fn verify(
    user: &str,
    realm: &str,
    password: &Password,
    prover: &Prover,
) -> Result<(), Refused> {
    let wrong = |detail: &str| refused(Reason::WrongPassword, detail);
    let secret = Zeroizing::new([password.reveal().as_bytes(), b"\0"].concat());
    let secret = std::ffi::CStr::from_bytes_with_nul(&secret)
        .map_err(|_| wrong("the password holds a NUL byte"))?;
    let name = gss::text(&format!("{user}@{realm}"))
        .ok_or_else(|| refused(Reason::OddPrincipal, "the name holds a NUL byte"))?;
    let keytab = keytab::read(&prover.keytab)
        .map_err(|error| refused(Reason::KeytabUnreadable, &error.to_string()))?;

    let first = |failure| judge(&failure, Stage::InitialTicket, realm);
    let context = gss::Context::new().map_err(first)?;
    let client = context.principal(&name).map_err(first)?;
    let mut ticket = context.initial_ticket(&client, secret).map_err(first)?;

    let mut last = refused(
        Reason::KeytabUnreadable,
        &format!("{} holds no key of a service", prover.keytab.display()),
    );
    for service in services(&keytab, realm, prover.service.as_deref()) {
        match prove(&context, &mut ticket, service, &prover.keytab) {
            Ok(()) => return Ok(()),
            Err(failure) => {
                let unknown = answer::is_unknown_service(&failure);
                last = judge(&failure, Stage::Proof { service }, realm);
                if !unknown {
                    break;
                }
            }
        }
    }
    Err(last)
}

/// Whether the library takes its configuration (krb5.conf) as it is at this moment.
///
/// # Errors
/// [`Reason::KerberosConfiguration`]: it does not, and which line it is.
pub fn configuration() -> Result<(), Refused> {
    let Err(failure) = gss::Context::new() else { return Ok(()) };
    let detail = match profile_fault() {
        Some(fault) => fault.to_string(),
        None => format!("{} (code {}): correct krb5.conf", failure.text, failure.code),
    };
    Err(refused(Reason::KerberosConfiguration, &detail))
}

/// Whether a KDC of the realm answers.
///
/// # Errors
/// It does not, and the library's words.
pub fn probe(realm: &str) -> Result<(), Refused> {
    ask::clock(realm).map(drop)
}

fn prove(
    context: &gss::Context,
    ticket: &mut gss::Ticket<'_>,
    service: &str,
    keytab: &Path,
) -> Result<(), gss::Failure> {
    let service = gss::text(service).unwrap_or_default();
    let (keytab, service) = (context.keytab(&file(keytab))?, context.principal(&service)?);
    ticket.prove(&service, &keytab)
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
    let admitted = |name: &&str| only.is_none_or(|only| is(name, only));
    let mut names: Vec<&str> = keytab.principals().into_iter().filter(admitted).collect();
    names.sort_by_key(|name| (foreign(name), !name.starts_with("HTTP/"), !name.contains('/')));
    names.truncate(MAX_SERVICES);
    names
}

/// Whether `principal` is the one of the setting, which may leave out the realm.
fn is(principal: &str, setting: &str) -> bool {
    match principal.strip_prefix(setting) {
        Some("") => true,
        Some(rest) => rest.starts_with('@') && !setting.contains('@'),
        None => false,
    }
}

fn refused(reason: Reason, detail: &str) -> Refused {
    Refused { reason, detail: detail.to_owned() }
}

/// Asked for by checks.
const NOBODY: &str = "doorward-check-nobody";
/// Services that a KDC is asked about at most.
const MAX_SERVICES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::keytab::{Enctype, Entry};

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
