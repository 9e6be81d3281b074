//! Keeps passwords and keys out of core files.

use nix::sys::resource::{Resource, setrlimit};

/// Lets the system write no core file of this process: it would hold passwords,
/// and keys.
pub(crate) fn write_no_core_file() {
    if let Err(error) = setrlimit(Resource::RLIMIT_CORE, 0, 0) {
        tracing::warn!(%error, "core files of this process are not switched off");
    }
}
