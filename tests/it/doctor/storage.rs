//! Faults of folders, files and sockets.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[];
