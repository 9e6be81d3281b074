//! Faults of certificates and keys.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[];
