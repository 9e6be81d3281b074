//! Faults of the applications behind the gateway.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[];
