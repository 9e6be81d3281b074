//! The client's side of Kerberos: which ticket there is, and the tokens made of it.

use std::time::Duration;

use libgssapi::context::{ClientCtx, CtxFlags, SecurityContext};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::error::{Error, MajorFlags};
use libgssapi::name::Name;
use libgssapi::oid::{
    GSS_MECH_KRB5, GSS_MECH_SPNEGO, GSS_NT_HOSTBASED_SERVICE, GSS_NT_KRB5_PRINCIPAL, OidSet,
};

use crate::cli::ProbeArguments;
use crate::cli::probe::connection::target::Target;
use crate::cli::probe::error::ProbeError;
use crate::mechanism::Bindings;

/// The service a ticket is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::probe) enum Service {
    /// `HTTP` at this host, as browsers ask for; krb5.conf may canonicalise it.
    Host(String),
    /// This principal, `HTTP/host` or `HTTP/host@REALM`.
    Principal(String),
}

/// Who will sign on.
#[derive(Debug)]
pub(in crate::cli::probe) struct Ticket {
    pub(in crate::cli::probe) principal: String,
    /// How long its ticket-granting ticket lasts.
    pub(in crate::cli::probe) remaining: Duration,
}

/// Why there is no token. Each says what fixes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli::probe) enum TicketError {
    /// The person at the keyboard has not signed on.
    #[error(
        "you have no Kerberos ticket ({0}): run kinit, or set KRB5CCNAME to the cache that contains it"
    )]
    None(String),
    /// Or did so too long ago.
    #[error("your Kerberos ticket has expired: run kinit again")]
    Expired,
    /// The realm does not know the site by its name.
    #[error(
        "the realm knows no service {service}: the name is on no account, or on two (the KDC says: {said}). `setspn -Q {service}` shows which: if none, register it for the account whose keys the server has (setspn -S {service} ACCOUNT, or samba-tool spn add {service} ACCOUNT); if two, remove it from all but that one (setspn -D {service} ACCOUNT). Or use the registered name of the site; an address has none. --spn tries another name"
    )]
    UnknownService { service: String, said: String },
    /// It was asked for by another name than the URL's.
    #[error(
        "you asked for {host}, and this machine's krb5.conf turned it into {service} (rdns, or dns_canonicalize_hostname), which the realm does not know: set rdns = false and dns_canonicalize_hostname = false in its [libdefaults]"
    )]
    Renamed {
        /// The host of the URL.
        host: String,
        service: String,
    },
    /// The ticket begins in the future.
    #[error(
        "your Kerberos ticket is not valid yet: the clock of this machine is behind the KDC's. Set it by the domain's time, and run kinit again"
    )]
    NotYetValid,
    #[error(
        "the realm gives you no tickets ({0}): your account is disabled, locked or expired, or its policy forbids it"
    )]
    Account(String),
    #[error(
        "no KDC of the realm answers ({0}): check krb5.conf, the DNS entries _kerberos._tcp and the network path to the domain controller"
    )]
    NoKdc(String),
    /// The KDC and the service's account share no encryption.
    #[error(
        "the realm cannot make a ticket for {service} with an encryption type that this machine accepts: give the service's account AES keys (msDS-SupportedEncryptionTypes 24) and set its password again"
    )]
    Encryption { service: String },
    #[error(
        "the clocks of this machine and of the realm's KDC differ too much: set both from the same time server"
    )]
    ClockSkew,
    /// The server's final token proves nothing.
    #[error("the token in the server's answer cannot be verified ({0})")]
    NotVerified(String),
    /// Whatever else the library said.
    #[error("the Kerberos library says: {0}")]
    Other(String),
}

impl From<TicketError> for ProbeError {
    fn from(error: TicketError) -> Self {
        Self::Credential(error.to_string())
    }
}

pub(in crate::cli::probe) struct Initiator {
    context: ClientCtx,
    service: Service,
    bindings: Option<Bindings>,
    complete: bool,
}

