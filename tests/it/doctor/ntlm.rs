//! Faults of NTLM.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[];
