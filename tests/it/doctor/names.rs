//! Faults of host names.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[];