impl Ticket {
    /// The ticket of the default cache.
    pub(in crate::cli::probe) fn present() -> Result<Self, TicketError> {
        let none = |error: Error| {
            if is_expired(&error) {
                TicketError::Expired
            } else if error.minor.cast_signed() == KRB5KRB_AP_ERR_TKT_NYV {
                TicketError::NotYetValid
            } else {
                TicketError::None(innermost(&error))
            }
        };
        let kerberos = OidSet::singleton(GSS_MECH_KRB5).map_err(none)?;
        let held = Cred::acquire(None, None, CredUsage::Initiate, Some(&kerberos)).map_err(none)?;
        let principal = held.name().map_err(none)?.to_string();
        let remaining = held.lifetime().map_err(none)?;
        if remaining.is_zero() {
            Err(TicketError::Expired)
        } else {
            Ok(Self { principal, remaining })
        }
    }
}

impl Service {
    /// The one of this target, unless another is asked for.
    pub(in crate::cli::probe) fn of(target: &Target, arguments: &ProbeArguments) -> Self {
        match &arguments.spn {
            Some(principal) => Self::Principal(principal.clone()),
            None => Self::Host(target.host.clone()),
        }
    }

    fn name(&self) -> Result<Name, Error> {
        match self {
            Self::Host(host) => {
                Name::new(format!("HTTP@{host}").as_bytes(), Some(GSS_NT_HOSTBASED_SERVICE))
            }
            Self::Principal(principal) => {
                Name::new(principal.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL))
            }
        }
    }

    /// The principal that is asked for, as far as it is known here.
    pub(in crate::cli::probe) fn principal(&self) -> String {
        let canonical = self.name().and_then(|name| name.canonicalize(Some(GSS_MECH_KRB5)));
        match (canonical, self) {
            (Ok(name), _) => name.to_string().trim_end_matches('@').to_owned(),
            (Err(_), Self::Host(host)) => format!("HTTP/{host}"),
            (Err(_), Self::Principal(principal)) => principal.clone(),
        }
    }
}

impl Initiator {
    /// A context that has not begun. It asks for mutual authentication, and is
    /// bound to the TLS channel by `bindings` (RFC 5929).
    pub(in crate::cli::probe) fn new(
        service: Service,
        bindings: Option<Bindings>,
    ) -> Result<Self, TicketError> {
        let name = service.name().map_err(|error| TicketError::Other(innermost(&error)))?;
        let flags = CtxFlags::GSS_C_MUTUAL_FLAG;
        let context = ClientCtx::new(None, name, flags, Some(GSS_MECH_SPNEGO));
        Ok(Self { context, service, bindings, complete: false })
    }

