//! From what the library says to a reason.
//!
//! Codes do not tell faults apart: through SPNEGO the mechanism's own code
//! comes as a stand-in, another one in every process, and the major status is
//! GSS_S_FAILURE for nearly everything. MIT's texts do, and have for ten years;
//! the library translates them only for programs that set a locale.

use libgssapi_sys as sys;

use crate::krb5::gss::Failure;
use crate::wire::Reason;

pub(super) fn classify(failure: &Failure) -> Reason {
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

fn contains_all(text: &str, pieces: &[&str]) -> bool {
    pieces.iter().all(|piece| text.contains(piece))
}

const CALLING_ERROR: u32 = 0xff00_0000;
const ROUTINE_ERROR: u32 = 0x00ff_0000;

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
