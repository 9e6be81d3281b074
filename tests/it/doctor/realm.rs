//! Faults of realms and domains.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[];
