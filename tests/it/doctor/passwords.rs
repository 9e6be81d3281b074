//! Faults of passwords and krb5.conf.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[];
