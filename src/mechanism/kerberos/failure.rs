//! From the library's message to a reason, and to advice how to fix it.
//!
//! Codes do not tell faults apart: through SPNEGO the mechanism's own code
//! comes as a stand-in, another one in every process, and the major status is
//! GSS_S_FAILURE for nearly everything. MIT's texts do, and have for ten years;
//! the library translates them only for programs that set a locale.

use std::path::Path;

use libgssapi_sys as sys;

use crate::krb5::accept::Failure;
use crate::krb5::kdc::ask::permitted;
use crate::krb5::keytab::{Enctype, Entry, Keytab, KeytabError};
use crate::wire::Reason;

/// Why a call failed, and the story for the log. `read` reads the keytab at
/// `path`, and is called only where its content matters.
pub(super) fn explain(
    failure: &Failure,
    path: &Path,
    read: impl Fn(&Path) -> Result<Keytab, KeytabError>,
) -> (Reason, String) {
    explain_under(failure, path, read, || permitted().unwrap_or_default())
}

/// The same, where krb5.conf permits these encryption types.
fn explain_under(
    failure: &Failure,
    path: &Path,
    read: impl Fn(&Path) -> Result<Keytab, KeytabError>,
    permitted: impl Fn() -> Vec<Enctype>,
) -> (Reason, String) {
    let reason = classify(failure);
    let text = if failure.text.is_empty() { &failure.status } else { &failure.text };
    if matches!(reason, Reason::KeyWrong | Reason::KeyEncryption | Reason::KeyMissing)
        && let Ok(keytab) = read(path)
        && let Some(why) = forbidden(&keytab, text, &permitted())
    {
        return (Reason::KeyEncryption, format!("{text}: {why}"));
    }
    let mend = match reason {
        Reason::KeytabUnreadable | Reason::KerberosConfiguration | Reason::KerberosFailure => {
            match read(path) {
                Err(error) => return (Reason::KeytabUnreadable, error.to_string()),
                Ok(keytab) if keytab.entries.is_empty() => {
                    let detail = format!("{} contains no key; export one to it", path.display());
                    return (Reason::KeytabUnreadable, detail);
                }
                Ok(_) => unexplained(reason, failure),
            }
        }
        Reason::KeyVersion => format!(
            "{}. If the ticket is the older one, the client must fetch a new one (klist purge, or sign \
             off and on); if the keytab is, export it again",
            holdings(path, read, text)
        ),
        Reason::KeyMissing => format!(
            "{}. Export a key for this service to it, or let the client use a name that is in it",
            holdings(path, read, text)
        ),
        Reason::KeyEncryption => format!(
            "{}. Give the account AES keys (msDS-SupportedEncryptionTypes 24, then a new password), export the keytab again, and check permitted_enctypes in krb5.conf",
            holdings(path, read, text)
        ),
        Reason::KeyWrong => {
            let name = service(text).map_or("HTTP/NAME", without_realm);
            format!(
                "{}. The KDC made the ticket with another key than the one of that version: the keytab was exported for another account. `setspn -Q {name}` shows the account that has the name: export the keytab for that account (ktpass, samba-tool domain exportkeytab), or, if it is the wrong one, move the name to the right account (setspn -D, setspn -S)",
                holdings(path, read, text)
            )
        }
        Reason::ReplayCacheFailed => {
            "the directory must belong to the user that Doorward runs as, and its disk must have free space".to_owned()
        }
        // Whose clock it is, is added where the domain controller's is known.
        Reason::ClockSkew => "the clocks are more than five minutes apart".to_owned(),
        Reason::BindingMismatch => {
            "the client bound its token to another TLS channel: is there a TLS proxy in front of this gateway (then list it in trusted_proxies), or a server with another certificate?"
                .to_owned()
        }
        _ => return (reason, text.clone()),
    };
    (reason, format!("{text}: {mend}"))
}

