//! The account that Doorward runs as, and accounts that it knows.

/// `run_as_user` cannot be found, or may not be changed to.
pub(crate) const CORRECT_RUN_AS: &str = "correct run_as_user and run_as_group";

/// This process may not become `run_as_user`.
pub(crate) const START_AS_ACCOUNT: &str = "run it as root, or as the account itself";

/// A file that the account may not read.
pub(crate) const LET_READ: &str = "let the account read it";

/// A configuration that the account may not read.
pub(crate) const RELOADS: &str =
    "let the account read the configuration, or restart the gateway instead of reloading it";

/// A key of `[core]` names accounts or groups that this host does not know.
pub(crate) fn unknown(key: &str) -> String {
    format!("create the account or group, or correct [core] {key}")
}

/// Limits of the process are too low to ask anything.
pub(crate) const RAISE_LIMITS: &str = "raise the limits of this process (ulimit -n)";
