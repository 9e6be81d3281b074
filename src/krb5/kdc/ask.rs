//! What a KDC knows, asked for checks: its clock, whether it knows a service, and what its ticket
//! for a service looks like. Each call blocks while the library waits for a KDC.

use std::ffi::CString;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use super::answer::{Stage, denial};
use super::{NOBODY, gss, refused};
use crate::clock::Timestamp;
use crate::krb5::kdc::gss::ask::Said;
use crate::krb5::keytab::Enctype;
use crate::wire::{Denied, Reason};

/// Whether a realm knows a service, by the word of its KDC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Yes,
    /// It gives no ticket for it: the name is on no account, or (as most KDCs say
    /// it) on several.
    No,
    /// The name is on several accounts.
    Twice,
    /// It tells that only to those who have a ticket.
    Untold,
}

/// A ticket that the KDC made for a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The version of the key that it was made with.
    pub kvno: u32,
    /// The type of its encryption.
    pub enctype: Enctype,
    /// Whether a key of the keytab opens it.
    pub opens: bool,
}

/// Why there is no ticket for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Withheld {
    /// The realm does not know it, or several accounts have its name.
    Unknown,
    /// Several accounts have its name.
    Twice,
    /// Its account has no key of a type that was asked for.
    Encryption,
    /// The KDC takes this host's clock for wrong.
    Clock,
    /// Anything else, in the library's words.
    Other(String),
}

/// Somebody with a ticket-granting ticket, kept in this process's memory.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    /// Whose ticket it is.
    pub principal: String,
    cache: CString,
}

/// The clock of a KDC of the realm. It is asked for a user that nobody has, so it
/// answers with an error, which has the time.
///
/// # Errors
/// None answers, or the library cannot ask.
pub(crate) fn clock(realm: &str) -> Result<Timestamp, Denied> {
    let said = gss::Context::new().and_then(|context| {
        let client = context.principal(&name(&format!("{NOBODY}@{realm}")))?;
        context.ask(&client, None)
    });
    match said.map_err(|failure| denial(&failure, Stage::InitialTicket, realm))? {
        Some(Said { at, .. }) => Ok(Timestamp::from_unix(u64::from(at))),
        None => Err(refused(Reason::KerberosFailure, "the KDC issues no tickets")),
    }
}

/// Whether the realm knows a service, asked without any key.
///
/// # Errors
/// No KDC answers, or the library cannot ask.
pub(crate) fn knows(service: &str, realm: &str) -> Result<Known, Denied> {
    let failed = |failure| denial(&failure, Stage::InitialTicket, realm);
    let context = gss::Context::new().map_err(failed)?;
    // Every KDC has one of the two; neither signs on by a password.
    for client in [format!("krbtgt@{realm}"), format!("krbtgt/{realm}@{realm}")] {
        let client = context.principal(&name(&client)).map_err(failed)?;
        let said = |service: &str| context.ask(&client, Some(&name(service))).map_err(failed);
        match said(service)?.map(|said| said.code) {
            Some(C_PRINCIPAL_UNKNOWN) => {}
            Some(S_PRINCIPAL_UNKNOWN) => return Ok(Known::No),
            Some(PRINCIPAL_NOT_UNIQUE) => return Ok(Known::Twice),
            // One that refuses a name that nobody has as well looks at services later.
            _ => {
                let control = said(NO_SERVICE)?.map(|said| said.code);
                let tells = control == Some(S_PRINCIPAL_UNKNOWN);
                return Ok(if tells { Known::Yes } else { Known::Untold });
            }
        }
    }
    Ok(Known::Untold)
}

/// Whoever runs this process, by the default cache.
pub(crate) fn caller() -> Option<Holder> {
    let cache = fresh_cache();
    let principal = gss::Context::new().and_then(|context| context.fill_by_caller(&cache));
    principal.ok().map(|principal| Holder { principal, cache })
}

/// A principal whose key the keytab has.
///
/// # Errors
/// The realm has no such client, or takes the key for wrong; or no KDC answers.
pub(crate) fn by_key(keytab: &Path, principal: &str) -> Result<Holder, Denied> {
    let realm = principal.rsplit_once('@').map_or("", |(_, realm)| realm);
    let cache = fresh_cache();
    let filled = gss::Context::new().and_then(|context| {
        let client = context.principal(&name(principal))?;
        let keytab = context.keytab(&super::file(keytab))?;
        context.fill_by_key(&cache, &client, &keytab)
    });
    filled.map_err(|failure| denial(&failure, Stage::InitialTicket, realm))?;
    Ok(Holder { principal: principal.to_owned(), cache })
}

impl Holder {
    /// The realm that gave the ticket-granting ticket.
    pub(crate) fn realm(&self) -> &str {
        self.principal.rsplit_once('@').map_or("", |(_, realm)| realm)
    }

    /// Gets a ticket for `service`, and lays it beside the keytab.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn ticket(&self, service: &str, keytab: &Path) -> Result<Seen, Withheld> {
        let seen = gss::Context::new().and_then(|context| {
            let service = context.principal(&name(service))?;
            let ticket = context.ticket_for(&self.cache, &service)?;
            let keytab = context.keytab(&super::file(keytab))?;
            let enctype = Enctype(u16::try_from(ticket.enctype()).unwrap_or_default());
            Ok(Seen { kvno: ticket.kvno(), enctype, opens: ticket.opens(&keytab) })
        });
        seen.map_err(|failure| {
            match u32::try_from(failure.code.wrapping_sub(gss::PROTOCOL)).unwrap_or_default() {
                S_PRINCIPAL_UNKNOWN => Withheld::Unknown,
                PRINCIPAL_NOT_UNIQUE => Withheld::Twice,
                ETYPE_NOSUPP => Withheld::Encryption,
                SKEW => Withheld::Clock,
                _ => Withheld::Other(failure.text),
            }
        })
    }
}

/// The encryption types that krb5.conf permits.
///
/// # Errors
/// krb5.conf cannot be used.
pub(crate) fn permitted() -> Result<Vec<Enctype>, Denied> {
    let context = gss::Context::new();
    let list = context.and_then(|context| context.permitted());
    let list = list.map_err(|failure| denial(&failure, Stage::InitialTicket, ""))?;
    Ok(list.into_iter().filter_map(|number| number.try_into().ok().map(Enctype)).collect())
}

/// The realm that krb5.conf has as `default_realm`.
pub(crate) fn default_realm() -> Option<String> {
    gss::Context::new().and_then(|context| context.default_realm()).ok()
}

/// A cache of this process that nobody else uses.
fn fresh_cache() -> CString {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    name(&format!("MEMORY:doorward-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// A name for the library. One with a NUL byte is none, and is refused there.
fn name(text: &str) -> CString {
    gss::text(text).unwrap_or_default()
}

/// A service that no realm has: `.invalid` is nobody's (RFC 2606).
const NO_SERVICE: &str = "HTTP/doorward-check.invalid";

const C_PRINCIPAL_UNKNOWN: u32 = 6;
const S_PRINCIPAL_UNKNOWN: u32 = 7;
const PRINCIPAL_NOT_UNIQUE: u32 = 8;
const ETYPE_NOSUPP: u32 = 14;
const SKEW: u32 = 37;
