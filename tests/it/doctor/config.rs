//! Faults of the configuration file.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[];
