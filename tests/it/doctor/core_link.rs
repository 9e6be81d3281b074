//! Faults of the way from the front to the core.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[];