/// What to say where the keytab is not at fault.
fn unexplained(reason: Reason, failure: &Failure) -> String {
    match reason {
        Reason::KerberosConfiguration => {
            "correct /etc/krb5.conf, or the file that KRB5_CONFIG names".to_owned()
        }
        _ => format!("GSSAPI status {:#x}, code {}", failure.major, failure.minor as i32),
    }
}

fn classify(failure: &Failure) -> Reason {
    let by_text = TEXTS.iter().find(|(pieces, _)| contains_all(&failure.text, pieces));
    if let Some((_, reason)) = by_text {
        return *reason;
    }
    // Calling errors come from what the client left out of its token.
    if failure.major & CALLING_ERROR != 0 {
        return Reason::DefectiveToken;
    }
    // Routine errors are numbers, not bits (RFC 2744 section 3.9.1).
    match failure.major & ROUTINE_ERROR {
        sys::_GSS_S_BAD_BINDINGS => Reason::BindingMismatch,
        sys::_GSS_S_BAD_MECH => Reason::WrongMechanism,
        sys::_GSS_S_DEFECTIVE_TOKEN | sys::_GSS_S_BAD_SIG => Reason::DefectiveToken,
        // An AP-REQ that cannot be decoded fails without saying why.
        sys::_GSS_S_FAILURE if failure.text.is_empty() => Reason::DefectiveToken,
        _ => Reason::KerberosFailure,
    }
}

/// What the keytab holds for the service that the library's sentence names.
fn holdings(
    path: &Path,
    read: impl FnOnce(&Path) -> Result<Keytab, KeytabError>,
    text: &str,
) -> String {
    let keytab = match read(path) {
        Ok(keytab) => keytab,
        Err(error) => return error.to_string(),
    };
    let path = path.display();
    let keys: Vec<String> = service(text)
        .map(|name| keytab.keys_for(name))
        .unwrap_or_default()
        .iter()
        .map(|key| format!("kvno {} {}", key.kvno, key.enctype))
        .collect();
    if keys.is_empty() {
        format!("{path} has keys of {}", listed(&keytab.principals()))
    } else {
        format!("for this service, {path} has {}", keys.join(", "))
    }
}

/// Whether krb5.conf forbids all keys that the keytab has for the service: the library
/// then acts as if there were none, or another.
fn forbidden(keytab: &Keytab, text: &str, permitted: &[Enctype]) -> Option<String> {
    let keys = service(text).map(|name| keytab.keys_for(name))?;
    let forbids = |key: &&Entry| !permitted.contains(&key.enctype);
    if permitted.is_empty() || keys.is_empty() || !keys.iter().all(forbids) {
        return None;
    }
    let named = |types: &mut dyn Iterator<Item = Enctype>| {
        let mut names: Vec<_> = types.map(|one| one.to_string()).collect();
        names.dedup();
        names.join(", ")
    };
    Some(format!(
        "krb5.conf permits only {} (permitted_enctypes), but the keytab has {} for it. Remove permitted_enctypes from [libdefaults] in krb5.conf",
        named(&mut permitted.iter().copied()),
        named(&mut keys.iter().map(|key| key.enctype))
    ))
}

fn without_realm(principal: &str) -> &str {
    principal.rsplit_once('@').map_or(principal, |(name, _)| name)
}

/// The principal in "Request ticket server HTTP/web@EXAMPLE kvno 3 …".
fn service(text: &str) -> Option<&str> {
    let (_, rest) =
        text.split_once("ticket server ").or_else(|| text.split_once("decrypt ticket for "))?;
    let end = [" kvno ", " not found", " found", " using "]
        .iter()
        .filter_map(|word| rest.find(word))
        .min()?;
    rest.get(..end)
}

