//! From the library's codes and texts to a reason, and to words that say what to mend.

use std::path::Path;

use crate::front::mechanism::kerberos::gss::Failure;
use crate::wire::Reason;

/// Why a call failed, and the story for the log.
pub(super) fn explain(failure: &Failure, keytab: &Path) -> (Reason, String) {
    let _ = keytab;
    (
        Reason::KerberosFailure,
        format!("{:#x} {} {}", failure.major, failure.minor as i32, failure.text),
    )
}
