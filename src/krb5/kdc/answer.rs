//! From the library's codes to a reason. The codes are those of the protocol and of krb5.h, the
//! same in every version.

use super::gss::{Failure, PROTOCOL};
use crate::wire::{Denied, Reason};

/// At what the library failed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage<'a> {
    /// Before any KDC was asked: at krb5.conf.
    Library,
    /// At the initial ticket, by the user's password.
    InitialTicket,
    /// At the proof of the KDC.
    Proof {
        /// The service that it was asked to give a ticket for.
        service: &'a str,
    },
}

/// Why a password was not taken, and the story for the log.
pub(super) fn denial(failure: &Failure, stage: Stage<'_>, realm: &str) -> Denied {
    let text = &failure.text;
    let code = failure.code;
    let reason = match stage {
        Stage::Library => Reason::KerberosConfiguration,
        _ if UNREACHABLE.contains(&code) => Reason::KdcUnreachable,
        _ if CONFIGURATION.contains(&code) => Reason::KerberosConfiguration,
        Stage::Proof { .. } => Reason::KdcUnproven,
        Stage::InitialTicket => of_user(code),
    };
    let detail = match (reason, stage) {
        (Reason::KdcUnreachable, _) => format!(
            "{text}: no KDC of {realm} answers; is it running, and does krb5.conf or DNS name it?"
        ),
        (Reason::KdcUnproven, Stage::Proof { service }) => format!(
            "{text}: the KDC of {realm} could not prove itself by {service}; is the keytab out of \
             date, or is the server that answers not the KDC?"
        ),
        (Reason::KerberosConfiguration, _) => format!(
            "{text} (code {code}): correct /etc/krb5.conf, or the file that KRB5_CONFIG names, and \
             let the user that Doorward runs as read it"
        ),
        _ => format!("{text} (realm {realm}, code {code})"),
    };
    Denied::new(reason, detail)
}

/// Whether a password is refused for this reason; otherwise it could not be checked.
pub(crate) const fn is_fault_of_user(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::WrongPassword
            | Reason::UnknownUser
            | Reason::AccountDisabled
            | Reason::PasswordExpired
            | Reason::OddPrincipal
    )
}

/// The KDC does not know the service: another one of the keytab may do.
pub(super) const fn is_unknown_service(failure: &Failure) -> bool {
    matches!(failure.code - PROTOCOL, S_PRINCIPAL_UNKNOWN | MUST_USE_USER2USER)
}

/// What a KDC says of a user (RFC 4120 section 7.5.9). The user is at fault only
/// where the KDC says so, or sent what the password does not open.
fn of_user(code: i32) -> Reason {
    match code.wrapping_sub(PROTOCOL) {
        NAME_EXP | POLICY | CLIENT_REVOKED | CLIENT_NOTYET => Reason::AccountDisabled,
        C_PRINCIPAL_UNKNOWN => Reason::UnknownUser,
        KEY_EXP => Reason::PasswordExpired,
        PREAUTH_FAILED | BAD_INTEGRITY => Reason::WrongPassword,
        SVC_UNAVAILABLE => Reason::KdcUnreachable,
        _ => Reason::PasswordUnchecked,
    }
}

const NAME_EXP: i32 = 1;
const C_PRINCIPAL_UNKNOWN: i32 = 6;
const S_PRINCIPAL_UNKNOWN: i32 = 7;
const POLICY: i32 = 12;
const CLIENT_REVOKED: i32 = 18;
const CLIENT_NOTYET: i32 = 21;
const KEY_EXP: i32 = 23;
const PREAUTH_FAILED: i32 = 24;
const MUST_USE_USER2USER: i32 = 27;
const SVC_UNAVAILABLE: i32 = 29;
const BAD_INTEGRITY: i32 = 31;

/// `KRB5_KDC_UNREACH`, `KRB5_REALM_UNKNOWN`, `KRB5_REALM_CANT_RESOLVE`
const UNREACHABLE: [i32; 3] = [-1_765_328_228, -1_765_328_230, -1_765_328_164];
/// `KRB5_CONFIG_CANTOPEN`, `KRB5_CONFIG_BADFORMAT`, `KRB5_CONFIG_NODEFREALM`,
/// `KRB5_CONFIG_ETYPE_NOSUPP`
const CONFIGURATION: [i32; 4] = [-1_765_328_249, -1_765_328_248, -1_765_328_160, -1_765_328_147];

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(code: i32, stage: Stage<'_>) -> Reason {
        let failure = Failure { code, text: "said".to_owned() };
        denial(&failure, stage, "EXAMPLE").reason
    }

    #[test]
    fn what_a_kdc_says_of_a_user_has_a_reason_each() {
        for (code, expected) in [
            (C_PRINCIPAL_UNKNOWN, Reason::UnknownUser),
            (PREAUTH_FAILED, Reason::WrongPassword),
            (BAD_INTEGRITY, Reason::WrongPassword),
            (CLIENT_REVOKED, Reason::AccountDisabled),
            (KEY_EXP, Reason::PasswordExpired),
            (SVC_UNAVAILABLE, Reason::KdcUnreachable),
        ] {
            assert_eq!(reason(PROTOCOL + code, Stage::InitialTicket), expected, "{code}");
        }
    }

    #[test]
    fn a_user_is_at_fault_only_where_the_kdc_says_so() {
        let by_kdc = [1, 6, 12, 18, 21, 23, 24, 31];
        let all = (0..128).map(|code| PROTOCOL + code);
        // Every code of the library (krb5.h) and of its configuration, and some of the system.
        let own = (PROTOCOL - 128..PROTOCOL).chain(PROTOCOL + 128..PROTOCOL + 512);
        let profile = -1_429_577_728..-1_429_577_700;
        for code in all.chain(own).chain(profile).chain([0, 2, 5, 13, 22, 28, i32::MIN, i32::MAX]) {
            let fault = is_fault_of_user(reason(code, Stage::InitialTicket));
            assert_eq!(fault, by_kdc.contains(&code.wrapping_sub(PROTOCOL)), "{code}");
            assert!(!is_fault_of_user(reason(code, Stage::Library)), "{code}");
            let proof = Stage::Proof { service: "HTTP/web@EXAMPLE" };
            assert!(!is_fault_of_user(reason(code, proof)), "{code}");
        }
    }

    #[test]
    fn a_kdc_that_cannot_prove_itself_is_never_the_users_fault() {
        let stage = Stage::Proof { service: "HTTP/web@EXAMPLE" };
        for code in [C_PRINCIPAL_UNKNOWN, S_PRINCIPAL_UNKNOWN, PREAUTH_FAILED, BAD_INTEGRITY] {
            assert_eq!(reason(PROTOCOL + code, stage), Reason::KdcUnproven, "{code}");
        }
        assert_eq!(reason(UNREACHABLE[0], stage), Reason::KdcUnreachable);
    }
}
