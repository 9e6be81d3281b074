use libgssapi_sys as sys;

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
    let (reason, detail) = explain_under(&failure(FAILURE, text), path(), |_| Ok(keytab()), all);
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