/// The first few, and how many more there are.
fn listed(names: &[&str]) -> String {
    let shown = names.get(..MAX_LISTED).unwrap_or(names);
    let more = names.len() - shown.len();
    let shown = shown.join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

fn contains_all(text: &str, pieces: &[&str]) -> bool {
    pieces.iter().all(|piece| text.contains(piece))
}

const CALLING_ERROR: u32 = 0xff00_0000;
const ROUTINE_ERROR: u32 = 0x00ff_0000;
const MAX_LISTED: usize = 8;

/// Pieces that stand together in a sentence of MIT's (krb5 1.15 to 1.22:
/// `krb5_err.et`, `rd_req_dec.c`, `kt_file.c`, `rc_file2.c`, `prof_err.et`).
/// The first entry that fits counts. The first few sentences quote a name that
/// the client made up, so it can make one of their reasons look like another,
/// and no more.
const TEXTS: &[(&[&str], Reason)] = &[
    (&["Request ticket server", "is likely out of date"], Reason::KeyVersion),
    (&["Request ticket server", "found in keytab but not with enctype"], Reason::KeyEncryption),
    (&["Request ticket server", "found in keytab but cannot decrypt"], Reason::KeyWrong),
    (&["Request ticket server", "does not match server principal"], Reason::WrongPrincipal),
    (&["Request ticket server", "not found in keytab"], Reason::KeyMissing),
    (&["Cannot decrypt ticket for"], Reason::KeyWrong),
    (&["Cannot find key for", "in keytab"], Reason::KeyMissing),
    (&["Key version number", "is incorrect"], Reason::KeyVersion),
    (&["Key version is not available"], Reason::KeyVersion),
    (&["Server principal", "does not match"], Reason::WrongPrincipal),
    (&["Wrong principal in request"], Reason::WrongPrincipal),
    (&["Request is a replay"], Reason::Replay),
    (&["Message is a replay"], Reason::Replay),
    (&["Ticket expired"], Reason::TicketExpired),
    (&["Ticket not yet valid"], Reason::TicketNotYetValid),
    (&["Ticket has invalid flag set"], Reason::TicketNotYetValid),
    (&["Clock skew too great"], Reason::ClockSkew),
    (&["Illegal cross-realm ticket"], Reason::RealmNotAllowed),
    (&["Encryption type", "not permitted"], Reason::KeyEncryption),
    (&["Bad encryption type"], Reason::KeyEncryption),
    (&["lacks support for encryption type"], Reason::KeyEncryption),
    (&["Decrypt integrity check failed"], Reason::DefectiveToken),
    (&["principal and ticket don't match"], Reason::DefectiveToken),
    (&["ASN.1"], Reason::DefectiveToken),
    (&["Token header is malformed"], Reason::DefectiveToken),
    (&["Token is missing data"], Reason::DefectiveToken),
    (&["Received token ID does not match"], Reason::DefectiveToken),
    (&["Keytab", "is nonexistent or empty"], Reason::KeytabUnreadable),
    (&["Key table file", "not found"], Reason::KeytabUnreadable),
    (&["Key table entry not found"], Reason::KeytabUnreadable),
    (&["No keys in keytab"], Reason::KeytabUnreadable),
    (&["Service key not available"], Reason::KeytabUnreadable),
    (&["Bad format in keytab"], Reason::KeytabUnreadable),
    (&["Unsupported key table format"], Reason::KeytabUnreadable),
    (&["(filename: "], Reason::ReplayCacheFailed),
    (&["No space left on device"], Reason::ReplayCacheFailed),
    (&["eplay cache"], Reason::ReplayCacheFailed),
    (&["Kerberos configuration file"], Reason::KerberosConfiguration),
    (&["Configuration file does not specify"], Reason::KerberosConfiguration),
    (&["rofile"], Reason::KerberosConfiguration),
    (&["Permission denied"], Reason::KerberosConfiguration),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    /// Majors and sentences as MIT krb5 1.20 gave them for faults made on purpose.
    const REAL: &[(u32, &str, Reason)] = &[
        (
            FAILURE,
            "Request ticket server HTTP/web@LAB.TEST kvno 4 not found in keytab; keytab is likely out of date",
            Reason::KeyVersion,
        ),
        (
            FAILURE,
            "Request ticket server HTTP/web@LAB.TEST kvno 3 not found in keytab; ticket is likely out of date",
            Reason::KeyVersion,
        ),
        (
            FAILURE,
            "Request ticket server HTTP/web@LAB.TEST kvno 4 found in keytab but not with enctype aes256-cts",
            Reason::KeyEncryption,
        ),
        (
            FAILURE,
            "Request ticket server HTTP/web@LAB.TEST kvno 4 enctype aes256-cts found in keytab but cannot decrypt ticket",
            Reason::KeyWrong,
        ),
        (
            FAILURE,
            "Request ticket server HTTP/x@LAB.TEST not found in keytab (ticket kvno 2)",
            Reason::KeyMissing,
        ),
        (FAILURE, "Request is a replay", Reason::Replay),
        (FAILURE, "Clock skew too great", Reason::ClockSkew),
        (FAILURE, "Ticket expired", Reason::TicketExpired),
        (FAILURE, "Ticket not yet valid", Reason::TicketNotYetValid),
        (FAILURE, "Decrypt integrity check failed", Reason::DefectiveToken),
        (FAILURE, "", Reason::DefectiveToken),
        (FAILURE, "Permission denied (filename: /x/replay-cache)", Reason::ReplayCacheFailed),
        (FAILURE, "No space left on device", Reason::ReplayCacheFailed),
        (FAILURE, "Improper format of Kerberos configuration file", Reason::KerberosConfiguration),
        (FAILURE, "Permission denied", Reason::KerberosConfiguration),
        (sys::_GSS_S_BAD_BINDINGS, "", Reason::BindingMismatch),
        (sys::_GSS_S_BAD_MECH, "SPNEGO failed to negotiate a mechanism", Reason::WrongMechanism),
        (sys::_GSS_S_BAD_SIG, "", Reason::DefectiveToken),
        (sys::_GSS_S_DEFECTIVE_TOKEN, "", Reason::DefectiveToken),
        (sys::_GSS_S_CALL_INACCESSIBLE_READ, "", Reason::DefectiveToken),
        (FAILURE, "Something nobody has heard of", Reason::KerberosFailure),
    ];
    const FAILURE: u32 = sys::_GSS_S_FAILURE;

    #[test]
    fn every_fault_is_told_by_its_own_reason() {
        for (major, text, reason) in REAL {
            let (found, detail) = explain(&failure(*major, text), path(), |_| Ok(keytab()));
            assert_eq!(found, *reason, "{text}");
            assert!(detail.contains(text), "{detail}");
        }
    }

    #[test]
    fn an_ordinary_failure_is_no_bad_bindings_though_it_shares_a_bit() {
        assert_ne!(FAILURE & sys::_GSS_S_BAD_BINDINGS, 0);
        let (reason, _) = explain(&failure(FAILURE, "anything"), path(), |_| Ok(keytab()));
        assert_eq!(reason, Reason::KerberosFailure);
    }

    #[test]
    fn a_ticket_of_another_key_version_is_told_with_what_the_keytab_holds() {
        let (_, detail) = explain(&failure(FAILURE, REAL[0].1), path(), |_| Ok(keytab()));
        assert!(detail.contains("kvno 4 not found"), "{detail}");
        assert!(
            detail.contains(
                "for this service, /etc/web.keytab has kvno 3 aes256-cts-hmac-sha1-96, kvno 3 arcfour-hmac."
            ),
            "{detail}"
        );
    }

    #[test]
    fn a_service_that_is_not_in_the_keytab_is_told_with_those_that_are() {
        let (_, detail) = explain(&failure(FAILURE, REAL[4].1), path(), |_| Ok(keytab()));
        assert!(detail.contains("has keys of HTTP/web@LAB.TEST"), "{detail}");
    }

    #[test]
    fn of_many_services_the_first_few_are_named() {
        let names: Vec<String> = (0..MAX_LISTED + 3).map(|n| format!("n{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(listed(&names), "n0, n1, n2, n3, n4, n5, n6, n7 and 3 more");
        assert_eq!(listed(&names[..2]), "n0, n1");
    }

    #[test]
    fn a_keytab_that_cannot_be_read_is_the_reason_whatever_the_library_says() {
        for text in [
            "Keytab FILE:/etc/web.keytab is nonexistent or empty",
            "Key table file '/etc/web.keytab' not found",
            "Service key not available",
            "Permission denied",
            "Something nobody has heard of",
        ] {
            let missing = |path: &Path| Err(KeytabError::Missing(path.to_owned()));
            let (reason, detail) = explain(&failure(FAILURE, text), path(), missing);
            assert_eq!(reason, Reason::KeytabUnreadable, "{text}");
            assert!(detail.starts_with("/etc/web.keytab does not exist"), "{detail}");
        }
    }

    #[test]
    fn a_key_that_does_not_fit_has_one_cause_and_a_command() {
        let text = REAL[3].1;
        let all = || vec![Enctype(17), Enctype(18)];
        let (reason, detail) =
            explain_under(&failure(FAILURE, text), path(), |_| Ok(keytab()), all);
        assert_eq!(reason, Reason::KeyWrong);
        assert!(detail.contains("exported for another account"), "{detail}");
        assert!(detail.contains("`setspn -Q HTTP/web`"), "{detail}");
        assert!(!detail.contains("permitted_enctypes") && !detail.contains('?'), "{detail}");
    }

    #[test]
    fn keys_that_krb5_conf_forbids_are_told_as_such() {
        for text in [
            REAL[2].1,
            REAL[3].1,
            "Request ticket server HTTP/web@LAB.TEST not found in keytab (ticket kvno 3)",
        ] {
            let (reason, detail) = explain_under(
                &failure(FAILURE, text),
                path(),
                |_| Ok(keytab()),
                || vec![Enctype(20), Enctype(19)],
            );
            assert_eq!(reason, Reason::KeyEncryption, "{text}");
            assert!(
                detail.contains(
                    "krb5.conf permits only aes256-cts-hmac-sha384-192, aes128-cts-hmac-sha256-128"
                ),
                "{detail}"
            );
            assert!(detail.contains("Remove permitted_enctypes from"), "{detail}");
        }
    }

    #[test]
    fn a_keytab_without_keys_is_told_as_such() {
        let empty = |_: &Path| Ok(Keytab { entries: Vec::new() });
        let (reason, detail) = explain(&failure(FAILURE, "No keys in keytab"), path(), empty);
        assert_eq!(reason, Reason::KeytabUnreadable);
        assert_eq!(detail, "/etc/web.keytab contains no key; export one to it");
    }

    #[test]
    fn faults_of_the_client_do_not_cost_a_look_into_the_keytab() {
        for text in ["Request is a replay", "Clock skew too great", "Ticket expired", ""] {
            let never = |_: &Path| -> Result<Keytab, KeytabError> { panic!("read for {text:?}") };
            explain(&failure(FAILURE, text), path(), never);
        }
    }

    fn failure(major: u32, text: &str) -> Failure {
        let status = "Unspecified GSS failure".to_owned();
        Failure { major, minor: 100_001, status, text: text.to_owned(), reply: None }
    }

    fn path() -> &'static Path {
        Path::new("/etc/web.keytab")
    }

    fn keytab() -> Keytab {
        let entry = |enctype| Entry {
            principal: "HTTP/web@LAB.TEST".to_owned(),
            realm: "LAB.TEST".to_owned(),
            kvno: 3,
            enctype: Enctype(enctype),
            written: Timestamp::from_unix(0),
        };
        Keytab { entries: vec![entry(18), entry(23)] }
    }
}
