//! Faults of proxies before the gateway.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[];
