//! krb5.conf: whether the library can use it. It ignores a file that is missing or not readable,
//! and names no line of a file that it cannot parse.

use std::env;

use crate::advice::krb5_conf as advice;
use crate::cli::check::report::Finding;
use crate::krb5::kdc;

pub(super) fn check() -> Finding {
    let unusable = kdc::configuration();
    match (kdc::profile_fault(), unusable) {
        (Some(fault), _) => Finding::error(CHECK, &fault.to_string(), advice::CORRECT),
        (None, Err(refused)) => Finding::error(CHECK, &refused.detail, advice::CORRECT),
        (None, Ok(())) => Finding::ok(CHECK, taken()),
    }
}

fn taken() -> String {
    match env::var("KRB5_CONFIG") {
        Ok(files) => format!("the library accepts {files}"),
        Err(_) if std::path::Path::new(USUAL).exists() => format!("the library accepts {USUAL}"),
        Err(_) => format!("there is no {USUAL}: DNS is used to find realms and their KDCs"),
    }
}

const CHECK: &str = "krb5.conf";

/// Where the library looks without `KRB5_CONFIG`.
const USUAL: &str = "/etc/krb5.conf";