    /// The next token for the server, after the server's own (none at first);
    /// `None` when there is nothing more to say.
    pub(in crate::cli::probe) fn step(
        &mut self,
        token: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, TicketError> {
        let out = self
            .context
            .step(token, self.bindings.as_ref().map(Bindings::as_bytes))
            .map_err(|error| match token {
                None => self.explain(&error),
                Some(_) => TicketError::NotVerified(innermost(&error)),
            })?;
        // Only a context that stands knows how long it lasts.
        self.complete = self.context.is_complete();
        Ok(out.filter(|token| !token.is_empty()).map(|token| token.to_vec()))
    }

    /// Whether the server has proven itself too.
    pub(in crate::cli::probe) const fn is_complete(&self) -> bool {
        self.complete
    }

    /// The service principal of the ticket that was used, once that is known.
    pub(in crate::cli::probe) fn used(&mut self) -> Option<String> {
        if !self.complete {
            return None;
        }
        self.context.target_name().ok().map(|name| name.to_string())
    }

    fn explain(&self, error: &Error) -> TicketError {
        let service = || self.service.principal();
        let kerberos = self.without_spnego().unwrap_or(*error);
        match kerberos.minor.cast_signed() {
            KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN | KRB5KDC_ERR_PRINCIPAL_NOT_UNIQUE => {
                self.unknown(service(), innermost(&kerberos))
            }
            KRB5KDC_ERR_POLICY | KRB5KDC_ERR_CLIENT_REVOKED => {
                TicketError::Account(innermost(&kerberos))
            }
            KRB5KRB_AP_ERR_TKT_NYV => TicketError::NotYetValid,
            KRB5KDC_ERR_ETYPE_NOSUPP => TicketError::Encryption { service: service() },
            _ if is_expired(&kerberos) => TicketError::Expired,
            KRB5KRB_AP_ERR_SKEW => TicketError::ClockSkew,
            KRB5_KDC_UNREACH | KRB5_REALM_UNKNOWN | KRB5_REALM_CANT_RESOLVE => {
                TicketError::NoKdc(innermost(&kerberos))
            }
            _ => TicketError::Other(innermost(&kerberos)),
        }
    }

    fn unknown(&self, service: String, said: String) -> TicketError {
        match &self.service {
            Service::Host(host) if renamed(host, &service) => {
                TicketError::Renamed { host: host.clone(), service }
            }
            _ => TicketError::UnknownService { service, said },
        }
    }

    /// SPNEGO tells only that no mechanism worked; Kerberos by itself tells why.
    fn without_spnego(&self) -> Option<Error> {
        let name = self.service.name().ok()?;
        let flags = CtxFlags::GSS_C_MUTUAL_FLAG;
        let mut context = ClientCtx::new(None, name, flags, Some(GSS_MECH_KRB5));
        context.step(None, None).err()
    }
}

/// Whether krb5.conf made another host of the one that was asked for.
pub(in crate::cli::probe) fn renamed(host: &str, service: &str) -> bool {
    let name = service.split_once('@').map_or(service, |(name, _)| name);
    let asked = host.trim_end_matches('.');
    !name.split_once('/').is_some_and(|(_, found)| found.eq_ignore_ascii_case(asked))
}

/// The major status holds a routine error as a number, not as bits (RFC 2744, 3.9.1).
fn is_expired(error: &Error) -> bool {
    let expired = MajorFlags::GSS_S_CREDENTIALS_EXPIRED.bits();
    error.major.bits() & ROUTINE_ERRORS == expired
        || error.minor.cast_signed() == KRB5KRB_AP_ERR_TKT_EXPIRED
}

/// The mechanism's own words, which say more than the major status around them.
fn innermost(error: &Error) -> String {
    let whole = error.to_string();
    let inner = whole.split_once(" (").and_then(|(_, inner)| inner.strip_suffix(')'));
    inner.filter(|inner| !inner.is_empty()).unwrap_or(&whole).trim().to_owned()
}

const ROUTINE_ERRORS: u32 = 0x00ff_0000;

// Codes of the krb5 error table (MIT krb5, lib/krb5/error_tables/krb5_err.et).
const KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN: i32 = -1_765_328_377;
const KRB5KDC_ERR_PRINCIPAL_NOT_UNIQUE: i32 = -1_765_328_376;
const KRB5KDC_ERR_POLICY: i32 = -1_765_328_372;
const KRB5KDC_ERR_CLIENT_REVOKED: i32 = -1_765_328_366;
const KRB5KRB_AP_ERR_TKT_NYV: i32 = -1_765_328_351;
const KRB5KDC_ERR_ETYPE_NOSUPP: i32 = -1_765_328_370;
const KRB5KRB_AP_ERR_TKT_EXPIRED: i32 = -1_765_328_352;
const KRB5KRB_AP_ERR_SKEW: i32 = -1_765_328_347;
const KRB5_REALM_UNKNOWN: i32 = -1_765_328_230;
const KRB5_KDC_UNREACH: i32 = -1_765_328_228;
const KRB5_REALM_CANT_RESOLVE: i32 = -1_765_328_164;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_krb5_conf_renamed_is_noticed() {
        for (host, service, expected) in [
            ("web.example", "HTTP/web.example@EXAMPLE", false),
            ("WEB.example.", "HTTP/web.example@", false),
            ("web", "HTTP/web.example@EXAMPLE", true),
            ("web.example", "HTTP/srv7.example", true),
        ] {
            assert_eq!(renamed(host, service), expected, "{host} {service}");
        }
    }
}
