//! Addresses to listen on.

/// The port needs a right that this user lacks.
pub(crate) const LOW_PORT: &str = "ports below 1024 need root or CAP_NET_BIND_SERVICE: run the check as the user that starts the gateway";

/// The address belongs to another host.
pub(crate) fn another_host(key: &str) -> String {
    format!("set {key} to an address of this host, or to 0.0.0.0 or [::] for all of them")
}

/// An address that cannot be used for another reason.
pub(crate) fn correct(key: &str) -> String {
    format!("correct {key}")
}

/// Another program listens there.
pub(crate) fn taken(key: &str) -> String {
    format!("stop that program, or set {key} to another port")
}

/// Somebody listens there, and this user may not see who.
pub(crate) const LOOK_AS_ROOT: &str =
    "run the check as root to see which; if it is the gateway itself, all is well";
