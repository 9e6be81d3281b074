//! What tests know of a gateway.

use super::Services;
use crate::clock::Timestamp;
use crate::krb5::keytab::{Enctype, Entry, Keytab};

/// The names of a keytab with keys of these principals.
pub(in crate::front) fn services(names: &[&str]) -> Services {
    let entry = |name: &&str| Entry {
        principal: (*name).to_owned(),
        realm: "LAB.EXAMPLE".to_owned(),
        kvno: 1,
        enctype: Enctype(18),
        written: Timestamp::from_unix(0),
    };
    Services::of(&Keytab { entries: names.iter().map(entry).collect() })
}
